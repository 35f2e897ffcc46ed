"""The calendar as the planner asks it: what is closed or open for one certificate.

Freezes are for all certificates in their scope. Maintenance windows are for those that agents install; of
several that fit any will do. A certificate that has windows, but none within the time asked about, is told of
one without length: for it nothing is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.lifecycle.models import InstallItem
from hub.renewals.calendar_port import Interval, IntervalKind, PlannedCertificate
from hub.renewals.planning.entries import Calendar, FreezeEntry, read_calendar
from hub.renewals.planning.local_time import Span, merged, window_spans
from hub.renewals.planning.scope import AGENTS, Subject, matches

# A gap of a minute is none.
_TOUCHING = timedelta(minutes=1)


class PlanningCalendar:
    """Freezes and maintenance windows; see :class:`hub.renewals.calendar_port.RenewalCalendar`."""

    async def closed(
        self, session: AsyncSession, certificate: PlannedCertificate, begin: datetime, end: datetime
    ) -> Sequence[Interval]:
        """Return the freezes that a certificate meets between two times, and its windows."""
        calendar = await read_calendar(session)
        if not calendar.freezes and not calendar.windows:
            return ()
        subject = await subject_of(session, certificate, calendar)
        return intervals(calendar, subject, begin, end)


def intervals(calendar: Calendar, subject: Subject, begin: datetime, end: datetime) -> list[Interval]:
    """Return what of the calendar concerns a certificate within a range, freezes first."""
    found = [
        Interval(start=span.start, end=span.end, name=freeze.name)
        for freeze in calendar.freezes
        if matches(freeze.scope, subject)
        for span in freeze.spans(begin, end)
    ]
    windows = [item for item in calendar.windows if subject.installed and matches(item.scope, subject)]
    openings = [
        Interval(start=span.start, end=span.end, name=window.name, kind=IntervalKind.WINDOW)
        for window in windows
        for span in window_spans(window.times, begin, end)
    ]
    if windows and not openings:
        openings = [Interval(start=begin, end=begin, name=windows[0].name, kind=IntervalKind.WINDOW)]
    return [*found, *sorted(openings, key=lambda item: item.start)]


def freezes_around(freezes: Iterable[FreezeEntry], span: Span) -> list[Span]:
    """Return the occurrences of freezes that a span meets, directly or through others of them."""
    entries = list(freezes)
    found: list[Span] = []
    while True:
        near = next(item for item in merged([span, *found]) if item.start <= span.start < item.end)
        wider = [
            item for entry in entries for item in entry.spans(near.start - _TOUCHING, near.end + _TOUCHING)
        ]
        if len(wider) == len(found):
            return found
        found = wider


async def subject_of(session: AsyncSession, certificate: PlannedCertificate, calendar: Calendar) -> Subject:
    """Return what scopes are compared with; where it is installed is looked up only if an entry asks."""
    place = _Place(frozenset(certificate.agent_ids))
    if calendar.windows or any(freeze.scope.by_server for freeze in calendar.freezes):
        place = await _place(session, certificate)
    return Subject(
        organization_id=certificate.organization_id,
        department_id=certificate.department_id,
        profile_id=certificate.profile_id,
        agent_ids=place.agent_ids,
        hosts=place.hosts,
        installed=place.installed,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Agents that have to do with a certificate, and the names of them, their hosts and servers."""

    agent_ids: frozenset[str]
    hosts: frozenset[str] = frozenset()
    installed: bool = False


async def _place(session: AsyncSession, certificate: PlannedCertificate) -> _Place:
    items = await session.execute(
        select(InstallItem.agent_id, InstallItem.server).where(InstallItem.certificate_id == certificate.id)
    )
    found = items.all()
    agent_ids = frozenset(certificate.agent_ids) | {row.agent_id for row in found}
    agents = await session.execute(
        select(AGENTS.c.name, AGENTS.c.hostname).where(AGENTS.c.id.in_(sorted(agent_ids)))
    )
    names = {name for row in agents for name in row if name} | {row.server for row in found}
    return _Place(agent_ids, frozenset(names), installed=bool(found))
