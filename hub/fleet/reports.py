"""What agents report on commands, and the one place that checks whose command it is.

Every report names a command by its id on the wire and comes with the id of the agent whose certificate opened
the stream. :func:`_own_rows` lets an agent at its own commands only; a report on another's changes nothing
and is recorded as ``AgentReportRefused``. A report on a command that is not known at all (a retried attempt,
a database restored from a backup) is acknowledged, so that the agent can forget it, and changes nothing
either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import insert, select, tuple_

from hub.access import audit
from hub.db.errors import HubError, Unavailable
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.fleet.command_ids import new_command_id
from hub.fleet.command_rows import CommandRow, load_delivered, store
from hub.fleet.commands import RESULT_OF, CommandFailure, CommandProgress
from hub.fleet.errors import ReportRefused, ResultOfAnotherKind
from hub.fleet.messages import Batch, Done, Progress
from hub.fleet.models import CommandBatch
from hub.fleet.outcomes import Handlers
from hub.fleet.states import CommandEffect, CommandEvent, CommandState
from hub.http.principal import Principal

FIRST_RETRY_PAUSE = timedelta(seconds=30)
LONGEST_RETRY_PAUSE = timedelta(minutes=15)
CANCELLED, EXPIRED = "Cancelled", "Expired"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AcceptReport:
    """The agent has a command in its journal."""

    agent_id: str
    delivery_id: str

    def answer_type(self) -> bool:
        """Whether the agent shall give it up at once."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class ProgressReport:
    """How far a command is."""

    agent_id: str
    progress: Progress

    @property
    def delivery_id(self) -> str:
        """The command's id on the wire."""
        return self.progress.delivery_id

    def answer_type(self) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class BatchReport:
    """A part of a result. Raises BatchNotTaken where its room could not take it."""

    agent_id: str
    batch: Batch

    @property
    def delivery_id(self) -> str:
        """The command's id on the wire."""
        return self.batch.delivery_id

    def answer_type(self) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class DoneReport:
    """A command's end."""

    agent_id: str
    done: Done

    @property
    def delivery_id(self) -> str:
        """The command's id on the wire."""
        return self.done.delivery_id

    def answer_type(self) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The hub's own decision to fail a command of this agent."""

    agent_id: str
    delivery_id: str
    failure: CommandFailure

    def answer_type(self) -> None:
        """Nothing."""


class BatchNotTaken(Unavailable):
    """The batch could not be stored now."""

    code = "batch_not_taken"


Report = AcceptReport | ProgressReport | BatchReport | DoneReport | GiveUp
ReportT = TypeVar("ReportT", bound=Report)


def retry_pause(attempt: int) -> timedelta:
    """Return how long to wait after the failure of ``attempt`` (1, 2, ...)."""
    doublings = min(attempt - 1, 16)
    return min(FIRST_RETRY_PAUSE * (1 << doublings), LONGEST_RETRY_PAUSE)


