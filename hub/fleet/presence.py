"""Who is connected: streams that open and close, signs of life, and streams that must end.

Everything here is written for many agents at once. A stream belongs to an agent while the agent's row names
its session; opening a newer one anywhere takes the row over, and whoever holds the older stream ends it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.errors import HubError
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.fleet.command_rows import CommandRow, chunks, load, load_delivered, store
from hub.fleet.errors import AgentNotAdmitted
from hub.fleet.messages import AgentHello
from hub.fleet.models import Agent, FleetCommand
from hub.fleet.reports import refuse, start
from hub.fleet.states import CommandEffect, CommandEvent, CommandState

ACTIVE, REMOVED = "active", "removed"
_ANSWERABLE = (CommandState.DISPATCHED, CommandState.ACCEPTED, CommandState.CANCELLING)


@dataclass(frozen=True, slots=True)
class OpenStream:
    """An agent has said Hello on a new stream."""

    session_id: str
    replica: str
    agent_id: str
    certificate_sha256: str
    hello: AgentHello = field(repr=False)

    def answer_type(self) -> Admission:
        """What the stream needs to know."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The agent may work. ``give_up``: commands that it runs and the hub no longer wants."""

    name: str
    kind: str
    certificate_not_after: datetime
    running: frozenset[str]
    give_up: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CloseStream:
    """A stream has ended."""

    session_id: str
    agent_id: str

    def answer_type(self) -> None:
        """Nothing."""


_TABLE = cast(Table, Agent.__table__)
_HELLO_COLUMNS = (
    "session_id",
    "replica",
    "version",
    "hostname",
    "platform",
    "capabilities",
    "receiver_public_key",
    "previous_certificate_sha256",
)
_AGENT_COLUMNS = (
    Agent.id,
    Agent.name,
    Agent.kind,
    Agent.status,
    Agent.organization_id,
    Agent.certificate_sha256,
    Agent.previous_certificate_sha256,
    Agent.certificate_not_after,
    Agent.session_id,
)


async def opened(uow: UnitOfWork, entries: Sequence[OpenStream]) -> list[Admission | HubError]:
    """Admit agents, take over their rows, and settle what became of their commands."""
    agents = await _lock_agents(uow.session, [entry.agent_id for entry in entries])
    admitted: dict[str, OpenStream] = {}
    for entry in entries:
        if not _refusal(agents.get(entry.agent_id), entry):
            # Of two streams of one agent in one group the later one counts.
            admitted[entry.agent_id] = entry
    named = await load_delivered(
        uow.session, (each for entry in admitted.values() for each in entry.hello.running_command_ids)
    )
    unanswered = await _unanswered(uow.session, list(admitted), known=set(named))
    answers: list[Admission | HubError] = []
    for entry in entries:
        agent = agents.get(entry.agent_id)
        refusal = _refusal(agent, entry)
        if refusal is None and admitted[entry.agent_id] is not entry:
            refusal = AgentNotAdmitted("a newer stream of this agent was opened")
        if refusal is None:
            answers.append(
                await _settle(uow, entry, agent, named=named, unanswered=unanswered[entry.agent_id])
            )
        else:
            answers.append(refusal)
    await store(uow.session, [*named.values(), *(row for rows in unanswered.values() for row in rows)])
    kept = [entry for entry, answer in zip(entries, answers, strict=True) if isinstance(answer, Admission)]
    await _take_over(uow, kept, agents)
    return answers


async def _lock_agents(session: AsyncSession, agent_ids: Sequence[str]) -> dict[str, Any]:
    agents: dict[str, Any] = {}
    for some in chunks(sorted(set(agent_ids))):
        statement = (
            select(*_AGENT_COLUMNS)
            .where(Agent.id.in_(some))
            .order_by(Agent.id)
            .with_for_update(key_share=True)
        )
        agents |= {row.id: row for row in (await session.execute(statement)).all()}
    return agents


def _refusal(agent: Any, entry: OpenStream) -> HubError | None:
    if agent is None or agent.status != ACTIVE:
        return AgentNotAdmitted()
    if entry.certificate_sha256 not in {agent.certificate_sha256, agent.previous_certificate_sha256}:
        return AgentNotAdmitted("the certificate has been replaced by a newer one")
    if entry.hello.facts.kind != agent.kind:
        return AgentNotAdmitted(f"this agent was enrolled as {agent.kind}")
    return None


async def _unanswered(
    session: AsyncSession, agent_ids: Sequence[str], *, known: set[str]
) -> dict[str, list[CommandRow]]:
    """Commands that the agents should have, except those that their Hello names."""
    found: dict[str, list[CommandRow]] = defaultdict(list)
    for some in chunks(agent_ids):
        rows = await load(
            session, FleetCommand.agent_id.in_(some), FleetCommand.state.in_([s.value for s in _ANSWERABLE])
        )
        for row in rows:
            if row.delivery_id not in known:
                found[row.agent_id].append(row)
    return found


async def _settle(
    uow: UnitOfWork,
    entry: OpenStream,
    agent: Any,
    *,
    named: dict[str, CommandRow],
    unanswered: list[CommandRow],
) -> Admission | HubError:
    running, give_up = set(), []
    for delivery_id in entry.hello.running_command_ids:
        row = named.get(delivery_id)
        if row is not None and row.agent_id != entry.agent_id:
            return await refuse(uow, entry.agent_id, row, report="AgentHello")
        if row is not None:
            start(uow, row)
        if row is None or row.is_final or row.state is CommandState.CANCELLING:
            give_up.append(delivery_id)
        if row is not None and not row.is_final:
            running.add(delivery_id)
    for row in unanswered:
        row.move(CommandEvent.MISSING, session_id=None)
    current = entry.certificate_sha256 == agent.certificate_sha256
    return Admission(
        name=agent.name,
        kind=agent.kind,
        # One who comes with the previous certificate never got the newer one: let it ask again.
        certificate_not_after=agent.certificate_not_after if current else uow.now,
        running=frozenset(running),
        give_up=tuple(give_up),
    )


