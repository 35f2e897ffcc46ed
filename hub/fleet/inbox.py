"""What one stream's loop has to take next: the agent's messages and the hub's own wishes, in order.

The agent waits while ``limit`` of its messages lie here; the hub's wishes never wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


class Inbox(Generic[ItemT]):
    """A queue with one reader, and a limit for one of its two writers."""

    __slots__ = ("_ended", "_items", "_limit", "_reader", "_writer")

    def __init__(self, *, limit: int = 4) -> None:
        self._items: deque[ItemT] = deque()
        self._limit = limit
        self._ended = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    def post(self, item: ItemT) -> None:
        """Put an item at the end."""
        self._items.append(item)
        _wake(self._reader)

    def end(self) -> None:
        """Let the reader know that nothing more will come."""
        self._ended = True
        _wake(self._reader)

    async def put(self, item: ItemT) -> None:
        """Put an item at the end, once there is room."""
        while len(self._items) >= self._limit:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer
        self.post(item)

    async def get(self) -> ItemT | None:
        """Wait for the next item; None at the end."""
        while not self._items:
            if self._ended:
                return None
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        item = self._items.popleft()
        _wake(self._writer)
        return item


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
