"""Commands as the recorders move them: loaded and locked together, decided by the table, stored in bulk.

One transaction carries the reports of many agents: a compare-and-set statement for each would be too many.
Rows are locked when they are loaded (SQLite: the transaction holds the one writer's place), the table decides
in memory, and the UPDATE still names the state that was expected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.outbox import Event
from hub.fleet.commands import CommandFailure, CommandResult, FinishedCommand, RunningCommand
from hub.fleet.models import FleetCommand
from hub.fleet.states import FINAL, CommandEffect, CommandEvent, CommandState, transition
from hub.fleet.wire import body_from_bytes, result_from_bytes

CHUNK = 500
"""How many ids one IN list holds."""

# The table itself: SQLAlchemy would take a list of parameters for the class as a bulk update by primary key.
_TABLE = cast(Table, FleetCommand.__table__)
_COLUMNS = (
    FleetCommand.id,
    FleetCommand.delivery_id,
    FleetCommand.agent_id,
    FleetCommand.kind,
    FleetCommand.state,
    FleetCommand.subject_type,
    FleetCommand.subject_id,
    FleetCommand.organization_id,
    FleetCommand.attempt,
    FleetCommand.max_attempts,
    FleetCommand.deadline,
    FleetCommand.dispatched_at,
    FleetCommand.body,
)


@dataclass(slots=True, kw_only=True)
class CommandRow:
    """A command that is about to be moved. ``changes`` collects what will be written."""

    id: str
    delivery_id: str
    agent_id: str
    kind: str
    state: CommandState
    subject_type: str
    subject_id: str
    organization_id: int | None
    attempt: int
    max_attempts: int
    deadline: datetime
    dispatched_at: datetime | None
    body: bytes = field(repr=False)
    stored_state: CommandState
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.state in FINAL

    def move(self, event: CommandEvent, **columns: Any) -> CommandEffect:
        """Take the table's row for ``event``; with a change of state, ``columns`` are written too.

        Raises:
            CommandTransitionNotAllowed: the table has no such row.
        """
        state, effect = transition(self.state, event)
        if effect not in {CommandEffect.NOTHING, CommandEffect.REPEATED}:
            self.state = state
            self.changes |= {"state": state.value, **columns}
        return effect

    def event(self, kind: str, **data: Any) -> Event:
        """Return an event about this command."""
        return Event(
            kind=kind,
            object_type="command",
            object_id=self.id,
            organization_id=self.organization_id,
            data={"kind": self.kind, "agent_id": self.agent_id, "state": self.state.value, **data},
        )

    def running(self) -> RunningCommand:
        """Return it as other rooms see a command at work."""
        return RunningCommand(
            id=self.id,
            kind=self.kind,
            agent_id=self.agent_id,
            subject_type=self.subject_type,
            subject_id=self.subject_id,
            organization_id=self.organization_id,
            body=body_from_bytes(self.body),
        )

    def finished(self, result: bytes | None, failure: CommandFailure | None) -> FinishedCommand:
        """Return it as other rooms see a command that has ended."""
        outcome: CommandResult | None = result_from_bytes(result) if result is not None else None
        return FinishedCommand(
            id=self.id,
            kind=self.kind,
            agent_id=self.agent_id,
            subject_type=self.subject_type,
            subject_id=self.subject_id,
            organization_id=self.organization_id,
            body=body_from_bytes(self.body),
            result=outcome,
            failure=failure,
        )


def chunks(ids: Iterable[str]) -> Iterable[list[str]]:
    """Cut ids into lists that fit into a statement."""
    every = list(ids)
    for start in range(0, len(every), CHUNK):
        yield every[start : start + CHUNK]


async def load(
    session: AsyncSession, *where: ColumnElement[bool], limit: int | None = None, skip_locked: bool = False
) -> list[CommandRow]:
    """Load and lock the commands that ``where`` names, oldest first."""
    statement = (
        select(*_COLUMNS)
        .where(*where)
        .order_by(FleetCommand.created_at, FleetCommand.id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=skip_locked)
    )
    rows = (await session.execute(statement)).all()
    return [
        CommandRow(
            id=row.id,
            delivery_id=row.delivery_id,
            agent_id=row.agent_id,
            kind=row.kind,
            state=CommandState(row.state),
            subject_type=row.subject_type,
            subject_id=row.subject_id,
            organization_id=row.organization_id,
            attempt=row.attempt,
            max_attempts=row.max_attempts,
            deadline=row.deadline,
            dispatched_at=row.dispatched_at,
            body=row.body,
            stored_state=CommandState(row.state),
        )
        for row in rows
    ]


async def load_delivered(session: AsyncSession, delivery_ids: Iterable[str]) -> dict[str, CommandRow]:
    """Load and lock commands by their ids on the wire."""
    found: dict[str, CommandRow] = {}
    for some in chunks({each.replace("\x00", "")[:64] for each in delivery_ids}):
        rows = await load(session, FleetCommand.delivery_id.in_(some))
        found |= {row.delivery_id: row for row in rows}
    return found


async def store(session: AsyncSession, rows: Iterable[CommandRow]) -> None:
    """Write the collected changes, one statement for all rows that change the same columns."""
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row.changes:
            parameters = {f"new_{name}": value for name, value in row.changes.items()}
            parameters |= {"old_id": row.id, "old_state": row.stored_state.value}
            by_columns[tuple(sorted(row.changes))].append(parameters)
            row.stored_state = row.state
            row.changes = {}
    for names, parameters_list in by_columns.items():
        statement = (
            update(_TABLE)
            .where(_TABLE.c.id == bindparam("old_id"), _TABLE.c.state == bindparam("old_state"))
            .values({name: bindparam(f"new_{name}") for name in names})
        )
        await session.execute(statement, parameters_list)
