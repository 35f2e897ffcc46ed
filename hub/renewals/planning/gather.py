"""The facts about a page of certificates, read in a few statements whatever the page's length.

Other rooms' rows are read by their tables' names, as the lifecycle's own list does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, column, func, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.base import JsonDocument, UtcDateTime
from hub.lifecycle.models import Certificate, CertificateApproval, InstallItem
from hub.lifecycle.states import CertificateStatus, RenewalState
from hub.organizations.dcv.clock import reuse_until
from hub.organizations.dcv.standing import Proofs, covering_domains, covers, read_proofs
from hub.renewals.calendar_port import IntervalKind, PlannedCertificate
from hub.renewals.planning.calendar import PlanningCalendar
from hub.renewals.planning.chain_facts import (
    AgentFacts,
    CaFacts,
    ClosedFacts,
    Facts,
    NameFacts,
    QuotaFacts,
    RenewalFacts,
    SuccessorFacts,
)
from hub.renewals.planning.models import CaQuota
from hub.renewals.planning.preview import AUTOMATIC
from pki.names import is_ip_address

PERIODS: Mapping[str, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_FOUND = (CertificateStatus.EXTERNAL, CertificateStatus.UNMANAGED)
_WAITING = (CertificateStatus.APPROVED, CertificateStatus.APPLIED)
_LOOKED_BACK = timedelta(days=90)
"""How far back a CA's last certificate is looked for: an index of times, not of CAs, serves that."""
_CA_UNAVAILABLE = "CaUnavailable"

_PROFILES = table(
    "profiles",
    column("id"),
    column("trust"),
    column("auto_approve"),
    column("approvals"),
    column("renewal", JsonDocument),
)
_AGENTS = table(
    "agents",
    column("id"),
    column("name"),
    column("status"),
    column("session_id"),
    column("last_seen_at", UtcDateTime()),
)
_BACKENDS = table("ca_backends", column("id"), column("name"), column("status"))
_AUTHORITIES = table("ca_authorities", column("backend_id"), column("not_after", UtcDateTime()))
ORGANIZATIONS = table("organizations", column("id"), column("name"))
_ATTEMPTS = table(
    "renewal_attempts",
    column("id"),
    column("certificate_id"),
    column("at", UtcDateTime()),
    column("outcome"),
    column("sentence"),
)
_COLUMNS: tuple[Any, ...] = (
    Certificate.id,
    Certificate.status,
    Certificate.status_message,
    Certificate.common_name,
    Certificate.dns_names,
    Certificate.ip_addresses,
    Certificate.organization_id,
    Certificate.department_id,
    Certificate.profile_id,
    Certificate.backend_id,
    Certificate.serial_hex,
    Certificate.not_before,
    Certificate.not_after,
    Certificate.key_location,
    Certificate.key_agent_id,
    Certificate.renewed_by_id,
    Certificate.renewal_state,
    Certificate.renewal_due_at,
    Certificate.renewal_attempts,
    Certificate.requested_at,
    Certificate.issued_at,
    Certificate.install_state,
)


@dataclass(slots=True)
class _Known:
    """What was read for all certificates of a page, by the ids that they refer to."""

    now: datetime
    successors: dict[int, Row[Any]] = field(default_factory=dict)
    profiles: dict[int, Row[Any]] = field(default_factory=dict)
    agents: dict[str, Row[Any]] = field(default_factory=dict)
    cas: dict[int, CaFacts] = field(default_factory=dict)
    items: dict[int, list[str]] = field(default_factory=dict)
    approvals: dict[int, int] = field(default_factory=dict)
    organizations: dict[int, str] = field(default_factory=dict)
    failures: dict[int, tuple[datetime, str]] = field(default_factory=dict)
    proofs: Proofs = field(default_factory=dict)


async def gather(session: AsyncSession, ids: Sequence[int], *, now: datetime) -> dict[int, Facts]:
    """Return the facts about certificates, by their ids; without a known end there are none."""
    rows = [row for row in await _certificates(session, ids) if row.not_after is not None]
    known = _Known(now)
    await _read_successors(session, known, rows)
    await _read_profiles(session, known, rows)
    await _read_places(session, known, rows)
    await _read_cas(session, known, {row.backend_id for row in rows if row.backend_id is not None})
    await _read_failures(session, known, rows)
    public = [row for row in rows if _is_public(known, row)]
    names = {name for row in public for name in row.dns_names if not is_ip_address(name)}
    domains = {domain for name in names for domain in covering_domains(name)}
    known.proofs = await read_proofs(session, domains, at=now) if domains else {}
    calendar = PlanningCalendar()
    found: dict[int, Facts] = {}
    for row in rows:
        freezes = await _freezes(session, calendar, known, row)
        found[row.id] = _facts(known, row, freezes)
    return found


