"""What differs on PostgreSQL: order of events, the audit chain under many writers, NULLs, notices."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel
from sqlalchemy import Integer, MetaData, String, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hub.access import audit
from hub.access.audit_chain import Verification
from hub.access.audit_verification import verify
from hub.db.base import UtcDateTime
from hub.db.listen import listen
from hub.db.migrations.runner import upgrade
from hub.db.outbox import Event
from hub.db.outbox_reader import OutboxReader, Position
from hub.db.uow import Database
from hub.http.listing import Column, Listing, ListQuery, list_page
from hub.http.principal import SYSTEM

pytestmark = pytest.mark.server


@pytest.fixture
async def db(postgres_url):
    await upgrade(postgres_url)
    database = Database.open(postgres_url)
    yield database
    await database.close()


def _event(name):
    return Event(kind="Tested", object_type="test", object_id=name)


async def _names(reader, position):
    events = await reader.after(position)
    return [event.object_id for event in events]


async def test_an_event_committed_late_is_not_skipped(db):
    reader = OutboxReader(db)
    start = await reader.end()
    async with AsyncExitStack() as late:
        first = await late.enter_async_context(db.write())
        first.emit(_event("late"))
        # Takes its id now, and commits only after the others.
        await db._store_events(first)
        first.events.clear()
        async with db.write() as uow:
            uow.emit(_event("quick"))
        assert await _names(reader, start) == []
    assert sorted(await _names(reader, start)) == ["late", "quick"]
    seen = await reader.after(start)
    last = Position(seen[-1].transaction_id, seen[-1].id)
    assert await _names(reader, last) == []
    async with db.write() as uow:
        uow.emit(_event("next"))
    assert await _names(reader, last) == ["next"]


async def test_two_hubs_make_one_audit_chain_without_deadlock(db, postgres_url):
    other = Database.open(postgres_url)

    async def write(database, number):
        async with database.write() as uow:
            for step in range(3):
                await audit.record(
                    uow,
                    principal=SYSTEM,
                    action="Tested",
                    object_type="test",
                    object_id=f"{number}.{step}",
                    organization_id=None,
                    details={"float": 1.5, "text": "ü\x00", "at": database.clock()},
                )
                await asyncio.sleep(0)

    try:
        await asyncio.gather(*(write(db if number % 2 else other, number) for number in range(30)))
    finally:
        await other.close()
    async with db.read() as session:
        assert await verify(session) == Verification(90)


async def test_a_notice_of_another_hub_wakes_this_one(db, postgres_url):
    listener = asyncio.create_task(listen(postgres_url, db.notifier))
    other = Database.open(postgres_url)
    try:
        async with asyncio.timeout(20), db.notifier.subscribe("events") as notices:
            while await notices.get(timeout_s=0.2) is None:
                async with other.write() as uow:
                    uow.emit(_event("x"))
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)
        await other.close()


class _Base(DeclarativeBase):
    metadata = MetaData()


class Thing(_Base):
    __tablename__ = "things"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    size: Mapped[int | None]
    at: Mapped[datetime | None] = mapped_column(UtcDateTime())


class ThingRow(BaseModel):
    id: int
    name: str
    size: int | None
    at: datetime | None


THINGS = Listing(
    ThingRow,
    (
        Column("id", Thing.id, "ID", kind="int", nullable=False),
        Column("name", Thing.name, "Name", nullable=False, searchable=True),
        Column("size", Thing.size, "Size", kind="int"),
        Column("at", Thing.at, "At", kind="time"),
    ),
    select_from=Thing,
    id_column=Thing.id,
    default_sort="id",
)


async def test_pages_show_every_row_once(db):
    async with db.engine.begin() as connection:
        await connection.run_sync(_Base.metadata.create_all)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {
            "name": f"n{number % 4}",
            "size": None if number % 3 == 0 else number % 5,
            "at": None if number % 4 == 0 else start.replace(microsecond=number % 6),
        }
        for number in range(40)
    ]
    async with db.write() as uow:
        await uow.session.execute(insert(Thing), rows)
    for sort in [sign + name for name in THINGS.sortable_names for sign in ("", "-")]:
        found, cursor = [], None
        while True:
            async with db.read() as session:
                page = await list_page(session, THINGS, ListQuery(limit=7, sort=sort, cursor=cursor))
            found += [row.id for row in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert sorted(found) == list(range(1, 41)), sort
        assert page.total == 40
    async with db.read() as session:
        page = await list_page(session, THINGS, ListQuery(q="N1%", filter=["at:lt:2026-02-01T00:00:00Z"]))
        assert page.items == []
        page = await list_page(session, THINGS, ListQuery(filter=["name:contains:N1", "size:ne:3"]))
        assert {row.name for row in page.items} == {"n1"}
