"""Background jobs of a hub process: kept running, and ended together.

Each job is safe to run in every replica at once. One that fails is logged and started again after a pause.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

_log = structlog.get_logger(__name__)
_RESTART_S = 2.0


class BackgroundJobs:
    """Runs jobs until it is stopped."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, run: Callable[[], Awaitable[object]]) -> None:
        """Run a job that goes on by itself; it is started again when it ends."""
        self._tasks[name] = asyncio.create_task(self._keep(name, run), name=name)

    def every(self, name: str, interval_s: float, run: Callable[[], Awaitable[object]]) -> None:
        """Run ``run`` now and then every ``interval_s``."""

        async def loop() -> None:
            while True:
                await run()
                await asyncio.sleep(interval_s)

        self.start(name, loop)

    async def stop(self) -> None:
        """Cancel all jobs and wait until they are gone."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    async def _keep(self, name: str, run: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await run()
                _log.warning("job_ended", job=name)
            except Exception as error:  # noqa: BLE001 - a job's border
                _log.error("job_failed", job=name, exc_info=error)
            await asyncio.sleep(_RESTART_S)
