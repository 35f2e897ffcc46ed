"""What discovery needs of the fleet, as a protocol, so that a double can stand in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import UnitOfWork
from hub.fleet.commands import (
    AgentRecord,
    CommandBody,
    CommandProgress,
    FinishedCommand,
    NetworkFinds,
    RunningCommand,
)

OutcomeHandler = Callable[[UnitOfWork, FinishedCommand], Awaitable[None]]
BatchHandler = Callable[[UnitOfWork, RunningCommand, NetworkFinds], Awaitable[None]]
ProgressHandler = Callable[[UnitOfWork, RunningCommand, CommandProgress], Awaitable[None]]


class Fleet(Protocol):
    """Commands to agents."""

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
    ) -> str:
        """Queue a command and return its id."""

    async def cancel(self, uow: UnitOfWork, command_id: str) -> None:
        """Ask the agent to give a command up."""

    def on_outcome(self, kind: str, handler: OutcomeHandler) -> None:
        """Call ``handler`` in the transaction that stores an outcome of ``kind``."""

    def on_batch(self, kind: str, handler: BatchHandler) -> None:
        """Call ``handler`` in the transaction that stores a batch of ``kind``."""

    def on_progress(self, kind: str, handler: ProgressHandler) -> None:
        """Call ``handler`` in the transaction that stores a progress report of ``kind``."""

    async def agent(self, session: AsyncSession, agent_id: str) -> AgentRecord:
        """Return an agent; raises NotFound."""
