"""What happened, told once: a structured log line for people, and an event that tests can wait for."""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

import structlog

_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Milestone:
    """One thing that happened."""

    name: str
    facts: dict[str, Any]


class Milestones:
    """The agent's diary; keeps the latest thousand."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("agent")
        self._counts: Counter[str] = Counter()
        self._latest: deque[Milestone] = deque(maxlen=_KEPT)
        self._changed = asyncio.Condition()
        self._wakers: set[asyncio.Task[None]] = set()

    def record(self, name: str, /, *, level: str = "info", **facts: Any) -> None:
        """Note and log it; call it from the event loop."""
        getattr(self._log, level)(name, **facts)
        self._counts[name] += 1
        self._latest.append(Milestone(name, facts))
        waker = asyncio.ensure_future(self._wake())
        self._wakers.add(waker)
        waker.add_done_callback(self._wakers.discard)

    async def reached(self, name: str, *, times: int = 1, timeout_s: float = 10.0) -> Milestone:
        """Wait until it has happened so often; return the latest. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(lambda: self._counts[name] >= times)
        return next(each for each in reversed(self._latest) if each.name == name)

    def count(self, name: str) -> int:
        """How often it has happened."""
        return self._counts[name]

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()
