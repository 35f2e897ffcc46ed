"""Statements on private CAs, signing requests and cross-certificates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import UnitOfWork
from hub.issuers import ledger
from hub.issuers.hierarchies.errors import PrivateCaNotFound
from hub.issuers.hierarchies.records import CrossCertificate, PrivateCa, SigningRequest
from hub.issuers.models import CaAuthority, CaBackendRow, CaCrossCertificate, CaSigningRequest, key_store
from pki.certificates import parse_certificate

_REQUEST_COLUMNS = [getattr(CaSigningRequest, item.name) for item in fields(SigningRequest)]
_CROSS_COLUMNS = [getattr(CaCrossCertificate, item.name) for item in fields(CrossCertificate)]


def _cas() -> Any:
    return select(
        CaAuthority.id,
        CaAuthority.backend_id,
        CaBackendRow.name,
        CaAuthority.parent_id,
        CaAuthority.role,
        CaAuthority.slug,
        key_store(),
        CaAuthority.key_sha256,
        CaAuthority.signature_algorithm,
        CaAuthority.not_before,
        CaAuthority.not_after,
        CaAuthority.trial_until,
        CaAuthority.retired_at,
        CaAuthority.created_at,
        CaAuthority.certificate,
    ).join(CaBackendRow, CaBackendRow.id == CaAuthority.backend_id)


async def all_cas(session: AsyncSession) -> Sequence[PrivateCa]:
    """Return all private CAs, the newest first."""
    rows = await session.execute(_cas().order_by(CaAuthority.id.desc()))
    return [PrivateCa(**row._asdict()) for row in rows]


async def one_ca(session: AsyncSession, ca_id: int) -> PrivateCa:
    """Return a private CA; raise PrivateCaNotFound."""
    row = (await session.execute(_cas().where(CaAuthority.id == ca_id))).one_or_none()
    if row is None:
        raise PrivateCaNotFound(f"there is no private CA {ca_id}")
    return PrivateCa(**row._asdict())


async def requests(session: AsyncSession) -> Sequence[SigningRequest]:
    """Return the CAs that wait for their certificate, the newest first."""
    rows = await session.execute(select(*_REQUEST_COLUMNS).order_by(CaSigningRequest.id.desc()))
    return [SigningRequest(**row._asdict()) for row in rows]


async def request(session: AsyncSession, request_id: int) -> SigningRequest:
    """Return a CA that waits for its certificate; raise PrivateCaNotFound."""
    row = (
        await session.execute(select(*_REQUEST_COLUMNS).where(CaSigningRequest.id == request_id))
    ).one_or_none()
    if row is None:
        raise PrivateCaNotFound(f"there is no signing request {request_id}")
    return SigningRequest(**row._asdict())


async def cross_certificates(session: AsyncSession, ca_id: int | None = None) -> Sequence[CrossCertificate]:
    """Return the cross-certificates that a CA signed or has; None: all."""
    statement = select(*_CROSS_COLUMNS).order_by(CaCrossCertificate.id)
    if ca_id is not None:
        statement = statement.where(
            (CaCrossCertificate.authority_id == ca_id) | (CaCrossCertificate.issuer_id == ca_id)
        )
    return [CrossCertificate(**row._asdict()) for row in await session.execute(statement)]


async def add_ca(
    uow: UnitOfWork, certificate: bytes, *, backend_id: int, parent_id: int | None, values: dict[str, Any]
) -> int:
    """Store a CA, and its serial number in the ledger of its parent; return its id."""
    facts = parse_certificate(certificate)
    rows = await uow.session.execute(
        insert(CaAuthority)
        .values(
            backend_id=backend_id,
            parent_id=parent_id,
            certificate=certificate,
            key_sha256=facts.spki_sha256,
            not_before=facts.not_before,
            not_after=facts.not_after,
            created_at=uow.now,
            crl_shards=1,
            crl_base="",
            **values,
        )
        .returning(CaAuthority.id)
    )
    ca_id: int = rows.scalar_one()
    if parent_id is not None:
        await record_serial(uow, parent_id, facts.serial, facts.not_after)
    return ca_id


async def record_serial(uow: UnitOfWork, authority_id: int, serial_hex: str, not_after: datetime) -> None:
    """Note a certificate that a CA signed, so that it can be revoked."""
    await ledger.record(
        uow, [ledger.SerialRecord(authority_id=authority_id, serial_hex=serial_hex, not_after=not_after)]
    )
