"""Departments of organizations; :mod:`hub.organizations.service` offers them to other rooms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, case, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.organizations.addresses import checked_address, checked_key_recovery, checked_name
from hub.organizations.errors import (
    DepartmentNameTaken,
    DepartmentNotFound,
    InvalidOrganization,
    KeyRecoveryFixed,
)
from hub.organizations.models import Department, Organization
from hub.organizations.records import ADDRESS, DepartmentRecord

STATUSES = ("active", "inactive")
_OWN = {name: getattr(Department, name) for name in ADDRESS}
OWN_ADDRESS = (
    Department.street + Department.locality + Department.state + Department.postal_code + Department.country
    != ""
)


def effective_address(name: str) -> Any:
    """Return the SQL of an address field: the department's own address, or its organization's."""
    return case((OWN_ADDRESS, _OWN[name]), else_=getattr(Organization, name))


_COLUMNS = (
    Department.id,
    Department.organization_id,
    Department.name,
    *(effective_address(name).label(name) for name in ADDRESS),
    OWN_ADDRESS.label("own_address"),
    Department.status,
    Department.key_recovery,
    Department.created_at,
)


class Departments:
    """Reads and changes departments; the organization exists, says the caller."""

    async def list(self, session: AsyncSession, organization_id: int) -> Sequence[DepartmentRecord]:
        """Return the departments of an organization by name."""
        statement = _select().where(Department.organization_id == organization_id).order_by(Department.name)
        return [_record(row) for row in await session.execute(statement)]

    async def get(self, session: AsyncSession, organization_id: int, department_id: int) -> DepartmentRecord:
        """Return a department, which must belong to the organization; raise DepartmentNotFound."""
        statement = _select().where(
            Department.id == department_id, Department.organization_id == organization_id
        )
        row = (await session.execute(statement)).one_or_none()
        if row is None:
            raise DepartmentNotFound(
                f"the organization has no department {department_id}", field="department_id"
            )
        return _record(row)

    async def create(
        self,
        uow: UnitOfWork,
        organization_id: int,
        name: str,
        *,
        principal: Principal,
        address: Mapping[str, str] | None = None,
        key_recovery: Sequence[str] = (),
    ) -> DepartmentRecord:
        """Create a department; an empty address is the organization's.

        Raises:
            InvalidOrganization: a value can't stand in a certificate's subject.
            DepartmentNameTaken: the organization has one of this name.
        """
        values: dict[str, Any] = {
            "name": checked_name(name, attribute="organizational_unit"),
            **checked_address(address or {}),
            "key_recovery": checked_key_recovery(key_recovery),
        }
        try:
            async with uow.savepoint():
                statement = insert(Department).values(
                    **values, organization_id=organization_id, status="active", created_at=uow.now
                )
                department_id = (await uow.session.execute(statement.returning(Department.id))).scalar_one()
        except IntegrityError as fault:
            raise _taken(values["name"]) from fault
        record = await self.get(uow.session, organization_id, department_id)
        await _note(uow, "DepartmentCreated", record, principal=principal, details=values)
        return record

    async def update(
        self,
        uow: UnitOfWork,
        organization_id: int,
        department_id: int,
        *,
        changes: dict[str, Any],
        principal: Principal,
    ) -> DepartmentRecord:
        """Change name, address or ``status``; an address whose fields are all empty is inherited again.

        Raises:
            DepartmentNotFound: the organization has no such department.
            KeyRecoveryFixed: key recovery is to be changed.
            InvalidOrganization, DepartmentNameTaken: as :meth:`create`.
        """
        before = await self.get(uow.session, organization_id, department_id)
        refuse_key_recovery(before.key_recovery, changes)
        status = changes.get("status", before.status)
        if status not in STATUSES:
            raise InvalidOrganization(f"status is one of {', '.join(STATUSES)}", field="status")
        own = {name: getattr(before, name) if before.own_address else "" for name in ADDRESS}
        values = {
            "name": checked_name(changes.get("name", before.name), attribute="organizational_unit"),
            **checked_address(own | {name: changes[name] for name in ADDRESS if name in changes}),
            "status": status,
        }
        try:
            async with uow.savepoint():
                statement = update(Department).where(Department.id == department_id)
                await uow.session.execute(statement.values(**values))
        except IntegrityError as fault:
            raise _taken(values["name"]) from fault
        after = await self.get(uow.session, organization_id, department_id)
        details = {
            name: {"before": getattr(before, name), "after": getattr(after, name)}
            for name in (*values, "own_address")
            if getattr(before, name) != getattr(after, name)
        }
        if details:
            await _note(uow, "DepartmentChanged", after, principal=principal, details=details)
        return after


def refuse_key_recovery(before: Sequence[str], changes: dict[str, Any]) -> None:
    """Raise KeyRecoveryFixed if ``changes`` has another key recovery than there is."""
    wanted = changes.get("key_recovery")
    if wanted is not None and set(wanted) != set(before):
        raise KeyRecoveryFixed(
            "key recovery was decided at creation and can't be changed: keys were escrowed under it, or not",
            field="key_recovery",
        )


def _select() -> Select[*tuple[Any, ...]]:
    return select(*_COLUMNS).join(Organization, Organization.id == Department.organization_id)


def _record(row: Row[*tuple[Any, ...]]) -> DepartmentRecord:
    values = row._asdict()
    values["key_recovery"] = tuple(values["key_recovery"])
    values["own_address"] = bool(values["own_address"])
    return DepartmentRecord(**values)


def _taken(name: str) -> DepartmentNameTaken:
    return DepartmentNameTaken(f"the organization has a department named {name!r} already", field="name")


async def _note(
    uow: UnitOfWork,
    kind: str,
    department: DepartmentRecord,
    *,
    principal: Principal,
    details: dict[str, Any],
) -> None:
    # Told of as the organization's: whoever watches one wants to see its departments.
    object_id = str(department.organization_id)
    uow.emit(
        Event(
            kind=kind,
            object_type="organization",
            object_id=object_id,
            organization_id=department.organization_id,
            department_id=department.id,
            data={"department_id": department.id, "name": department.name},
        )
    )
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type="organization",
        object_id=object_id,
        organization_id=department.organization_id,
        details={"department_id": department.id, **details},
    )
