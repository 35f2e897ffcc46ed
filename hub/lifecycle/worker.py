"""Doing the steps that are due, one after the other, until there are none; woken by notices and by the clock.

A step that fails is put off with a delay that grows, and the reason stands with it. Any number of replicas
may run a worker: a step is claimed before it is done.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

import structlog

from hub.db.uow import Database
from hub.lifecycle import step_queue
from hub.lifecycle.errors import ChangedMeanwhile
from hub.lifecycle.step_queue import Step

POLL_S = 5.0

_log = structlog.get_logger(__name__)

BatchStep = Callable[[Sequence[Step]], Awaitable[object]]
SingleStep = Callable[[Step], Awaitable[None]]


class LifecycleWorker:
    """Claims due steps and does them.

    ``batches`` are steps that take many certificates at a time, ``singles`` those that take one.
    ``sweep`` is called about once a minute: the passing of time is an event too.
    """

    def __init__(
        self,
        db: Database,
        *,
        batches: dict[str, BatchStep],
        singles: dict[str, SingleStep],
        sweep: Callable[[], Awaitable[object]],
    ) -> None:
        self._db = db
        self._batches = batches
        self._singles = singles
        self._sweep = sweep

    async def run(self) -> None:
        """Work until cancelled."""
        async with self._db.notifier.subscribe(step_queue.CHANNEL) as notices:
            polls = 0
            while True:
                if polls % 12 == 0:
                    await self._guarded(self._sweep, "sweep")
                polls += 1
                if not await self._guarded(self.run_due, "claim"):
                    await notices.get(timeout_s=POLL_S)

    async def run_due(self, *, limit: int = 100) -> int:
        """Do the steps that are due now and return how many were taken."""
        steps = await step_queue.claim(self._db, limit=limit)
        by_name: dict[str, list[Step]] = defaultdict(list)
        for step in steps:
            by_name[step.name].append(step)
        for name, group in by_name.items():
            if name in self._batches:
                await self._do_batch(name, group)
            else:
                for step in group:
                    await self._do(step)
        return len(steps)

    async def _do_batch(self, name: str, steps: Sequence[Step]) -> None:
        try:
            await self._batches[name](steps)
        except Exception as error:  # noqa: BLE001 - a job's border
            if len(steps) == 1:
                await self._put_off(steps[0], error)
                return
            # Find the one that spoils the batch.
            for step in steps:
                await self._do_batch(name, [step])

    async def _do(self, step: Step) -> None:
        try:
            await self._singles[step.name](step)
        except ChangedMeanwhile:
            _log.info("step_lost", step=step.name, certificate_id=step.certificate_id)
        except Exception as error:  # noqa: BLE001 - a job's border
            await self._put_off(step, error)

    async def _put_off(self, step: Step, error: Exception) -> None:
        _log.warning(
            "step_failed",
            step=step.name,
            certificate_id=step.certificate_id,
            attempts=step.attempts + 1,
            error=str(error),
            error_type=type(error).__name__,
        )
        async with self._db.write() as uow:
            await step_queue.postpone(uow, step, message=str(error) or type(error).__name__)

    async def _guarded(self, work: Callable[[], Awaitable[object]], what: str) -> object:
        # A database that is away for a while must not end the worker.
        try:
            return await work()
        except Exception as error:  # noqa: BLE001 - a job's border
            _log.warning("worker_failed", what=what, error=str(error), error_type=type(error).__name__)
            return None
