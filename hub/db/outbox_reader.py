"""Reading the outbox in an order that never skips an event.

Positions. SQLite has one writer, so ids grow in commit order and the id is the position. On PostgreSQL ids
are handed out before commit, so a lower one may appear later; events are read in the order of their
transactions, only from transactions older than the oldest one still open, and the position is
``transaction:id``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.errors import Malformed
from hub.db.outbox import OutboxEvent
from hub.db.uow import Database

BATCH = 200
_COLUMNS: Any = tuple(OutboxEvent.__table__.c)
_POSITION = re.compile(r"(?:([0-9]{1,18}):)?([0-9]{1,18})")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Everything up to here has been seen. ``transaction`` is 0 on SQLite."""

    transaction: int
    id: int

    def __str__(self) -> str:
        return f"{self.transaction}:{self.id}" if self.transaction else str(self.id)


def parse_position(text: str) -> Position:
    """Read a position that was given out as text, such as a ``Last-Event-ID``.

    Raises:
        Malformed: it is none of ours.
    """
    match = _POSITION.fullmatch(text)
    if match is None:
        raise Malformed("Last-Event-ID is not one that this stream gave", field="Last-Event-ID")
    return Position(int(match[1] or 0), int(match[2]))


def position_of(event: OutboxEvent) -> Position:
    """Return the position after ``event``."""
    return Position(event.transaction_id or 0, event.id)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events of the wanted kinds, and the position up to which there are no others of them.

    The events are rows with the columns of :class:`OutboxEvent`: objects of thousands would cost too much.
    """

    events: list[Any]
    end: Position


class OutboxReader:
    """Reads committed events in an order that never skips one."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def end(self) -> Position:
        """Return the position after everything that is there now."""
        async with self._db.read() as session:
            return await self._end(session)

    async def after(self, position: Position) -> list[OutboxEvent]:
        """Return the next events after ``position``, at most a batch, whoever may see them."""
        async with self._db.read() as session:
            return list(await session.scalars(self._following(position).limit(BATCH)))

    async def stretch(self, position: Position, kinds: Collection[str], *, limit: int = BATCH) -> Stretch:
        """Return the next events of ``kinds``, at most ``limit``; those of other kinds are stepped over."""
        async with self._db.read() as session:
            end = await self._end(session)
            if end <= position:
                return Stretch([], position)
            wanted = (
                self._following(position)
                .where(OutboxEvent.kind.in_(sorted(kinds)), self._until(end))
                .with_only_columns(*_COLUMNS)
            )
            events: list[Any] = list((await session.execute(wanted.limit(limit))).all())
        return Stretch(events, position_of(events[-1]) if len(events) == limit else end)

    async def _end(self, session: AsyncSession) -> Position:
        row = (await session.execute(self._newest())).first()
        return Position(0, 0) if row is None else Position(row.transaction_id or 0, row.id)

    def _newest(self) -> Select[int | None, int]:
        columns = select(OutboxEvent.transaction_id, OutboxEvent.id).limit(1)
        if self._db.is_sqlite:
            return columns.order_by(OutboxEvent.id.desc())
        return columns.where(_settled()).order_by(OutboxEvent.transaction_id.desc(), OutboxEvent.id.desc())

    def _following(self, position: Position) -> Select[OutboxEvent]:
        if self._db.is_sqlite:
            return select(OutboxEvent).where(OutboxEvent.id > position.id).order_by(OutboxEvent.id)
        key = tuple_(OutboxEvent.transaction_id, OutboxEvent.id)
        return (
            select(OutboxEvent)
            .where(key > tuple_(position.transaction, position.id), _settled())
            .order_by(OutboxEvent.transaction_id, OutboxEvent.id)
        )

    def _until(self, end: Position) -> ColumnElement[bool]:
        if self._db.is_sqlite:
            return OutboxEvent.id <= end.id
        condition: ColumnElement[bool] = tuple_(OutboxEvent.transaction_id, OutboxEvent.id) <= tuple_(
            end.transaction, end.id
        )
        return condition


def _settled() -> ColumnElement[bool]:
    condition: ColumnElement[bool] = OutboxEvent.transaction_id < func.txid_snapshot_xmin(
        func.txid_current_snapshot()
    )
    return condition
