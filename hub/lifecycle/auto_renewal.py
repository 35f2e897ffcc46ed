"""Whether a certificate renews itself: its own settings, and the state of its renewal that goes with them.

When it is due is another room's matter, which follows the event.
"""

from __future__ import annotations

from sqlalchemy import update

from hub.db.uow import Database
from hub.http.principal import Principal
from hub.lifecycle.errors import NotRenewable
from hub.lifecycle.models import Certificate
from hub.lifecycle.requests import AutoRenew, auto_renew_document
from hub.lifecycle.scoping import visible
from hub.lifecycle.states import RENEWAL, CertificateStatus, RenewalEvent, RenewalState
from hub.lifecycle.transitions import Change, renewal_transition

_ALIVE = frozenset(
    {
        CertificateStatus.REQUESTED,
        CertificateStatus.APPROVED,
        CertificateStatus.APPLIED,
        CertificateStatus.ISSUED,
        CertificateStatus.DOWNLOADED,
    }
)


async def set_auto_renew(
    db: Database, principal: Principal, certificate_id: int, auto_renew: AutoRenew
) -> None:
    """Switch a certificate's automatic renewal on or off, with its own times if these are given.

    Raises:
        NotRenewable: it was found, or its life is over.
    """
    async with db.write() as uow:
        head = await visible(uow.session, principal, certificate_id)
        if head.status not in _ALIVE:
            raise NotRenewable(f"a certificate that is {head.status} does not renew itself")
        document = auto_renew_document(auto_renew)
        await uow.session.execute(
            update(Certificate).where(Certificate.id == certificate_id).values(auto_renew=document)
        )
        event = RenewalEvent.SCHEDULE if auto_renew.enabled else RenewalEvent.CANCEL
        if (RenewalState(head.renewal_state), event) in RENEWAL:
            change = Change(principal=principal, details={"auto_renew": document})
            await renewal_transition(uow, certificate_id, event, change)
