"""Putting commands into the queue, one or for many agents at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.fleet.command_ids import new_command_id
from hub.fleet.command_rows import chunks
from hub.fleet.commands import CommandBody, kind_of
from hub.fleet.errors import AgentNotFound, AgentOutsideOrganization, AgentRemoved, KindNotSupported
from hub.fleet.models import Agent, FleetCommand
from hub.fleet.states import CommandState
from hub.fleet.wire import body_bytes

# Agents refuse commands that stay good for more than 31 days.
MAX_DEADLINE = timedelta(days=30)
EVERYBODY = "*"
"""Payload of a notice on ``commands`` that stands for more agents than are worth naming."""
_NAMED_AT_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommand:
    """What is asked of an agent, by whom, and for which object of which room."""

    body: CommandBody = field(repr=False)
    deadline_s: int
    subject_type: str
    subject_id: str
    organization_id: int | None
    requested_by: str
    max_attempts: int = 3


async def enqueue_one(
    uow: UnitOfWork,
    order: NewCommand,
    *,
    agent_id: str,
    idempotency_key: str | None = None,
    retry_of: str | None = None,
) -> str:
    """Queue a command; with a known ``idempotency_key`` return the earlier one's id."""
    await _check_agents(uow.session, order, [agent_id])
    row = _row(uow, order, agent_id) | {"idempotency_key": idempotency_key, "retry_of": retry_of}
    statement = (
        insert_for(uow.session, FleetCommand)
        .values(row)
        .on_conflict_do_nothing(index_elements=["idempotency_key"])
        .returning(FleetCommand.id)
    )
    if (await uow.session.execute(statement)).first() is None:
        known = select(FleetCommand.id).where(FleetCommand.idempotency_key == idempotency_key)
        earlier: str = (await uow.session.execute(known)).scalar_one()
        return earlier
    uow.notify("commands", agent_id)
    uow.emit(_queued(row))
    command_id: str = row["id"]
    return command_id


async def enqueue_all(uow: UnitOfWork, order: NewCommand, *, agent_ids: Sequence[str]) -> list[str]:
    """Queue the same command for many agents, with a statement for each few hundred of them."""
    await _check_agents(uow.session, order, agent_ids)
    rows = [_row(uow, order, agent_id) for agent_id in agent_ids]
    if rows:
        await uow.session.execute(insert(FleetCommand), rows)
    for row in rows:
        uow.emit(_queued(row))
    named = agent_ids if len(agent_ids) <= _NAMED_AT_MOST else (EVERYBODY,)
    for payload in named:
        uow.notify("commands", payload)
    return [row["id"] for row in rows]


async def _check_agents(session: AsyncSession, order: NewCommand, agent_ids: Sequence[str]) -> None:
    found: dict[str, Any] = {}
    for some in chunks(agent_ids):
        statement = select(
            Agent.id, Agent.name, Agent.status, Agent.organization_id, Agent.capabilities
        ).where(Agent.id.in_(some))
        found |= {row.id: row for row in (await session.execute(statement)).all()}
    kind = kind_of(order.body)
    for agent_id in agent_ids:
        agent = found.get(agent_id)
        if agent is None:
            raise AgentNotFound
        if agent.status != "active":
            raise AgentRemoved
        if agent.organization_id is not None and agent.organization_id != order.organization_id:
            raise AgentOutsideOrganization
        if agent.capabilities and kind not in agent.capabilities:
            raise KindNotSupported(f"the agent {agent.name} does not understand {kind}")


def _row(uow: UnitOfWork, order: NewCommand, agent_id: str) -> dict[str, Any]:
    command_id = new_command_id()
    return {
        "id": command_id,
        "delivery_id": command_id,
        "agent_id": agent_id,
        "kind": kind_of(order.body),
        "body": body_bytes(order.body),
        "state": CommandState.QUEUED.value,
        "subject_type": order.subject_type,
        "subject_id": order.subject_id,
        "organization_id": order.organization_id,
        "requested_by": order.requested_by,
        "created_at": uow.now,
        "deadline": uow.now + min(timedelta(seconds=order.deadline_s), MAX_DEADLINE),
        "attempt": 1,
        "max_attempts": order.max_attempts,
    }


def _queued(row: dict[str, Any]) -> Event:
    return Event(
        kind="CommandQueued",
        object_type="command",
        object_id=row["id"],
        organization_id=row["organization_id"],
        data={"kind": row["kind"], "agent_id": row["agent_id"], "state": row["state"]},
    )
