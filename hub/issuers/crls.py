"""Revocation, and the CRLs that show it (RFC 5280, 5).

A list is made anew in every transaction that revokes, as its last act, so that nothing is revoked that the
list in the database does not show, and ahead of the end of the one before. Its number is raised first, by an
UPDATE that locks the authority's row: replicas make lists one after the other and numbers never repeat or go
back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.outbox import Event
from hub.db.uow import Database, UnitOfWork
from hub.issuers import ledger
from hub.issuers.errors import AuthorityNotFound
from hub.issuers.models import CaAuthority, CaBackendRow
from hub.issuers.private_ca.ports import OpenAuthority
from pki.algorithms import SignatureAlgorithm
from pki.crls import CrlTemplate
from pki.templates import IssuerRef

Opener = Callable[[AsyncSession, str], Awaitable[OpenAuthority]]

# A root's key comes out rarely, so its lists live longer.
ROOT_LIFETIME = timedelta(days=90)
ROOT_REFRESH = timedelta(days=30)
_LARGE_LIST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCrl:
    """The list that an authority has out."""

    der: bytes
    number: int
    this_update: datetime
    next_update: datetime


@dataclass(frozen=True, slots=True)
class _Schedule:
    lifetime: timedelta
    refresh: timedelta


class CrlPublisher:
    """Revokes, and makes the lists."""

    async def revoke(
        self,
        uow: UnitOfWork,
        *,
        backend_id: int,
        serial_hex: str,
        reason: str,
        at: datetime,
        opener: Opener,
    ) -> None:
        """Revoke a serial number; the transaction ends with a new list. Repeating keeps the first revocation.

        Raises:
            InvalidRevocation: not a serial number or reason.
            AuthorityNotFound: the backend has no authority of its own.
        """
        entry = ledger.revocation_entry(serial_hex, reason, at)
        authority_id, slug = await ledger.authority_of(uow.session, backend_id, f"{entry.serial:x}")
        if await ledger.mark_revoked(uow, authority_id, entry):
            authority = await opener(uow.session, slug)
            uow.emit(crl_published(authority))
            # Many revocations in one transaction make one list.
            uow.defer(self._publish_once_each, authority)

    async def _publish_once_each(self, uow: UnitOfWork, authorities: list[OpenAuthority]) -> None:
        # In one order everywhere: two transactions can't wait for each other's authority.
        for authority in sorted({item.id: item for item in authorities}.values(), key=lambda item: item.id):
            await self.publish(uow, authority)

    async def publish(self, uow: UnitOfWork, authority: OpenAuthority, *, only_if_due: bool = False) -> bool:
        """Make the authority's next list; False when ``only_if_due`` and another replica was first."""
        claim = update(CaAuthority).where(CaAuthority.id == authority.id)
        if only_if_due:
            claim = claim.where(CaAuthority.crl_refresh_at <= uow.now)
        row = (
            await uow.session.execute(
                claim.values(crl_number=CaAuthority.crl_number + 1).returning(
                    CaAuthority.crl_number,
                    CaAuthority.crl_this_update,
                    CaAuthority.role,
                    CaAuthority.backend_id,
                )
            )
        ).one_or_none()
        if row is None:
            return False
        schedule = await _schedule(uow.session, row.role, row.backend_id)
        this_update = uow.now.replace(microsecond=0)
        entries = await ledger.revoked_entries(uow.session, authority.id, row.crl_this_update or this_update)
        # Issuer and algorithm are filled in by the CA itself.
        template = CrlTemplate(
            issuer=IssuerRef(b"", b""),
            signature_algorithm=SignatureAlgorithm.ECDSA_SHA256,
            number=row.crl_number,
            this_update=this_update,
            next_update=this_update + schedule.lifetime,
        )
        crl = await _signed(authority, template, entries)
        await uow.session.execute(
            update(CaAuthority)
            .where(CaAuthority.id == authority.id)
            .values(
                crl=crl,
                crl_this_update=template.this_update,
                crl_next_update=template.next_update,
                crl_refresh_at=template.this_update + schedule.refresh,
            )
        )
        return True

    async def refresh_due(self, db: Database, opener: Opener) -> int:
        """Make the lists that are due, each in its own transaction; return how many."""
        async with db.read() as session:
            slugs = (
                await session.scalars(
                    select(CaAuthority.slug).where(
                        CaAuthority.crl_refresh_at <= db.clock(),
                        CaAuthority.not_after > db.clock(),
                        CaAuthority.locked_key.is_not(None),
                    )
                )
            ).all()
        made = 0
        for slug in slugs:
            async with db.write() as uow:
                authority = await opener(uow.session, slug)
                if await self.publish(uow, authority, only_if_due=True):
                    uow.emit(crl_published(authority))
                    made += 1
        return made

    async def published(self, session: AsyncSession, slug: str) -> PublishedCrl:
        """Return the list that is out; raise AuthorityNotFound."""
        row = (
            await session.execute(
                select(
                    CaAuthority.crl,
                    CaAuthority.crl_number,
                    CaAuthority.crl_this_update,
                    CaAuthority.crl_next_update,
                ).where(CaAuthority.slug == slug, CaAuthority.crl.is_not(None))
            )
        ).one_or_none()
        if row is None:
            raise AuthorityNotFound(f"there is no CRL {slug!r}")
        return PublishedCrl(
            der=row.crl,
            number=row.crl_number,
            this_update=row.crl_this_update,
            next_update=row.crl_next_update,
        )


def crl_published(authority: OpenAuthority) -> Event:
    """Return the event that an authority has a new list."""
    return Event(
        kind="CrlPublished",
        object_type="ca_authority",
        object_id=str(authority.id),
        data={"slug": authority.slug},
    )


async def _schedule(session: AsyncSession, role: str, backend_id: int) -> _Schedule:
    if role == "root":
        return _Schedule(ROOT_LIFETIME, ROOT_REFRESH)
    settings = (
        await session.execute(select(CaBackendRow.settings).where(CaBackendRow.id == backend_id))
    ).scalar_one()
    lifetime = timedelta(hours=settings["crl_lifetime_hours"])
    return _Schedule(lifetime, min(timedelta(hours=settings["crl_refresh_hours"]), lifetime / 2))


async def _signed(authority: OpenAuthority, template: CrlTemplate, entries: Sequence[bytes]) -> bytes:
    if authority.signs_slowly or len(entries) > _LARGE_LIST:
        return await asyncio.to_thread(authority.ca.build_crl, template, entries)
    return authority.ca.build_crl(template, entries)
