"""Telling other rooms how their commands go, inside the transaction that records it.

An outcome is a fact whether or not a room can take it now. A handler runs in a savepoint: when it raises,
what it did is undone, the command keeps its result, the agent gets its acknowledgement, and the handler is
tried again later with growing pauses (``outcome_state`` "pending"). After the last try it is "failed", which
shows in the command's details and as the event ``CommandOutcomeNotTaken``; retrying the outcome by hand
starts over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update

from hub.db.uow import UnitOfWork
from hub.fleet.command_rows import CommandRow, load
from hub.fleet.commands import (
    CommandFailure,
    CommandProgress,
    FinishedCommand,
    NetworkFinds,
    RunningCommand,
)
from hub.fleet.models import FleetCommand
from hub.fleet.wire import forgotten

OutcomeHandler = Callable[[UnitOfWork, FinishedCommand], Awaitable[None]]
BatchHandler = Callable[[UnitOfWork, RunningCommand, NetworkFinds], Awaitable[None]]
RemovalHandler = Callable[[UnitOfWork, str], Awaitable[None]]
ProgressHandler = Callable[[UnitOfWork, RunningCommand, CommandProgress], Awaitable[None]]

MAX_OUTCOME_ATTEMPTS = 8
_FIRST_PAUSE = timedelta(seconds=5)
_ROUND = 100

_log = structlog.get_logger(__name__)


class Handlers:
    """Which rooms take which kind of command; several take it in the order in which they asked."""

    def __init__(self) -> None:
        self.outcome: dict[str, list[OutcomeHandler]] = defaultdict(list)
        self.batch: dict[str, list[BatchHandler]] = defaultdict(list)
        self.progress: dict[str, list[ProgressHandler]] = defaultdict(list)
        self.removed: list[RemovalHandler] = []

    async def finished(
        self,
        uow: UnitOfWork,
        row: CommandRow,
        *,
        result: bytes | None,
        failure: CommandFailure | None,
        earlier_attempts: int = 0,
    ) -> None:
        """Give the outcome of ``row`` to its room and record whether the room took it."""
        handlers = self.outcome.get(row.kind)
        if not handlers:
            row.changes |= {"outcome_state": "done"}
            return
        try:
            async with uow.savepoint():
                finished = row.finished(result, failure)
                for handler in handlers:
                    await handler(uow, finished)
        except Exception as error:  # noqa: BLE001 - border: another room's code
            self._not_taken(uow, row, attempts=earlier_attempts + 1, error=error)
        else:
            row.changes |= {"outcome_state": "done", "outcome_next_at": None, "outcome_error": ""}
            if finished.result is not None:
                row.changes |= forgotten(finished.body, finished.result)

    @staticmethod
    def _not_taken(uow: UnitOfWork, row: CommandRow, *, attempts: int, error: Exception) -> None:
        gives_up = attempts >= MAX_OUTCOME_ATTEMPTS
        _log.exception("command_outcome_not_taken", command_id=row.id, kind=row.kind, attempts=attempts)
        row.changes |= {
            "outcome_state": "failed" if gives_up else "pending",
            "outcome_attempts": attempts,
            "outcome_next_at": uow.now + _FIRST_PAUSE * 2 ** (attempts - 1),
            "outcome_error": f"{type(error).__name__}: {error}"[:2000],
        }
        if gives_up:
            uow.emit(row.event("CommandOutcomeNotTaken", error=type(error).__name__))

    async def progressed(self, uow: UnitOfWork, row: CommandRow, progress: CommandProgress) -> None:
        """Tell the room how far it is; a handler that raises loses this one report."""
        handlers = self.progress.get(row.kind)
        if not handlers:
            return
        try:
            async with uow.savepoint():
                for handler in handlers:
                    await handler(uow, row.running(), progress)
        except Exception:  # noqa: BLE001 - border: another room's code
            _log.exception("command_progress_not_taken", command_id=row.id, kind=row.kind)


async def retry_outcomes(uow: UnitOfWork, handlers: Handlers, now: datetime) -> int:
    """Give pending outcomes to their rooms again; return how many were tried."""
    due = (FleetCommand.outcome_state == "pending", FleetCommand.outcome_next_at <= now)
    rows = await load(uow.session, *due, limit=_ROUND, skip_locked=True)
    if not rows:
        return 0
    by_id = {row.id: row for row in rows}
    outcomes = await uow.session.execute(
        select(
            FleetCommand.id,
            FleetCommand.result,
            FleetCommand.failure_reason,
            FleetCommand.failure_message,
            FleetCommand.failure_retryable,
            FleetCommand.outcome_attempts,
        ).where(FleetCommand.id.in_(list(by_id)))
    )
    for outcome in outcomes.all():
        row = by_id[outcome.id]
        failure = (
            CommandFailure(
                reason=outcome.failure_reason,
                message=outcome.failure_message,
                retryable=outcome.failure_retryable,
            )
            if outcome.result is None
            else None
        )
        await handlers.finished(
            uow, row, result=outcome.result, failure=failure, earlier_attempts=outcome.outcome_attempts
        )
        columns = {**row.changes}
        row.changes = {}
        await uow.session.execute(update(FleetCommand).where(FleetCommand.id == row.id).values(columns))
    return len(rows)
