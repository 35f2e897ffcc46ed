"""The audit chain: complete under concurrency, undone with its transaction, and any change shows."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import delete, select, update

from hub.access import audit
from hub.access.models import AuditEntry, AuditHead
from hub.http.principal import SYSTEM


async def _record(uow, name, **details):
    await audit.record(
        uow,
        principal=SYSTEM,
        action="Tested",
        object_type="test",
        object_id=name,
        organization_id=None,
        details=details,
    )


async def _fill(db, count):
    async def one(number):
        async with db.write() as uow:
            await _record(uow, str(number), deep={"values": [1, None, True, "ü", 1.5, db.clock()]})

    await asyncio.gather(*(one(number) for number in range(count)))


async def _verify(db):
    async with db.read() as session:
        return await audit.verify(session)


async def test_an_empty_log_is_whole(db):
    assert await _verify(db) == audit.Verification(0, None)


async def test_many_writers_make_one_chain(db):
    await _fill(db, 20)
    assert await _verify(db) == audit.Verification(20, None)


async def test_several_entries_of_one_transaction_keep_their_order(db):
    async with db.write() as uow:
        for name in "abc":
            await _record(uow, name)
    async with db.read() as session:
        rows = await session.execute(select(AuditEntry.sequence, AuditEntry.object_id))
        assert [tuple(row) for row in rows] == [(1, "a"), (2, "b"), (3, "c")]


async def test_what_is_rolled_back_leaves_no_entry(db):
    with suppress(RuntimeError):
        async with db.write() as uow:
            await _record(uow, "a")
            raise RuntimeError
    async with db.write() as uow:
        await _record(uow, "b")
        with suppress(RuntimeError):
            async with uow.savepoint():
                await _record(uow, "c")
                raise RuntimeError
    assert await _verify(db) == audit.Verification(1, None)


@pytest.mark.parametrize(
    ("tamper", "broken_at"),
    [
        (update(AuditEntry).where(AuditEntry.sequence == 2).values(action="Nothing"), 2),
        (update(AuditEntry).where(AuditEntry.sequence == 2).values(details={"deep": 1}), 2),
        (delete(AuditEntry).where(AuditEntry.sequence == 2), 2),
        (delete(AuditEntry).where(AuditEntry.sequence == 4), 4),
        (update(AuditHead).values(sequence=9), 5),
    ],
)
async def test_any_change_shows(db, tamper, broken_at):
    await _fill(db, 4)
    async with db.write() as uow:
        await uow.session.execute(tamper)
    assert (await _verify(db)).broken_at == broken_at
