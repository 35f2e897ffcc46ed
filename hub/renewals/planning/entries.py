"""Reading the calendar's rows as typed values, and what is asked of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.policy import scope as policy_scope
from hub.http.principal import Principal
from hub.renewals.planning.local_time import FreezeTimes, Span, WindowTimes, freeze_spans
from hub.renewals.planning.models import MaintenanceWindow, RenewalFreeze
from hub.renewals.planning.scope import Scope

_CACHE = "renewals.planning.calendar"
EntryT = TypeVar("EntryT", RenewalFreeze, MaintenanceWindow)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeEntry:
    """A freeze of the calendar."""

    id: int
    name: str
    scope: Scope
    times: FreezeTimes

    def spans(self, begin: datetime, end: datetime) -> list[Span]:
        """Return its occurrences within a range."""
        return freeze_spans(self.times, begin, end)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowEntry:
    """A maintenance window of the calendar."""

    id: int
    name: str
    scope: Scope
    times: WindowTimes


@dataclass(frozen=True, slots=True)
class Calendar:
    """All entries."""

    freezes: tuple[FreezeEntry, ...]
    windows: tuple[WindowEntry, ...]


def scope_of(row: RenewalFreeze | MaintenanceWindow) -> Scope:
    """Return what narrows an entry."""
    return Scope(
        organization_id=row.organization_id,
        department_id=row.department_id,
        profile_id=row.profile_id,
        agent_id=row.agent_id,
        server_pattern=row.server_pattern,
    )


def freeze_entry(row: RenewalFreeze) -> FreezeEntry:
    """Return a freeze's row as a typed value."""
    times = FreezeTimes(
        starts=datetime.fromisoformat(row.starts),
        ends=datetime.fromisoformat(row.ends),
        zone=ZoneInfo(row.time_zone),
        yearly=row.repeats_yearly,
    )
    return FreezeEntry(id=row.id, name=row.name, scope=scope_of(row), times=times)


def window_entry(row: MaintenanceWindow) -> WindowEntry:
    """Return a window's row as a typed value."""
    times = WindowTimes(
        weekdays=frozenset(row.weekdays), opens=row.opens, closes=row.closes, zone=ZoneInfo(row.time_zone)
    )
    return WindowEntry(id=row.id, name=row.name, scope=scope_of(row), times=times)


async def read_calendar(session: AsyncSession) -> Calendar:
    """Return all entries; within one transaction they are read once."""
    found = session.info.get(_CACHE)
    if isinstance(found, Calendar):
        return found
    freezes = (await session.execute(select(RenewalFreeze).order_by(RenewalFreeze.id))).scalars()
    windows = (await session.execute(select(MaintenanceWindow).order_by(MaintenanceWindow.id))).scalars()
    calendar = Calendar(
        tuple(freeze_entry(row) for row in freezes), tuple(window_entry(row) for row in windows)
    )
    session.info[_CACHE] = calendar
    return calendar


def forget_calendar(session: AsyncSession) -> None:
    """Have the entries read again: they were changed in this transaction."""
    session.info.pop(_CACHE, None)


def visible_entries(principal: Principal, model: type[EntryT]) -> ColumnElement[bool] | None:
    """Return the condition on entries that concern somebody; None: all of them.

    What is for everybody, or for a whole organization, concerns its departments too.
    """
    organization, department = model.organization_id, model.department_id
    own = policy_scope(principal, organization, department, action="renewals.view")
    if own is None:
        return None
    whole = policy_scope(principal, organization, action="renewals.view")
    of_organization = false() if whole is None else and_(whole, department.is_(None))
    return or_(own, of_organization, organization.is_(None))


async def visible_rows(session: AsyncSession, principal: Principal, model: type[EntryT]) -> Sequence[EntryT]:
    """Return the entries that concern somebody."""
    statement = select(model).order_by(model.id)
    condition = visible_entries(principal, model)
    if condition is not None:
        statement = statement.where(condition)
    return (await session.execute(statement)).scalars().all()
