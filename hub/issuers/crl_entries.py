"""The entries of revocation lists, read from the ledger: whole for short lists, kept in memory for long ones.

An entry leaves once a list of a later day than the certificate's last has shown it (RFC 5280, 3.3, wants one
list beyond the end). So entries are kept by the day on which their certificate ends: what leaves is a whole
day, what comes is appended, and a list of a million is a join of some thousand pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.issuers.models import CaCrl, CaSerial

# Of certificates whose end is not known: they stay for good.
_NO_END = 1 << 31
_FETCH = 10_000


def last_day_kept(previous: datetime) -> datetime:
    """Return the start of the day of a list: certificates that ended before it leave the next list."""
    return previous.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


async def read_entries(
    session: AsyncSession, authority_id: int, *, shard: int, previous: datetime
) -> Sequence[bytes]:
    """Return the encoded entries of a list; ``previous`` is the time of the one before."""
    rows = await session.scalars(
        select(CaSerial.crl_entry)
        .where(
            *_on_list(authority_id, shard),
            or_(CaSerial.not_after.is_(None), CaSerial.not_after >= last_day_kept(previous)),
        )
        .order_by(CaSerial.revoked_at, CaSerial.serial_hex)
    )
    return [entry for entry in rows if entry is not None]


def _on_list(authority_id: int, shard: int) -> tuple[ColumnElement[bool], ...]:
    return (
        CaSerial.authority_id == authority_id,
        CaSerial.shard == shard,
        CaSerial.revoked_at.is_not(None),
    )


@dataclass(slots=True)
class RevokedEntries:
    """All entries of one long list up to ``revision``, joined by the day on which they leave."""

    authority_id: int
    shard: int
    revision: int = -1
    by_day: dict[int, bytes | bytearray] = field(default_factory=dict, repr=False)
    counts: dict[int, int] = field(default_factory=dict, repr=False)

    def add(self, entry: bytes, not_after: datetime | None) -> None:
        """Take an entry in."""
        day = _NO_END if not_after is None else _day(not_after)
        joined = self.by_day.get(day)
        if not isinstance(joined, bytearray):
            # What was given out as it is, or nothing yet.
            joined = self.by_day[day] = bytearray(joined or b"")
        joined += entry
        self.counts[day] = self.counts.get(day, 0) + 1

    def forget_before(self, previous: datetime) -> None:
        """Drop what a list of ``previous`` has shown for the last time."""
        for day in [day for day in self.by_day if day < _day(previous)]:
            del self.by_day[day], self.counts[day]

    def __len__(self) -> int:
        return sum(self.counts.values())

    def pieces(self) -> list[bytes]:
        """Return all entries, joined by day; what is added later does not change them."""
        for day, joined in self.by_day.items():
            if isinstance(joined, bytearray):
                self.by_day[day] = bytes(joined)
        return [bytes(joined) for joined in self.by_day.values()]

    async def catch_up(self, session: AsyncSession) -> None:
        """Read what was revoked since the last time; the first time everything."""
        # The revision first: what commits in between is read again next time, not twice now.
        reached = await session.scalar(
            select(CaCrl.revision).where(CaCrl.authority_id == self.authority_id, CaCrl.shard == self.shard)
        )
        if reached is None or reached <= self.revision:
            return
        rows = await session.stream(self._newer(reached).execution_options(yield_per=_FETCH))
        async for part in rows.partitions():
            for row in part:
                if row.crl_entry is not None:
                    self.add(row.crl_entry, row.not_after)
        self.revision = reached

    def _newer(self, reached: int) -> Select[bytes | None, datetime | None]:
        statement = select(CaSerial.crl_entry, CaSerial.not_after).where(
            *_on_list(self.authority_id, self.shard)
        )
        if self.revision < 0:
            # Without a revision: revoked before lists had one.
            return statement.where(or_(CaSerial.revision.is_(None), CaSerial.revision <= reached))
        return statement.where(CaSerial.revision > self.revision, CaSerial.revision <= reached)


def _day(moment: datetime) -> int:
    # In UTC, as all times of the database are.
    return moment.toordinal()
