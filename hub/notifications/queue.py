"""The queue: rows that are written once, claimed with a lease, and kept as a history.

A claim ends when its lease does, and the lease is also the fence: whoever finishes a message changes the row
only while it still carries the lease that they were given. A lease outlives every attempt to hand over, so
while a worker lives nobody else sends what it holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from hub.db.uow import Database, UnitOfWork
from hub.db.upsert import insert_for
from hub.notifications.models import Notification
from hub.notifications.states import DeliveryEvent, DeliveryState, next_state

CHANNEL = "notifications"
LEASE_S = 180
MAX_ATTEMPTS = 13
_FIRST_DELAY_S = 30
_LONGEST_DELAY_S = 4 * 3600
_BATCH_LIMIT = 500

_TABLE: Any = Notification.__table__
_SENT_COLUMNS = (
    "id",
    "dedupe_key",
    "type",
    "object_type",
    "object_id",
    "organization_id",
    "channel_kind",
    "channel_id",
    "administrator_id",
    "recipient",
    "subject",
    "body",
    "data",
    "batch",
    "attempts",
    "edition",
    "created_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A claimed message, ours until ``lease``."""

    id: int
    dedupe_key: str
    type: str
    object_type: str
    object_id: str
    organization_id: int | None
    channel_kind: str
    channel_id: int | None
    administrator_id: int | None
    recipient: str
    subject: str
    body: str
    data: dict[str, Any]
    batch: str
    attempts: int
    edition: int
    created_at: datetime
    lease: datetime

    @property
    def way(self) -> tuple[str, int | None, str]:
        """Through what and to whom: messages of one way may go out together."""
        return self.channel_kind, self.channel_id, self.recipient


def dedupe_key(*parts: object) -> str:
    """Return the key of what happened to what, told to whom through what."""
    return hashlib.sha256("\x00".join(str(part) for part in parts).encode()).hexdigest()


