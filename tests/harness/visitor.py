"""A client that shakes hands with a port all the time, and what it saw."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from typing import Self


def served(port: int, name: str, *, timeout_s: float = 5) -> str:
    """The SHA-256 of the certificate that a loopback port shows in a complete handshake; raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return hashlib.sha256(secure.getpeercert(binary_form=True) or b"").hexdigest()


class Visitor:
    """Visits a port for the length of a ``with`` block."""

    def __init__(self, port: int, name: str) -> None:
        self.seen: list[str] = []
        """Fingerprints, in the order of the visits."""
        self.failures: list[str] = []
        self._port = port
        self._name = name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._visit, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def fingerprints(self) -> list[str]:
        """What was served, each certificate once, in the order of its first appearance."""
        return list(dict.fromkeys(self.seen))

    def _visit(self) -> None:
        # Fifty visits a second are enough to meet every gap that a person would, and leave the cores alone.
        while not self._stop.wait(0.02):
            try:
                self.seen.append(served(self._port, self._name))
            except OSError as error:
                self.failures.append(repr(error))