async def _certificates(session: AsyncSession, ids: Iterable[int]) -> Sequence[Row[Any]]:
    return (await session.execute(select(*_COLUMNS).where(Certificate.id.in_(list(ids))))).all()


async def _read_successors(session: AsyncSession, known: _Known, rows: Sequence[Row[Any]]) -> None:
    ids = [row.renewed_by_id for row in rows if row.renewed_by_id is not None]
    if not ids:
        return
    known.successors = {row.id: row for row in await _certificates(session, ids)}
    given = await session.execute(
        select(CertificateApproval.certificate_id, func.count())
        .where(CertificateApproval.certificate_id.in_(ids))
        .group_by(CertificateApproval.certificate_id)
    )
    known.approvals = {row[0]: row[1] for row in given}
    wanted = {row.organization_id for row in known.successors.values()}
    organizations = await session.execute(
        select(ORGANIZATIONS.c.id, ORGANIZATIONS.c.name).where(ORGANIZATIONS.c.id.in_(wanted))
    )
    known.organizations = {row.id: row.name for row in organizations}


async def _read_profiles(session: AsyncSession, known: _Known, rows: Sequence[Row[Any]]) -> None:
    wanted = {row.profile_id for row in rows if row.profile_id is not None}
    found = await session.execute(select(*_PROFILES.c).where(_PROFILES.c.id.in_(wanted)))
    known.profiles = {row.id: row for row in found}


async def _read_places(session: AsyncSession, known: _Known, rows: Sequence[Row[Any]]) -> None:
    items = await session.execute(
        select(InstallItem.certificate_id, InstallItem.agent_id)
        .where(InstallItem.certificate_id.in_([row.id for row in rows]), InstallItem.status != "Invalid")
        .distinct()
    )
    placed: dict[int, list[str]] = defaultdict(list)
    for item in items:
        placed[item.certificate_id].append(item.agent_id)
    known.items = placed
    wanted = {agent for agents in placed.values() for agent in agents}
    wanted |= {row.key_agent_id for row in rows if row.key_agent_id}
    found = await session.execute(select(*_AGENTS.c).where(_AGENTS.c.id.in_(wanted)))
    known.agents = {row.id: row for row in found}


async def _read_cas(session: AsyncSession, known: _Known, backend_ids: set[int]) -> None:
    backends = await session.execute(select(*_BACKENDS.c).where(_BACKENDS.c.id.in_(backend_ids)))
    for row in backends.all():
        latest = (
            select(Certificate.issued_at)
            .where(Certificate.backend_id == row.id, Certificate.issued_at > known.now - _LOOKED_BACK)
            .order_by(Certificate.issued_at.desc())
            .limit(1)
        )
        ends = select(func.min(_AUTHORITIES.c.not_after)).where(_AUTHORITIES.c.backend_id == row.id)
        failing = (
            select(
                Certificate.applied_at,
                Certificate.approved_at,
                Certificate.requested_at,
                Certificate.status_message,
            )
            .where(
                Certificate.status.in_(_WAITING),
                Certificate.status_reason == _CA_UNAVAILABLE,
                Certificate.backend_id == row.id,
            )
            .order_by(Certificate.id)
            .limit(1)
        )
        stuck = (await session.execute(failing)).first()
        since = None if stuck is None else stuck.applied_at or stuck.approved_at or stuck.requested_at
        known.cas[row.id] = CaFacts(
            name=row.name,
            status=row.status,
            last_issued_at=(await session.execute(latest)).scalar_one_or_none(),
            failing_since=since,
            failing_message="" if stuck is None else stuck.status_message,
            ends_at=(await session.execute(ends)).scalar_one(),
            quotas=await quota_facts(session, row.id, now=known.now),
        )


async def quota_facts(session: AsyncSession, backend_id: int, *, now: datetime) -> tuple[QuotaFacts, ...]:
    """Return the quotas of a CA with what of them was used in the period that ends now."""
    quotas = await session.execute(
        select(CaQuota.period, CaQuota.limit)
        .where(CaQuota.backend_id == backend_id, CaQuota.period.in_(PERIODS))
        .order_by(CaQuota.id)
    )
    found = []
    for quota in quotas.all():
        length = PERIODS[quota.period]
        used = await session.execute(
            select(func.count(Certificate.id), func.min(Certificate.issued_at)).where(
                Certificate.backend_id == backend_id, Certificate.issued_at > now - length
            )
        )
        count, first = used.one()
        frees_at = None if first is None else first + length
        found.append(QuotaFacts(period=quota.period, limit=quota.limit, used=count, frees_at=frees_at))
    return tuple(found)


