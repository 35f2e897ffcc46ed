"""Timing what the database does: wall time, and the CPU time of the thread or process that runs a statement.

On a machine that does other things too, the wall time says how busy it is; the CPU time of the database is
what the wall time would be on an idle one whose pages are in memory.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from hub.db.uow import Database


@dataclass(slots=True)
class Measured:
    """Milliseconds of some runs."""

    wall: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Meter:
    """Measures blocks; ``path`` is the kernel's account of the database's thread or process."""

    path: Path

    def _ran_ms(self) -> float:
        # Nanoseconds on a CPU: https://docs.kernel.org/scheduler/sched-stats.html.
        return int(self.path.read_text().split()[0]) / 1e6

    @contextmanager
    def run(self, measured: Measured) -> Iterator[None]:
        """Add the block's times to ``measured``."""
        before, started = self._ran_ms(), time.perf_counter()
        yield
        measured.wall.append((time.perf_counter() - started) * 1e3)
        measured.database.append(self._ran_ms() - before)


async def meter_of(db: Database) -> Meter:
    """Return the meter of the one connection that ``db`` uses when nobody else does."""
    async with db.read() as session:
        if not db.is_sqlite:
            pid = await session.scalar(text("SELECT pg_backend_pid()"))
            return Meter(Path(f"/proc/{pid}/schedstat"))
        connection = await session.connection()
        driver = (await connection.get_raw_connection()).driver_connection
        thread = driver._thread.native_id  # type: ignore[union-attr]  # noqa: SLF001 - aiosqlite offers no other way
        return Meter(Path(f"/proc/self/task/{thread}/schedstat"))


async def repeat(meter: Meter, times: int, run: Callable[[], Awaitable[object]]) -> Measured:
    """Run ``run`` so many times after once to warm up."""
    await run()
    measured = Measured()
    for _number in range(times):
        with meter.run(measured):
            await run()
    return measured


def percentile(values: list[float], share: float) -> float:
    """Return the value that ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