class CommandReports:
    """Records reports, a group at a time."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    async def _own_rows(
        self, uow: UnitOfWork, reports: Sequence[ReportT]
    ) -> list[CommandRow | ReportRefused | None]:
        """Return, for each report, its agent's own command, a refusal, or None where there is no such one."""
        rows = await load_delivered(uow.session, (report.delivery_id for report in reports))
        found: list[CommandRow | ReportRefused | None] = []
        for report in reports:
            row = rows.get(report.delivery_id)
            if row is None:
                _log.info("report_on_unknown_command", agent_id=report.agent_id)
                found.append(None)
            elif row.agent_id != report.agent_id or row.dispatched_at is None:
                found.append(await refuse(uow, report.agent_id, row, report=type(report).__name__))
            else:
                found.append(row)
        return found

    async def accepted(self, uow: UnitOfWork, reports: Sequence[AcceptReport]) -> list[bool | ReportRefused]:
        """Record that commands were accepted; answer whether each shall be given up at once."""
        rows = await self._own_rows(uow, reports)
        answers: list[bool | ReportRefused] = []
        for row in rows:
            if isinstance(row, CommandRow):
                start(uow, row)
                answers.append(row.is_final or row.state is CommandState.CANCELLING)
            else:
                answers.append(row or False)
        await store(uow.session, _rows(rows))
        return answers

    async def progressed(
        self, uow: UnitOfWork, reports: Sequence[ProgressReport]
    ) -> list[ReportRefused | None]:
        """Record how far commands are."""
        rows = await self._own_rows(uow, reports)
        for report, row in zip(reports, rows, strict=True):
            if isinstance(row, CommandRow) and not row.is_final:
                share, message = report.progress.share, report.progress.message
                row.changes |= {
                    "progress_share": share,
                    "progress_message": message,
                    "progress_at": uow.now,
                }
                uow.emit(row.event("CommandProgressed", share=share, message=message))
                await self._handlers.progressed(uow, row, CommandProgress(share=share, message=message))
        await store(uow.session, _rows(rows))
        return _refusals(rows)

    async def batches(self, uow: UnitOfWork, reports: Sequence[BatchReport]) -> list[HubError | None]:
        """Store batches, each once; a batch of a command that has ended is dropped."""
        rows = await self._own_rows(uow, reports)
        stored = await _stored_batches(uow, [report.batch for report in reports])
        answers: list[HubError | None] = []
        for report, row in zip(reports, rows, strict=True):
            key = (report.batch.delivery_id, report.batch.sequence)
            if isinstance(row, ReportRefused):
                answers.append(row)
            elif row is None or row.is_final or key in stored:
                answers.append(None)
            else:
                answers.append(await self._take_batch(uow, row, report.batch))
                stored.add(key)
        return answers

    async def _take_batch(self, uow: UnitOfWork, row: CommandRow, batch: Batch) -> HubError | None:
        try:
            async with uow.savepoint():
                await uow.session.execute(
                    insert(CommandBatch).values(
                        command_id=row.id,
                        delivery_id=row.delivery_id,
                        sequence=batch.sequence,
                        received_at=uow.now,
                    )
                )
                for handler in self._handlers.batch.get(row.kind, ()):
                    await handler(uow, row.running(), batch.finds)
        except Exception:  # noqa: BLE001 - border: another room's code
            _log.exception("command_batch_not_taken", command_id=row.id, sequence=batch.sequence)
            return BatchNotTaken()
        return None

    async def done(self, uow: UnitOfWork, reports: Sequence[DoneReport]) -> list[ReportRefused | None]:
        """Record ends of commands and tell the rooms that asked for them."""
        rows = await self._own_rows(uow, reports)
        ended = []
        for report, row in zip(reports, rows, strict=True):
            if isinstance(row, CommandRow):
                outcome = _outcome(row, report.done)
                if end(uow, row, outcome) is CommandEffect.FINISHED:
                    ended.append((row, outcome))
        # The handlers see the commands as ended.
        await store(uow.session, _rows(rows))
        for row, outcome in ended:
            await self._handlers.finished(uow, row, result=outcome.result, failure=outcome.failure)
        await store(uow.session, _rows(rows))
        return _refusals(rows)

    async def given_up(self, uow: UnitOfWork, reports: Sequence[GiveUp]) -> list[ReportRefused | None]:
        """Fail commands that the hub can't go on with."""
        rows = await self._own_rows(uow, reports)
        for report, row in zip(reports, rows, strict=True):
            if isinstance(row, CommandRow):
                await self.finish(uow, row, CommandEvent.REFUSE, report.failure)
        return _refusals(rows)

    async def finish(
        self, uow: UnitOfWork, row: CommandRow, event: CommandEvent, failure: CommandFailure
    ) -> CommandEffect:
        """End one command by the hub's own decision, and tell its room.

        Raises:
            CommandTransitionNotAllowed: the table has no such row.
        """
        effect = end(uow, row, Outcome(event, None, failure))
        await store(uow.session, [row])
        if effect is CommandEffect.FINISHED:
            await self._handlers.finished(uow, row, result=None, failure=failure)
            await store(uow.session, [row])
        return effect


async def refuse(uow: UnitOfWork, agent_id: str, row: CommandRow, *, report: str) -> ReportRefused:
    """Record that an agent reported on a command that is not its own, for those who see everything."""
    _log.warning("agent_report_refused", agent_id=agent_id, command_id=row.id, report=report)
    details = {"command_id": row.id, "report": report}
    uow.emit(Event(kind="AgentReportRefused", object_type="agent", object_id=agent_id, data=details))
    await audit.record(
        uow,
        principal=Principal(kind="agent", id=agent_id, name=agent_id),
        action="AgentReportRefused",
        object_type="command",
        object_id=row.id,
        organization_id=None,
        details=details,
    )
    return ReportRefused(delivery_id=row.delivery_id, reporter_id=agent_id)


def _rows(found: Sequence[CommandRow | ReportRefused | None]) -> list[CommandRow]:
    return [row for row in found if isinstance(row, CommandRow)]


