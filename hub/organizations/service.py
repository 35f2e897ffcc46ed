"""Organizations: the only way in for other rooms, also to departments, domains, settings and persons."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.outbox import Event
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.organizations import validation
from hub.organizations.addresses import checked_address, checked_key_recovery, checked_name
from hub.organizations.custom_field_rules import (
    FrontDoor,
    front_door,
    searchable_text,
    stored_values,
    value_faults,
)
from hub.organizations.custom_fields import CustomFields
from hub.organizations.departments import STATUSES, Departments, refuse_key_recovery
from hub.organizations.domains import DomainDelegations
from hub.organizations.errors import (
    FieldFault,
    InvalidOrganization,
    InvalidPerson,
    OrganizationNameTaken,
    OrganizationNotFound,
)
from hub.organizations.models import Organization
from hub.organizations.persons import Persons
from hub.organizations.policy import Findings, Holder
from hub.organizations.records import (
    ADDRESS,
    CERTIFICATE_TYPES,
    CustomFieldRecord,
    DepartmentRecord,
    DomainRecord,
    OrganizationFields,
    OrganizationRecord,
    PersonFields,
    PersonRecord,
)
from hub.organizations.setting_rules import (
    EffectiveSettings,
    external_requester_fault,
    requester_addresses,
    synced_end,
)
from hub.organizations.states import ValidationState
from hub.organizations.type_settings import CertificateTypeSettings, EffectiveByDepartment
from hub.organizations.validation import ValidationStep

__all__ = [
    "CERTIFICATE_TYPES",
    "STATUSES",
    "CustomFieldRecord",
    "DepartmentRecord",
    "DomainRecord",
    "EffectiveByDepartment",
    "EffectiveSettings",
    "FieldFault",
    "Findings",
    "FrontDoor",
    "OrganizationFields",
    "OrganizationRecord",
    "OrganizationService",
    "PersonFields",
    "PersonRecord",
    "ValidationStep",
    "external_requester_fault",
    "front_door",
    "searchable_text",
    "stored_values",
    "synced_end",
    "value_faults",
]

_COLUMNS = (
    Organization.id,
    Organization.public_id,
    Organization.name,
    Organization.street,
    Organization.locality,
    Organization.state,
    Organization.postal_code,
    Organization.country,
    Organization.status,
    Organization.key_recovery,
    Organization.validation,
    Organization.validation_changed_at,
    Organization.validated_at,
    Organization.validation_expires_at,
    Organization.created_at,
)
_SWEEP_ROWS = 500


class OrganizationService:
    """Reads and changes organizations.

    ``units``: their departments; ``domains``, what they may certify; ``settings`` for each type of
    certificate; ``persons``; ``custom_fields``.
    """

    def __init__(self, db: Database) -> None:
        self.db = db
        self.units = Departments()
        self.domains = DomainDelegations()
        self.settings = CertificateTypeSettings()
        self.persons = Persons(self.domains, self.settings)
        self.custom_fields = CustomFields()

    async def get(self, session: AsyncSession, organization_id: int) -> OrganizationRecord:
        """Return one organization.

        Raises:
            OrganizationNotFound: there is none of this id.
        """
        rows = await session.execute(select(*_COLUMNS).where(Organization.id == organization_id))
        return _organization(rows.one_or_none(), organization_id)

    async def by_name(self, session: AsyncSession, name: str) -> OrganizationRecord:
        """Return the organization of this exact name; raise OrganizationNotFound."""
        rows = await session.execute(select(*_COLUMNS).where(Organization.name == name))
        return _organization(rows.one_or_none(), name)

    async def list(
        self, session: AsyncSession, *, organization_ids: frozenset[int] | None = None
    ) -> Sequence[OrganizationRecord]:
        """Return organizations by name, all or those of a scope."""
        statement = select(*_COLUMNS).order_by(Organization.name)
        if organization_ids is not None:
            statement = statement.where(Organization.id.in_(organization_ids))
        return [_organization(row, "") for row in await session.execute(statement)]

    async def check_names(
        self,
        session: AsyncSession,
        organization_id: int,
        names: Sequence[str],
        *,
        certificate_type: str = "ssl",
        department_id: int | None = None,
    ) -> Findings:
        """Return why an organization, or a department of it, may not certify some DNS names and IP addresses.

        This is the rule for private trust, delegation; a name that passes gives no finding. The
        organization itself must be active.
        """
        return await self.domains.check_names(
            session, Holder(organization_id, department_id), names, certificate_type=certificate_type
        )

    async def create(
        self,
        uow: UnitOfWork,
        fields: OrganizationFields,
        *,
        principal: Principal,
        key_recovery: Sequence[str] = (),
    ) -> OrganizationRecord:
        """Create an organization; ``key_recovery`` can't be changed later.

        Raises:
            InvalidOrganization: a value can't stand in a certificate's subject.
            OrganizationNameTaken: there is one of this name.
        """
        values = _checked(asdict(fields)) | {"key_recovery": checked_key_recovery(key_recovery)}
        try:
            async with uow.savepoint():
                organization_id = (
                    await uow.session.execute(
                        insert(Organization)
                        .values(**values, public_id=secrets.token_hex(8), status="active", created_at=uow.now)
                        .returning(Organization.id)
                    )
                ).scalar_one()
        except IntegrityError as fault:
            raise _taken(fields.name) from fault
        await self._note(uow, "OrganizationCreated", organization_id, principal=principal, details=values)
        return await self.get(uow.session, organization_id)

    async def update(
        self,
        uow: UnitOfWork,
        organization_id: int,
        *,
        changes: dict[str, Any],
        principal: Principal,
    ) -> OrganizationRecord:
        """Change fields or ``status`` of an organization.

        Raises:
            OrganizationNotFound: there is none of this id.
            KeyRecoveryFixed: key recovery is to be changed.
            InvalidOrganization, OrganizationNameTaken: as :meth:`create`.
        """
        before = await self.get(uow.session, organization_id)
        refuse_key_recovery(before.key_recovery, changes)
        status = changes.get("status", before.status)
        if status not in STATUSES:
            raise InvalidOrganization(f"status is one of {', '.join(STATUSES)}", field="status")
        values = _checked({name: changes.get(name, getattr(before, name)) for name in ("name", *ADDRESS)})
        values["status"] = status
        try:
            async with uow.savepoint():
                statement = update(Organization).where(Organization.id == organization_id)
                await uow.session.execute(statement.values(**values))
        except IntegrityError as fault:
            raise _taken(values["name"]) from fault
        details = {
            name: {"before": getattr(before, name), "after": value}
            for name, value in values.items()
            if getattr(before, name) != value
        }
        if details:
            await self._note(
                uow, "OrganizationChanged", organization_id, principal=principal, details=details
            )
        return await self.get(uow.session, organization_id)

    async def effective_settings(
        self, session: AsyncSession, organization_id: int, certificate_type: str
    ) -> EffectiveByDepartment:
        """Return what an organization and its departments may do with a type of certificate."""
        return await self.settings.effective(session, organization_id, certificate_type)

    async def custom_fields_of(
        self, session: AsyncSession, certificate_type: str
    ) -> Sequence[CustomFieldRecord]:
        """Return the custom fields of a type of certificate, inactive ones too."""
        return await self.custom_fields.list(session, certificate_type=certificate_type)

    # ---- validation

    async def validate(
        self, uow: UnitOfWork, organization_id: int, step: ValidationStep, *, principal: Principal
    ) -> OrganizationRecord:
        """Take one step of an organization's validation; see :func:`hub.organizations.validation.step`."""
        await validation.step(uow, await self.get(uow.session, organization_id), step, principal=principal)
        return await self.get(uow.session, organization_id)

    async def expire_validations(self) -> int:
        """Let validations whose time is over run out; return how many did."""
        expired = 0
        while True:
            async with self.db.write() as uow:
                rows = await uow.session.execute(
                    select(*_COLUMNS)
                    .where(
                        Organization.validation == ValidationState.VALIDATED,
                        Organization.validation_expires_at < uow.now,
                    )
                    .limit(_SWEEP_ROWS)
                    .with_for_update(skip_locked=True)
                )
                due = [_organization(row, "") for row in rows]
                await validation.expire(uow, due)
            expired += len(due)
            if len(due) < _SWEEP_ROWS:
                return expired

    # ---- departments

    async def departments(self, session: AsyncSession, organization_id: int) -> Sequence[DepartmentRecord]:
        """Return the departments of an organization by name."""
        return await self.units.list(session, organization_id)

    async def department(
        self, session: AsyncSession, organization_id: int, department_id: int
    ) -> DepartmentRecord:
        """Return a department, which must belong to the organization; raise DepartmentNotFound."""
        return await self.units.get(session, organization_id, department_id)

    async def create_department(
        self, uow: UnitOfWork, organization_id: int, name: str, *, principal: Principal, **fields: Any
    ) -> DepartmentRecord:
        """Create a department; raise OrganizationNotFound, or as :meth:`Departments.create`."""
        await self.get(uow.session, organization_id)
        return await self.units.create(uow, organization_id, name, principal=principal, **fields)

    # ---- domains

    async def delegate_domain(
        self,
        uow: UnitOfWork,
        *,
        organization_id: int,
        name: str,
        principal: Principal,
        department_id: int | None = None,
        certificate_types: Sequence[str] = CERTIFICATE_TYPES,
    ) -> DomainRecord:
        """Delegate a domain to an organization or to a department of it; ``*`` stands for every name.

        Raises:
            OrganizationNotFound, DepartmentNotFound: the receiver does not exist.
            InvalidDomain, DomainIsPublicSuffix, DomainNeedsWholeSystem, DomainAlreadyDelegated: see
                :meth:`DomainDelegations.delegate`.
        """
        await self.get(uow.session, organization_id)
        if department_id is not None:
            await self.department(uow.session, organization_id, department_id)
        return await self.domains.delegate(
            uow,
            organization_id=organization_id,
            department_id=department_id,
            name=name,
            principal=principal,
            certificate_types=certificate_types,
        )

    async def ensure_person(
        self,
        uow: UnitOfWork,
        *,
        organization_id: int,
        email: str,
        principal: Principal,
        department_id: int | None = None,
    ) -> PersonRecord:
        """Return the person of an address, made on their first request; see :meth:`Persons.ensure`."""
        return await self.persons.ensure(
            uow,
            organization_id=organization_id,
            department_id=department_id,
            email=email,
            principal=principal,
        )

    async def know_requesters(
        self,
        uow: UnitOfWork,
        *,
        organization_id: int,
        department_id: int | None,
        external_requester: str,
        principal: Principal,
    ) -> None:
        """Make persons of those on whose behalf a certificate is asked for, on their first request.

        An address outside of the organization's domains belongs to nobody of it, and is left alone.
        """
        for address in requester_addresses(external_requester):
            with contextlib.suppress(InvalidPerson):
                await self.ensure_person(
                    uow,
                    organization_id=organization_id,
                    department_id=department_id,
                    email=address,
                    principal=principal,
                )

    async def _note(
        self,
        uow: UnitOfWork,
        kind: str,
        organization_id: int,
        *,
        principal: Principal,
        details: dict[str, Any],
    ) -> None:
        object_id = str(organization_id)
        uow.emit(
            Event(kind=kind, object_type="organization", object_id=object_id, organization_id=organization_id)
        )
        await audit.record(
            uow,
            principal=principal,
            action=kind,
            object_type="organization",
            object_id=object_id,
            organization_id=organization_id,
            details=details,
        )


def _organization(row: Row[*tuple[Any, ...]] | None, wanted: int | str) -> OrganizationRecord:
    if row is None:
        raise OrganizationNotFound(f"there is no organization {wanted!r}", field="organization_id")
    values = row._asdict()
    values["key_recovery"] = tuple(values["key_recovery"])
    return OrganizationRecord(**values)


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    return {"name": checked_name(fields["name"], attribute="organization"), **checked_address(fields)}


def _taken(name: str) -> OrganizationNameTaken:
    return OrganizationNameTaken(f"there is an organization named {name!r} already", field="name")
