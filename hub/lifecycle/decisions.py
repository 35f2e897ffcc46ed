"""What people decide about requests: approve, perhaps two of them, or decline."""

from __future__ import annotations

from sqlalchemy import select

from hub.db.errors import NotFound
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.lifecycle import step_queue
from hub.lifecycle.approvals import add_approval, clear_approvals
from hub.lifecycle.errors import CertificateNotFound
from hub.lifecycle.models import Certificate
from hub.lifecycle.orders import OrderRow, read_order
from hub.lifecycle.ports import Rooms
from hub.lifecycle.requesters import refuse_own_request
from hub.lifecycle.scoping import visible
from hub.lifecycle.states import CERTIFICATE, CertificateEvent, CertificateStatus, next_state
from hub.lifecycle.step_queue import NewStep
from hub.lifecycle.transitions import Change, head_of, transition


class Decisions:
    """Approve and decline."""

    def __init__(self, db: Database, rooms: Rooms) -> None:
        self._db = db
        self._rooms = rooms

    async def approve(self, principal: Principal, certificate_id: int, *, message: str = "") -> None:
        """Approve a request; once enough have, it is ordered as soon as its signing request is there.

        Raises:
            OwnRequest: the principal asked for it, and has no privilege to approve that.
            AlreadyApproved: the principal's approval is there, another's is needed.
        """
        async with self._db.write() as uow:
            await visible(uow.session, principal, certificate_id)
            await _lock(uow, certificate_id)
            head = await head_of(uow.session, certificate_id)
            next_state(CERTIFICATE, CertificateStatus(head.status), CertificateEvent.APPROVE)
            await refuse_own_request(uow, principal, certificate_id)
            row = await order_row(uow, certificate_id)
            needed = await self._approvals_needed(uow, row)
            tally = await add_approval(uow, principal, head, needed=needed, message=message)
            if not tally.enough:
                return
            values = {
                "approver": ", ".join(tally.names)[:255],
                "decision_message": message,
                "status_reason": "",
                "status_message": "",
            }
            details = {"message": message, "approver": values["approver"]}
            change = Change(principal=principal, values=values, details=details)
            await transition(uow, certificate_id, CertificateEvent.APPROVE, change)
            await step_queue.schedule(uow, [_next_step(row)])

    async def decline(self, principal: Principal, certificate_id: int, *, message: str = "") -> None:
        """Decline a request, which takes its approvals back."""
        async with self._db.write() as uow:
            await visible(uow.session, principal, certificate_id)
            values = {
                "decision_message": message,
                "status_reason": "Declined",
                "status_message": message,
            }
            change = Change(principal=principal, values=values, details={"message": message})
            await transition(uow, certificate_id, CertificateEvent.DECLINE, change)
            await clear_approvals(uow, certificate_id)

    async def _approvals_needed(self, uow: UnitOfWork, row: OrderRow) -> int:
        try:
            return (await self._rooms.profiles.get(uow.session, row.profile_id or 0)).approvals
        except NotFound:
            return 1


async def order_row(uow: UnitOfWork, certificate_id: int) -> OrderRow:
    """Return the row of a certificate; raise CertificateNotFound."""
    row = await read_order(uow.session, certificate_id)
    if row is None:
        raise CertificateNotFound(f"there is no certificate {certificate_id}")
    return row


async def _lock(uow: UnitOfWork, certificate_id: int) -> None:
    # Two who approve in the same moment must see one another's approval.
    await uow.session.execute(
        select(Certificate.id).where(Certificate.id == certificate_id).with_for_update()
    )


def _next_step(row: OrderRow) -> NewStep:
    if row.csr is not None:
        return NewStep(certificate_id=row.id, name=step_queue.APPLY)
    return NewStep(certificate_id=row.id, name=step_queue.GENERATE_KEY, agent_id=row.key_agent_id or "")
