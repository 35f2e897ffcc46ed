"""Network agents as those who answer challenges of CAs: a port of CA backends over the fleet's commands.

Each challenge is one command with a key of its own: asking again tells how far the first one is.
"""

from __future__ import annotations

from sqlalchemy import select

from hub.db.uow import Database
from hub.fleet.commands import ServeChallenge, WithdrawChallenge
from hub.fleet.models import FleetCommand
from hub.fleet.service import FleetService
from hub.fleet.states import CommandState
from hub.organizations.dcv.challenge_answering import ChallengeStanding, ChallengeTask

_SUBJECT = "ca_challenge"
# An agent may be away; a CA keeps an order for about a week.
_DEADLINE_S = 6 * 86_400


class FleetChallengeAgents:
    """Implements :class:`hub.organizations.dcv.challenge_answering.ChallengeAgents`."""

    def __init__(self, db: Database, fleet: FleetService) -> None:
        self._db = db
        self._fleet = fleet

    async def present(self, agent_id: str, task: ChallengeTask) -> ChallengeStanding:
        """Have an agent answer a challenge, or tell how far it is. Raises as ``enqueue`` does."""
        body = ServeChallenge(
            key=task.key,
            method=task.method,
            identifier=task.identifier,
            token=task.token,
            key_authorization=task.key_authorization,
            lifetime_s=task.lifetime_s,
        )
        command_id = await self._enqueue(agent_id, body, task, f"challenge:{task.key}:{agent_id}")
        async with self._db.read() as session:
            row = (
                await session.execute(
                    select(
                        FleetCommand.state, FleetCommand.failure_reason, FleetCommand.failure_message
                    ).where(FleetCommand.id == command_id)
                )
            ).one()
        match CommandState(row.state):
            case CommandState.SUCCESSFUL:
                return ChallengeStanding(state="served")
            case CommandState.FAILED | CommandState.CANCELLED | CommandState.EXPIRED:
                reason = row.failure_reason or row.state
                return ChallengeStanding(
                    state="failed", reason=reason, message=row.failure_message or row.state
                )
            case _:
                return ChallengeStanding(state="waiting")

    async def withdraw(self, agent_id: str, task: ChallengeTask) -> None:
        """Have the answer removed; the agent does it when it can. Raises as ``enqueue`` does."""
        body = WithdrawChallenge(key=task.key)
        await self._enqueue(agent_id, body, task, f"challenge-end:{task.key}:{agent_id}")

    async def _enqueue(
        self, agent_id: str, body: ServeChallenge | WithdrawChallenge, task: ChallengeTask, key: str
    ) -> str:
        async with self._db.write() as uow:
            agent = await self._fleet.agent(uow.session, agent_id)
            return await self._fleet.enqueue(
                uow,
                agent_id=agent_id,
                body=body,
                deadline_s=_DEADLINE_S,
                subject_type=_SUBJECT,
                subject_id=task.key,
                organization_id=agent.organization_id,
                requested_by="CA backend",
                idempotency_key=key,
            )
