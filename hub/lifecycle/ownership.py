"""Whose a certificate is: found ones are given to an organization, all are moved between departments.

Within an organization whoever reaches both ends moves certificates; from one organization to another it takes
an MRAO, as with everything that is taken out of an organization. Names of certificates that were issued here
have to be delegated to the new owner, or the next renewal would be refused without anybody knowing why; the
parent organization also takes what is delegated to its departments, so that certificates outlive these.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import update

from hub.access import audit
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.lifecycle.approvals import clear_approvals
from hub.lifecycle.editing import Editing
from hub.lifecycle.errors import FieldFinding, RequestRefused
from hub.lifecycle.models import Certificate
from hub.lifecycle.policy import DEPARTMENT, NAMES, ORGANIZATION
from hub.lifecycle.ports import Rooms
from hub.lifecycle.scoping import may_act, no_such_organization, visible
from hub.lifecycle.states import CertificateEvent, CertificateStatus
from hub.lifecycle.stored_requests import locked_certificate, stored_request, stored_targets
from hub.lifecycle.transitions import OBJECT_TYPE, Change, event_of, head_of, transition

_OF_DEPARTMENT = "NameDelegatedToDepartment"
_FOUND = frozenset({CertificateStatus.EXTERNAL, CertificateStatus.UNMANAGED})
# What is certified is not fixed yet: a move is a change of the request, and of its subject.
_WAITING = frozenset({CertificateStatus.REQUESTED, CertificateStatus.DECLINED})


class Ownership:
    """Assigns and moves certificates."""

    def __init__(self, db: Database, rooms: Rooms, editing: Editing) -> None:
        self._db = db
        self._rooms = rooms
        self._editing = editing

    async def assign(
        self, principal: Principal, certificate_id: int, *, organization_id: int, department_id: int | None
    ) -> None:
        """Give a found certificate to an organization.

        Raises:
            RequestRefused: the caller has no such organization.
            DepartmentNotFound: the organization has no such department.
            TransitionNotAllowed: the certificate was not found, but issued here.
        """
        if not may_act(principal, organization_id, department_id):
            raise no_such_organization()
        async with self._db.write() as uow:
            await visible(uow.session, principal, certificate_id)
            await self._check_place(uow, organization_id, department_id)
            values = {"organization_id": organization_id, "department_id": department_id}
            change = Change(principal=principal, values=values, details=values)
            await transition(uow, certificate_id, CertificateEvent.ASSIGN, change)

    async def move(
        self, principal: Principal, certificate_id: int, *, organization_id: int, department_id: int | None
    ) -> None:
        """Give a certificate of any status to another department, or to another organization.

        Raises:
            RequestRefused: the caller has no such organization, may not move between organizations, or names
                are not delegated to the new owner.
            DepartmentNotFound: the organization has no such department.
        """
        async with self._db.write() as uow:
            head = await visible(uow.session, principal, certificate_id)
            if not may_act(principal, organization_id, department_id):
                raise no_such_organization()
            row = await locked_certificate(uow.session, certificate_id)
            before = (row.organization_id, row.department_id)
            if before == (organization_id, department_id):
                return
            if row.status in _FOUND:
                # What was found is assigned: there is nothing to hold the new owner to.
                await self._check_place(uow, organization_id, department_id)
                values = {"organization_id": organization_id, "department_id": department_id}
                change = Change(principal=principal, values=values, details=values)
                await transition(uow, row.id, CertificateEvent.ASSIGN, change)
            else:
                _check_between(principal, head.organization_id, organization_id)
                await self._check_place(uow, organization_id, department_id)
                moved = await self._managed(uow, principal, row, (organization_id, department_id))
                await uow.session.execute(update(Certificate).where(Certificate.id == row.id).values(**moved))
            await _tell(uow, principal, certificate_id, before)

    async def _check_place(self, uow: UnitOfWork, organization_id: int, department_id: int | None) -> None:
        await self._rooms.organizations.get(uow.session, organization_id)
        if department_id is not None:
            await self._rooms.organizations.department(uow.session, organization_id, department_id)

    async def _managed(
        self, uow: UnitOfWork, principal: Principal, row: Certificate, place: tuple[int, int | None]
    ) -> dict[str, Any]:
        organization_id, department_id = place
        values: dict[str, Any] = {"organization_id": organization_id, "department_id": department_id}
        if row.status in _WAITING:
            return {**values, "subject_fields": await self._subject(uow, principal, row, place)}
        findings = await self._rooms.organizations.check_names(
            uow.session,
            organization_id,
            (*row.dns_names, *row.ip_addresses),
            certificate_type=row.type,
            department_id=department_id,
        )
        if department_id is None:
            findings = [finding for finding in findings if finding.reason != _OF_DEPARTMENT]
        if findings:
            raise RequestRefused(
                tuple(FieldFinding(NAMES, finding.reason, finding.message) for finding in findings)
            )
        return values

    async def _subject(
        self, uow: UnitOfWork, principal: Principal, row: Certificate, place: tuple[int, int | None]
    ) -> dict[str, str]:
        stored = stored_request(row, await stored_targets(uow.session, row.id))
        wanted = replace(stored, organization_id=place[0], department_id=place[1])
        accepted = await self._editing.check(uow, principal, wanted)
        await clear_approvals(uow, row.id)
        return accepted.subject


def _check_between(principal: Principal, before: int | None, after: int) -> None:
    if before == after or principal.sees_everything:
        return
    message = "between organizations only a master administrator moves certificates"
    raise RequestRefused((FieldFinding(ORGANIZATION, "OtherOrganization", message),))


async def _tell(
    uow: UnitOfWork, principal: Principal, certificate_id: int, before: tuple[int | None, int | None]
) -> None:
    head = await head_of(uow.session, certificate_id)
    places = {
        "before": {ORGANIZATION: before[0], DEPARTMENT: before[1]},
        "after": {ORGANIZATION: head.organization_id, DEPARTMENT: head.department_id},
    }
    uow.emit(event_of(head, "CertificateOwnershipChanged", status=head.status, **places))
    owners = [(head.organization_id, head.department_id)]
    if before[0] != head.organization_id:
        # Those it was taken from read of it too.
        owners.append(before)
    for organization_id, department_id in owners:
        await audit.record(
            uow,
            principal=principal,
            action="CertificateOwnershipChanged",
            object_type=OBJECT_TYPE,
            object_id=str(head.id),
            organization_id=organization_id,
            department_id=department_id,
            certificate_type=head.type,
            details=places,
        )
