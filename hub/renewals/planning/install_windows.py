"""Freezes and maintenance windows as installations mind them: when nothing is to be done on a server.

A renewal is planned into its windows, but its certificate may come later, or somebody asks for a new one; so
the installation asks again. See :class:`hub.lifecycle.install_windows.InstallWindows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.lifecycle.install_windows import Closed
from hub.lifecycle.models import Certificate
from hub.renewals.planning.entries import Calendar, read_calendar
from hub.renewals.planning.local_time import complement, window_spans
from hub.renewals.planning.scope import AGENTS, Subject, matches


class PlannedInstallWindows:
    """What the calendar closes for installing one certificate on one server."""

    async def closed(
        self,
        session: AsyncSession,
        agent_id: str,
        server: str,
        begin: datetime,
        end: datetime,
        *,
        certificate_id: int,
    ) -> Sequence[Closed]:
        """Return the freezes that are met, and the times outside of all windows that there are."""
        calendar = await read_calendar(session)
        if not calendar.freezes and not calendar.windows:
            return ()
        subject = await _subject(session, certificate_id, agent_id, server)
        return closed_spans(calendar, subject, begin, end)


def closed_spans(calendar: Calendar, subject: Subject, begin: datetime, end: datetime) -> list[Closed]:
    """Return what of a range is closed for a subject; of several windows that fit, any will do."""
    closed = [
        Closed(begin=span.start, end=span.end, reason=f"frozen: {freeze.name}")
        for freeze in calendar.freezes
        if matches(freeze.scope, subject)
        for span in freeze.spans(begin, end)
    ]
    windows = [window for window in calendar.windows if matches(window.scope, subject)]
    if not windows:
        return closed
    openings = [span for window in windows for span in window_spans(window.times, begin, end)]
    names = ", ".join(window.name for window in windows)
    outside = complement(openings, begin, end)
    return closed + [
        Closed(begin=span.start, end=span.end, reason=f"outside of maintenance: {names}") for span in outside
    ]


async def _subject(session: AsyncSession, certificate_id: int, agent_id: str, server: str) -> Subject:
    owner = await session.execute(
        select(Certificate.organization_id, Certificate.department_id, Certificate.profile_id).where(
            Certificate.id == certificate_id
        )
    )
    organization_id, department_id, profile_id = owner.one()
    agent = await session.execute(select(AGENTS.c.name, AGENTS.c.hostname).where(AGENTS.c.id == agent_id))
    names = {name for row in agent.all() for name in row if name}
    return Subject(
        organization_id=organization_id,
        department_id=department_id,
        profile_id=profile_id,
        agent_ids=frozenset({agent_id}),
        hosts=frozenset(names | {server}),
        installed=True,
    )
