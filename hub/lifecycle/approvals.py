"""Who has approved a request so far: a profile may ask for two administrators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.lifecycle.errors import AlreadyApproved, ApproverNotIdentified
from hub.lifecycle.models import CertificateApproval
from hub.lifecycle.requesters import administrator_id
from hub.lifecycle.transitions import OBJECT_TYPE, Head, event_of


@dataclass(frozen=True, slots=True)
class Tally:
    """The approvals that a request has, and how many it needs."""

    names: tuple[str, ...]
    needed: int

    @property
    def enough(self) -> bool:
        """Whether the request is approved."""
        return len(self.names) >= self.needed


async def add_approval(
    uow: UnitOfWork, principal: Principal, head: Head, *, needed: int, message: str
) -> Tally:
    """Record an approval of a request whose row is locked.

    The hub itself counts as everybody who is needed; nobody uses that but tests and commands on the host.

    Raises:
        AlreadyApproved: by the same person.
        ApproverNotIdentified: several are needed, and the principal is no administrator.
    """
    if principal.kind == "system":
        return Tally((principal.name,), 1)
    approver = administrator_id(principal)
    if approver is None:
        if needed > 1:
            raise ApproverNotIdentified
        return Tally((principal.name,), needed)
    given = await _given(uow.session, head.id)
    if approver in {approver_id for approver_id, _ in given}:
        raise AlreadyApproved
    await uow.session.execute(
        insert(CertificateApproval).values(
            certificate_id=head.id,
            administrator_id=approver,
            administrator=principal.name,
            message=message,
            created_at=uow.now,
        )
    )
    tally = Tally((*(name for _, name in given), principal.name), needed)
    if not tally.enough:
        await _tell(uow, principal, head, tally, message)
    return tally


async def clear_approvals(uow: UnitOfWork, certificate_id: int) -> int:
    """Take back all approvals and return how many there were: what they were given for is no more."""
    removed = await uow.session.execute(
        delete(CertificateApproval)
        .where(CertificateApproval.certificate_id == certificate_id)
        .returning(CertificateApproval.id)
    )
    return len(removed.all())


async def _given(session: AsyncSession, certificate_id: int) -> Sequence[tuple[int, str]]:
    rows = await session.execute(
        select(CertificateApproval.administrator_id, CertificateApproval.administrator)
        .where(CertificateApproval.certificate_id == certificate_id)
        .order_by(CertificateApproval.id)
    )
    return [(approver_id, name) for approver_id, name in rows.all()]


async def _tell(uow: UnitOfWork, principal: Principal, head: Head, tally: Tally, message: str) -> None:
    details = {"approvals": len(tally.names), "approvals_needed": tally.needed, "message": message}
    uow.emit(event_of(head, "CertificateApprovalRecorded", approver=principal.name, **details))
    await audit.record(
        uow,
        principal=principal,
        action="CertificateApprovalRecorded",
        object_type=OBJECT_TYPE,
        object_id=str(head.id),
        organization_id=head.organization_id,
        department_id=head.department_id,
        certificate_type=head.type,
        details=details,
    )
