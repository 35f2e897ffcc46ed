"""Who asked for a certificate, and whether somebody is that person: four eyes need two people."""

from __future__ import annotations

from sqlalchemy import select

from hub.access.privileges import APPROVE_OWN
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.lifecycle.errors import OwnRequest
from hub.lifecycle.models import Certificate

_PEOPLE = frozenset({"administrator", "api_token"})


def administrator_id(principal: Principal) -> int | None:
    """Return the administrator's id, of an API token its owner's; None: it is nobody's."""
    return int(principal.id) if principal.kind in _PEOPLE and principal.id.isdecimal() else None


async def refuse_own_request(uow: UnitOfWork, principal: Principal, certificate_id: int) -> None:
    """Do nothing if somebody else asked, or if approving the own request is a privilege that they have.

    Raises:
        OwnRequest: they asked for it themselves.
    """
    if principal.kind == "system" or APPROVE_OWN in principal.privileges:
        return
    row = await uow.session.execute(
        select(Certificate.requester_id, Certificate.requester).where(Certificate.id == certificate_id)
    )
    requester_id, requester = row.one()
    # Names may be anybody's; they count only in rows that are older than the id.
    own = requester == principal.name if requester_id is None else requester_id == administrator_id(principal)
    if own:
        raise OwnRequest
