"""The log of key ceremonies: who made, signed, rolled over, exported or revoked which CA, with fingerprints.

It is part of the audit log, whose entries are chained by hashes: nothing can be taken out of it unnoticed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.models import AuditEntry
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.issuers.hierarchies.records import PrivateCa, SigningRequest
from pki.certificates import parse_certificate
from pki.csrs import parse_csr

OBJECT_TYPE = "private_ca"
_MOST = 1000


async def note(
    uow: UnitOfWork,
    action: str,
    ca: PrivateCa,
    *,
    principal: Principal,
    more: dict[str, Any] | None = None,
) -> None:
    """Note a ceremony of a CA in the transaction that stores what it made."""
    facts = parse_certificate(ca.certificate)
    details = {
        "name": ca.name,
        "role": ca.role,
        "subject": facts.subject,
        "issuer": facts.issuer,
        "serial_number": facts.serial,
        "public_key_type": facts.key_type,
        "key_store": ca.key_store,
        "signed_with": facts.signature_algorithm,
        "not_after": facts.not_after.isoformat(),
        "public_key_sha256": facts.spki_sha256,
        "certificate_sha256": facts.sha256,
        **(more or {}),
    }
    await _record(uow, action, str(ca.id), details, principal)


async def note_request(
    uow: UnitOfWork, action: str, request: SigningRequest, *, principal: Principal
) -> None:
    """Note a ceremony of a CA that has no certificate yet."""
    csr = parse_csr(request.csr)
    details = {
        "name": request.name,
        "subject": csr.subject,
        "public_key_type": csr.key_type,
        "key_store": "software" if request.hsm_key_id is None else "hsm",
        "public_key_sha256": csr.spki_sha256,
        "csr_sha256": hashlib.sha256(request.csr).hexdigest(),
    }
    await _record(uow, action, f"request-{request.id}", details, principal)


async def _record(
    uow: UnitOfWork, action: str, object_id: str, details: dict[str, Any], principal: Principal
) -> None:
    await audit.record(
        uow,
        principal=principal,
        action=action,
        object_type=OBJECT_TYPE,
        object_id=object_id,
        organization_id=None,
        details=details,
    )


async def listed(session: AsyncSession) -> Sequence[AuditEntry]:
    """Return the latest ceremonies, the oldest of them first, as a report is read."""
    rows = await session.scalars(
        select(AuditEntry)
        .where(AuditEntry.object_type == OBJECT_TYPE)
        .order_by(AuditEntry.sequence.desc())
        .limit(_MOST)
    )
    return list(reversed(rows.all()))
