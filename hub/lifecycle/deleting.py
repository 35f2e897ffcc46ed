"""Deleting found certificates, with everything that was noted about them.

What was issued here is a record of what a CA did and stays. The bytes stay too, as another chain may hold
them; a certificate that is found once more comes back as a new one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import delete, update

from hub.access import audit
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.lifecycle.errors import NotDeletable
from hub.lifecycle.models import (
    Certificate,
    CertificateApproval,
    CertificateCommand,
    CertificateLocation,
    CertificateNote,
    InstallItem,
    KeyTransfer,
    LifecycleStep,
)
from hub.lifecycle.scoping import visible
from hub.lifecycle.states import CertificateStatus
from hub.lifecycle.stored_requests import locked_certificate
from hub.lifecycle.transitions import OBJECT_TYPE, event_of

DELETABLE = frozenset({CertificateStatus.EXTERNAL, CertificateStatus.UNMANAGED})
_OWNED: tuple[Any, ...] = (
    InstallItem,
    KeyTransfer,
    CertificateLocation,
    CertificateCommand,
    LifecycleStep,
    CertificateApproval,
    CertificateNote,
)

DeletedHandler = Callable[[UnitOfWork, int], Awaitable[None]]


class Deleting:
    """Deletes certificates. Rooms above register what they have to let go of first."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._handlers: list[DeletedHandler] = []

    def on_delete(self, handler: DeletedHandler) -> None:
        """Call ``handler`` in the transaction that deletes a certificate, before its row goes."""
        self._handlers.append(handler)

    async def delete(self, principal: Principal, certificate_id: int) -> None:
        """Delete a found certificate.

        Raises:
            NotDeletable: it was issued or requested here.
        """
        async with self._db.write() as uow:
            head = await visible(uow.session, principal, certificate_id)
            row = await locked_certificate(uow.session, certificate_id)
            if row.status not in DELETABLE:
                raise NotDeletable(f"a certificate that is {row.status} is kept as a record")
            sha256 = row.fingerprint_sha256
            uow.session.expunge(row)
            uow.emit(event_of(head, "CertificateDeleted", status=head.status, sha256=sha256))
            await audit.record(
                uow,
                principal=principal,
                action="CertificateDeleted",
                object_type=OBJECT_TYPE,
                object_id=str(certificate_id),
                organization_id=head.organization_id,
                department_id=head.department_id,
                certificate_type=head.type,
                details={"common_name": head.common_name, "sha256": sha256, "status": head.status},
            )
            for handler in self._handlers:
                await handler(uow, certificate_id)
            await self._delete_rows(uow, certificate_id)

    async def _delete_rows(self, uow: UnitOfWork, certificate_id: int) -> None:
        for table in _OWNED:
            await uow.session.execute(delete(table).where(table.certificate_id == certificate_id))
        for column in (Certificate.renews_id, Certificate.renewed_by_id):
            # A successor that was asked for goes on as a request of its own.
            await uow.session.execute(
                update(Certificate).where(column == certificate_id).values({column.key: None})
            )
        await uow.session.execute(delete(Certificate).where(Certificate.id == certificate_id))
