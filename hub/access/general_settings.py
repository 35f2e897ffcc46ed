"""General settings of the installation: how dates are written, how early an expiring domain needs action.

Each is a row that is absent while the default holds. ``domain_expiry_days`` is read by whoever tells that a
domain's validation runs out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.errors import SettingsMalformed
from hub.access.models import Setting
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.http.principal import Principal

DATE_FORMATS = ("yyyy-mm-dd", "dd.mm.yyyy", "dd/mm/yyyy", "mm/dd/yyyy")
MAX_EXPIRY_DAYS = 365
_NAME = "general"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralSettings:
    """The settings, with their defaults. Days are calendar days."""

    date_format: str = DATE_FORMATS[0]
    domain_expiry_days: int = 30


async def read_general(session: AsyncSession) -> GeneralSettings:
    """Return the settings that hold."""
    stored = select(Setting.value).where(Setting.name == _NAME)
    value = (await session.execute(stored)).scalar_one_or_none()
    return GeneralSettings(**(value or {}))


async def change_general(
    uow: UnitOfWork, changes: dict[str, Any], *, principal: Principal
) -> GeneralSettings:
    """Change settings and return all of them.

    Raises:
        SettingsMalformed: a value that can't be.
    """
    before = await read_general(uow.session)
    after = replace(before, **changes)
    if after.date_format not in DATE_FORMATS:
        raise SettingsMalformed(f"choose one of {', '.join(DATE_FORMATS)}", field="date_format")
    if not 0 <= after.domain_expiry_days <= MAX_EXPIRY_DAYS:
        raise SettingsMalformed(f"from 0 to {MAX_EXPIRY_DAYS} days", field="domain_expiry_days")
    row = {"value": asdict(after), "changed_at": uow.now, "changed_by": principal.name}
    statement = insert_for(uow.session, Setting).values(name=_NAME, **row)
    await uow.session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=row))
    uow.emit(Event(kind="SettingsChanged", object_type="settings", object_id=_NAME))
    await audit.record(
        uow,
        principal=principal,
        action="SettingsChanged",
        object_type="settings",
        object_id=_NAME,
        organization_id=None,
        details=audit.changes(asdict(before), asdict(after)),
    )
    return after
