"""What a freeze would do, read from the inventory: which renewals move ahead of it, and what would expire.

Certificates are judged in groups that share owner, profile, CA, term and method; see
:mod:`hub.renewals.planning.consequences`. Only where freezes or windows of single servers lie close by are
certificates looked at one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, column, func, or_, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from hub.lifecycle.models import Certificate
from hub.lifecycle.requests import Method
from hub.lifecycle.states import CertificateStatus, RenewalState
from hub.renewals.calendar_port import PlannedCertificate
from hub.renewals.plan import LONGEST_RESERVE
from hub.renewals.planning.calendar import freezes_around, subject_of
from hub.renewals.planning.consequences import CertificateKind, fault, margin, met_by
from hub.renewals.planning.entries import Calendar, FreezeEntry, WindowEntry, read_calendar
from hub.renewals.planning.local_time import Span, complement, window_spans
from hub.renewals.planning.scope import Subject, condition, matches
from pki.findings import Finding

LISTED = 50
LOOKED_AHEAD = timedelta(days=2 * 366)
"""Occurrences of yearly freezes are judged so far ahead."""
# Windows come back every week: before a freeze that is further away there is always one.
_WINDOW_HORIZON = timedelta(days=14)
_ONE_BY_ONE = 20_000

PROFILES = table("profiles", column("id"), column("auto_approve"))
AUTHORITIES = table(
    "ca_authorities", column("backend_id"), column("not_after", Certificate.not_after.type), column("role")
)
BACKENDS = table("ca_backends", column("id"), column("name"))

IN_SERVICE: tuple[str, ...] = (CertificateStatus.ISSUED.value, CertificateStatus.DOWNLOADED.value)
AUTOMATIC: tuple[str, ...] = (
    RenewalState.SCHEDULED.value,
    RenewalState.STARTED.value,
    RenewalState.FAILED.value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned:
    """A certificate that a freeze concerns, with what happens to it; an outage has a reason."""

    id: int
    common_name: str
    organization_id: int | None
    not_after: datetime
    renewal_due_at: datetime | None
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """All that a freeze does; the lists hold the first fifty of so many."""

    occurrences: tuple[Span, ...]
    pulled_ahead: int
    pulled_ahead_list: tuple[Concerned, ...]
    outages: int
    outage_list: tuple[Concerned, ...]
    by_hand: int
    by_hand_list: tuple[Concerned, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    organization_id: int | None
    department_id: int | None
    profile_id: int | None
    backend_id: int | None
    term_days: int
    installed: bool

    @property
    def subject(self) -> Subject:
        return Subject(
            organization_id=self.organization_id,
            department_id=self.department_id,
            profile_id=self.profile_id,
            installed=self.installed,
        )

    @property
    def term(self) -> timedelta:
        return timedelta(days=max(1, self.term_days))

    def rows(self) -> list[ColumnElement[bool]]:
        """Return the conditions on certificates of the group."""
        parts: list[ColumnElement[bool]] = [
            getattr(Certificate, name).is_(None)
            if getattr(self, name) is None
            else getattr(Certificate, name) == getattr(self, name)
            for name in ("organization_id", "department_id", "profile_id", "backend_id")
        ]
        installs = Certificate.method == Method.AUTO_INSTALL.value
        parts += [Certificate.term_days == self.term_days, installs if self.installed else ~installs]
        return parts


async def preview(session: AsyncSession, freeze: FreezeEntry, *, now: datetime) -> Consequences:
    """Return what a freeze would do to certificates in its scope; its own row is left out."""
    calendar = await read_calendar(session)
    others = Calendar(
        tuple(item for item in calendar.freezes if item.id != freeze.id or freeze.id == 0), calendar.windows
    )
    spans = tuple(span for span in freeze.spans(now, now + LOOKED_AHEAD) if span.end > now)
    base = _base(freeze)
    moved = _Found(0, ())
    hand = _Found(0, ())
    outages = _Found(0, ())
    for span in spans:
        judge = await _Judge.read(session, freeze, span, calendar=others, now=now)
        # The first occurrence that does harm is told of; those of later years do the same.
        if not outages.total:
            outages = await judge.outages(session, base)
        automatic = [*base, Certificate.renewal_state.in_(AUTOMATIC)]
        due = [Certificate.renewal_due_at >= span.start, Certificate.renewal_due_at < span.end]
        moved = moved.plus(await _read(session, [*automatic, *due]))
        ends = [Certificate.not_after >= span.start, Certificate.not_after < span.end]
        manual = [Certificate.renewal_state == RenewalState.NOT_SCHEDULED.value]
        hand = hand.plus(await _read(session, [*base, *manual, *ends]))
    return Consequences(
        occurrences=spans,
        pulled_ahead=moved.total,
        pulled_ahead_list=moved.items,
        outages=outages.total,
        outage_list=outages.items,
        by_hand=hand.total,
        by_hand_list=hand.items,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    total: int
    items: tuple[Concerned, ...]

    def plus(self, other: _Found) -> _Found:
        return _Found(self.total + other.total, (*self.items, *other.items)[:LISTED])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """Judges groups and certificates for one occurrence of a freeze."""

    name: str
    span: Span
    now: datetime
    calendar: Calendar
    by_hand_profiles: frozenset[int]
    ca_ends: dict[int, tuple[datetime, str]]

    @classmethod
    async def read(
        cls, session: AsyncSession, freeze: FreezeEntry, span: Span, *, calendar: Calendar, now: datetime
    ) -> _Judge:
        profiles = await session.execute(select(PROFILES.c.id).where(PROFILES.c.auto_approve.is_(False)))
        ends = await session.execute(
            select(AUTHORITIES.c.backend_id, func.min(AUTHORITIES.c.not_after), func.min(BACKENDS.c.name))
            .join(BACKENDS, BACKENDS.c.id == AUTHORITIES.c.backend_id)
            .group_by(AUTHORITIES.c.backend_id)
        )
        return cls(
            name=freeze.name,
            span=span,
            now=now,
            calendar=calendar,
            by_hand_profiles=frozenset(profiles.scalars()),
            ca_ends={row[0]: (row[1], row[2]) for row in ends},
        )

    async def outages(self, session: AsyncSession, base: Sequence[ColumnElement[bool]]) -> _Found:
        """Return the certificates that would end in the freeze and can't be renewed before it."""
        found = _Found(0, ())
        passed: list[_Group] = []
        automatic = [*base, Certificate.renewal_state.in_(AUTOMATIC)]
        for group in await self._groups(session, automatic):
            why = self._fault(group, group.subject)
            if why is None:
                passed.append(group)
                continue
            ends = Certificate.not_after < self.span.end + margin(group.term)
            rows = await _read(session, [*automatic, *group.rows(), ends])
            named = tuple(replace(item, reason=why.reason, message=why.message) for item in rows.items)
            found = found.plus(_Found(rows.total, named))
        return found.plus(await self._one_by_one(session, automatic, passed))

    async def _groups(self, session: AsyncSession, base: Sequence[ColumnElement[bool]]) -> list[_Group]:
        inner = (
            select(
                Certificate.organization_id,
                Certificate.department_id,
                Certificate.profile_id,
                Certificate.backend_id,
                Certificate.term_days,
                (Certificate.method == Method.AUTO_INSTALL.value).label("installed"),
            )
            .where(*base, Certificate.not_after < self.span.end + LONGEST_RESERVE)
            .distinct()
        )
        rows = await session.execute(inner)
        return [_Group(**row._asdict()) for row in rows]

    def _fault(self, group: _Group, subject: Subject) -> Finding | None:
        fits = [item for item in self.calendar.freezes if matches(item.scope, subject)]
        closed = freezes_around(fits, self.span)
        closed += [span for item in fits for span in item.spans(self.now, self.span.start)]
        windows = [item for item in self.calendar.windows if matches(item.scope, subject)]
        if windows and subject.installed and self.span.start > self.now:
            closed += _outside(windows, max(self.now, self.span.start - _WINDOW_HORIZON), self.span.start)
        ends = self.ca_ends.get(group.backend_id or 0)
        kind = CertificateKind(
            term=group.term,
            approved_by_hand=group.profile_id in self.by_hand_profiles,
            ca_ends_at=None if ends is None else ends[0],
            ca_name="" if ends is None else ends[1],
        )
        return fault(kind, met_by(self.name, self.span, others=closed, now=self.now))

    async def _one_by_one(
        self, session: AsyncSession, base: Sequence[ColumnElement[bool]], groups: Sequence[_Group]
    ) -> _Found:
        """Judge certificates that entries for single servers concern; their groups were found safe."""
        scopes = [item.scope for item in self._narrow_freezes()]
        scopes += [item.scope for item in self._narrow_windows()]
        concerned = [part for scope in scopes if (part := condition(scope)) is not None]
        if not concerned or not groups:
            return _Found(0, ())
        rows = await session.execute(
            _ROWS.where(*base, or_(*concerned), Certificate.not_after < self.span.end + LONGEST_RESERVE)
            .order_by(Certificate.not_after, Certificate.id)
            .limit(_ONE_BY_ONE)
        )
        found = _Found(0, ())
        for row in rows.all():
            group = _group_of(row)
            if group not in groups or row.not_after >= self.span.end + margin(group.term):
                continue
            subject = await subject_of(session, _planned(row), self.calendar)
            why = self._fault(group, replace(subject, installed=group.installed))
            if why is not None:
                found = found.plus(_Found(1, (_concerned(row, why),)))
        return found

    def _narrow_freezes(self) -> list[FreezeEntry]:
        begin, end = self.now, self.span.end + timedelta(minutes=1)
        return [item for item in self.calendar.freezes if item.scope.by_server and item.spans(begin, end)]

    def _narrow_windows(self) -> list[WindowEntry]:
        if self.span.start - self.now > _WINDOW_HORIZON:
            return []
        return [item for item in self.calendar.windows if item.scope.by_server]


