"""Waking up whoever waits for new rows, within this hub and between replicas.

A notice carries a channel and a short payload (usually an id) and nothing else: the row is the truth, the
notice only says "look now". Losing one costs latency, never correctness, so every reader also polls slowly.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """One wake-up: ``channel`` such as ``events`` or ``commands``, ``payload`` such as an agent id."""

    channel: str
    payload: str = ""


class Subscription:
    """Notices of one channel, in order; when nobody reads, old ones are dropped."""

    def __init__(self, *, limit: int = 1024) -> None:
        self._queue: asyncio.Queue[Notice] = asyncio.Queue(limit)

    def offer(self, notice: Notice) -> None:
        """Queue a notice; drop the oldest when full."""
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(notice)

    async def get(self, *, timeout_s: float | None = None) -> Notice | None:
        """Wait for the next notice; None when ``timeout_s`` passes first."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._queue.get()
        except TimeoutError:
            return None

    def drain(self) -> list[Notice]:
        """Return what has queued up, without waiting."""
        notices = []
        while not self._queue.empty():
            notices.append(self._queue.get_nowait())
        return notices


class Notifier:
    """Hands notices to the subscribers in this process.

    On PostgreSQL, :mod:`hub.db.listen` feeds it with what other replicas sent.
    """

    def __init__(self) -> None:
        self._subscriptions: dict[str, set[Subscription]] = defaultdict(set)

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[Subscription]:
        """Subscribe to ``channel`` for the length of a ``with`` block."""
        subscription = Subscription()
        self._subscriptions[channel].add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions[channel].discard(subscription)

    def publish(self, notices: Iterable[Notice]) -> None:
        """Hand ``notices`` to the subscribers of their channels."""
        for notice in notices:
            for subscription in self._subscriptions.get(notice.channel, ()):
                subscription.offer(notice)
