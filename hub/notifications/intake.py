"""From the outbox to the queue: each event exactly once.

The cursor moves in the transaction that queues the messages: whoever finds it elsewhere was overtaken by
another replica and writes nothing. Kinds that no type listens to are stepped over by the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.outbox_reader import OutboxReader, Position
from hub.db.uow import Database
from hub.db.upsert import insert_for
from hub.notifications.catalog import KINDS, TYPES, types_for
from hub.notifications.errors import NotificationMoved
from hub.notifications.models import EventCursor, Notification
from hub.notifications.planning import Occurrence, Settings, load_world, plan
from hub.notifications.queue import enqueue

NAME = "notifications"
POLL_S = 5.0
# Events that follow one another are taken together: rules and people are read once for all of them.
_GATHER_S = 0.2
_RETRY_S = 2.0
_C = EventCursor
_log = structlog.get_logger(__name__)


class Intake:
    """Takes events over into the queue, until cancelled; any number of replicas may run one."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._reader = OutboxReader(db)

    async def run(self) -> None:
        """Work until cancelled; woken by events, and by the clock."""
        async with self._db.notifier.subscribe("events") as notices:
            while True:
                notices.drain()
                try:
                    more = await self.run_once()
                except Exception as error:  # noqa: BLE001 - a job's border: the same events come again
                    _log.warning(
                        "notification_intake_failed", error=str(error), error_type=type(error).__name__
                    )
                    await asyncio.sleep(_RETRY_S)
                    continue
                if not more and await notices.get(timeout_s=POLL_S) is not None:
                    await asyncio.sleep(_GATHER_S)

    async def run_all(self) -> int:
        """Take over everything that is there now; return how many messages that made."""
        total = 0
        while True:
            made = await self._step()
            if made is None:
                return total
            total += made

    async def run_once(self) -> bool:
        """Take over one stretch of events; return whether there was one."""
        return await self._step() is not None

    async def _step(self) -> int | None:
        position = await self._position()
        stretch = await self._reader.stretch(position, KINDS)
        if stretch.end == position:
            return None
        rows = []
        now = self._db.clock()
        if stretch.events:
            async with self._db.read() as session:
                occurrences = await _occurrences(session, stretch.events)
                if occurrences:
                    rows = await plan(session, await load_world(session, self._settings), occurrences, now)
        try:
            async with self._db.write() as uow:
                await _move(uow.session, position, stretch.end)
                return await enqueue(uow, rows)
        except NotificationMoved:
            # Another replica took the same stretch.
            return 0

    async def _position(self) -> Position:
        async with self._db.read() as session:
            row = (
                await session.execute(select(_C.transaction_id, _C.event_id).where(_C.name == NAME))
            ).one_or_none()
        if row is not None:
            return Position(row.transaction_id, row.event_id)
        # What happened before there were notifications is nobody's news.
        start = await self._reader.end()
        async with self._db.write() as uow:
            statement = insert_for(uow.session, _C).values(
                name=NAME, transaction_id=start.transaction, event_id=start.id
            )
            await uow.session.execute(statement.on_conflict_do_nothing())
        return await self._position()


async def _move(session: AsyncSession, expected: Position, new: Position) -> None:
    moved = await session.execute(
        update(_C)
        .where(_C.name == NAME, _C.transaction_id == expected.transaction, _C.event_id == expected.id)
        .values(transaction_id=new.transaction, event_id=new.id)
        .returning(_C.name)
    )
    if moved.one_or_none() is None:
        raise NotificationMoved


async def _occurrences(session: AsyncSession, events: Sequence[Any]) -> list[Occurrence]:
    found = []
    for event in events:
        for kind in types_for(event.kind, event.data):
            key: str | None = f"event:{event.id}"
            if kind.name == "agent_back":
                key = await _absence(session, event.object_id)
            if key is not None:
                found.append(
                    Occurrence(
                        kind=kind,
                        object_id=event.object_id,
                        key=key,
                        at=event.at,
                        data=event.data,
                        organization_id=event.organization_id,
                        department_id=event.department_id,
                        certificate_type=event.certificate_type,
                    )
                )
    return found


async def _absence(session: AsyncSession, agent_id: str) -> str | None:
    """Return which absence of an agent has ended, if people were told of one."""
    latest = select(func.max(Notification.id)).where(
        Notification.object_type == "agent",
        Notification.object_id == agent_id,
        Notification.type == TYPES["agent_offline"].name,
    )
    told = (await session.execute(latest)).scalar()
    return None if told is None else f"after:{told}"
