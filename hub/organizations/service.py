"""Organizations and departments: the only way in for other rooms, and for domains by delegation."""

from __future__ import annotations

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
from hub.organizations.domains import DomainDelegations
from hub.organizations.errors import (
    DepartmentNameTaken,
    DepartmentNotFound,
    InvalidOrganization,
    OrganizationNameTaken,
    OrganizationNotFound,
)
from hub.organizations.models import Department, Organization
from hub.organizations.policy import Findings
from hub.organizations.records import (
    DepartmentRecord,
    DomainRecord,
    OrganizationFields,
    OrganizationRecord,
)
from pki.errors import InvalidName
from pki.names import SubjectFields, encode_name

__all__ = [
    "DepartmentRecord",
    "DomainRecord",
    "Findings",
    "OrganizationFields",
    "OrganizationRecord",
    "OrganizationService",
]

_ORGANIZATION_COLUMNS = (
    Organization.id,
    Organization.public_id,
    Organization.name,
    Organization.street,
    Organization.locality,
    Organization.state,
    Organization.postal_code,
    Organization.country,
    Organization.status,
    Organization.created_at,
)
_DEPARTMENT_COLUMNS = (Department.id, Department.organization_id, Department.name, Department.created_at)
STATUSES = ("active", "inactive")


class OrganizationService:
    """Reads and changes organizations; ``domains`` holds what they may certify."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.domains = DomainDelegations()

    async def get(self, session: AsyncSession, organization_id: int) -> OrganizationRecord:
        """Return one organization.

        Raises:
            OrganizationNotFound: there is none of this id.
        """
        rows = await session.execute(select(*_ORGANIZATION_COLUMNS).where(Organization.id == organization_id))
        return _organization(rows.one_or_none(), organization_id)

    async def by_name(self, session: AsyncSession, name: str) -> OrganizationRecord:
        """Return the organization of this exact name; raise OrganizationNotFound."""
        rows = await session.execute(select(*_ORGANIZATION_COLUMNS).where(Organization.name == name))
        return _organization(rows.one_or_none(), name)

    async def list(
        self, session: AsyncSession, *, organization_ids: frozenset[int] | None = None
    ) -> Sequence[OrganizationRecord]:
        """Return organizations by name, all or those of a scope."""
        statement = select(*_ORGANIZATION_COLUMNS).order_by(Organization.name)
        if organization_ids is not None:
            statement = statement.where(Organization.id.in_(organization_ids))
        return [_organization(row, "") for row in await session.execute(statement)]

    async def check_names(
        self, session: AsyncSession, organization_id: int, names: Sequence[str]
    ) -> Findings:
        """Return why the organization may not certify some of the DNS names and IP addresses.

        This is the rule for private trust, delegation; a name that passes gives no finding. The
        organization itself must be active.
        """
        return await self.domains.check_names(session, organization_id, names)

    async def create(
        self, uow: UnitOfWork, fields: OrganizationFields, *, principal: Principal
    ) -> OrganizationRecord:
        """Create an organization.

        Raises:
            InvalidOrganization: a value can't stand in a certificate's subject.
            OrganizationNameTaken: there is one of this name.
        """
        values = _checked(fields)
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
            raise OrganizationNameTaken(
                f"there is an organization named {fields.name!r} already", field="name"
            ) from fault
        await self._note(uow, "OrganizationCreated", organization_id, principal=principal, details=values)
        return await self.get(uow.session, organization_id)

    async def update(
        self,
        uow: UnitOfWork,
        organization_id: int,
        *,
        changes: dict[str, str],
        principal: Principal,
    ) -> OrganizationRecord:
        """Change fields or ``status`` of an organization; raises as :meth:`create` and :meth:`get` do."""
        before = await self.get(uow.session, organization_id)
        known = {name: getattr(before, name) for name in OrganizationFields.__slots__}
        status = changes.get("status", before.status)
        if status not in STATUSES:
            raise InvalidOrganization(f"status is one of {', '.join(STATUSES)}", field="status")
        values = _checked(OrganizationFields(**known | {k: v for k, v in changes.items() if k != "status"}))
        try:
            async with uow.savepoint():
                await uow.session.execute(
                    update(Organization)
                    .where(Organization.id == organization_id)
                    .values(**values, status=status)
                )
        except IntegrityError as fault:
            raise OrganizationNameTaken(
                f"there is an organization named {values['name']!r} already", field="name"
            ) from fault
        details = {name: {"before": getattr(before, name), "after": value} for name, value in changes.items()}
        await self._note(uow, "OrganizationChanged", organization_id, principal=principal, details=details)
        return await self.get(uow.session, organization_id)

    async def departments(self, session: AsyncSession, organization_id: int) -> Sequence[DepartmentRecord]:
        """Return the departments of an organization by name."""
        rows = await session.execute(
            select(*_DEPARTMENT_COLUMNS)
            .where(Department.organization_id == organization_id)
            .order_by(Department.name)
        )
        return [DepartmentRecord(**row._asdict()) for row in rows]

    async def department(
        self, session: AsyncSession, organization_id: int, department_id: int
    ) -> DepartmentRecord:
        """Return a department, which must belong to the organization; raise DepartmentNotFound."""
        row = (
            await session.execute(
                select(*_DEPARTMENT_COLUMNS).where(
                    Department.id == department_id, Department.organization_id == organization_id
                )
            )
        ).one_or_none()
        if row is None:
            raise DepartmentNotFound(
                f"the organization has no department {department_id}", field="department_id"
            )
        return DepartmentRecord(**row._asdict())

    async def create_department(
        self, uow: UnitOfWork, organization_id: int, name: str, *, principal: Principal
    ) -> DepartmentRecord:
        """Create a department; raise InvalidOrganization, OrganizationNotFound or DepartmentNameTaken."""
        await self.get(uow.session, organization_id)
        name = name.strip()
        _check_subject(SubjectFields(organizational_unit=name), required="organizational_unit", field="name")
        try:
            async with uow.savepoint():
                department_id = (
                    await uow.session.execute(
                        insert(Department)
                        .values(organization_id=organization_id, name=name, created_at=uow.now)
                        .returning(Department.id)
                    )
                ).scalar_one()
        except IntegrityError as fault:
            raise DepartmentNameTaken(
                f"the organization has a department named {name!r} already", field="name"
            ) from fault
        details = {"department_id": department_id, "name": name}
        await self._note(uow, "DepartmentCreated", organization_id, principal=principal, details=details)
        return await self.department(uow.session, organization_id, department_id)

    async def delegate_domain(
        self,
        uow: UnitOfWork,
        *,
        organization_id: int,
        name: str,
        principal: Principal,
        department_id: int | None = None,
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
        uow.emit(
            Event(
                kind=kind,
                object_type="organization",
                object_id=str(organization_id),
                organization_id=organization_id,
            )
        )
        await audit.record(
            uow,
            principal=principal,
            action=kind,
            object_type="organization",
            object_id=str(organization_id),
            organization_id=organization_id,
            details=details,
        )


def _organization(row: Row[*tuple[Any, ...]] | None, wanted: int | str) -> OrganizationRecord:
    if row is None:
        raise OrganizationNotFound(f"there is no organization {wanted!r}", field="organization_id")
    return OrganizationRecord(**row._asdict())


def _checked(fields: OrganizationFields) -> dict[str, str]:
    values = {name: value.strip() for name, value in asdict(fields).items()}
    values["country"] = values["country"].upper()
    for name, attribute in (
        ("name", "organization"),
        ("locality", "locality"),
        ("state", "state"),
        ("country", "country"),
    ):
        subject = SubjectFields(**{attribute: values[name]})
        _check_subject(subject, required="organization" if name == "name" else None, field=name)
    for name, limit in (("street", 128), ("postal_code", 40)):
        if len(values[name]) > limit or not (values[name].isprintable()):
            raise InvalidOrganization(f"{name}: at most {limit} printable characters", field=name)
    return values


def _check_subject(subject: SubjectFields, *, required: str | None, field: str) -> None:
    if required is not None and not getattr(subject, required):
        raise InvalidOrganization("a name is needed", field=field)
    try:
        encode_name(subject)
    except InvalidName as fault:
        raise InvalidOrganization(str(fault), field=field) from fault
