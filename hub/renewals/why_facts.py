"""Gathering what the answer to 'why was it (not) renewed?' is made of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.errors import NotFound
from hub.lifecycle import renewal_rows
from hub.lifecycle.errors import CertificateNotFound
from hub.lifecycle.renewal_rows import RenewalRow
from hub.renewals import schedules
from hub.renewals.reading import Reader, RenewalRooms, installs_itself
from hub.renewals.why import AgentFacts, SuccessorFacts, Why, WhyFacts, explain

_FAILED = "Failed"


async def gather(
    session: AsyncSession, rooms: RenewalRooms, certificate_id: int, *, now: datetime
) -> WhyFacts:
    """Return the facts about a certificate; raise CertificateNotFound."""
    row = await renewal_rows.read_renewal_row(session, certificate_id)
    if row is None:
        raise CertificateNotFound(f"there is no certificate {certificate_id}")
    rules = await Reader(rooms, session).rules(row)
    schedule = await schedules.read_schedule(session, certificate_id)
    attempts = await schedules.read_attempts(session, certificate_id)
    failure = next((item for item in attempts if item.outcome == _FAILED), None)
    successor = await renewal_rows.latest_successor(session, certificate_id)
    return WhyFacts(
        now=now,
        status=row.status,
        rules=rules,
        renewal_state=row.renewal_state,
        not_after=row.not_after,
        due_at=row.renewal_due_at,
        plan_sentence=schedule.sentence,
        renewed_by_id=row.renewed_by_id,
        revocation_reason=row.revocation_reason,
        successor=await _successor(session, rooms, successor) if successor else None,
        failure_kind=str(failure.evidence.get("kind", "")) if failure else "",
        failure_message=failure.sentence if failure else "",
        failed_at=failure.at if failure else None,
        attempts=row.renewal_attempts,
    )


async def explain_renewal(
    session: AsyncSession, rooms: RenewalRooms, certificate_id: int, *, now: datetime
) -> Why:
    """Answer for one certificate; raise CertificateNotFound."""
    return explain(await gather(session, rooms, certificate_id, now=now))


async def _successor(session: AsyncSession, rooms: RenewalRooms, row: RenewalRow) -> SuccessorFacts:
    step = await renewal_rows.waiting_since(session, row.id)
    return SuccessorFacts(
        id=row.id,
        status=row.status,
        status_reason=row.status_reason,
        status_message=row.status_message,
        requested_via=row.requested_via,
        method=row.method,
        installs_itself=installs_itself(row),
        install_state=row.install_state,
        issued_at=row.issued_at,
        approvers=await renewal_rows.approvers_of(session, row.id),
        approvals_needed=await _approvals(session, rooms, row),
        agents=await _agents(session, rooms, row),
        next_step_at=step[0] if step else None,
        step_message=step[1] if step else "",
    )


async def _approvals(session: AsyncSession, rooms: RenewalRooms, row: RenewalRow) -> int:
    try:
        return (await rooms.profiles.get(session, row.profile_id or 0)).approvals
    except NotFound:
        return 1


async def _agents(session: AsyncSession, rooms: RenewalRooms, row: RenewalRow) -> tuple[AgentFacts, ...]:
    ids = (await renewal_rows.agents_of(session, [row.id])).get(row.id, ())
    wanted = dict.fromkeys((*((row.key_agent_id,) if row.key_agent_id else ()), *ids))
    found = []
    for agent_id in wanted:
        try:
            agent = await rooms.fleet.agent(session, agent_id)
        except NotFound:
            continue
        found.append(AgentFacts(name=agent.name, connected=agent.connected, last_seen_at=agent.last_seen_at))
    return tuple(found)
