"""A client that asks again and again over connections that stay open, and costs little itself."""

from __future__ import annotations

import asyncio
import time
from functools import partial


class _Asking(asyncio.Protocol):
    def __init__(self, requests: list[bytes], done: asyncio.Future[int], until: tuple[float, int]) -> None:
        self._requests = requests
        self._end, self._at_least = until
        self._done = done
        self._answered = 0
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._requests[0])

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        start = self._buffer.lower().find(b"content-length:", 0, head)
        length = int(self._buffer[start + 15 : self._buffer.find(b"\r\n", start)])
        if len(self._buffer) < head + 4 + length:
            return
        if not self._buffer.startswith(b"HTTP/1.1 200"):
            self._done.set_exception(RuntimeError(bytes(self._buffer[:200]).decode()))
            return
        self._buffer.clear()
        self._answered += 1
        assert self._transport is not None
        if time.perf_counter() >= self._end and self._answered >= self._at_least:
            self._transport.close()
            self._done.set_result(self._answered)
            return
        self._transport.write(self._requests[self._answered % len(self._requests)])

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or RuntimeError("the server hung up"))


async def ask(
    port: int, requests: list[bytes], *, connections: int, seconds: float, at_least: int = 0
) -> int:
    """Send requests for some seconds; return how many were answered with 200.

    Connections begin at different requests, and each goes on until it has had ``at_least`` answers.

    Raises:
        RuntimeError: another answer, or the server hung up.
    """
    loop = asyncio.get_running_loop()
    end = time.perf_counter() + seconds
    waiting = []
    for number in range(connections):
        done: asyncio.Future[int] = loop.create_future()
        # Each begins elsewhere.
        first = number * len(requests) // connections
        own = requests[first:] + requests[:first]
        await loop.create_connection(partial(_Asking, own, done, (end, at_least)), "127.0.0.1", port)
        waiting.append(done)
    return sum(await asyncio.gather(*waiting))
