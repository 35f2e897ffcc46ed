"""Revocation, and the CRLs that show it (RFC 5280, 5).

A short list is made anew in every transaction that revokes, as its last act: nothing is revoked that the list
in the database does not show. A long one follows within seconds, many revocations in one list, made from
entries that are kept in memory. Each list is also renewed well ahead of its end.

The row of a list is locked first, by an UPDATE, so that replicas make lists one after the other and none is
made twice. Its number is the time in seconds, or one more than the last if that is higher: it never goes back
(RFC 5280, 5.2.3), not even when the database has been restored from a backup.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Row, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.errors import Unavailable
from hub.db.outbox import Event
from hub.db.uow import Database, UnitOfWork
from hub.db.upsert import insert_for
from hub.issuers import ledger
from hub.issuers.addresses import list_name, read_list_name
from hub.issuers.crl_entries import RevokedEntries, read_entries
from hub.issuers.errors import AuthorityNotFound
from hub.issuers.models import CaAuthority, CaBackendRow, CaCrl, key_is_here
from hub.issuers.private_ca.ports import OpenAuthority
from pki.algorithms import SignatureAlgorithm
from pki.crls import CrlTemplate
from pki.templates import IssuerRef

_log = structlog.get_logger(__name__)

Opener = Callable[[AsyncSession, str], Awaitable[OpenAuthority]]

CRLS_DUE = "crls"
"""Channel of notices that a list is to be made."""
REVOCATIONS = "revocations"
"""Channel of notices that something was revoked."""

# A root's key comes out rarely, so its lists live longer.
ROOT_LIFETIME = timedelta(days=90)
ROOT_REFRESH = timedelta(days=30)
LONG_LIST = 5_000
"""Entries from which on a list follows its revocations instead of being part of their transaction."""
_GATHERING = timedelta(seconds=2)
_SERVED_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCrl:
    """A list that an authority has out."""

    der: bytes
    number: int
    this_update: datetime
    next_update: datetime


@dataclass(frozen=True, slots=True)
class _Schedule:
    lifetime: timedelta
    refresh: timedelta


@dataclass(frozen=True, slots=True)
class _Revoked:
    authority: OpenAuthority
    serial: int


class CrlPublisher:
    """Revokes, and makes the lists. ``long_list``: see :data:`LONG_LIST`."""

    def __init__(self, *, long_list: int = LONG_LIST) -> None:
        self._long_list = long_list
        self._entries: dict[tuple[int, int], RevokedEntries] = {}
        self._served: dict[str, PublishedCrl] = {}

    async def revoke(
        self,
        uow: UnitOfWork,
        *,
        backend_id: int,
        serial_hex: str,
        reason: str,
        at: datetime,
        opener: Opener,
    ) -> int | None:
        """Revoke a serial number; return its authority's id, or None if it was revoked before.

        Raises:
            InvalidRevocation: not a serial number or reason.
            AuthorityNotFound: the backend has no authority of its own.
        """
        entry = ledger.revocation_entry(serial_hex, reason, at)
        owner = await ledger.owner_of(uow.session, backend_id, f"{entry.serial:x}")
        if not await ledger.mark_revoked(uow, owner, entry):
            return None
        authority = await opener(uow.session, owner.slug)
        # Many revocations in one transaction make one list.
        uow.defer(self._close, _Revoked(authority, entry.serial))
        # Here, because the last act of a transaction is too late for events and notices.
        uow.notify(REVOCATIONS)
        shard = authority.addresses.shard_of(entry.serial)
        if await self._is_long(uow.session, authority.id, shard):
            uow.notify(CRLS_DUE)
        else:
            uow.emit(crl_published(authority, shard))
        return owner.authority_id

    async def add_lists(self, uow: UnitOfWork, authority: OpenAuthority) -> None:
        """Make the rows of an authority's lists; those that are there stay as they are."""
        await uow.session.execute(
            insert_for(uow.session, CaCrl).on_conflict_do_nothing(),
            [
                {"authority_id": authority.id, "shard": shard, "refresh_at": uow.now}
                | {"number": 0, "revision": 0, "entries": 0}
                for shard in authority.addresses.numbers
            ],
        )

    async def publish(self, uow: UnitOfWork, authority: OpenAuthority) -> None:
        """Make all of an authority's lists now."""
        await self.add_lists(uow, authority)
        for shard in authority.addresses.numbers:
            await self._publish(uow, authority, shard)
            uow.emit(crl_published(authority, shard))

    async def refresh_due(self, db: Database, opener: Opener) -> int:
        """Make the lists that are due, each in its own transaction; return how many."""
        await self._add_missing(db, opener)
        made = 0
        for row in await _due(db):
            if row.entries > self._long_list:
                # Outside the transaction, which others wait for: the first time it is everything.
                async with db.read() as session:
                    await self._caught_up(session, row.authority_id, row.shard)
            try:
                made += await self._refresh(db, opener, row.slug, row.shard)
            except Unavailable as fault:
                # An HSM that is away keeps the lists of its CAs waiting, and nobody else's.
                _log.warning("crl_not_made", ca=row.slug, reason=fault.message)
        return made

    async def _refresh(self, db: Database, opener: Opener, slug: str, shard: int) -> bool:
        async with db.write() as uow:
            authority = await opener(uow.session, slug)
            if not await self._publish(uow, authority, shard, only_if_due=True):
                return False
            uow.emit(crl_published(authority, shard))
        return True

    async def published(self, session: AsyncSession, name: str) -> PublishedCrl:
        """Return the list that is out under a name of :func:`list_name`; raise AuthorityNotFound."""
        slug, shard = read_list_name(name)
        statement = (
            select(CaCrl.number, CaCrl.this_update, CaCrl.next_update)
            .join(CaAuthority, CaAuthority.id == CaCrl.authority_id)
            .where(CaAuthority.slug == slug, CaCrl.shard == shard, CaCrl.der.is_not(None))
        )
        known = self._served.get(name)
        number = (await session.execute(statement)).one_or_none()
        if number is None:
            raise AuthorityNotFound(f"there is no CRL {name!r}")
        if known is None or known.number != number.number:
            row = (await session.execute(statement.add_columns(CaCrl.der))).one()
            known = PublishedCrl(
                der=row.der, number=row.number, this_update=row.this_update, next_update=row.next_update
            )
            self._serve(name, known)
        return known

    async def _is_long(self, session: AsyncSession, authority_id: int, shard: int) -> bool:
        entries = await session.scalar(
            select(CaCrl.entries).where(CaCrl.authority_id == authority_id, CaCrl.shard == shard)
        )
        return (entries or 0) + 1 > self._long_list

    def _serve(self, name: str, crl: PublishedCrl) -> None:
        self._served.pop(name, None)
        self._served[name] = crl
        while len(self._served) > 1 and sum(len(item.der) for item in self._served.values()) > _SERVED_BYTES:
            del self._served[next(iter(self._served))]

    async def _close(self, uow: UnitOfWork, items: list[_Revoked]) -> None:
        by_list: dict[tuple[int, int], list[_Revoked]] = {}
        for item in items:
            shard = item.authority.addresses.shard_of(item.serial)
            by_list.setdefault((item.authority.id, shard), []).append(item)
        # In one order everywhere: two transactions can't wait for each other's list.
        for (_, shard), revoked in sorted(by_list.items()):
            authority = revoked[0].authority
            await self._note(uow, authority, shard, [item.serial for item in revoked])

    async def _note(
        self, uow: UnitOfWork, authority: OpenAuthority, shard: int, serials: Sequence[int]
    ) -> None:
        raised = (
            update(CaCrl)
            .where(CaCrl.authority_id == authority.id, CaCrl.shard == shard)
            .values(revision=CaCrl.revision + 1)
            .returning(CaCrl.revision, CaCrl.entries)
        )
        row = (await uow.session.execute(raised)).one_or_none()
        if row is None:
            await self.add_lists(uow, authority)
            row = (await uow.session.execute(raised)).one()
        await ledger.set_revision(uow, authority.id, serials, revision=row.revision)
        if row.entries + len(serials) <= self._long_list:
            await self._publish(uow, authority, shard)
            return
        due = uow.now + _GATHERING
        await uow.session.execute(
            update(CaCrl)
            .where(CaCrl.authority_id == authority.id, CaCrl.shard == shard, CaCrl.refresh_at > due)
            .values(refresh_at=due)
        )

    async def _publish(
        self, uow: UnitOfWork, authority: OpenAuthority, shard: int, *, only_if_due: bool = False
    ) -> bool:
        """Make a list; False when ``only_if_due`` and another replica was first."""
        mine = (CaCrl.authority_id == authority.id, CaCrl.shard == shard)
        claim = update(CaCrl).where(*mine, *([CaCrl.refresh_at <= uow.now] if only_if_due else []))
        seconds = int(uow.now.timestamp())
        number = case((CaCrl.number >= seconds, CaCrl.number + 1), else_=seconds)
        rows = await uow.session.execute(
            claim.values(number=number).returning(CaCrl.number, CaCrl.this_update, CaCrl.entries)
        )
        row = rows.one_or_none()
        if row is None:
            return False
        schedule = await _schedule(uow.session, authority.id)
        this_update = uow.now.replace(microsecond=0)
        template = _template(authority, shard, row.number, this_update, this_update + schedule.lifetime)
        previous = row.this_update or this_update
        count, entries = await self._entries_of(uow.session, authority, shard, (row.entries, previous))
        crl = await _signed(authority, template, entries)
        await uow.session.execute(
            update(CaCrl)
            .where(*mine)
            .values(
                der=crl,
                entries=count,
                this_update=this_update,
                next_update=template.next_update,
                refresh_at=this_update + schedule.refresh,
            )
        )
        return True

    async def _entries_of(
        self, session: AsyncSession, authority: OpenAuthority, shard: int, last: tuple[int, datetime]
    ) -> tuple[int, Sequence[bytes]]:
        count, previous = last
        if count <= self._long_list:
            self._entries.pop((authority.id, shard), None)
            short = await read_entries(session, authority.id, shard=shard, previous=previous)
            return len(short), short
        entries = await self._caught_up(session, authority.id, shard)
        entries.forget_before(previous)
        return len(entries), entries.pieces()

    async def _caught_up(self, session: AsyncSession, authority_id: int, shard: int) -> RevokedEntries:
        key = (authority_id, shard)
        # Taken out meanwhile: what was interrupted half-way is never used.
        entries = self._entries.pop(key, None) or RevokedEntries(authority_id, shard)
        await entries.catch_up(session)
        self._entries[key] = entries
        return entries

    async def _add_missing(self, db: Database, opener: Opener) -> None:
        """Make the rows of lists that are not there: authorities of a hub that kept lists elsewhere."""
        lists = select(func.count()).where(CaCrl.authority_id == CaAuthority.id).scalar_subquery()
        async with db.read() as session:
            slugs = (
                await session.scalars(
                    select(CaAuthority.slug).where(key_is_here(), lists < CaAuthority.crl_shards)
                )
            ).all()
        for slug in slugs:
            async with db.write() as uow:
                await self.add_lists(uow, await opener(uow.session, slug))