async def _take_over(uow: UnitOfWork, entries: Sequence[OpenStream], agents: dict[str, Any]) -> None:
    if not entries:
        return
    parameters = []
    for entry in entries:
        agent, facts = agents[entry.agent_id], entry.hello.facts
        confirmed = entry.certificate_sha256 == agent.certificate_sha256
        parameters.append(
            {
                "this_id": entry.agent_id,
                "new_session_id": entry.session_id,
                "new_replica": entry.replica,
                "new_version": facts.version,
                "new_hostname": facts.hostname,
                "new_platform": facts.platform,
                "new_capabilities": list(facts.capabilities),
                "new_receiver_public_key": facts.receiver_public_key,
                # Shown once, the newer certificate is the only one.
                "new_previous_certificate_sha256": None if confirmed else agent.previous_certificate_sha256,
            }
        )
        if agent.session_id is not None:
            uow.notify("agents", entry.agent_id)
        uow.emit(_agent_event("AgentConnected", agent, version=facts.version))
    statement = (
        update(_TABLE)
        .where(_TABLE.c.id == bindparam("this_id"))
        .values(
            {name: bindparam(f"new_{name}") for name in _HELLO_COLUMNS}
            | {"connected_at": uow.now, "last_seen_at": uow.now}
        )
    )
    await uow.session.execute(statement, parameters)


def _agent_event(kind: str, agent: Any, **data: Any) -> Event:
    return Event(
        kind=kind,
        object_type="agent",
        object_id=agent.id,
        organization_id=agent.organization_id,
        data={"name": agent.name, **data},
    )


async def closed(uow: UnitOfWork, entries: Sequence[CloseStream]) -> list[None]:
    """Give up the agents' rows where these streams still hold them, and requeue what was not accepted."""
    await disconnect(uow, [entry.session_id for entry in entries])
    return [None] * len(entries)


async def disconnect(uow: UnitOfWork, session_ids: Iterable[str]) -> int:
    """Record that streams are gone; return how many agents that disconnected."""
    count = 0
    for some in chunks(session_ids):
        lost = await load(
            uow.session,
            FleetCommand.session_id.in_(some),
            FleetCommand.state == CommandState.DISPATCHED.value,
        )
        for row in lost:
            if row.move(CommandEvent.STREAM_LOST, session_id=None) is CommandEffect.REQUEUED:
                uow.notify("commands", row.agent_id)
        await store(uow.session, lost)
        gone = await uow.session.execute(
            update(Agent)
            .where(Agent.session_id.in_(some))
            .values(session_id=None, replica=None)
            .returning(Agent.id, Agent.name, Agent.organization_id)
        )
        for agent in gone.all():
            uow.emit(_agent_event("AgentDisconnected", agent))
            count += 1
    return count


async def disconnect_silent(uow: UnitOfWork, *, silent_since: datetime) -> int:
    """Disconnect agents whose hub process died with their streams."""
    statement = select(Agent.session_id).where(
        Agent.session_id.is_not(None), Agent.last_seen_at < silent_since
    )
    stale = [row.session_id for row in (await uow.session.execute(statement.limit(5000))).all()]
    return await disconnect(uow, stale) if stale else 0


async def reclaim(uow: UnitOfWork, streams: Iterable[tuple[str, str]], *, replica: str) -> None:
    """Take rows back that were given up although their streams live: (agent id, session id) each.

    That happens when this process was held up, or a clock jumped, so that others took it for dead.
    """
    for agent_id, session_id in streams:
        taken = await uow.session.execute(
            update(Agent)
            .where(Agent.id == agent_id, Agent.status == ACTIVE, Agent.session_id.is_(None))
            .values(session_id=session_id, replica=replica, last_seen_at=uow.now)
            .returning(Agent.id, Agent.name, Agent.organization_id)
        )
        if (agent := taken.first()) is not None:
            uow.emit(_agent_event("AgentConnected", agent))


async def touch(uow: UnitOfWork, agent_ids: Iterable[str]) -> None:
    """Write signs of life."""
    for some in chunks(agent_ids):
        await uow.session.execute(update(Agent).where(Agent.id.in_(some)).values(last_seen_at=uow.now))


@dataclass(frozen=True, slots=True)
class Standing:
    """What an agent's row says about its stream."""

    status: str
    session_id: str | None
    name: str


async def standings(session: AsyncSession, agent_ids: Iterable[str]) -> dict[str, Standing]:
    """Return what the rows of these agents say."""
    found = {}
    for some in chunks(agent_ids):
        statement = select(Agent.id, Agent.status, Agent.session_id, Agent.name).where(Agent.id.in_(some))
        for row in (await session.execute(statement)).all():
            found[row.id] = Standing(row.status, row.session_id, row.name)
    return found


async def sessions_of(session: AsyncSession, replica: str) -> set[str]:
    """Return the streams that the database believes this process holds."""
    rows = await session.execute(select(Agent.session_id).where(Agent.replica == replica))
    return {row.session_id for row in rows.all() if row.session_id is not None}


def silence_limit(heartbeat_timeout_s: float, flush_s: float) -> timedelta:
    """Return the age of ``last_seen_at`` after which nobody holds the stream any more."""
    return timedelta(seconds=heartbeat_timeout_s + 4 * flush_s + 5)