_COLUMNS: tuple[Any, ...] = (
    Certificate.id,
    Certificate.common_name,
    Certificate.organization_id,
    Certificate.department_id,
    Certificate.profile_id,
    Certificate.backend_id,
    Certificate.term_days,
    Certificate.method,
    Certificate.not_before,
    Certificate.not_after,
    Certificate.renewal_due_at,
    Certificate.key_agent_id,
)
_ROWS: Select[Any] = select(*_COLUMNS)


def _base(freeze: FreezeEntry) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = [
        Certificate.status.in_(IN_SERVICE),
        Certificate.renewed_by_id.is_(None),
        Certificate.not_after.is_not(None),
    ]
    narrowed = condition(freeze.scope)
    return parts if narrowed is None else [*parts, narrowed]


async def _read(session: AsyncSession, conditions: Sequence[ColumnElement[bool]]) -> _Found:
    total = (await session.execute(select(func.count(Certificate.id)).where(*conditions))).scalar_one()
    if not total:
        return _Found(0, ())
    rows = await session.execute(
        _ROWS.where(*conditions).order_by(Certificate.not_after, Certificate.id).limit(LISTED)
    )
    return _Found(total, tuple(_concerned(row) for row in rows))


def _concerned(row: Row[Any], why: Finding | None = None) -> Concerned:
    return Concerned(
        id=row.id,
        common_name=row.common_name,
        organization_id=row.organization_id,
        not_after=row.not_after,
        renewal_due_at=row.renewal_due_at,
        reason="" if why is None else why.reason,
        message="" if why is None else why.message,
    )


def _group_of(row: Row[Any]) -> _Group:
    return _Group(
        organization_id=row.organization_id,
        department_id=row.department_id,
        profile_id=row.profile_id,
        backend_id=row.backend_id,
        term_days=row.term_days,
        installed=row.method == Method.AUTO_INSTALL.value,
    )


def _planned(row: Row[Any]) -> PlannedCertificate:
    return PlannedCertificate(
        id=row.id,
        not_before=row.not_before,
        not_after=row.not_after,
        organization_id=row.organization_id,
        department_id=row.department_id,
        profile_id=row.profile_id,
        agent_ids=(row.key_agent_id,) if row.key_agent_id else (),
    )


def _outside(windows: Sequence[WindowEntry], begin: datetime, end: datetime) -> list[Span]:
    openings = [span for item in windows for span in window_spans(item.times, begin, end)]
    return complement(openings, begin, end)
