"""Maintenance windows: when renewals may touch servers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.renewals.planning.entries import scope_of, visible_entries
from hub.renewals.planning.errors import EntryRefused, WindowNotFound
from hub.renewals.planning.fields import WINDOW_CHECKS, WindowFields
from hub.renewals.planning.freezes import SCOPE_NAMES
from hub.renewals.planning.models import MaintenanceWindow
from hub.renewals.planning.places import require_change, scope_findings
from hub.renewals.planning.scope import Scope
from hub.renewals.planning.traces import WINDOW, note, plan_anew


class Windows:
    """The maintenance windows of the calendar."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def find(self, session: AsyncSession, principal: Principal, window_id: int) -> MaintenanceWindow:
        """Return a window that concerns the caller; raise WindowNotFound."""
        statement = select(MaintenanceWindow).where(MaintenanceWindow.id == window_id)
        seen = visible_entries(principal, MaintenanceWindow)
        if seen is not None:
            statement = statement.where(seen)
        row = (await session.execute(statement)).scalar_one_or_none()
        if row is None:
            raise WindowNotFound(f"there is no maintenance window {window_id}")
        return row

    async def create(self, principal: Principal, wanted: WindowFields) -> int:
        """Keep a window and return its id; raise EntryRefused."""
        async with self._db.write() as uow:
            await _check(uow.session, principal, wanted)
            written = await uow.session.execute(
                insert(MaintenanceWindow)
                .values(**_values(wanted), created_at=uow.now, updated_at=uow.now, created_by=principal.name)
                .returning(MaintenanceWindow.id)
            )
            window_id = written.scalar_one()
            await _Traced(principal, window_id, wanted.scope).note(
                uow, "MaintenanceWindowCreated", _values(wanted)
            )
            await plan_anew(uow, wanted.scope)
        return window_id

    async def change(self, principal: Principal, window_id: int, changes: Mapping[str, Any]) -> None:
        """Change fields of a window; raise WindowNotFound, Forbidden or EntryRefused."""
        async with self._db.write() as uow:
            before = fields_of(await self.find(uow.session, principal, window_id))
            require_change(principal, before.scope, absent=WindowNotFound)
            scope = replace(before.scope, **{name: changes[name] for name in SCOPE_NAMES if name in changes})
            own = {name: value for name, value in changes.items() if name not in SCOPE_NAMES}
            wanted = replace(before, **own, scope=scope)
            await _check(uow.session, principal, wanted)
            await uow.session.execute(
                update(MaintenanceWindow)
                .where(MaintenanceWindow.id == window_id)
                .values(**_values(wanted), updated_at=uow.now)
            )
            details = audit.changes(_values(before), _values(wanted)) | {"name": wanted.name}
            await _Traced(principal, window_id, wanted.scope).note(uow, "MaintenanceWindowChanged", details)
            await plan_anew(uow, before.scope, wanted.scope)

    async def delete(self, principal: Principal, window_id: int) -> None:
        """Remove a window; raise WindowNotFound or Forbidden."""
        async with self._db.write() as uow:
            before = fields_of(await self.find(uow.session, principal, window_id))
            require_change(principal, before.scope, absent=WindowNotFound)
            await uow.session.execute(delete(MaintenanceWindow).where(MaintenanceWindow.id == window_id))
            await _Traced(principal, window_id, before.scope).note(
                uow, "MaintenanceWindowDeleted", _values(before)
            )
            await plan_anew(uow, before.scope)


def fields_of(row: MaintenanceWindow) -> WindowFields:
    """Return what was set on a window."""
    return WindowFields(
        name=row.name,
        weekdays=frozenset(row.weekdays),
        opens=row.opens,
        closes=row.closes,
        time_zone=row.time_zone,
        scope=scope_of(row),
        comment=row.comment,
    )


async def _check(session: AsyncSession, principal: Principal, wanted: WindowFields) -> None:
    findings = [finding for check in WINDOW_CHECKS if (finding := check(wanted)) is not None]
    findings += await scope_findings(session, principal, wanted.scope)
    if findings:
        raise EntryRefused(tuple(findings))


def _values(wanted: WindowFields) -> dict[str, Any]:
    return {
        **wanted.scope.document(),
        "name": wanted.name.strip(),
        "weekdays": sorted(wanted.weekdays),
        "opens": wanted.opens,
        "closes": wanted.closes,
        "time_zone": wanted.time_zone,
        "comment": wanted.comment,
    }


@dataclass(frozen=True, slots=True)
class _Traced:
    """Whose change is traced, and of what."""

    principal: Principal
    id: int
    scope: Scope

    async def note(self, uow: UnitOfWork, kind: str, details: Mapping[str, Any]) -> None:
        await note(
            uow,
            kind,
            object_type=WINDOW,
            object_id=self.id,
            principal=self.principal,
            scope=self.scope,
            details=details,
        )
