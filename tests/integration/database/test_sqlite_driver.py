"""SQLite through the hub's own connection: transactions, long results, interrupted statements."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import exc, text

from hub.db.uow import Database, UnitOfWork

ROWS = 1_300
_COUNTING = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database.open(f"sqlite:///{tmp_path}/hub.db")
    async with database.write() as uow:
        await uow.session.execute(text("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"))
        await uow.session.execute(
            text(f"{_COUNTING.format(ROWS)} INSERT INTO things SELECT i, 'thing ' || i FROM n")
        )
    yield database
    await database.close()


async def count(db: Database) -> int:
    async with db.read() as session:
        number: int = (await session.execute(text("SELECT count(*) FROM things"))).scalar_one()
        return number


async def test_a_result_longer_than_the_first_fetch_is_whole_and_in_order(db: Database) -> None:
    async with db.read() as session:
        found = await session.execute(text("SELECT id FROM things ORDER BY id"))
    assert list(found.scalars()) == list(range(1, ROWS + 1))


async def test_a_stream_gives_every_row_once(db: Database) -> None:
    async with db.read() as session:
        stream = await session.stream(text("SELECT id FROM things ORDER BY id"))
        ids = [row.id async for row in stream]
    assert ids == list(range(1, ROWS + 1))


async def test_a_stream_that_is_left_early_keeps_no_snapshot(db: Database) -> None:
    async with db.read() as session:
        stream = await session.stream(text("SELECT id FROM things ORDER BY id"))
        async for _row in stream:
            break
    async with db.write() as uow:
        await uow.session.execute(text("DELETE FROM things"))
    assert await count(db) == 0


async def test_a_read_is_one_snapshot(db: Database) -> None:
    async with db.read() as session:
        before = (await session.execute(text("SELECT count(*) FROM things"))).scalar_one()
        async with db.write() as uow:
            await uow.session.execute(text("DELETE FROM things"))
        after = (await session.execute(text("SELECT count(*) FROM things"))).scalar_one()
    assert before == after == ROWS
    assert await count(db) == 0


async def test_rows_returned_by_a_long_change_are_all_changed(db: Database) -> None:
    async with db.write() as uow:
        changed = await uow.session.execute(text("UPDATE things SET name = 'new ' || id RETURNING id"))
        assert len(changed.all()) == ROWS
    async with db.read() as session:
        old = await session.execute(text("SELECT count(*) FROM things WHERE name LIKE 'thing%'"))
    assert old.scalar_one() == 0


async def test_what_fails_is_rolled_back_and_the_connection_serves_on(db: Database) -> None:
    async def fail() -> None:
        async with db.write() as uow:
            await uow.session.execute(text("INSERT INTO things (name) VALUES ('one')"))
            await uow.session.execute(text("INSERT INTO things (name) VALUES ('thing 1')"))

    for _ in range(30):
        with pytest.raises(exc.IntegrityError):
            await fail()
    assert await count(db) == ROWS


async def test_a_savepoint_undoes_its_part_only(db: Database) -> None:
    async def fail(uow: UnitOfWork) -> None:
        async with uow.savepoint():
            await uow.session.execute(text("INSERT INTO things (name) VALUES ('undone')"))
            await uow.session.execute(text("INSERT INTO things (name) VALUES ('kept')"))

    async with db.write() as uow:
        await uow.session.execute(text("INSERT INTO things (name) VALUES ('kept')"))
        with pytest.raises(exc.IntegrityError):
            await fail(uow)
    assert await count(db) == ROWS + 1


async def test_a_caller_that_goes_away_in_a_statement_leaves_no_lock(db: Database) -> None:
    started = asyncio.Event()

    async def write_slowly() -> None:
        async with db.write() as uow:
            started.set()
            await uow.session.execute(text("DELETE FROM things"))
            await uow.session.execute(text(f"{_COUNTING.format(300_000)} SELECT count(*) FROM n"))

    for pause in (0, 0.001, 0.02):
        started.clear()
        task = asyncio.create_task(write_slowly())
        await started.wait()
        done, _ = await asyncio.wait({task}, timeout=pause)
        assert not done
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(10), db.write() as uow:
            await uow.session.execute(text("UPDATE things SET name = name WHERE id = 1"))
    assert await count(db) == ROWS


async def test_connections_stay_open_under_load(db: Database) -> None:
    pool = db.engine.pool
    await asyncio.gather(*(count(db) for _ in range(60)))
    held = pool.checkedin()  # type: ignore[attr-defined]
    await asyncio.gather(*(count(db) for _ in range(60)))
    assert pool.checkedin() == held  # type: ignore[attr-defined]
    assert held > 10
