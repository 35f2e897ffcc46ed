"""Certificates as automatic renewal sees them: reading what it decides by, claiming what is due.

A certificate is claimed by moving its ``renewal_due_at`` a lease ahead; starting the renewal is one
compare-and-set of its state, so that whatever becomes of a claim, no two hubs renew one certificate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import UnitOfWork
from hub.lifecycle.models import (
    Certificate,
    CertificateApproval,
    CertificateBody,
    CertificateLocation,
    InstallItem,
    LifecycleStep,
)
from hub.lifecycle.requests import AutoRenew
from hub.lifecycle.states import CertificateStatus, ItemStatus, RenewalState

_TABLE: Any = Certificate.__table__
_CLAIMABLE = (RenewalState.SCHEDULED, RenewalState.FAILED)
_UNDECIDED_OR_LIVE = (
    CertificateStatus.REQUESTED,
    CertificateStatus.APPROVED,
    CertificateStatus.APPLIED,
    CertificateStatus.ISSUED,
    CertificateStatus.DOWNLOADED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalRow:
    """What renewing a certificate is decided by."""

    id: int
    type: str
    common_name: str
    status: str
    status_reason: str
    status_message: str
    organization_id: int | None
    department_id: int | None
    profile_id: int | None
    backend_id: int | None
    method: str
    term_days: int
    key_agent_id: str | None
    serial_hex: str
    not_before: datetime | None
    not_after: datetime | None
    auto_renew: dict[str, Any] | None
    renewal_state: str
    renewal_due_at: datetime | None
    renewal_attempts: int
    renews_id: int | None
    renewed_by_id: int | None
    requested_via: str
    installation: str
    install_state: str
    revocation_reason: str
    created_at: datetime
    issued_at: datetime | None
    chain: list[str]

    @property
    def own_settings(self) -> AutoRenew | None:
        """The certificate's own settings of automatic renewal."""
        return AutoRenew(**self.auto_renew) if self.auto_renew else None


_COLUMNS = tuple(getattr(Certificate, field.name) for field in fields(RenewalRow))


async def read_renewal_rows(session: AsyncSession, ids: Iterable[int]) -> dict[int, RenewalRow]:
    """Return certificates by id; what is gone is left out."""
    rows = await session.execute(select(*_COLUMNS).where(Certificate.id.in_(list(ids))))
    return {row.id: RenewalRow(**row._asdict()) for row in rows}


async def read_renewal_row(session: AsyncSession, certificate_id: int) -> RenewalRow | None:
    """Return one certificate."""
    return (await read_renewal_rows(session, [certificate_id])).get(certificate_id)


async def latest_successor(session: AsyncSession, certificate_id: int) -> RenewalRow | None:
    """Return the last request that was to renew a certificate; one that is open or live goes first."""
    rows = await session.execute(
        select(*_COLUMNS).where(Certificate.renews_id == certificate_id).order_by(Certificate.id.desc())
    )
    found = [RenewalRow(**row._asdict()) for row in rows]
    going = [row for row in found if row.status in _UNDECIDED_OR_LIVE]
    return next(iter(going or found), None)


async def has_csr(session: AsyncSession, certificate_id: int) -> bool:
    """Whether a certificate's signing request is stored."""
    found = await session.execute(
        select(Certificate.id).where(Certificate.id == certificate_id, Certificate.csr.is_not(None))
    )
    return found.first() is not None


