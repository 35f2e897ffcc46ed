"""Outage budgets: for each certificate in service the hours until an outage if nothing works from now on.

In service is what was issued and is, as far as is known, what clients see: not yet followed by a certificate
that is installed. Certificates that were found elsewhere are in service too; nobody renews them here. The
list is ordered by their end, which an index serves; the chain is worked out for the page only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import Database
from hub.http.principal import Principal
from hub.lifecycle.models import Certificate, CertificateLocation
from hub.lifecycle.scoping import certificate_scope
from hub.lifecycle.states import CertificateStatus, InstallState, RenewalState
from hub.renewals.planning.chain import chain, worst
from hub.renewals.planning.chain_facts import Facts, Link, LinkState
from hub.renewals.planning.errors import InServiceNotFound, NotIssued
from hub.renewals.planning.gather import ORGANIZATIONS, gather

SHOWN_STATUSES = tuple(
    status.value
    for status in (CertificateStatus.ISSUED, CertificateStatus.DOWNLOADED, CertificateStatus.EXTERNAL)
)
_LAPSED = timedelta(days=30)
"""So long an expired certificate that should have been renewed stays in the list."""
_HORIZONS = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
_SERVICES = 3

_TABLE: Any = Certificate.__table__
_NEXT = _TABLE.alias("successor")
SERVED = _TABLE.outerjoin(_NEXT, _NEXT.c.id == _TABLE.c.renewed_by_id)
"""Certificates with what follows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One certificate's budget. ``services``: where it is, as people name it; ``services_total`` of them."""

    certificate_id: int
    hours_left: float
    outage_at: datetime
    state: LinkState
    links: tuple[Link, ...]
    services: tuple[str, ...]
    services_total: int
    successor_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationFigure:
    """How near an organization is to its next outage."""

    organization_id: int | None
    organization: str
    in_service: int
    lapsed: int
    within_day: int
    within_week: int
    within_month: int
    failed_renewals: int
    next_outage_at: datetime | None
    hours_left: float | None


class Budgets:
    """Works out outage budgets."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of(self, session: AsyncSession, ids: Sequence[int]) -> dict[int, Budget]:
        """Return the budgets of certificates that the caller is known to see."""
        facts = await gather(session, ids, now=self._db.clock())
        services = await _services(session, list(facts))
        return {
            certificate_id: _budget(certificate_id, item, services.get(certificate_id, ((), 0)))
            for certificate_id, item in facts.items()
        }

    async def one(self, principal: Principal, certificate_id: int) -> Budget:
        """Return one certificate's budget; raise InServiceNotFound, or NotIssued if it has no end."""
        async with self._db.read() as session:
            statement = select(Certificate.id).where(Certificate.id == certificate_id)
            seen = certificate_scope(principal)
            if seen is not None:
                statement = statement.where(seen)
            if (await session.execute(statement)).first() is None:
                raise InServiceNotFound(f"there is no certificate {certificate_id}")
            budgets = await self.of(session, [certificate_id])
        if certificate_id not in budgets:
            raise NotIssued
        return budgets[certificate_id]

    async def summary(self, principal: Principal) -> list[OrganizationFigure]:
        """Return a figure for each organization with certificates in service, the nearest outage first.

        Only what ends within a month is looked at closely; the rest is counted from an index.
        """
        now = self._db.clock()
        seen = certificate_scope(principal)
        mine = [] if seen is None else [seen]
        async with self._db.read() as session:
            all_of = [row for row in await session.execute(_totals(now, mine)) if row.in_service]
            near = (await session.execute(_near(now, mine))).all()
            failed = (await session.execute(_failed(mine))).all()
            names = await _organization_names(session)
        close = {row.organization_id: row for row in near}
        failures = {row.organization_id: row.failed_renewals for row in failed}
        places = {row.organization_id: row for row in all_of} | {
            key: None for key in close if key not in {row.organization_id for row in all_of}
        }
        figures = [
            _figure(key, row, close.get(key), now=now, failed=failures.get(key, 0), names=names)
            for key, row in places.items()
        ]
        return sorted(figures, key=lambda item: (item.next_outage_at is None, item.next_outage_at))


def in_service(now: datetime) -> ColumnElement[bool]:
    """Return the condition on certificates that are in service, over :data:`SERVED`."""
    # An expression rather than the column: databases should walk the index of ends, not gather by status.
    status = Certificate.status.concat("")
    lapsed = and_(
        status == CertificateStatus.EXPIRED.value,
        Certificate.renewal_state.in_([RenewalState.FAILED.value, RenewalState.STARTED.value]),
    )
    followed = and_(
        _NEXT.c.status.in_([CertificateStatus.ISSUED.value, CertificateStatus.DOWNLOADED.value]),
        or_(_NEXT.c.installation == "", _NEXT.c.install_state.in_(_SERVED_STATES)),
    )
    waiting = and_(
        Certificate.renews_id.is_not(None),
        Certificate.installation != "",
        Certificate.install_state.not_in(_SERVED_STATES),
    )
    return and_(
        Certificate.not_after > now - _LAPSED,
        or_(status.in_(SHOWN_STATUSES), lapsed),
        or_(_NEXT.c.id.is_(None), ~followed),
        ~waiting,
    )


