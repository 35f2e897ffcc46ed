"""Letting go of a certificate that is deleted: what was seen stays seen, and no longer points at it."""

from __future__ import annotations

from sqlalchemy import update

from hub.db.uow import UnitOfWork
from hub.discovery.models import DiscoveredEndpoint, ScanFind


async def forget_certificate(uow: UnitOfWork, certificate_id: int) -> None:
    """Clear the certificate from endpoints and finds; a later scan makes a new one of what it sees."""
    for table in (DiscoveredEndpoint, ScanFind):
        await uow.session.execute(
            update(table).where(table.certificate_id == certificate_id).values(certificate_id=None)
        )