async def claim_due(uow: UnitOfWork, *, limit: int, lease_s: int) -> list[int]:
    """Take certificates whose renewal is due, the longest due first."""
    due = (
        select(Certificate.id)
        .where(Certificate.renewal_state.in_(_CLAIMABLE), Certificate.renewal_due_at <= uow.now)
        .order_by(Certificate.renewal_due_at, Certificate.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list((await uow.session.execute(due)).scalars())
    if ids:
        await uow.session.execute(
            update(_TABLE)
            .where(_TABLE.c.id.in_(ids))
            .values(renewal_due_at=uow.now + timedelta(seconds=lease_s))
        )
    return ids


async def set_due(uow: UnitOfWork, due: Mapping[int, datetime | None]) -> None:
    """Set when renewals start, or None for those that nobody starts by itself."""
    if not due:
        return
    statement = (
        update(_TABLE).where(_TABLE.c.id == bindparam("row_id")).values(renewal_due_at=bindparam("due"))
    )
    await uow.session.execute(statement, [{"row_id": key, "due": value} for key, value in due.items()])


async def count_attempt(uow: UnitOfWork, certificate_id: int) -> None:
    """Note that a renewal was started: it is due no more until it fails."""
    await uow.session.execute(
        update(_TABLE)
        .where(_TABLE.c.id == certificate_id)
        .values(renewal_due_at=None, renewal_attempts=_TABLE.c.renewal_attempts + 1)
    )


async def set_own_settings(uow: UnitOfWork, certificate_id: int, document: dict[str, Any] | None) -> None:
    """Store a certificate's own settings of automatic renewal."""
    await uow.session.execute(
        update(Certificate).where(Certificate.id == certificate_id).values(auto_renew=document)
    )


async def agents_of(session: AsyncSession, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Return the agents that certificates are installed by, those of lost nodes left out."""
    rows = await session.execute(
        select(InstallItem.certificate_id, InstallItem.agent_id)
        .where(InstallItem.certificate_id.in_(list(ids)), InstallItem.status != ItemStatus.INVALID)
        .distinct()
        .order_by(InstallItem.certificate_id, InstallItem.agent_id)
    )
    found: dict[int, tuple[str, ...]] = {}
    for certificate_id, agent_id in rows.all():
        found[certificate_id] = (*found.get(certificate_id, ()), agent_id)
    return found


async def is_seen_anywhere(session: AsyncSession, certificate_id: int) -> bool:
    """Whether a certificate was still there when its places were looked at last."""
    found = await session.execute(
        select(CertificateLocation.id).where(
            CertificateLocation.certificate_id == certificate_id,
            CertificateLocation.kind.in_(("network_host", "server_node")),
            CertificateLocation.present,
        )
    )
    return found.first() is not None


async def waiting_since(session: AsyncSession, certificate_id: int) -> tuple[datetime, str] | None:
    """Return when the next step of a certificate is due, and what it was stuck on last."""
    rows = await session.execute(
        select(LifecycleStep.due_at, LifecycleStep.message)
        .where(LifecycleStep.certificate_id == certificate_id)
        .order_by(LifecycleStep.due_at)
        .limit(1)
    )
    row = rows.first()
    return None if row is None else (row.due_at, row.message)


async def approvers_of(session: AsyncSession, certificate_id: int) -> tuple[str, ...]:
    """Return who has approved a request so far."""
    rows = await session.execute(
        select(CertificateApproval.administrator)
        .where(CertificateApproval.certificate_id == certificate_id)
        .order_by(CertificateApproval.id)
    )
    return tuple(rows.scalars())


async def bodies_of(session: AsyncSession, chain: Sequence[str]) -> tuple[bytes, ...]:
    """Return the DER certificates of a chain in its order; those that are not stored are left out."""
    rows = await session.execute(
        select(CertificateBody.sha256, CertificateBody.der).where(CertificateBody.sha256.in_(list(chain)))
    )
    found = dict(rows.all())
    return tuple(found[sha256] for sha256 in chain if sha256 in found)


async def live_of_profile(session: AsyncSession, profile_id: int) -> list[int]:
    """Return the certificates of a profile whose renewal can still be planned."""
    rows = await session.execute(
        select(Certificate.id).where(
            Certificate.profile_id == profile_id,
            Certificate.status.in_((CertificateStatus.ISSUED, CertificateStatus.DOWNLOADED)),
            Certificate.renewal_state.in_((RenewalState.NOT_SCHEDULED, RenewalState.SCHEDULED)),
        )
    )
    return list(rows.scalars())
