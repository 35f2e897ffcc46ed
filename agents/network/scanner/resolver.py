"""Host names to addresses, off the engine's thread.

`getaddrinfo` blocks and can't be cancelled, so a few daemon threads call it and a socket pair wakes the
engine. A lookup that outlives the engine's patience is simply no longer waited for.
"""

from __future__ import annotations

import queue
import socket
import threading
from typing import NamedTuple, Protocol

from agents.network.scanner.addresses import address_number, address_text

_THREADS = 8


class Resolution(NamedTuple):
    """What a lookup found: addresses, or none and the system's words for why."""

    name: str
    addresses: tuple[str, ...]
    fault: str = ""


class Resolver(Protocol):
    """What the engine needs of a resolver."""

    def submit(self, name: str) -> None:
        """Begin to look a name up."""

    def results(self) -> list[Resolution]:
        """The lookups that have ended since the last call."""

    def fileno(self) -> int:
        """A descriptor that is readable when there are results."""

    def close(self) -> None:
        """Give up all lookups."""


class ThreadResolver:
    """The system's resolver, in threads that are started with the first name."""

    def __init__(self) -> None:
        self._names: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._found: queue.SimpleQueue[Resolution] = queue.SimpleQueue()
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)
        self._threads = 0

    def submit(self, name: str) -> None:
        """Begin to look a name up; its end shows up in `results`."""
        if self._threads < _THREADS:
            self._threads += 1
            threading.Thread(target=self._work, name="scan-resolver", daemon=True).start()
        self._names.put(name)

    def results(self) -> list[Resolution]:
        """The lookups that have ended since the last call."""
        try:
            self._wake_receiver.recv(4096)
        except BlockingIOError:
            return []
        found = []
        while not self._found.empty():
            found.append(self._found.get())
        return found

    def fileno(self) -> int:
        """A descriptor that is readable when there are results."""
        return self._wake_receiver.fileno()

    def close(self) -> None:
        """Let the threads end after the lookups they are in."""
        for _ in range(self._threads):
            self._names.put(None)
        self._wake_receiver.close()
        self._wake_sender.close()

    def _work(self) -> None:
        while (name := self._names.get()) is not None:
            self._found.put(look_up(name))
            try:
                self._wake_sender.send(b"\0")
            except BlockingIOError:
                continue  # the engine has enough unread wake-ups
            except OSError:
                return  # closed


def look_up(name: str) -> Resolution:
    """All addresses of a name, IPv4-mapped ones as IPv4, without duplicates, in the system's order."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return Resolution(name, (), str(error))
    # A scoped address (fe80::1%eth0) can't be compared with policy and is of no use to anybody else.
    texts = (str(entry[4][0]) for entry in found)
    addresses = dict.fromkeys(address_text(address_number(text)) for text in texts if "%" not in text)
    return Resolution(name, tuple(addresses))
