"""Reading what renewals are decided by, and putting it into the planner's and the decisions' own values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.errors import HubError, NotFound
from hub.issuers.contract import HasRenewalInfo
from hub.issuers.service import IssuerService
from hub.lifecycle import renewal_rows
from hub.lifecycle.ports import Fleet
from hub.lifecycle.renewal_rows import RenewalRow
from hub.lifecycle.requests import BY_ITSELF, Method
from hub.profiles.service import ProfileService, RenewalPolicy
from hub.renewals.calendar_port import EmptyCalendar, PlannedCertificate, RenewalCalendar
from hub.renewals.decisions import DueFacts, Successor
from hub.renewals.plan import Plan, RenewalRules, latest_safe, plan_renewal, put_off
from hub.renewals.rules import effective_rules
from hub.renewals.schedules import Schedule


@dataclass(slots=True, kw_only=True)
class RenewalRooms:
    """What renewals work with. ``calendar`` is replaced by the room that keeps freezes and windows."""

    profiles: ProfileService
    issuers: IssuerService
    fleet: Fleet
    calendar: RenewalCalendar = field(default_factory=EmptyCalendar)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A certificate with the rules that count for it."""

    row: RenewalRow
    rules: RenewalRules
    planned: PlannedCertificate


class Reader:
    """Reads for one batch: each profile and backend once."""

    def __init__(self, rooms: RenewalRooms, session: AsyncSession) -> None:
        self._rooms = rooms
        self._session = session
        self._policies: dict[int, RenewalPolicy] = {}
        self._sources: dict[int, HasRenewalInfo | None] = {}

    async def candidates(self, ids: Iterable[int]) -> dict[int, Candidate]:
        """Return certificates that have dates, by id."""
        rows = await renewal_rows.read_renewal_rows(self._session, ids)
        dated = [row for row in rows.values() if row.not_before is not None and row.not_after is not None]
        installs = [row.id for row in dated if row.method == Method.AUTO_INSTALL]
        agents = await renewal_rows.agents_of(self._session, installs) if installs else {}
        return {
            row.id: Candidate(row, await self.rules(row), _planned(row, agents.get(row.id, ())))
            for row in dated
        }

    async def candidate(self, certificate_id: int) -> Candidate | None:
        """Return one certificate; None: it is gone, or not issued."""
        return (await self.candidates([certificate_id])).get(certificate_id)

    async def rules(self, row: RenewalRow) -> RenewalRules:
        """Return the rules that count for a certificate."""
        return effective_rules(row.own_settings, await self._policy(row.profile_id))

    async def _policy(self, profile_id: int | None) -> RenewalPolicy:
        if profile_id is None:
            return RenewalPolicy()
        if profile_id not in self._policies:
            try:
                profile = await self._rooms.profiles.get(self._session, profile_id)
            except NotFound:
                return RenewalPolicy()
            self._policies[profile_id] = profile.renewal
        return self._policies[profile_id]

    async def plan(self, candidate: Candidate, schedule: Schedule | None, *, now: datetime) -> Plan:
        """Plan a certificate's renewal."""
        planned = candidate.planned
        calendar = await self._rooms.calendar.closed(
            self._session, planned, min(now, planned.not_before), latest_safe(planned)
        )
        window = schedule.window if schedule else None
        return plan_renewal(planned, candidate.rules, now=now, window=window, calendar=calendar)

    async def window_source(self, backend_id: int | None) -> HasRenewalInfo | None:
        """Return the CA that a certificate comes from, if it says when to renew and can be asked."""
        if backend_id is None:
            return None
        if backend_id not in self._sources:
            try:
                backend = await self._rooms.issuers.backend(self._session, backend_id)
            except HubError:
                # Disabled, or its plug-in is gone: the hub goes by its own rules.
                self._sources[backend_id] = None
            else:
                self._sources[backend_id] = backend if isinstance(backend, HasRenewalInfo) else None
        return self._sources[backend_id]

    async def due_facts(self, candidate: Candidate, schedule: Schedule, *, now: datetime) -> DueFacts:
        """Return what decides about a renewal that is due."""
        row, planned = candidate.row, candidate.planned
        successor = await renewal_rows.latest_successor(self._session, row.id)
        calendar = await self._rooms.calendar.closed(self._session, planned, now, latest_safe(planned))
        later = put_off(planned, candidate.rules, now=now, calendar=calendar)
        return DueFacts(
            now=now,
            status=row.status,
            not_after=planned.not_after,
            rules=candidate.rules,
            method=row.method,
            installation=row.installation,
            install_state=row.install_state,
            has_csr=await renewal_rows.has_csr(self._session, row.id),
            knows_how=bool(schedule.successor),
            successor=as_successor(successor),
            closed_until=later.due_at if later else None,
            closed_by=later.sentence if later else "",
        )


def as_successor(row: RenewalRow | None) -> Successor | None:
    """Return what decisions look at of a successor."""
    if row is None:
        return None
    return Successor(
        id=row.id, status=row.status, install_state=row.install_state, installs_itself=installs_itself(row)
    )


def installs_itself(row: RenewalRow) -> bool:
    """Whether a certificate is installed without anybody's hand."""
    return row.method == Method.AUTO_INSTALL and row.installation in BY_ITSELF


def _planned(row: RenewalRow, agents: tuple[str, ...]) -> PlannedCertificate:
    if row.not_before is None or row.not_after is None:
        raise ValueError(f"certificate {row.id} has no dates")
    key_agent = (row.key_agent_id,) if row.key_agent_id else ()
    return PlannedCertificate(
        id=row.id,
        not_before=row.not_before,
        not_after=row.not_after,
        serial_hex=row.serial_hex,
        common_name=row.common_name,
        organization_id=row.organization_id,
        department_id=row.department_id,
        profile_id=row.profile_id,
        backend_id=row.backend_id,
        agent_ids=tuple(dict.fromkeys((*key_agent, *agents))),
    )
