"""Revoking: the record and the CRL in one transaction, then the CA, for one that keeps its own record."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.issuers.contract import CanRevoke
from hub.lifecycle import step_queue
from hub.lifecycle.decisions import order_row
from hub.lifecycle.errors import FieldFinding, RequestRefused
from hub.lifecycle.models import Certificate, LifecycleStep
from hub.lifecycle.orders import OrderRow, read_order
from hub.lifecycle.ports import Rooms
from hub.lifecycle.scoping import visible
from hub.lifecycle.states import CertificateEvent
from hub.lifecycle.step_queue import NewStep
from hub.lifecycle.transitions import Change, transition
from pki.crls import RevocationReason

_DELIVERY_STEPS = (
    step_queue.STORE,
    step_queue.EXPORT_KEY,
    step_queue.DELIVER,
    step_queue.INSTALL,
)


class Revocation:
    """Revokes, and does the step ``revoke``."""

    def __init__(self, db: Database, rooms: Rooms) -> None:
        self._db = db
        self._rooms = rooms

    async def revoke(
        self, principal: Principal, certificate_id: int, *, reason: str, comments: str = ""
    ) -> None:
        """Revoke a certificate within the principal's scope; raises as :meth:`revoke_in` does."""
        async with self._db.write() as uow:
            await visible(uow.session, principal, certificate_id)
            await self.revoke_in(uow, principal, certificate_id, reason=reason, comments=comments)

    async def revoke_in(
        self, uow: UnitOfWork, principal: Principal, certificate_id: int, *, reason: str, comments: str
    ) -> None:
        """Revoke a certificate, for a reason of RFC 5280, 5.3.1.

        Raises:
            RequestRefused: there is no such reason.
            TransitionNotAllowed: the certificate is not one that can be revoked here.
        """
        if reason not in set(RevocationReason):
            message = f"{reason!r} is none of {', '.join(RevocationReason)}"
            raise RequestRefused((FieldFinding("reason", "RevocationReasonUnknown", message),))
        details = {"reason": reason, "comments": comments}
        values = {"revocation_reason": reason, "status_reason": reason, "status_message": comments}
        change = Change(principal=principal, values=values, details=details)
        await transition(uow, certificate_id, CertificateEvent.REVOKE, change)
        row = await order_row(uow, certificate_id)
        await self._publish(uow, row, reason)
        if reason == RevocationReason.KEY_COMPROMISE:
            source = f"certificate {certificate_id} was revoked for {reason}"
            await self._rooms.profiles.add_compromised(
                uow, [row.spki_sha256], source=source, principal=principal
            )
        await uow.session.execute(
            delete(LifecycleStep).where(
                LifecycleStep.certificate_id == certificate_id, LifecycleStep.name.in_(_DELIVERY_STEPS)
            )
        )

    async def _publish(self, uow: UnitOfWork, row: OrderRow, reason: str) -> None:
        serial = (
            await uow.session.execute(select(Certificate.serial_hex).where(Certificate.id == row.id))
        ).scalar_one()
        backend_id = row.backend_id or 0
        await self._rooms.issuers.certificate_revoked(
            uow, backend_id=backend_id, serial_hex=serial, reason=reason, at=uow.now
        )
        backend = await self._rooms.issuers.backend(uow.session, backend_id)
        if isinstance(backend, CanRevoke):
            payload = {"serial_hex": serial, "reason": reason, "at": uow.now.isoformat()}
            await step_queue.schedule(
                uow, [NewStep(certificate_id=row.id, name=step_queue.REVOKE, payload=payload)]
            )

    async def revoke_at_ca(self, step: step_queue.Step) -> None:
        """Tell a CA that keeps its own record."""
        payload = step.payload or {}
        async with self._db.read() as session:
            row = await read_order(session, step.certificate_id)
            backend = await self._rooms.issuers.backend(session, (row.backend_id if row else None) or 0)
        if isinstance(backend, CanRevoke):
            await backend.revoke(
                payload["serial_hex"],
                reason=payload["reason"],
                at=datetime.fromisoformat(payload["at"]),
            )
        async with self._db.write() as uow:
            await step_queue.finish_one(uow, step)