def _refusals(found: Sequence[CommandRow | ReportRefused | None]) -> list[ReportRefused | None]:
    return [row if isinstance(row, ReportRefused) else None for row in found]


async def _stored_batches(uow: UnitOfWork, batches: Sequence[Batch]) -> set[tuple[str, int]]:
    keys = {(batch.delivery_id.replace("\x00", "")[:64], batch.sequence) for batch in batches}
    statement = select(CommandBatch.delivery_id, CommandBatch.sequence).where(
        tuple_(CommandBatch.delivery_id, CommandBatch.sequence).in_(keys)
    )
    return {(row.delivery_id, row.sequence) for row in (await uow.session.execute(statement)).all()}


# ---- what a report means for a command


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: the event for the table, and the result's bytes or the failure."""

    event: CommandEvent
    result: bytes | None
    failure: CommandFailure | None


def start(uow: UnitOfWork, row: CommandRow) -> None:
    """Move a command that its agent has taken."""
    if row.move(CommandEvent.ACCEPT, accepted_at=uow.now) is CommandEffect.STARTED:
        uow.emit(row.event("CommandStarted"))


def _outcome(row: CommandRow, done: Done) -> Outcome:
    if done.result is not None:
        if isinstance(done.result, RESULT_OF[row.kind]):
            return Outcome(CommandEvent.SUCCEED, done.result_bytes, None)
        wrong = ResultOfAnotherKind(f"{type(done.result).__name__} is not the result of {row.kind}")
        failure = CommandFailure(reason="ResultOfAnotherKind", message=wrong.message)
        return Outcome(CommandEvent.FAIL, None, failure)
    failure = done.failure or CommandFailure(reason="Unknown", message="")
    return Outcome(_failing(row, failure), None, failure)


def _failing(row: CommandRow, failure: CommandFailure) -> CommandEvent:
    if failure.reason == CANCELLED:
        return CommandEvent.CONFIRM_CANCEL
    if failure.reason == EXPIRED and not row.is_final:
        return CommandEvent.EXPIRE
    if failure.retryable and row.attempt < row.max_attempts:
        return CommandEvent.TRY_AGAIN
    return CommandEvent.FAIL


def end(uow: UnitOfWork, row: CommandRow, outcome: Outcome) -> CommandEffect:
    """Move a command whose attempt has ended, and emit what happened."""
    event, next_at = outcome.event, uow.now + retry_pause(row.attempt)
    if event is CommandEvent.TRY_AGAIN and next_at >= row.deadline:
        event = CommandEvent.FAIL
    effect = row.move(event, **_ending_columns(outcome, uow.now))
    if effect is CommandEffect.FINISHED:
        reason = outcome.failure.reason if outcome.failure else ""
        cancelled = row.state is CommandState.CANCELLED
        uow.emit(row.event("CommandCancelled" if cancelled else "CommandFinished", reason=reason))
    elif effect is CommandEffect.POSTPONED:
        row.changes |= _postponed_columns(row, next_at)
        uow.emit(row.event("CommandPostponed", attempt=row.attempt + 1, reason=_reason(outcome)))
    elif effect is CommandEffect.REPEATED and outcome.event is CommandEvent.SUCCEED:
        _late(uow, row)
    return effect


def _reason(outcome: Outcome) -> str:
    return outcome.failure.reason if outcome.failure else ""


def _late(uow: UnitOfWork, row: CommandRow) -> None:
    # The hub gave it up, and the agent did it all the same: somebody should know.
    if row.state is not CommandState.SUCCESSFUL:
        uow.emit(row.event("CommandSucceededLate"))


def _ending_columns(outcome: Outcome, now: datetime) -> dict[str, Any]:
    columns: dict[str, Any] = {"finished_at": now, "next_attempt_at": None}
    if outcome.failure is None:
        columns |= {
            "result": outcome.result,
            "progress_share": 1.0,
            "failure_reason": "",
            "failure_message": "",
        }
    else:
        columns |= {
            "failure_reason": outcome.failure.reason,
            "failure_message": outcome.failure.message,
            "failure_retryable": outcome.failure.retryable,
        }
    return columns


def _postponed_columns(row: CommandRow, next_at: datetime) -> dict[str, Any]:
    return {
        # An agent answers a repeated id from its journal: a new try needs a new one.
        "delivery_id": new_command_id(),
        "attempt": row.attempt + 1,
        "next_attempt_at": next_at,
        "finished_at": None,
        "accepted_at": None,
        "progress_share": 0.0,
        "progress_message": "",
    }