async def _read_failures(session: AsyncSession, known: _Known, rows: Sequence[Row[Any]]) -> None:
    failed = [row.id for row in rows if row.renewal_state == RenewalState.FAILED]
    if not failed:
        return
    latest = (
        select(func.max(_ATTEMPTS.c.id))
        .where(_ATTEMPTS.c.certificate_id.in_(failed))
        .group_by(_ATTEMPTS.c.certificate_id)
    )
    attempts = await session.execute(
        select(_ATTEMPTS.c.certificate_id, _ATTEMPTS.c.at, _ATTEMPTS.c.sentence).where(
            _ATTEMPTS.c.id.in_(latest)
        )
    )
    known.failures = {row.certificate_id: (row.at, row.sentence) for row in attempts}


async def _freezes(
    session: AsyncSession, calendar: PlanningCalendar, known: _Known, row: Row[Any]
) -> tuple[ClosedFacts, ...]:
    if row.not_after <= known.now:
        return ()
    planned = PlannedCertificate(
        id=row.id,
        not_before=row.not_before or known.now,
        not_after=row.not_after,
        organization_id=row.organization_id,
        department_id=row.department_id,
        profile_id=row.profile_id,
        agent_ids=tuple(_agent_ids(known, row)),
    )
    closed = await calendar.closed(session, planned, known.now, row.not_after)
    return tuple(
        ClosedFacts(name=item.name, start=item.start, end=item.end)
        for item in closed
        if item.kind is IntervalKind.FREEZE
    )


def _facts(known: _Known, row: Row[Any], freezes: tuple[ClosedFacts, ...]) -> Facts:
    profile = known.profiles.get(row.profile_id or 0)
    failed_since, failure = known.failures.get(row.id, (None, row.status_message))
    return Facts(
        now=known.now,
        not_after=row.not_after,
        managed=row.status not in _FOUND,
        names=_names(known, row),
        ca=known.cas.get(row.backend_id or 0),
        renewal=RenewalFacts(
            automatic=row.renewal_state in AUTOMATIC,
            state=row.renewal_state,
            due_at=row.renewal_due_at,
            attempts=row.renewal_attempts,
            failed_since=failed_since,
            message=failure,
        ),
        successor=_successor(known, row),
        agents=_agents(known, row),
        freezes=freezes,
        approval_needed=profile is not None and not profile.auto_approve,
    )


def _is_public(known: _Known, row: Row[Any]) -> bool:
    profile = known.profiles.get(row.profile_id or 0)
    return profile is not None and bool(profile.trust == "public")


def _names(known: _Known, row: Row[Any]) -> tuple[NameFacts, ...]:
    if not _is_public(known, row):
        return ()
    return tuple(
        NameFacts(name=name, valid_until=_valid_until(known.proofs, name))
        for name in dict.fromkeys(row.dns_names)
        if not is_ip_address(name)
    )


def _valid_until(proofs: Proofs, name: str) -> datetime | None:
    ends = [
        reuse_until(proof.time)
        for domain in covering_domains(name)
        for proof in proofs.get(domain, ())
        if covers(proof, name)
    ]
    return max(ends, default=None)


def _successor(known: _Known, row: Row[Any]) -> SuccessorFacts | None:
    found = known.successors.get(row.renewed_by_id or 0)
    if found is None:
        return None
    profile = known.profiles.get(found.profile_id or 0)
    organization = known.organizations.get(found.organization_id or 0)
    return SuccessorFacts(
        id=found.id,
        status=found.status,
        requested_at=found.requested_at,
        approvals_given=known.approvals.get(found.id, 0),
        approvals_needed=1 if profile is None else profile.approvals,
        approvers=f"an administrator of {organization}, or an MRAO" if organization else "an MRAO",
        message=found.status_message,
        install_state=found.install_state,
        issued_at=found.issued_at,
    )


def _agent_ids(known: _Known, row: Row[Any]) -> list[str]:
    ids = [row.key_agent_id] if row.key_agent_id else []
    return list(dict.fromkeys([*ids, *known.items.get(row.id, [])]))


def _agents(known: _Known, row: Row[Any]) -> tuple[AgentFacts, ...]:
    installing = set(known.items.get(row.id, []))
    facts = []
    for agent_id in _agent_ids(known, row):
        agent = known.agents.get(agent_id)
        facts.append(
            AgentFacts(
                id=agent_id,
                name=agent_id if agent is None else agent.name,
                connected=agent is not None and agent.session_id is not None,
                last_seen_at=None if agent is None else agent.last_seen_at,
                status="removed" if agent is None else agent.status,
                keeps_key=agent_id == row.key_agent_id,
                installs=agent_id in installing,
            )
        )
    return tuple(facts)
