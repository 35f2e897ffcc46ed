"""Bookkeeping of the engine without sockets: rate, places a host, how far the scan has got, random bytes."""

from __future__ import annotations

import os
from collections import deque

_POOL_BYTES = 1 << 14


class RateLimit:
    """A token bucket of connects; holds at most a tenth of a second's worth."""

    __slots__ = ("_burst", "_rate", "_tokens", "_updated")

    def __init__(self, rate: float, now: float) -> None:
        """`rate` is in connects a second."""
        self._rate = rate
        self._burst = max(rate / 10, 1.0)
        self._tokens = self._burst
        self._updated = now

    def allowance(self, now: float) -> int:
        """How many connects may begin now."""
        self._tokens = min(self._burst, self._tokens + (now - self._updated) * self._rate)
        self._updated = now
        return int(self._tokens)

    def take(self) -> None:
        """One connect has begun."""
        self._tokens -= 1.0

    @property
    def ready(self) -> bool:
        """Whether another connect may begin, as of the last `allowance`."""
        return self._tokens >= 1.0

    def wait_s(self) -> float:
        """Seconds until the next connect may begin, as of the last `allowance`."""
        return max(0.0, (1.0 - self._tokens) / self._rate)


class HostSlots:
    """How many connections there are to each host, up to a limit."""

    __slots__ = ("_limit", "_used")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used: dict[str, int] = {}

    def take(self, host: str) -> bool:
        """Take a place if there is one."""
        used = self._used.get(host, 0)
        if used >= self._limit:
            return False
        self._used[host] = used + 1
        return True

    def give_back(self, host: str) -> None:
        """A connection to the host has ended."""
        used = self._used[host] - 1
        if used:
            self._used[host] = used
        else:
            del self._used[host]


class Watermark:
    """The position below which everything is finished, though targets finish in any order."""

    __slots__ = ("_finished", "_started", "finished_count")

    def __init__(self) -> None:
        self._started: deque[int] = deque()
        self._finished: set[int] = set()
        self.finished_count = 0

    def start(self, position: int) -> None:
        """A position has begun; positions begin in rising order."""
        self._started.append(position)

    def finish(self, position: int) -> None:
        """A position is done with."""
        self.finished_count += 1
        started = self._started
        if started[0] != position:
            self._finished.add(position)
            return
        started.popleft()
        while started and started[0] in self._finished:
            self._finished.remove(started.popleft())

    @property
    def lowest(self) -> int | None:
        """The lowest position begun and not finished; None if there is none."""
        return self._started[0] if self._started else None

    @property
    def spread(self) -> int:
        """How many positions are remembered because a lower one isn't finished."""
        return len(self._started)


class RandomPool:
    """Random bytes fetched many at a time, to save a system call a hello. Each byte is given out once."""

    __slots__ = ("_at", "_bytes")

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next random bytes, at most the pool's size."""
        if self._at + count > len(self._bytes):
            self._bytes = os.urandom(_POOL_BYTES)
            self._at = 0
        self._at += count
        return self._bytes[self._at - count : self._at]