async def enqueue(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> int:
    """Write messages and return how many are new; those that were written before are left alone."""
    unique = [dict(row) for row in {row["dedupe_key"]: row for row in reversed(rows)}.values()][::-1]
    if not unique:
        return 0
    # Values beside the statement and not in it: so it is compiled once, not for each number of messages.
    statement = (
        insert_for(uow.session, _TABLE)
        .on_conflict_do_nothing(index_elements=["dedupe_key"])
        .returning(_TABLE.c.id)
    )
    added = len((await uow.session.execute(statement, unique)).all())
    if added:
        uow.notify(CHANNEL)
    return added


async def claim(db: Database, *, limit: int = 100, lease_s: int = LEASE_S) -> list[Held]:
    """Take messages that are due, with all others of their batches."""
    async with db.write() as uow:
        now = uow.now
        due = (
            select(_TABLE.c.id, _TABLE.c.batch)
            .where(_TABLE.c.state == DeliveryState.QUEUED, _TABLE.c.due_at <= now)
            .order_by(_TABLE.c.due_at, _TABLE.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        found = (await uow.session.execute(due)).all()
        if not found:
            return []
        ids = {row.id for row in found}
        for batch in {row.batch for row in found} - {""}:
            ids |= await _of_batch(uow, batch)
        lease = now + timedelta(seconds=lease_s)
        taken = await uow.session.execute(
            update(_TABLE)
            .where(_TABLE.c.id.in_(sorted(ids)), _TABLE.c.state == DeliveryState.QUEUED)
            .values(state=_after(DeliveryState.QUEUED, DeliveryEvent.CLAIM), lease_until=lease)
            .returning(*(_TABLE.c[name] for name in _SENT_COLUMNS))
        )
        held = [Held(**row._asdict(), lease=lease) for row in taken]
    return sorted(held, key=lambda each: each.id)


async def _of_batch(uow: UnitOfWork, batch: str) -> set[int]:
    rows = await uow.session.execute(
        select(_TABLE.c.id)
        .where(_TABLE.c.batch == batch, _TABLE.c.state == DeliveryState.QUEUED, _TABLE.c.due_at <= uow.now)
        .order_by(_TABLE.c.id)
        .limit(_BATCH_LIMIT)
        .with_for_update(skip_locked=True)
    )
    return set(rows.scalars())


async def bind(db: Database, held: Sequence[Held], batch: str) -> bool:
    """Make messages one, so that they stay together if sent again; False: they are no longer ours."""
    async with db.write() as uow:
        changed = await uow.session.execute(
            update(_TABLE).where(*_ours(held)).values(batch=batch).returning(_TABLE.c.id)
        )
        return len(changed.all()) == len(held)


async def delivered(uow: UnitOfWork, held: Sequence[Held], *, receipt: str) -> bool:
    """Record that messages were taken."""
    return await _finish(
        uow,
        held,
        DeliveryEvent.DELIVER,
        sent_at=uow.now,
        receipt=receipt[:1000],
        attempts=_TABLE.c.attempts + 1,
        reason="",
        message="",
    )


async def postponed(
    uow: UnitOfWork, held: Sequence[Held], *, why: tuple[str, str], delay_s: float | None, counts: bool = True
) -> DeliveryState:
    """Have messages tried again later, or give them up when it was often enough; return their state."""
    attempts = max(each.attempts for each in held) + (1 if counts else 0)
    if attempts >= MAX_ATTEMPTS:
        await given_up(uow, held, why=why)
        return DeliveryState.FAILED
    delay = delay_s if delay_s is not None else backoff_s(attempts)
    await _finish(
        uow,
        held,
        DeliveryEvent.POSTPONE,
        due_at=uow.now + timedelta(seconds=delay),
        attempts=attempts,
        reason=why[0],
        message=why[1][:2000],
    )
    return DeliveryState.QUEUED


async def given_up(uow: UnitOfWork, held: Sequence[Held], *, why: tuple[str, str]) -> None:
    """Record that messages will not get through."""
    await _end(uow, held, DeliveryEvent.GIVE_UP, why)


async def lost(uow: UnitOfWork, held: Sequence[Held], *, why: tuple[str, str]) -> None:
    """Record that nobody knows whether messages arrived."""
    await _end(uow, held, DeliveryEvent.LOSE, why)


async def suppressed(uow: UnitOfWork, held: Sequence[Held], *, why: tuple[str, str]) -> None:
    """Record that messages are not wanted after all."""
    await _end(uow, held, DeliveryEvent.SUPPRESS, why)


async def _end(uow: UnitOfWork, held: Sequence[Held], event: DeliveryEvent, why: tuple[str, str]) -> None:
    attempts = _TABLE.c.attempts + 1
    await _finish(uow, held, event, attempts=attempts, reason=why[0], message=why[1][:2000])


async def abandoned(uow: UnitOfWork, *, limit: int = 200) -> list[Held]:
    """Return messages whose worker died while it held them, under a new lease of ours."""
    ids = (
        select(_TABLE.c.id)
        .where(_TABLE.c.state == DeliveryState.SENDING, _TABLE.c.lease_until <= uow.now)
        .order_by(_TABLE.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = list((await uow.session.execute(ids)).scalars())
    if not found:
        return []
    lease = uow.now + timedelta(seconds=LEASE_S)
    rows = await uow.session.execute(
        update(_TABLE)
        .where(
            _TABLE.c.id.in_(found),
            _TABLE.c.state == DeliveryState.SENDING,
            _TABLE.c.lease_until <= uow.now,
        )
        .values(lease_until=lease)
        .returning(*(_TABLE.c[name] for name in _SENT_COLUMNS))
    )
    return sorted((Held(**row._asdict(), lease=lease) for row in rows), key=lambda each: each.id)


async def _finish(uow: UnitOfWork, held: Sequence[Held], event: DeliveryEvent, **values: Any) -> bool:
    changed = await uow.session.execute(
        update(_TABLE)
        .where(*_ours(held))
        .values(state=_after(DeliveryState.SENDING, event), lease_until=None, **values)
        .returning(_TABLE.c.id)
    )
    return len(changed.all()) == len(held)


def _ours(held: Sequence[Held]) -> tuple[Any, ...]:
    return (
        _TABLE.c.id.in_([each.id for each in held]),
        _TABLE.c.state == DeliveryState.SENDING,
        _TABLE.c.lease_until == held[0].lease,
    )


def _after(state: DeliveryState, event: DeliveryEvent) -> str:
    return next_state(state, event).value


def backoff_s(attempts: int) -> float:
    """Return the seconds to wait after so many attempts: in all, somewhat less than a day."""
    return float(min(_FIRST_DELAY_S * 2 ** max(0, attempts - 1), _LONGEST_DELAY_S))
