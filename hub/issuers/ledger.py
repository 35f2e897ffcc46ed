"""The ledger of the serial numbers that private CAs were about to sign, and of those that were revoked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.issuers.errors import AuthorityNotFound, InvalidRevocation
from hub.issuers.models import CaAuthority, CaSerial
from pki.crls import CrlEntry, RevocationReason, encode_crl_entry

# At most 20 octets (RFC 5280, 4.1.2.2), the first bit of which is no sign.
_SERIAL = re.compile(r"0*[0-7]?[0-9a-fA-F]{1,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialRecord:
    """A serial number for the ledger. ``not_after`` None: unknown, so a revocation of it stays for good."""

    authority_id: int
    serial_hex: str
    not_after: datetime | None = None


async def record(uow: UnitOfWork, serials: Sequence[SerialRecord]) -> None:
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


async def mark_revoked(uow: UnitOfWork, authority_id: int, entry: CrlEntry) -> bool:
    """Record a revocation; False when the serial number was revoked before, which stays as it was."""
    serial_hex = f"{entry.serial:x}"
    await record(uow, [SerialRecord(authority_id=authority_id, serial_hex=serial_hex)])
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
    return changed.one_or_none() is not None


def revocation_entry(serial_hex: str, reason: str, at: datetime) -> CrlEntry:
    """Return the entry of a revocation; raise InvalidRevocation."""
    if not _SERIAL.fullmatch(serial_hex) or int(serial_hex, 16) == 0:
        raise InvalidRevocation(f"{serial_hex!r} is not a serial number in hex", field="serial_hex")
    if reason not in set(RevocationReason):
        raise InvalidRevocation(f"{reason!r} is none of {', '.join(RevocationReason)}", field="reason")
    return CrlEntry(int(serial_hex, 16), at.replace(microsecond=0), RevocationReason(reason))


async def authority_of(session: AsyncSession, backend_id: int, serial_hex: str) -> tuple[int, str]:
    """Return id and slug of the authority that issued a serial number of a backend.

    Raises:
        AuthorityNotFound: the backend has no authority of its own.
    """
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


async def revoked_entries(session: AsyncSession, authority_id: int, previous: datetime) -> Sequence[bytes]:
    """Return the encoded entries of an authority's next list; ``previous`` is the time of the one before."""
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
