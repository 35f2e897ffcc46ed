"""A network cable between two processes: a TCP proxy that can be frozen, cut and mended."""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import suppress

_CHUNK = 64 * 1024


class Cable:
    """Forwards a loopback port to ``HOST:PORT``.

    Frozen, it keeps connections and carries nothing, as a firewall that lost its state does; cut, it resets
    them and refuses new ones.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        """Where new connections lead; may be changed, as a load balancer does."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.carried_bytes = 0
        self._through = threading.Event()
        self._through.set()
        self._is_cut = False
        self._closed = threading.Event()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        """``HOST:PORT`` to dial."""
        return f"127.0.0.1:{self.port}"

    def freeze(self) -> None:
        """Carry nothing any more, and tell nobody."""
        self._through.clear()

    def cut(self) -> None:
        """Reset all connections and refuse new ones."""
        self._is_cut = True
        self._reset_all()

    def mend(self) -> None:
        """Carry again. Connections that were frozen are lost, as after a real outage."""
        self._reset_all()
        self._is_cut = False
        self._through.set()

    def close(self) -> None:
        """Put it away."""
        self._closed.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._through.set()
        self._reset_all()

    def _reset_all(self) -> None:
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for end in pair:
                with suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                near.close()
                continue
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near:
            try:
                host, _, port = self.target.rpartition(":")
                far = socket.create_connection((host, int(port)), timeout=5)
            except OSError:
                return
            with far:
                far.settimeout(None)
                pair = (near, far)
                with self._lock:
                    self._pairs.add(pair)
                    self.connections += 1
                try:
                    self._forward(near, far)
                finally:
                    with self._lock:
                        self._pairs.discard(pair)

    def _forward(self, near: socket.socket, far: socket.socket) -> None:
        with selectors.DefaultSelector() as selector, suppress(OSError):
            selector.register(near, selectors.EVENT_READ, far)
            selector.register(far, selectors.EVENT_READ, near)
            while not self._closed.is_set():
                for key, _ in selector.select(timeout=0.5):
                    self._through.wait()
                    source: socket.socket = key.fileobj  # type: ignore[assignment]
                    data = source.recv(_CHUNK)
                    if not data:
                        return
                    key.data.sendall(data)
                    self.carried_bytes += len(data)
