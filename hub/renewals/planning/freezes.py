"""Freezes: kept only if they let nothing expire. What a freeze does is shown before it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.renewals.planning.entries import FreezeEntry, freeze_entry, scope_of, visible_entries
from hub.renewals.planning.errors import EntryRefused, FieldFinding, FreezeCausesOutage, FreezeNotFound
from hub.renewals.planning.fields import FREEZE_CHECKS, FreezeFields
from hub.renewals.planning.local_time import instant
from hub.renewals.planning.models import RenewalFreeze
from hub.renewals.planning.places import require_change, scope_findings
from hub.renewals.planning.preview import Consequences, preview
from hub.renewals.planning.scope import Scope
from hub.renewals.planning.traces import FREEZE, note, plan_anew

SCOPE_NAMES = tuple(item.name for item in fields(Scope))


class Freezes:
    """The freezes of the calendar."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def find(self, session: AsyncSession, principal: Principal, freeze_id: int) -> RenewalFreeze:
        """Return a freeze that concerns the caller; raise FreezeNotFound."""
        statement = select(RenewalFreeze).where(RenewalFreeze.id == freeze_id)
        seen = visible_entries(principal, RenewalFreeze)
        if seen is not None:
            statement = statement.where(seen)
        row = (await session.execute(statement)).scalar_one_or_none()
        if row is None:
            raise FreezeNotFound(f"there is no freeze {freeze_id}")
        return row

    async def preview(
        self, principal: Principal, wanted: FreezeFields, *, freeze_id: int | None = None
    ) -> Consequences:
        """Return what a freeze would do; ``freeze_id`` names the one that it would change.

        Raises:
            EntryRefused: everything that is wrong with it.
            FreezeNotFound: there is no such freeze in the caller's scope.
        """
        async with self._db.read() as session:
            if freeze_id is not None:
                await self.find(session, principal, freeze_id)
            await _check(session, principal, wanted)
            return await preview(session, _entry(wanted, freeze_id or 0), now=self._db.clock())

    async def create(self, principal: Principal, wanted: FreezeFields) -> int:
        """Keep a freeze and return its id.

        Raises:
            EntryRefused: everything that is wrong with it.
            FreezeCausesOutage: certificates would expire; the first fifty of them are listed.
        """
        async with self._db.write() as uow:
            await _check(uow.session, principal, wanted)
            await _refuse_outage(uow, _entry(wanted, 0))
            times = {"created_at": uow.now, "updated_at": uow.now, "created_by": principal.name}
            written = await uow.session.execute(
                insert(RenewalFreeze).values(**_values(wanted), **times).returning(RenewalFreeze.id)
            )
            freeze_id = written.scalar_one()
            await _Traced(principal, freeze_id, wanted.scope).note(
                uow, "RenewalFreezeCreated", _details(wanted)
            )
            await plan_anew(uow, wanted.scope)
        return freeze_id

    async def change(self, principal: Principal, freeze_id: int, changes: Mapping[str, Any]) -> None:
        """Change fields of a freeze, those of its scope by their own names.

        Raises:
            FreezeNotFound, Forbidden: it is not the caller's to change.
            EntryRefused, FreezeCausesOutage: as :meth:`create`.
        """
        async with self._db.write() as uow:
            row = await self.find(uow.session, principal, freeze_id)
            before = fields_of(row)
            require_change(principal, before.scope, absent=FreezeNotFound)
            wanted = changed(before, changes)
            await _check(uow.session, principal, wanted)
            await _refuse_outage(uow, _entry(wanted, freeze_id))
            await uow.session.execute(
                update(RenewalFreeze)
                .where(RenewalFreeze.id == freeze_id)
                .values(**_values(wanted), updated_at=uow.now)
            )
            details = audit.changes(_details(before), _details(wanted)) | {"name": wanted.name}
            await _Traced(principal, freeze_id, wanted.scope).note(uow, "RenewalFreezeChanged", details)
            await plan_anew(uow, before.scope, wanted.scope)

    async def delete(self, principal: Principal, freeze_id: int) -> None:
        """Remove a freeze; raise FreezeNotFound or Forbidden."""
        async with self._db.write() as uow:
            row = await self.find(uow.session, principal, freeze_id)
            before = fields_of(row)
            require_change(principal, before.scope, absent=FreezeNotFound)
            await uow.session.execute(delete(RenewalFreeze).where(RenewalFreeze.id == freeze_id))
            await _Traced(principal, freeze_id, before.scope).note(
                uow, "RenewalFreezeDeleted", _details(before)
            )
            await plan_anew(uow, before.scope)


def fields_of(row: RenewalFreeze) -> FreezeFields:
    """Return what was set on a freeze."""
    return FreezeFields(
        name=row.name,
        starts=datetime.fromisoformat(row.starts),
        ends=datetime.fromisoformat(row.ends),
        time_zone=row.time_zone,
        repeats_yearly=row.repeats_yearly,
        scope=scope_of(row),
        comment=row.comment,
    )


def changed(before: FreezeFields, changes: Mapping[str, Any]) -> FreezeFields:
    """Return fields with changes among them."""
    scope = replace(before.scope, **{name: changes[name] for name in SCOPE_NAMES if name in changes})
    own = {name: value for name, value in changes.items() if name not in SCOPE_NAMES}
    return replace(before, **own, scope=scope)


async def _check(session: AsyncSession, principal: Principal, wanted: FreezeFields) -> None:
    findings = [finding for check in FREEZE_CHECKS if (finding := check(wanted)) is not None]
    findings += await scope_findings(session, principal, wanted.scope)
    if findings:
        raise EntryRefused(tuple(findings))


async def _refuse_outage(uow: UnitOfWork, entry: FreezeEntry) -> None:
    found = await preview(uow.session, entry, now=uow.now)
    if not found.outages:
        return
    findings = [
        FieldFinding("ends", item.reason, f"{item.common_name} (certificate {item.id}): {item.message}")
        for item in found.outage_list
    ]
    raise FreezeCausesOutage(tuple(findings), total=found.outages)


def _values(wanted: FreezeFields) -> dict[str, Any]:
    entry = _entry(wanted, 0)
    return {
        **wanted.scope.document(),
        "name": wanted.name.strip(),
        "starts": _minutes(wanted.starts),
        "ends": _minutes(wanted.ends),
        "time_zone": wanted.time_zone,
        "repeats_yearly": wanted.repeats_yearly,
        "starts_at": instant(wanted.starts, entry.times.zone),
        "ends_at": instant(wanted.ends, entry.times.zone, ends=True),
        "comment": wanted.comment,
    }


def _details(wanted: FreezeFields) -> dict[str, Any]:
    values = _values(wanted)
    return {name: value for name, value in values.items() if name not in {"starts_at", "ends_at"}}


def _entry(wanted: FreezeFields, freeze_id: int) -> FreezeEntry:
    return freeze_entry(
        RenewalFreeze(
            id=freeze_id,
            name=wanted.name.strip(),
            starts=_minutes(wanted.starts),
            ends=_minutes(wanted.ends),
            time_zone=wanted.time_zone,
            repeats_yearly=wanted.repeats_yearly,
            **wanted.scope.document(),
        )
    )


def _minutes(local: datetime) -> str:
    return local.isoformat(timespec="minutes")


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
            object_type=FREEZE,
            object_id=self.id,
            principal=self.principal,
            scope=self.scope,
            details=details,
        )