def crl_published(authority: OpenAuthority, shard: int) -> Event:
    """Return the event that an authority has a new list out."""
    return Event(
        kind="CrlPublished",
        object_type="ca_authority",
        object_id=str(authority.id),
        data={"slug": authority.slug, "list": list_name(authority.slug, shard)},
    )


async def _due(db: Database) -> Sequence[Row[str, int, int, int]]:
    async with db.read() as session:
        rows = await session.execute(
            select(CaAuthority.slug, CaCrl.authority_id, CaCrl.shard, CaCrl.entries)
            .join(CaAuthority, CaAuthority.id == CaCrl.authority_id)
            .where(
                CaCrl.refresh_at <= db.clock(),
                CaAuthority.not_after > db.clock(),
                key_is_here(),
            )
            .order_by(CaCrl.refresh_at)
        )
        return rows.all()


async def _schedule(session: AsyncSession, authority_id: int) -> _Schedule:
    row = (
        await session.execute(
            select(CaAuthority.role, CaBackendRow.settings)
            .join(CaBackendRow, CaBackendRow.id == CaAuthority.backend_id)
            .where(CaAuthority.id == authority_id)
        )
    ).one()
    if row.role == "root":
        return _Schedule(ROOT_LIFETIME, ROOT_REFRESH)
    lifetime = timedelta(hours=row.settings["crl_lifetime_hours"])
    return _Schedule(lifetime, min(timedelta(hours=row.settings["crl_refresh_hours"]), lifetime / 2))


def _template(
    authority: OpenAuthority, shard: int, number: int, this_update: datetime, next_update: datetime
) -> CrlTemplate:
    # Issuer and algorithm are filled in by the CA itself.
    return CrlTemplate(
        issuer=IssuerRef(b"", b""),
        signature_algorithm=SignatureAlgorithm.ECDSA_SHA256,
        number=number,
        this_update=this_update,
        next_update=next_update,
        distribution_url=authority.addresses.crl_url(shard) if shard else "",
    )


async def _signed(authority: OpenAuthority, template: CrlTemplate, entries: Sequence[bytes]) -> bytes:
    if authority.signs_slowly or sum(map(len, entries)) > 512 * 1024:
        return await asyncio.to_thread(authority.ca.build_crl, template, entries)
    return authority.ca.build_crl(template, entries)
