"""The certificate that a new one takes the place of, for CAs that want to be told (RFC 9773, 5)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.lifecycle.models import Certificate, CertificateBody
from hub.lifecycle.orders import OrderRow


async def predecessor_der(session: AsyncSession, row: OrderRow) -> bytes | None:
    """Return the DER of what a renewal replaces; None if nothing, or another CA's certificate, is."""
    if row.renews_id is None:
        return None
    return (
        await session.execute(
            select(CertificateBody.der)
            .join(Certificate, Certificate.fingerprint_sha256 == CertificateBody.sha256)
            .where(Certificate.id == row.renews_id, Certificate.backend_id == row.backend_id)
        )
    ).scalar_one_or_none()