_SERVED_STATES = (InstallState.SUCCESSFUL.value, InstallState.RESTART_REQUIRED.value)


def _budget(certificate_id: int, facts: Facts, services: tuple[tuple[str, ...], int]) -> Budget:
    links = chain(facts)
    return Budget(
        certificate_id=certificate_id,
        hours_left=round(facts.hours_left, 1),
        outage_at=facts.not_after,
        state=worst(links),
        links=links,
        services=services[0],
        services_total=services[1],
        successor_id=None if facts.successor is None else facts.successor.id,
    )


async def _services(session: AsyncSession, ids: Sequence[int]) -> dict[int, tuple[tuple[str, ...], int]]:
    rows = await session.execute(
        select(
            CertificateLocation.certificate_id,
            CertificateLocation.kind,
            CertificateLocation.name,
            CertificateLocation.hostname,
            CertificateLocation.address,
            CertificateLocation.port,
        )
        .where(
            CertificateLocation.certificate_id.in_(ids),
            CertificateLocation.present,
            # Where only the key lies, nobody is served.
            CertificateLocation.kind.not_in(("private_key_agent", "network_agent")),
        )
        .order_by(CertificateLocation.id)
    )
    found: dict[int, dict[str, None]] = {}
    for row in rows:
        found.setdefault(row.certificate_id, {})[_place(row)] = None
    return {item: (tuple(names)[:_SERVICES], len(names)) for item, names in found.items()}


def _place(row: Any) -> str:
    if row.kind in {"server_node", "custom"} and row.name:
        return str(row.name)
    host = row.name or row.hostname or row.address or row.kind
    return f"{host}:{row.port}" if row.port else str(host)


def _totals(now: datetime, mine: Sequence[ColumnElement[bool]]) -> Any:
    """Count what is good, and its first end, by an index of organization, status and end."""
    # Expressions rather than conditions on columns: the index is read through once, in its order.
    good = and_(Certificate.status.concat("").in_(SHOWN_STATUSES), Certificate.not_after > now)
    return (
        select(
            Certificate.organization_id,
            func.sum(case((good, 1), else_=0)).label("in_service"),
            func.min(case((good, Certificate.not_after))).label("first_end"),
        )
        .where(*mine)
        .group_by(Certificate.organization_id)
    )


def _near(now: datetime, mine: Sequence[ColumnElement[bool]]) -> Any:
    def within(horizon: timedelta) -> ColumnElement[int]:
        return func.sum(case((Certificate.not_after <= now + horizon, 1), else_=0))

    day, week, month = (within(horizon) for horizon in _HORIZONS)
    return (
        select(
            Certificate.organization_id,
            within(timedelta()).label("lapsed"),
            day.label("within_day"),
            week.label("within_week"),
            month.label("within_month"),
            func.min(Certificate.not_after).label("first_end"),
        )
        .select_from(SERVED)
        .where(in_service(now), Certificate.not_after <= now + _HORIZONS[-1], *mine)
        .group_by(Certificate.organization_id)
    )


def _failed(mine: Sequence[ColumnElement[bool]]) -> Any:
    return (
        select(Certificate.organization_id, func.count(Certificate.id).label("failed_renewals"))
        .where(
            Certificate.renewal_state == RenewalState.FAILED.value,
            Certificate.renewed_by_id.is_(None),
            *mine,
        )
        .group_by(Certificate.organization_id)
    )


async def _organization_names(session: AsyncSession) -> dict[int, str]:
    rows = await session.execute(select(ORGANIZATIONS.c.id, ORGANIZATIONS.c.name))
    return {row.id: row.name for row in rows}


def _figure(
    organization_id: int | None,
    whole: Any,
    near: Any,
    *,
    now: datetime,
    failed: int,
    names: dict[int, str],
) -> OrganizationFigure:
    first = near.first_end if near is not None else whole.first_end
    organization = names.get(organization_id or 0, "No organization")
    return OrganizationFigure(
        organization_id=organization_id,
        organization=organization,
        in_service=0 if whole is None else whole.in_service,
        lapsed=0 if near is None else near.lapsed,
        within_day=0 if near is None else near.within_day,
        within_week=0 if near is None else near.within_week,
        within_month=0 if near is None else near.within_month,
        failed_renewals=failed,
        next_outage_at=first,
        hours_left=None if first is None else round((first - now) / timedelta(hours=1), 1),
    )
