"""What may be said about a certificate whatever its status: comments, external requester, custom fields.

And whether its notifications are held back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import update

from hub.access import audit
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.lifecycle.errors import FieldFinding, RequestRefused
from hub.lifecycle.models import Certificate
from hub.lifecycle.policy import EXTERNAL_REQUESTER
from hub.lifecycle.ports import Rooms
from hub.lifecycle.scoping import visible
from hub.lifecycle.stored_requests import locked_certificate
from hub.lifecycle.transitions import OBJECT_TYPE, Head, event_of
from hub.organizations.service import external_requester_fault, searchable_text, stored_values, value_faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What is to be said; None leaves it as it is, custom fields are named one by one."""

    comments: str | None = None
    external_requester: str | None = None
    custom_fields: Mapping[str, str | int | float] = field(default_factory=dict)


class Annotations:
    """Changes what is said about certificates."""

    def __init__(self, db: Database, rooms: Rooms) -> None:
        self._db = db
        self._rooms = rooms

    async def annotate(self, principal: Principal, certificate_id: int, annotation: Annotation) -> None:
        """Change comments, external requester and values of custom fields.

        Raises:
            RequestRefused: an address or a value does not fit; nothing was changed.
        """
        async with self._db.write() as uow:
            head = await visible(uow.session, principal, certificate_id)
            row = await locked_certificate(uow.session, certificate_id)
            values = await self._values(uow, row, annotation)
            before = {name: getattr(row, name) for name in values}
            changed = {name: value for name, value in values.items() if before[name] != value}
            if not changed:
                return
            await uow.session.execute(update(Certificate).where(Certificate.id == row.id).values(**changed))
            shown = {name: value for name, value in changed.items() if name != "search_custom"}
            await _tell(
                uow,
                principal,
                head,
                "CertificateAnnotated",
                details=audit.changes({name: before[name] for name in shown}, shown),
            )
            if "external_requester" in changed and row.organization_id is not None:
                await self._rooms.organizations.know_requesters(
                    uow,
                    organization_id=row.organization_id,
                    department_id=row.department_id,
                    external_requester=changed["external_requester"],
                    principal=principal,
                )

    async def _values(self, uow: UnitOfWork, row: Certificate, annotation: Annotation) -> dict[str, Any]:
        values: dict[str, Any] = {}
        findings: list[FieldFinding] = []
        if annotation.comments is not None:
            values["comments"] = annotation.comments
        if annotation.external_requester is not None:
            values["external_requester"] = annotation.external_requester
            findings += await self._requester_findings(uow, row, annotation.external_requester)
        if annotation.custom_fields:
            fields = await self._rooms.organizations.custom_fields_of(uow.session, row.type)
            faults = value_faults(fields, annotation.custom_fields, door=None)
            findings += [FieldFinding(fault.field, fault.reason, fault.message) for fault in faults]
            stored = stored_values(fields, annotation.custom_fields, row.custom_fields)
            values |= {"custom_fields": stored, "search_custom": searchable_text(stored)}
        if findings:
            raise RequestRefused(tuple(findings))
        return values

    async def _requester_findings(self, uow: UnitOfWork, row: Certificate, text: str) -> list[FieldFinding]:
        # Addresses found in a certificate of nobody's organization follow no organization's pattern.
        settings = await self._rooms.organizations.effective_settings(
            uow.session, row.organization_id or 0, row.type
        )
        finding = external_requester_fault(settings.of(row.department_id), text)
        return [] if finding is None else [FieldFinding(EXTERNAL_REQUESTER, finding.reason, finding.message)]

    async def suspend_notifications(
        self, principal: Principal, certificate_id: int, *, suspended: bool
    ) -> None:
        """Hold back a certificate's notifications, or let them go out again."""
        async with self._db.write() as uow:
            head = await visible(uow.session, principal, certificate_id)
            changed = await uow.session.execute(
                update(Certificate)
                .where(Certificate.id == certificate_id, Certificate.notifications_suspended != suspended)
                .values(notifications_suspended=suspended)
                .returning(Certificate.id)
            )
            if changed.first() is None:
                return
            kind = "CertificateNotificationsSuspended" if suspended else "CertificateNotificationsResumed"
            await _tell(uow, principal, head, kind, details={})


async def _tell(
    uow: UnitOfWork, principal: Principal, head: Head, kind: str, *, details: Mapping[str, Any]
) -> None:
    uow.emit(event_of(head, kind))
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type=OBJECT_TYPE,
        object_id=str(head.id),
        organization_id=head.organization_id,
        department_id=head.department_id,
        certificate_type=head.type,
        details=details,
    )
