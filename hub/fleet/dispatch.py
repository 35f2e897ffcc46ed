"""From the queue in the database to the streams that this process holds.

Woken by a notice for an agent, by a stream that opened or got a credit back, and by a slow poll. All agents
that were woken meanwhile share one transaction: their oldest commands, as many as their credits allow, are
recorded as dispatched on their stream; then they are sent. Replicas don't meet here, since an agent's row
names one session; the lock and the expected state keep a command from going out twice all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import structlog
from sqlalchemy import func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.clock import Clock
from hub.db.uow import Database, UnitOfWork
from hub.fleet.command_rows import CHUNK, CommandRow, chunks, load, store
from hub.fleet.commands import CommandFailure
from hub.fleet.directory import StreamDirectory
from hub.fleet.messages import Deliver
from hub.fleet.models import Agent, FleetCommand
from hub.fleet.reports import CommandReports
from hub.fleet.states import CommandEvent, CommandState

_MOST_AT_ONCE = 16
_PAUSE_AFTER_FAULT_S = 1.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Sending:
    session_id: str
    command: Deliver


class Dispatcher:
    """One task that sends commands to the connected agents."""

    def __init__(
        self, db: Database, directory: StreamDirectory, reports: CommandReports, *, poll_s: float
    ) -> None:
        self._db = db
        self._directory = directory
        self._reports = reports
        self._poll_s = poll_s
        # Named by a notice or just connected; dicts, for their order.
        self._woken: dict[str, None] = {}
        # Part of a look at everybody; these give way to those that were named.
        self._polled: dict[str, None] = {}
        self._wake = asyncio.Event()
        # Agents that had more waiting than credits: only these are worth a look when a credit comes back.
        self._waiting_for_credit: set[str] = set()

    def wake(self, agent_id: str) -> None:
        """Look for commands of this agent soon."""
        self._woken[agent_id] = None
        self._wake.set()

    def wake_all(self) -> None:
        """Look for commands of all connected agents: notices may have been lost, or pauses be over."""
        self._polled.update(dict.fromkeys(self._directory.agent_ids()))
        self._wake.set()

    def credit_back(self, agent_id: str) -> None:
        """An agent can take one more."""
        if agent_id in self._waiting_for_credit:
            self.wake(agent_id)

    async def run(self) -> None:
        """Dispatch until cancelled."""
        loop = asyncio.get_running_loop()
        next_poll = loop.time() + self._poll_s
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(next_poll):
                    await self._wake.wait()
            if loop.time() >= next_poll:
                self.wake_all()
                next_poll = loop.time() + self._poll_s
            self._wake.clear()
            await self._work_off()

    async def _work_off(self) -> None:
        while agent_ids := self._next_agents():
            try:
                await self._dispatch(agent_ids)
            except (SQLAlchemyError, OSError) as error:
                _log.warning("dispatch_failed", error=str(error), agents=len(agent_ids))
                self._polled.update(dict.fromkeys(agent_ids))
                await asyncio.sleep(_PAUSE_AFTER_FAULT_S)

    def _next_agents(self) -> list[str]:
        while waiting := self._woken or self._polled:
            some = list(islice(waiting, CHUNK))
            for agent_id in some:
                del waiting[agent_id]
            if here := [agent_id for agent_id in some if self._directory.get(agent_id)]:
                return here
        return []

    async def _dispatch(self, agent_ids: Sequence[str]) -> None:
        async with self._db.read() as session:
            queued, cancelling = await _look(session, agent_ids, self._db.clock)
        for agent_id, delivery_id in cancelling:
            if stream := self._directory.get(agent_id):
                stream.cancel(delivery_id)
        self._waiting_for_credit.difference_update(agent_ids)
        chosen = self._choose(queued)
        for some in chunks(chosen):
            async with self._db.write() as uow:
                sending = await self._record(uow, some)
            self._send(sending)

    def _choose(self, queued: Sequence[tuple[str, str]]) -> list[str]:
        """Return ids of commands for which their agents have credits; ``queued`` is oldest first."""
        room: dict[str, int] = {}
        chosen = []
        for agent_id, command_id in queued:
            stream = self._directory.get(agent_id)
            left = room.setdefault(agent_id, stream.room if stream else 0)
            if left > 0:
                chosen.append(command_id)
                room[agent_id] = left - 1
            else:
                self._waiting_for_credit.add(agent_id)
        # A round shows no more than so many of one agent's commands; there may be others behind them.
        counts: dict[str, int] = {}
        for agent_id, _ in queued:
            counts[agent_id] = counts.get(agent_id, 0) + 1
        self._waiting_for_credit.update(agent for agent, count in counts.items() if count >= _MOST_AT_ONCE)
        return chosen

    async def _record(self, uow: UnitOfWork, command_ids: Sequence[str]) -> list[_Sending]:
        rows = await load(
            uow.session,
            FleetCommand.id.in_(command_ids),
            FleetCommand.state == CommandState.QUEUED.value,
            skip_locked=True,
        )
        agents = {
            row.id: row
            for row in await uow.session.execute(
                select(Agent.id, Agent.session_id, Agent.capabilities).where(
                    Agent.id.in_({row.agent_id for row in rows})
                )
            )
        }
        sending = []
        for row in rows:
            agent, stream = agents[row.agent_id], self._directory.get(row.agent_id)
            if stream is None or agent.session_id != stream.session_id:
                continue
            if agent.capabilities and row.kind not in agent.capabilities:
                await self._reports.finish(uow, row, CommandEvent.REFUSE, _not_supported(row))
                continue
            row.move(CommandEvent.DISPATCH, dispatched_at=uow.now, session_id=stream.session_id)
            command = Deliver(
                delivery_id=row.delivery_id,
                agent_id=row.agent_id,
                issued_at=uow.now,
                deadline=row.deadline,
                body=row.body,
            )
            sending.append(_Sending(stream.session_id, command))
        await store(uow.session, rows)
        return sending

    def _send(self, sending: Sequence[_Sending]) -> None:
        for item in sending:
            stream = self._directory.get(item.command.agent_id)
            # Gone in between: closing the session puts the command back into the queue.
            if stream is not None and stream.session_id == item.session_id:
                stream.deliver(item.command)


def _not_supported(row: CommandRow) -> CommandFailure:
    message = f"the agent does not understand {row.kind}; it needs a newer version"
    return CommandFailure(reason="NotSupported", message=message)


async def _look(
    session: AsyncSession, agent_ids: Sequence[str], clock: Clock
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return (agent, command) of what is due, oldest first, and (agent, delivery id) of what to cancel."""
    now = clock()
    place = func.row_number().over(
        partition_by=FleetCommand.agent_id, order_by=(FleetCommand.created_at, FleetCommand.id)
    )
    due = (
        select(FleetCommand.agent_id, FleetCommand.id, FleetCommand.created_at, place.label("place"))
        .where(
            FleetCommand.agent_id.in_(agent_ids),
            FleetCommand.state == CommandState.QUEUED.value,
            FleetCommand.deadline > now,
            or_(FleetCommand.next_attempt_at.is_(None), FleetCommand.next_attempt_at <= now),
        )
        .subquery()
    )
    queued = await session.execute(
        select(due.c.agent_id, due.c.id)
        .where(due.c.place <= _MOST_AT_ONCE)
        .order_by(due.c.created_at, due.c.id)
    )
    cancelling = await session.execute(
        select(FleetCommand.agent_id, FleetCommand.delivery_id).where(
            FleetCommand.agent_id.in_(agent_ids), FleetCommand.state == CommandState.CANCELLING.value
        )
    )
    return (
        [(row.agent_id, row.id) for row in queued.all()],
        [(row.agent_id, row.delivery_id) for row in cancelling.all()],
    )
