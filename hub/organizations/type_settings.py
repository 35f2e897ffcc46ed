"""Settings of organizations and departments for each type of certificate, in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Row, column, delete, insert, select, table, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.organizations.errors import InvalidSettings
from hub.organizations.models import CertificateSettings
from hub.organizations.records import CERTIFICATE_TYPES, TypeSettings
from hub.organizations.setting_rules import EffectiveSettings, check_settings, effective

# The profiles room lies above this one: its rows are known here by the table's name only.
_PROFILES = table("profiles", column("id"), column("certificate_type"))

_COLUMNS = (
    CertificateSettings.department_id,
    CertificateSettings.certificate_type,
    CertificateSettings.enabled,
    CertificateSettings.all_profiles,
    CertificateSettings.profile_ids,
    CertificateSettings.synced_expiry_day,
    CertificateSettings.external_requester_required,
    CertificateSettings.external_requester_pattern,
    CertificateSettings.principal_name_allowed,
    CertificateSettings.principal_name_customizable,
)

Place = tuple[int, int | None]
"""Organization, and department or None for the organization as a whole."""


class CertificateTypeSettings:
    """Reads and changes settings; the caller has made sure that organization and department exist."""

    async def of(self, session: AsyncSession, place: Place) -> dict[str, TypeSettings]:
        """Return what is set at a place itself, by type; a department has no entry where it inherits."""
        organization_id, department_id = place
        rows = await session.execute(
            select(*_COLUMNS).where(
                CertificateSettings.organization_id == organization_id, _at(department_id)
            )
        )
        found = {row.certificate_type: _settings(row) for row in rows}
        if department_id is not None:
            return found
        return {item: found.get(item, TypeSettings(certificate_type=item)) for item in CERTIFICATE_TYPES}

    async def effective(
        self, session: AsyncSession, organization_id: int, certificate_type: str
    ) -> EffectiveByDepartment:
        """Return what holds in an organization and each of its departments; one statement."""
        rows = await session.execute(
            select(*_COLUMNS).where(
                CertificateSettings.organization_id == organization_id,
                CertificateSettings.certificate_type == certificate_type,
            )
        )
        found = {row.department_id: _settings(row) for row in rows}
        return EffectiveByDepartment(found, certificate_type)

    async def set(
        self, uow: UnitOfWork, place: Place, settings: TypeSettings, *, principal: Principal
    ) -> TypeSettings:
        """Store the settings of a place for one type.

        Raises:
            InvalidSettings: a value can't be, or a profile does not exist or is for another type.
        """
        check_settings(settings)
        await self._check_profiles(uow.session, settings)
        organization_id, department_id = place
        values = asdict(settings)
        values["all_profiles"] = settings.profile_ids is None
        values["profile_ids"] = sorted(settings.profile_ids or ())
        here = (
            CertificateSettings.organization_id == organization_id,
            _at(department_id),
            CertificateSettings.certificate_type == settings.certificate_type,
        )
        changed = await uow.session.execute(
            update(CertificateSettings).where(*here).values(**values).returning(CertificateSettings.id)
        )
        if changed.one_or_none() is None:
            await uow.session.execute(
                insert(CertificateSettings).values(
                    **values, organization_id=organization_id, department_id=department_id
                )
            )
        await _note(uow, "CertificateSettingsChanged", place, principal=principal, details=values)
        return settings

    async def inherit(
        self, uow: UnitOfWork, place: Place, certificate_type: str, *, principal: Principal
    ) -> None:
        """Remove a department's own settings for one type, so that its organization's hold."""
        organization_id, department_id = place
        await uow.session.execute(
            delete(CertificateSettings).where(
                CertificateSettings.organization_id == organization_id,
                CertificateSettings.department_id == department_id,
                CertificateSettings.certificate_type == certificate_type,
            )
        )
        details = {"certificate_type": certificate_type, "inherited": True}
        await _note(uow, "CertificateSettingsChanged", place, principal=principal, details=details)

    async def _check_profiles(self, session: AsyncSession, settings: TypeSettings) -> None:
        if not settings.profile_ids:
            return
        rows = await session.execute(
            select(_PROFILES.c.id).where(
                _PROFILES.c.id.in_(sorted(settings.profile_ids)),
                _PROFILES.c.certificate_type == settings.certificate_type,
            )
        )
        missing = settings.profile_ids - set(rows.scalars())
        if missing:
            raise InvalidSettings(
                f"there is no certificate profile {min(missing)} of this type", field="profile_ids"
            )


class EffectiveByDepartment:
    """The settings of an organization for one type, and those of its departments."""

    def __init__(self, found: Mapping[int | None, TypeSettings], certificate_type: str) -> None:
        self._found = found
        self._organization = found.get(None) or TypeSettings(certificate_type=certificate_type)

    def of(self, department_id: int | None) -> EffectiveSettings:
        """Return what holds for a department, or for the organization as a whole."""
        own = self._found.get(department_id) if department_id is not None else None
        return effective(self._organization, own)


def _at(department_id: int | None) -> ColumnElement[bool]:
    column_ = CertificateSettings.department_id
    return column_.is_(None) if department_id is None else column_ == department_id


def _settings(row: Row[*tuple[Any, ...]]) -> TypeSettings:
    values = row._asdict()
    values.pop("department_id")
    all_profiles = values.pop("all_profiles")
    values["profile_ids"] = None if all_profiles else frozenset(values["profile_ids"])
    return TypeSettings(**values)


async def _note(
    uow: UnitOfWork, kind: str, place: Place, *, principal: Principal, details: dict[str, Any]
) -> None:
    organization_id, department_id = place
    uow.emit(
        Event(
            kind=kind,
            object_type="organization",
            object_id=str(organization_id),
            organization_id=organization_id,
            department_id=department_id,
            data={"department_id": department_id, "certificate_type": details["certificate_type"]},
        )
    )
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type="organization",
        object_id=str(organization_id),
        organization_id=organization_id,
        details=details | {"department_id": department_id},
    )
