"""Ending commands that nobody answered in time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_

from hub.db.uow import Database
from hub.fleet.command_rows import CommandRow, load
from hub.fleet.commands import CommandFailure
from hub.fleet.models import FleetCommand
from hub.fleet.reports import CANCELLED, EXPIRED, CommandReports
from hub.fleet.states import OPEN, CommandEvent, CommandState

# An agent gives up by itself at the deadline; its word is worth waiting for a little.
ANSWER_GRACE = timedelta(minutes=2)
_ROUND = 500


async def expire_due(db: Database, reports: CommandReports, now: datetime) -> int:
    """End commands whose deadline has passed, and return how many.

    One that waits in the queue ends at its deadline; one that an agent has, a little later.
    """
    count = 0
    while True:
        async with db.write() as uow:
            rows = await load(uow.session, _due(now), limit=_ROUND, skip_locked=True)
            for row in rows:
                await reports.finish(uow, row, CommandEvent.EXPIRE, _failure(row))
        count += len(rows)
        if len(rows) < _ROUND:
            return count


def _due(now: datetime) -> ColumnElement[bool]:
    state, deadline = FleetCommand.state, FleetCommand.deadline
    return or_(
        (state == CommandState.QUEUED.value) & (deadline <= now),
        state.in_([each.value for each in OPEN]) & (deadline <= now - ANSWER_GRACE),
        # Never accepted, so there may be nobody to confirm that it was given up.
        (state == CommandState.CANCELLING.value)
        & FleetCommand.accepted_at.is_(None)
        & (FleetCommand.cancel_requested_at <= now - ANSWER_GRACE),
    )


def _failure(row: CommandRow) -> CommandFailure:
    match row.state:
        case CommandState.QUEUED if row.dispatched_at is None:
            return CommandFailure(reason=EXPIRED, message="the agent did not connect before the deadline")
        case CommandState.QUEUED:
            return CommandFailure(reason=EXPIRED, message="the agent did not come back before the deadline")
        case CommandState.CANCELLING:
            return CommandFailure(reason=CANCELLED, message="the agent did not confirm that it gave it up")
        case _:
            return CommandFailure(reason=EXPIRED, message="the agent did not answer before the deadline")
