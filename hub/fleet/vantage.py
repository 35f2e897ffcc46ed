"""Network agents as vantage points of domain validation: its port over the fleet's commands.

The agent is told where to look, not what is expected there. Whatever keeps it from answering (it is away, its
policy refuses, it is removed) comes back as a sight with a fault: no answer is no confirmation.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.errors import NotFound
from hub.db.uow import UnitOfWork
from hub.fleet.commands import AgentRecord, CheckDomainControl, DomainControlSeen, FinishedCommand
from hub.fleet.service import FleetService
from hub.organizations.dcv.contract import (
    AnswerHandler,
    CnameLookup,
    Lookup,
    Sight,
    TxtLookup,
    VantageAnswer,
    VantageRecord,
)
from pki.findings import Finding

KIND = "CheckDomainControl"
_SUBJECT = "domain_challenge"
_DEADLINE_S = 300
_TIMEOUT_MS = 20_000


class FleetVantage:
    """Implements :class:`hub.organizations.dcv.contract.VantagePoint`."""

    def __init__(self, fleet: FleetService) -> None:
        self._fleet = fleet

    async def describe(self, session: AsyncSession, agent_id: str, *, organization_id: int) -> VantageRecord:
        """Return an agent, and whether it can look for the organization."""
        try:
            agent = await self._fleet.agent(session, agent_id)
        except NotFound:
            return VantageRecord(agent_id=agent_id, name="", problem=_unknown(agent_id))
        return VantageRecord(agent_id=agent.id, name=agent.name, problem=_problem(agent, organization_id))

    async def ask(
        self, uow: UnitOfWork, *, agent_id: str, lookup: Lookup, subject_id: str, organization_id: int
    ) -> None:
        """Ask an agent to look; the same subject and agent are asked once. Raises as ``enqueue`` does."""
        await self._fleet.enqueue(
            uow,
            agent_id=agent_id,
            body=_command(lookup),
            deadline_s=_DEADLINE_S,
            subject_type=_SUBJECT,
            subject_id=subject_id,
            organization_id=organization_id,
            requested_by="domain validation",
            idempotency_key=f"dcv:{subject_id}:{agent_id}",
        )

    def on_answer(self, handler: AnswerHandler) -> None:
        """Have ``handler`` called with every answer, and with every failure to give one."""

        async def ended(uow: UnitOfWork, command: FinishedCommand) -> None:
            answer = VantageAnswer(
                agent_id=command.agent_id, subject_id=command.subject_id, sight=_sight(uow, command)
            )
            await handler(uow, answer)

        self._fleet.on_outcome(KIND, ended)


def _unknown(agent_id: str) -> Finding:
    return Finding("AgentUnknown", f"the organization has no agent {agent_id[:36]!r}")


def _problem(agent: AgentRecord, organization_id: int) -> Finding | None:
    if agent.organization_id not in {None, organization_id}:
        # An agent of another organization is as unknown here as one that does not exist.
        return _unknown(agent.id)
    if agent.kind != "network":
        return Finding("AgentOfOtherKind", f"{agent.name} is a {agent.kind} agent, a network agent is needed")
    if agent.status != "active":
        return Finding("AgentNotActive", f"{agent.name} is {agent.status}")
    if agent.capabilities and KIND not in agent.capabilities:
        return Finding("AgentTooOld", f"{agent.name} can't check domains: update it")
    return None


def _command(lookup: Lookup) -> CheckDomainControl:
    if isinstance(lookup, TxtLookup):
        return CheckDomainControl(domain=lookup.name, method="txt", name=lookup.name, timeout_ms=_TIMEOUT_MS)
    if isinstance(lookup, CnameLookup):
        return CheckDomainControl(
            domain=lookup.name, method="cname", name=lookup.name, timeout_ms=_TIMEOUT_MS
        )
    host = lookup.urls[0].split("/")[2] if lookup.urls else ""
    return CheckDomainControl(domain=host, method="file", urls=lookup.urls, timeout_ms=_TIMEOUT_MS)


def _sight(uow: UnitOfWork, command: FinishedCommand) -> Sight:
    if isinstance(command.result, DomainControlSeen):
        seen = command.result
        fault = Finding(seen.reason[:64], seen.message[:2000]) if seen.reason else None
        return Sight(
            values=seen.values,
            trail=seen.trail,
            fault=fault,
            authenticated=seen.authenticated,
            seen_at=seen.seen_at,
        )
    failure = command.failure
    reason, message = (failure.reason, failure.message) if failure else ("Unknown", "no result")
    return Sight(fault=Finding(reason, message[:2000]), seen_at=uow.now)
