"""Revocation: the ledger of serial numbers, and the CRLs made from it (RFC 5280, 5).

A list is made anew in every transaction that revokes, as its last act, so that nothing is revoked that the
list in the database does not show, and ahead of the end of the one before. Its number is raised first, by an
UPDATE that locks the authority's row: replicas make lists one after the other and numbers never repeat or go
back.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.outbox import Event
from hub.db.uow import Database, UnitOfWork
from hub.db.upsert import insert_for
from hub.issuers.errors import AuthorityNotFound, InvalidRevocation
from hub.issuers.models import CaAuthority, CaBackendRow, CaSerial
from hub.issuers.private_ca.ports import OpenAuthority
from pki.algorithms import SignatureAlgorithm
from pki.crls import CrlEntry, CrlTemplate, RevocationReason, encode_crl_entry
from pki.templates import IssuerRef

Opener = Callable[[AsyncSession, str], Awaitable[OpenAuthority]]

# A root's key comes out rarely, so its lists live longer.
ROOT_LIFETIME = timedelta(days=90)
ROOT_REFRESH = timedelta(days=30)
_LARGE_LIST = 10_000
# At most 20 octets (RFC 5280, 4.1.2.2), the first bit of which is no sign.
_SERIAL = re.compile(r"0*[0-7]?[0-9a-fA-F]{1,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCrl:
    """The list that an authority has out."""

    der: bytes
    number: int
    this_update: datetime
    next_update: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialRecord:
    """A serial number for the ledger. ``not_after`` None: unknown, so a revocation of it stays for good."""

    authority_id: int
    serial_hex: str
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Schedule:
    lifetime: timedelta
    refresh: timedelta


class CrlPublisher:
    """Records serial numbers and revocations, and makes the lists."""

    async def record(self, uow: UnitOfWork, serials: Sequence[SerialRecord]) -> None:
        """Record that serial numbers are about to be signed; repeating changes nothing."""
        if not serials:
            return
        await uow.session.execute(
            insert_for(uow.session, CaSerial).on_conflict_do_nothing(),
            [
                {
                    "authority_id": item.authority_id,
                    "serial_hex": item.serial_hex,
                    "recorded_at": uow.now,
                    "not_after": item.not_after,
                }
                for item in serials
            ],
        )

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
        entry = _entry(serial_hex, reason, at)
        serial_hex = f"{entry.serial:x}"
        authority_id, slug = await _authority_of(uow.session, backend_id, serial_hex)
        await self.record(uow, [SerialRecord(authority_id=authority_id, serial_hex=serial_hex)])
        changed = await uow.session.execute(
            update(CaSerial)
            .where(
                CaSerial.authority_id == authority_id,
                CaSerial.serial_hex == serial_hex,
                CaSerial.revoked_at.is_(None),
            )
            .values(revoked_at=entry.revoked_at, reason=entry.reason.value, crl_entry=encode_crl_entry(entry))
            .returning(CaSerial.serial_hex)
        )
        if changed.one_or_none() is not None:
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
        entries = await _entries(uow.session, authority.id, row.crl_this_update or this_update)
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


def _entry(serial_hex: str, reason: str, at: datetime) -> CrlEntry:
    if not _SERIAL.fullmatch(serial_hex) or int(serial_hex, 16) == 0:
        raise InvalidRevocation(f"{serial_hex!r} is not a serial number in hex", field="serial_hex")
    if reason not in set(RevocationReason):
        raise InvalidRevocation(f"{reason!r} is none of {', '.join(RevocationReason)}", field="reason")
    return CrlEntry(int(serial_hex, 16), at.replace(microsecond=0), RevocationReason(reason))


async def _authority_of(session: AsyncSession, backend_id: int, serial_hex: str) -> tuple[int, str]:
    # The authority that recorded the serial; for one that was never recorded, the present issuing one.
    rows = await session.execute(
        select(CaAuthority.id, CaAuthority.slug)
        .outerjoin(
            CaSerial,
            (CaSerial.authority_id == CaAuthority.id) & (CaSerial.serial_hex == serial_hex),
        )
        .where(
            CaAuthority.backend_id == backend_id,
            or_(CaSerial.serial_hex.is_not(None), CaAuthority.role == "issuing"),
        )
        .order_by(CaSerial.serial_hex.is_(None), CaAuthority.id.desc())
        .limit(1)
    )
    row = rows.one_or_none()
    if row is None:
        raise AuthorityNotFound(f"the CA backend {backend_id} has no authority of its own")
    return row.id, row.slug


async def _schedule(session: AsyncSession, role: str, backend_id: int) -> _Schedule:
    if role == "root":
        return _Schedule(ROOT_LIFETIME, ROOT_REFRESH)
    settings = (
        await session.execute(select(CaBackendRow.settings).where(CaBackendRow.id == backend_id))
    ).scalar_one()
    lifetime = timedelta(hours=settings["crl_lifetime_hours"])
    return _Schedule(lifetime, min(timedelta(hours=settings["crl_refresh_hours"]), lifetime / 2))


async def _entries(session: AsyncSession, authority_id: int, previous: datetime) -> Sequence[bytes]:
    # An expired certificate stays until one list after its end has shown it (RFC 5280, 3.3).
    rows = await session.scalars(
        select(CaSerial.crl_entry)
        .where(
            CaSerial.authority_id == authority_id,
            CaSerial.revoked_at.is_not(None),
            or_(CaSerial.not_after.is_(None), CaSerial.not_after >= previous),
        )
        .order_by(CaSerial.revoked_at, CaSerial.serial_hex)
    )
    return [entry for entry in rows if entry is not None]


async def _signed(authority: OpenAuthority, template: CrlTemplate, entries: Sequence[bytes]) -> bytes:
    if authority.signs_slowly or len(entries) > _LARGE_LIST:
        return await asyncio.to_thread(authority.ca.build_crl, template, entries)
    return authority.ca.build_crl(template, entries)
