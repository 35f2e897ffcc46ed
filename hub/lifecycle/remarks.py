"""What people write on certificates: notes, and places that no agent can see."""

from __future__ import annotations

from sqlalchemy import delete, insert

from hub.access import audit
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.lifecycle.errors import LocationNotFound
from hub.lifecycle.item_updates import see_places
from hub.lifecycle.models import CertificateLocation, CertificateNote
from hub.lifecycle.transitions import OBJECT_TYPE, event_of, head_of

CUSTOM = "custom"


async def add_note(uow: UnitOfWork, certificate_id: int, text: str, *, principal: Principal) -> None:
    """Leave a remark on a certificate."""
    await uow.session.execute(
        insert(CertificateNote).values(
            certificate_id=certificate_id,
            author_id=int(principal.id) if principal.id.isdigit() else None,
            author=principal.name,
            text=text,
            created_at=uow.now,
        )
    )
    await _tell(uow, certificate_id, "CertificateNoteAdded", principal=principal, text=text)


async def add_location(
    uow: UnitOfWork, certificate_id: int, *, name: str, details: str, principal: Principal
) -> None:
    """Record a place by hand; one of the same name gets the new details."""
    place = {"certificate_id": certificate_id, "kind": CUSTOM, "name": name, "details": details}
    await see_places(uow, [place])
    await _tell(uow, certificate_id, "CertificateLocationAdded", principal=principal, name=name)


async def remove_location(
    uow: UnitOfWork, certificate_id: int, location_id: int, *, principal: Principal
) -> None:
    """Remove a place that was recorded by hand; what agents have seen is history and stays.

    Raises:
        LocationNotFound: there is no such place of this certificate.
    """
    removed = await uow.session.execute(
        delete(CertificateLocation)
        .where(
            CertificateLocation.id == location_id,
            CertificateLocation.certificate_id == certificate_id,
            CertificateLocation.kind == CUSTOM,
        )
        .returning(CertificateLocation.name)
    )
    name = removed.scalar_one_or_none()
    if name is None:
        raise LocationNotFound(f"there is no custom location {location_id}")
    await _tell(uow, certificate_id, "CertificateLocationRemoved", principal=principal, name=name)


async def _tell(
    uow: UnitOfWork, certificate_id: int, kind: str, *, principal: Principal, **details: str
) -> None:
    head = await head_of(uow.session, certificate_id)
    uow.emit(event_of(head, kind))
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type=OBJECT_TYPE,
        object_id=str(certificate_id),
        organization_id=head.organization_id,
        department_id=head.department_id,
        certificate_type=head.type,
        details=details,
    )
