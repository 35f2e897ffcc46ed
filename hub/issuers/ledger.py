"""The ledger of the serial numbers that private CAs were about to sign, and of those that were revoked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.issuers.addresses import shard_of
from hub.issuers.errors import AuthorityNotFound, InvalidRevocation
from hub.issuers.models import CaAuthority, CaSerial
from pki.crls import CrlEntry, RevocationReason, encode_crl_entry

# At most 20 octets (RFC 5280, 4.1.2.2), the first bit of which is no sign.
_SERIAL = re.compile(r"0*[0-7]?[0-9a-fA-F]{1,39}")
_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialRecord:
    """A serial number for the ledger. ``not_after`` None: unknown, so a revocation of it stays for good."""

    authority_id: int
    serial_hex: str
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialOwner:
    """The authority that a serial number belongs to."""

    authority_id: int
    slug: str
    shards: int


@dataclass(frozen=True, slots=True)
class SerialState:
    """What the ledger knows of a serial number."""

    serial: int
    revoked_at: datetime | None
    reason: RevocationReason


async def record(uow: UnitOfWork, serials: Sequence[SerialRecord]) -> None:
    """Record that serial numbers are about to be signed; repeating changes nothing."""
    if not serials:
        return
    await uow.session.execute(
        # The table, not the mapped class: nobody needs objects of these rows.
        insert_for(uow.session, CaSerial.__table__).on_conflict_do_nothing(),
        [
            {
                "authority_id": item.authority_id,
                "serial_hex": item.serial_hex,
                "recorded_at": uow.now,
                "not_after": item.not_after,
                "shard": 0,
            }
            for item in serials
        ],
    )


async def mark_revoked(uow: UnitOfWork, owner: SerialOwner, entry: CrlEntry) -> bool:
    """Record a revocation; False when the serial number was revoked before, which stays as it was."""
    serial_hex = f"{entry.serial:x}"
    await record(uow, [SerialRecord(authority_id=owner.authority_id, serial_hex=serial_hex)])
    changed = await uow.session.execute(
        update(CaSerial)
        .where(
            CaSerial.authority_id == owner.authority_id,
            CaSerial.serial_hex == serial_hex,
            CaSerial.revoked_at.is_(None),
        )
        .values(
            revoked_at=entry.revoked_at,
            reason=entry.reason.value,
            crl_entry=encode_crl_entry(entry),
            shard=shard_of(entry.serial, owner.shards),
        )
        .returning(CaSerial.serial_hex)
    )
    return changed.one_or_none() is not None


async def set_revision(uow: UnitOfWork, authority_id: int, serials: Sequence[int], *, revision: int) -> None:
    """Note since which revision of their list revoked serial numbers are on it."""
    for start in range(0, len(serials), _CHUNK):
        chunk = [f"{serial:x}" for serial in serials[start : start + _CHUNK]]
        await uow.session.execute(
            update(CaSerial)
            .where(CaSerial.authority_id == authority_id, CaSerial.serial_hex.in_(chunk))
            .values(revision=revision)
        )


def revocation_entry(serial_hex: str, reason: str, at: datetime) -> CrlEntry:
    """Return the entry of a revocation; raise InvalidRevocation."""
    if not _SERIAL.fullmatch(serial_hex) or int(serial_hex, 16) == 0:
        raise InvalidRevocation(f"{serial_hex!r} is not a serial number in hex", field="serial_hex")
    if reason not in set(RevocationReason):
        raise InvalidRevocation(f"{reason!r} is none of {', '.join(RevocationReason)}", field="reason")
    return CrlEntry(int(serial_hex, 16), at.replace(microsecond=0), RevocationReason(reason))


async def owner_of(session: AsyncSession, backend_id: int, serial_hex: str) -> SerialOwner:
    """Return the authority that issued a serial number of a backend.

    Raises:
        AuthorityNotFound: the backend has no authority of its own.
    """
    # The authority that recorded the serial; for one that was never recorded, the present issuing one.
    rows = await session.execute(
        select(CaAuthority.id, CaAuthority.slug, CaAuthority.crl_shards)
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
    return SerialOwner(authority_id=row.id, slug=row.slug, shards=row.crl_shards)


async def states(session: AsyncSession, authority_id: int, serials: Iterable[int]) -> dict[int, SerialState]:
    """Return what the ledger knows of serial numbers; those it has never heard of are left out."""
    wanted = [f"{serial:x}" for serial in serials if serial > 0]
    found: dict[int, SerialState] = {}
    for start in range(0, len(wanted), _CHUNK):
        rows = await session.execute(
            select(CaSerial.serial_hex, CaSerial.revoked_at, CaSerial.reason).where(
                CaSerial.authority_id == authority_id, CaSerial.serial_hex.in_(wanted[start : start + _CHUNK])
            )
        )
        for row in rows:
            serial = int(row.serial_hex, 16)
            reason = RevocationReason(row.reason or RevocationReason.UNSPECIFIED)
            found[serial] = SerialState(serial, row.revoked_at, reason)
    return found


async def revoked_since(
    session: AsyncSession, authority_id: int, *, shard: int, revision: int, limit: int
) -> list[int]:
    """Return serial numbers that were revoked after a revision of a list, at most ``limit``."""
    rows = await session.scalars(
        select(CaSerial.serial_hex)
        .where(
            CaSerial.authority_id == authority_id,
            CaSerial.shard == shard,
            CaSerial.revoked_at.is_not(None),
            CaSerial.revision > revision,
        )
        .limit(limit)
    )
    return [int(serial_hex, 16) for serial_hex in rows]
