"""Ids of commands: UUIDs of version 7 (RFC 9562), each greater than the one made before it in this process.

Commands of one transaction carry the same time, so the id decides which of them goes out first. And growing
ids are kind to the index of a table that only grows.
"""

from __future__ import annotations

import secrets
import threading
import time
import uuid

_COUNTER_BITS = 12
_MAX_COUNTER = (1 << _COUNTER_BITS) - 1


class CommandIds:
    """Makes growing ids; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._milliseconds = 0
        self._counter = 0

    def next(self) -> str:
        """Return the next id."""
        with self._lock:
            now = time.time_ns() // 1_000_000
            if now > self._milliseconds:
                self._milliseconds, self._counter = now, 0
            elif self._counter < _MAX_COUNTER:
                self._counter += 1
            else:
                # More than the counter holds, or a clock that was set back: run ahead of it.
                self._milliseconds, self._counter = self._milliseconds + 1, 0
            high = self._milliseconds << 80 | 0x7 << 76 | self._counter << 64
        return str(uuid.UUID(int=high | 0b10 << 62 | secrets.randbits(62)))


_ids = CommandIds()


def new_command_id() -> str:
    """Return an id that is greater than all that this process made before."""
    return _ids.next()
