"""Readiness of many sockets: epoll where there is one, `selectors` elsewhere, behind the same few methods.

With epoll a socket is registered once, edge-triggered, for its whole short life: changing its interest or
taking it out again would cost a system call each. The portable poller switches from writing to reading.
"""

from __future__ import annotations

import select
import selectors
from typing import Protocol

READABLE = 1
WRITABLE = 4
# Errors and hang-ups, in epoll's numbers: EPOLLERR | EPOLLHUP | EPOLLRDHUP.
BROKEN = 0x8 | 0x10 | 0x2000

MAX_EVENTS = 512


class Poller(Protocol):
    """What the engine needs of a poller."""

    portable: bool
    """Whether a failed connect has to be asked for, instead of showing as `BROKEN`."""

    def add(self, descriptor: int) -> None:
        """Watch a connecting socket."""

    def watch(self, descriptor: int) -> None:
        """Watch something that is only ever read, until the poller is closed."""

    def connected(self, descriptor: int) -> None:
        """The socket is connected: from now on it is watched for reading."""

    def forget(self, descriptor: int) -> None:
        """The socket is about to be closed."""

    def poll(self, timeout_s: float) -> list[tuple[int, int]]:
        """At most `MAX_EVENTS` descriptors with what they are ready for."""

    def close(self) -> None:
        """Release the system's resources."""


class EpollPoller:
    """Linux: edge-triggered epoll."""

    portable = False

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._interest = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET

    def add(self, descriptor: int) -> None:
        """Watch a connecting socket, for everything at once."""
        self._epoll.register(descriptor, self._interest)

    def watch(self, descriptor: int) -> None:
        """Watch for reading, level-triggered."""
        self._epoll.register(descriptor, select.EPOLLIN)

    def connected(self, descriptor: int) -> None:
        """Nothing to do: reading is watched already."""

    def forget(self, descriptor: int) -> None:
        """Nothing to do: closing a socket takes it out."""

    def poll(self, timeout_s: float) -> list[tuple[int, int]]:
        """Wait at most this long."""
        return self._epoll.poll(timeout_s, MAX_EVENTS)

    def close(self) -> None:
        """Close the epoll descriptor."""
        self._epoll.close()


class SelectorPoller:
    """Everywhere else: the best selector there is, level-triggered."""

    portable = True

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def add(self, descriptor: int) -> None:
        """Watch a connecting socket for writing."""
        self._selector.register(descriptor, selectors.EVENT_WRITE)

    def watch(self, descriptor: int) -> None:
        """Watch for reading."""
        self._selector.register(descriptor, selectors.EVENT_READ)

    def connected(self, descriptor: int) -> None:
        """Watch for reading instead of writing."""
        self._selector.modify(descriptor, selectors.EVENT_READ)

    def forget(self, descriptor: int) -> None:
        """Stop watching."""
        self._selector.unregister(descriptor)

    def poll(self, timeout_s: float) -> list[tuple[int, int]]:
        """Wait at most this long."""
        ready = self._selector.select(timeout_s)
        return [
            (key.fd, (READABLE if mask & selectors.EVENT_READ else 0) | (WRITABLE if mask & 2 else 0))
            for key, mask in ready[:MAX_EVENTS]
        ]

    def close(self) -> None:
        """Close the selector."""
        self._selector.close()


def best_poller() -> Poller:
    """The fastest poller of this platform."""
    return EpollPoller() if hasattr(select, "epoll") else SelectorPoller()
