"""The fleet's rules and the only way in for other rooms: agents, their tokens, and commands to them.

Commands are enqueued in the caller's transaction, next to the change that made them necessary. What becomes
of them reaches the caller's room through the handlers it registers, in the transaction that records it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.errors import Malformed
from hub.db.uow import Database, UnitOfWork
from hub.fleet import inventory
from hub.fleet.authority import Authority
from hub.fleet.command_rows import CommandRow, load, store
from hub.fleet.commands import (
    AgentRecord,
    CommandBody,
    CommandFailure,
    CommandProgress,
    FinishedCommand,
    NetworkFinds,
    NodeRecord,
    RunningCommand,
)
from hub.fleet.deadlines import expire_due
from hub.fleet.enqueueing import NewCommand, enqueue_all, enqueue_one
from hub.fleet.errors import (
    AgentNotFound,
    AgentRemoved,
    AuthorityMissing,
    CommandNotFound,
    CommandTransitionNotAllowed,
)
from hub.fleet.models import Agent, FleetCommand, SpentChallenge
from hub.fleet.outcomes import Handlers, retry_outcomes
from hub.fleet.presence import ACTIVE, REMOVED, disconnect_silent, silence_limit
from hub.fleet.reports import CANCELLED, CommandReports
from hub.fleet.settings import FleetSettings
from hub.fleet.states import DISPLAY_NAMES, OPEN, CommandEffect, CommandEvent, CommandState
from hub.fleet.token_registry import TokenSpec, create_token, revoke_token
from hub.fleet.tokens import TokenContents
from hub.fleet.traces import agent_event, audit_agent, audit_command
from hub.http.principal import SYSTEM, Principal

__all__ = [
    "AgentRecord",
    "CommandProgress",
    "FinishedCommand",
    "FleetService",
    "NewCommand",
    "NodeRecord",
    "RunningCommand",
]


class FleetService:
    """Agents and commands, as other rooms use them."""

    def __init__(
        self,
        db: Database,
        *,
        authority: Authority | None = None,
        settings: FleetSettings | None = None,
    ) -> None:
        self.db = db
        self.authority = authority
        self.settings = settings or FleetSettings()
        self.handlers = Handlers()
        self.reports = CommandReports(self.handlers)
        self.on_outcome("DiscoverServers", inventory.take_inventory)
        self.on_outcome("InstallCertificate", inventory.take_served)
        self.on_outcome("RestartServer", inventory.take_served)

    # ---- what other rooms ask to be told

    def on_outcome(
        self, kind: str, handler: Callable[[UnitOfWork, FinishedCommand], Awaitable[None]]
    ) -> None:
        """Call ``handler`` with every ended command of ``kind``, in the transaction that records its end.

        A handler must use the unit of work that it is given: opening another one waits for this one for ever.
        When it raises, what it did is undone and it is called again later (see :mod:`hub.fleet.outcomes`).
        """
        self.handlers.outcome[kind].append(handler)

    def on_batch(
        self, kind: str, handler: Callable[[UnitOfWork, RunningCommand, NetworkFinds], Awaitable[None]]
    ) -> None:
        """Call ``handler`` with each batch of a result, once and in order, before it is acknowledged.

        When it keeps raising, the command fails with the reason ``ResultNotStored``.
        """
        self.handlers.batch[kind].append(handler)

    def on_progress(
        self, kind: str, handler: Callable[[UnitOfWork, RunningCommand, CommandProgress], Awaitable[None]]
    ) -> None:
        """Call ``handler`` with the progress of commands of ``kind``, at most once a second each."""
        self.handlers.progress[kind].append(handler)

    def on_removed(self, handler: Callable[[UnitOfWork, str], Awaitable[None]]) -> None:
        """Call ``handler`` with the id of each agent that is removed, in the transaction that does so."""
        self.handlers.removed.append(handler)

    # ---- agents

    async def agent(self, session: AsyncSession, agent_id: str) -> AgentRecord:
        """Return an agent.

        Raises:
            AgentNotFound: there is none.
        """
        row = await session.get(Agent, agent_id, populate_existing=True)
        if row is None:
            raise AgentNotFound
        return AgentRecord(
            id=row.id,
            name=row.name,
            kind=row.kind,
            organization_id=row.organization_id,
            status=row.status,
            receiver_public_key=row.receiver_public_key,
            connected=row.session_id is not None,
            capabilities=tuple(row.capabilities),
            version=row.version,
            hostname=row.hostname,
            platform=row.platform,
            last_seen_at=row.last_seen_at,
        )

    async def find_node(
        self, session: AsyncSession, agent_id: str, server: str, node_id: str
    ) -> NodeRecord | None:
        """Return a node of an agent's server as the last inventory has it; None where it never had it."""
        return await inventory.find_node(session, agent_id, server, node_id)

    async def rename_agent(
        self, uow: UnitOfWork, agent_id: str, *, name: str, principal: Principal = SYSTEM
    ) -> None:
        """Give an agent another display name; a connected one is told.

        Raises:
            AgentNotFound, Malformed: there is none, or the name is empty or too long.
        """
        text = name.strip()
        if not 0 < len(text) <= 200:
            raise Malformed("a name has 1 to 200 characters", field="name")
        agent = await self._active(uow.session, agent_id)
        await uow.session.execute(update(Agent).where(Agent.id == agent_id).values(name=text))
        uow.notify("agents", agent_id)
        uow.emit(agent_event("AgentRenamed", agent, name=text, before=agent.name))
        await audit_agent(uow, principal, "AgentRenamed", agent, name=text, before=agent.name)

    async def remove_agent(self, uow: UnitOfWork, agent_id: str, *, principal: Principal = SYSTEM) -> None:
        """Remove an agent: its identity is good no longer, its stream is cut, its open commands fail.

        Raises:
            AgentNotFound, AgentRemoved: there is none, or it has been removed already.
        """
        agent = await self._active(uow.session, agent_id)
        columns = {"status": REMOVED, "removed_at": uow.now, "session_id": None, "replica": None}
        await uow.session.execute(
            update(Agent).where(Agent.id == agent_id, Agent.status == ACTIVE).values(columns)
        )
        failure = CommandFailure(reason="AgentRemoved", message=f"the agent {agent.name} has been removed")
        for row in await load(uow.session, FleetCommand.agent_id == agent_id, _is_open()):
            await self.reports.finish(uow, row, CommandEvent.REFUSE, failure)
        for handler in self.handlers.removed:
            await handler(uow, agent_id)
        uow.notify("agents", agent_id)
        uow.emit(agent_event("AgentRemoved", agent))
        await audit_agent(uow, principal, "AgentRemoved", agent, name=agent.name)

    async def _active(self, session: AsyncSession, agent_id: str) -> AgentRecord:
        agent = await self.agent(session, agent_id)
        if agent.status != ACTIVE:
            raise AgentRemoved
        return agent

    # ---- enrollment tokens

    async def create_token(
        self,
        uow: UnitOfWork,
        *,
        kinds: Sequence[str],
        organization_id: int | None,
        lifetime_s: int,
        enroll_address: str,
        http_url: str = "",
        created_by: str,
        principal: Principal = SYSTEM,
    ) -> TokenContents:
        """Create a one-time token; ``text()`` of what is returned is shown once and never again.

        Raises:
            Malformed: a kind is not known, there is none, or the lifetime is not between a minute and a year.
        """
        if self.authority is None:
            raise AuthorityMissing
        spec = TokenSpec(kinds=tuple(kinds), organization_id=organization_id, lifetime_s=lifetime_s)
        token_id, secret = await create_token(uow, spec, created_by=created_by, principal=principal)
        return TokenContents(
            id=token_id,
            secret=secret,
            enroll=enroll_address,
            http=http_url,
            ca_sha256=self.authority.ca_sha256,
            kinds=spec.ordered_kinds,
        )

    async def revoke_token(self, uow: UnitOfWork, token_id: str, *, principal: Principal = SYSTEM) -> None:
        """Withdraw a token; one that has been used stays as it is.

        Raises:
            TokenNotFound: there is none.
        """
        await revoke_token(uow, token_id, principal=principal)

    # ---- commands

    async def enqueue(
        self,
        uow: UnitOfWork,
        *,
        agent_id: str,
        body: CommandBody,
        deadline_s: int,
        subject_type: str,
        subject_id: str,
        organization_id: int | None,
        requested_by: str,
        idempotency_key: str | None = None,
        max_attempts: int = 3,
        retry_of: str | None = None,
    ) -> str:
        """Queue a command and return its id; with a known ``idempotency_key`` that of the earlier one.

        It waits for an agent that is away until its deadline.

        Raises:
            AgentNotFound, AgentRemoved: nobody could execute it.
            AgentOutsideOrganization: the agent belongs to another organization.
            KindNotSupported: the agent has said what it understands, and this is not among it.
        """
        order = NewCommand(
            body=body,
            deadline_s=deadline_s,
            subject_type=subject_type,
            subject_id=subject_id,
            organization_id=organization_id,
            requested_by=requested_by,
            max_attempts=max_attempts,
        )
        return await enqueue_one(
            uow, order, agent_id=agent_id, idempotency_key=idempotency_key, retry_of=retry_of
        )

    async def enqueue_many(
        self, uow: UnitOfWork, order: NewCommand, *, agent_ids: Sequence[str]
    ) -> list[str]:
        """Queue the same command for many agents; return the ids in the order of the agents.

        Raises:
            AgentNotFound, AgentRemoved, AgentOutsideOrganization, KindNotSupported: as :meth:`enqueue`, for
                any of them; then nothing is queued.
        """
        return await enqueue_all(uow, order, agent_ids=agent_ids)

    async def cancel(self, uow: UnitOfWork, command_id: str, *, principal: Principal | None = None) -> None:
        """Cancel a command: at once while it is queued, otherwise the agent is asked to give it up.

        Raises:
            CommandNotFound: there is none.
            CommandTransitionNotAllowed: it has ended.
        """
        row = await self._command(uow, command_id)
        if principal is not None:
            await audit_command(uow, principal, "CommandCancelRequested", row)
        if row.state is CommandState.QUEUED:
            failure = CommandFailure(reason=CANCELLED, message="cancelled while it waited to be sent")
            await self.reports.finish(uow, row, CommandEvent.CANCEL, failure)
            return
        if row.move(CommandEvent.CANCEL, cancel_requested_at=uow.now) is CommandEffect.CANCEL_ASKED:
            await store(uow.session, [row])
            uow.emit(row.event("CommandCancelRequested"))
        uow.notify("commands", row.agent_id)

    async def retry(self, uow: UnitOfWork, command_id: str, *, principal: Principal = SYSTEM) -> str:
        """Try a command that did not succeed once more, as a new one; return its id.

        A command whose end the responsible room could not take is not repeated: its end is handed over again,
        and its own id is returned.

        Raises:
            CommandNotFound: there is none.
            CommandTransitionNotAllowed: it has not ended, or it succeeded.
        """
        row = await self._command(uow, command_id)
        await audit_command(uow, principal, "CommandRetried", row)
        stored = await uow.session.get(FleetCommand, command_id, populate_existing=True)
        if stored is None:
            raise CommandNotFound
        if row.is_final and stored.outcome_state in {"pending", "failed"}:
            stored.outcome_state, stored.outcome_attempts, stored.outcome_next_at = "pending", 0, uow.now
            return command_id
        if not row.is_final or row.state is CommandState.SUCCESSFUL:
            raise CommandTransitionNotAllowed(state=DISPLAY_NAMES[row.state], event="be_retried")
        return await self.enqueue(
            uow,
            agent_id=row.agent_id,
            body=row.running().body,
            deadline_s=int((stored.deadline - stored.created_at).total_seconds()),
            subject_type=row.subject_type,
            subject_id=row.subject_id,
            organization_id=row.organization_id,
            requested_by=principal.name,
            idempotency_key=f"retry:{command_id}",
            max_attempts=row.max_attempts,
            retry_of=command_id,
        )

    async def _command(self, uow: UnitOfWork, command_id: str) -> CommandRow:
        rows = await load(uow.session, FleetCommand.id == command_id)
        if not rows:
            raise CommandNotFound
        return rows[0]

    # ---- jobs; every one may run in several replicas at once

    async def sweep(self) -> None:
        """Do all that only the passing of time brings about."""
        now = self.db.clock()
        await self.expire_due(now)
        async with self.db.write() as uow:
            await disconnect_silent(
                uow,
                silent_since=now - silence_limit(self.settings.heartbeat_timeout_s, self.settings.flush_s),
            )
        async with self.db.write() as uow:
            await retry_outcomes(uow, self.handlers, now)
            await uow.session.execute(delete(SpentChallenge).where(SpentChallenge.expires_at < now))

    async def expire_due(self, now: datetime) -> int:
        """End commands whose deadline has passed; return how many."""
        return await expire_due(self.db, self.reports, now)


def _is_open() -> ColumnElement[bool]:
    return FleetCommand.state.in_([state.value for state in OPEN])
