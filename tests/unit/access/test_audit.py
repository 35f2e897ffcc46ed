"""The audit chain: complete under concurrency, undone with its transaction, and any tampering shows."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from hub.access import audit
from hub.access.audit_archives import ArchiveFile, Archives
from hub.access.audit_chain import GENESIS, Chain, Verification, entry_hash
from hub.access.audit_checkpoints import FILE_NAME, Checkpoints, parse_lines, stored_checkpoints
from hub.access.audit_export import CSV_COLUMNS, csv_rows, json_lines
from hub.access.audit_verification import verify
from hub.access.errors import ArchiveUnreadable, AuditDamaged, CheckpointUnreadable, NothingToArchive
from hub.access.models import AuditEntry
from hub.db.append_only import protect
from hub.db.base import Base
from hub.http.principal import SYSTEM, Origin
from pki.at_rest import KeyEncryptionKey, new_key

SOMEBODY = replace(SYSTEM, origin=Origin(remote="192.0.2.7", user_agent="curl/8"))


async def _record(uow, name, **details):
    await audit.record(
        uow,
        principal=SOMEBODY,
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


async def _verify(db, **more):
    async with db.read() as session:
        return await verify(session, **more)


async def _reasons(db, **more):
    return [(fault.sequence, fault.reason) for fault in (await _verify(db, **more)).faults]


async def _raw(db, *statements):
    """Change the database as its owner could: without triggers, beside the hub."""
    async with db.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


@pytest.fixture
def kek():
    return KeyEncryptionKey(new_key())


@pytest.fixture
def checkpoints(db, kek, tmp_path):
    return Checkpoints(db, kek, folder=tmp_path)


async def test_an_empty_log_is_whole(db):
    assert await _verify(db) == Verification(0)


async def test_many_writers_make_one_chain(db):
    await _fill(db, 20)
    assert await _verify(db) == Verification(20)


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
    assert await _verify(db) == Verification(1)


async def test_entries_say_from_where_and_hold_no_secrets(db):
    async with db.write() as uow:
        await _record(uow, "a", **audit.changes({"password": "old", "n": 1}, {"password": "new", "n": 2}))
    async with db.read() as session:
        entry = (await session.scalars(select(AuditEntry))).one()
    assert (entry.remote, entry.user_agent) == ("192.0.2.7", "curl/8")
    assert entry.details == {
        "before": {"password": "(redacted)", "n": 1},
        "after": {"password": "(redacted)", "n": 2},
    }


_SWAP = (
    "UPDATE audit_log SET sequence = 99 WHERE sequence = 2",
    "UPDATE audit_log SET sequence = 2 WHERE sequence = 3",
    "UPDATE audit_log SET sequence = 3 WHERE sequence = 99",
)


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (["UPDATE audit_log SET action = 'Nothing' WHERE sequence = 2"], [(2, "EntryChanged")]),
        (["UPDATE audit_log SET details = '{}' WHERE sequence = 2"], [(2, "EntryChanged")]),
        (["UPDATE audit_log SET actor_name = 'eve' WHERE sequence = 4"], [(4, "EntryChanged")]),
        (["UPDATE audit_log SET remote = '' WHERE sequence = 1"], [(1, "EntryChanged")]),
        (["UPDATE audit_log SET organization_id = 5 WHERE sequence = 1"], [(1, "EntryChanged")]),
        (["UPDATE audit_log SET at = '2020-01-01 00:00:00' WHERE sequence = 3"], [(3, "EntryChanged")]),
        (["DELETE FROM audit_log WHERE sequence = 2"], [(2, "EntryMissing")]),
        (["DELETE FROM audit_log WHERE sequence IN (1, 2)"], [(1, "EntryMissing")]),
        (["DELETE FROM audit_log WHERE sequence = 4"], [(4, "LogTruncated")]),
        (["DELETE FROM audit_log"], [(1, "LogTruncated")]),
        (["UPDATE audit_head SET sequence = 9"], [(5, "LogTruncated")]),
        (["UPDATE audit_head SET sequence = 2"], [(4, "HeadMismatch")]),
        (
            _SWAP,
            [
                (2, "EntryMoved"),
                (2, "EntryChanged"),
                (3, "EntryMoved"),
                (3, "EntryChanged"),
                (4, "EntryMoved"),
            ],
        ),
    ],
)
async def test_tampering_shows(db, tamper, expected):
    await _fill(db, 4)
    await _raw(db, *tamper)
    assert await _reasons(db) == expected


async def _rehash(db):
    """Do what an owner of the database can who knows the program: compute all hashes anew."""
    async with db.write() as uow:
        previous, last = GENESIS, 0
        rows = (
            await uow.session.execute(select(AuditEntry.__table__).order_by(AuditEntry.sequence))
        ).mappings()
        for row in rows.all():
            changed = {**row, "previous_sha256": previous}
            previous, last = entry_hash(changed), row["sequence"]
            values = {"p": changed["previous_sha256"], "h": previous, "s": last}
            await uow.session.execute(
                text("UPDATE audit_log SET previous_sha256 = :p, sha256 = :h WHERE sequence = :s"), values
            )
        await uow.session.execute(
            text("UPDATE audit_head SET sequence = :s, sha256 = :h"), {"s": last, "h": previous}
        )


async def test_a_rewritten_chain_does_not_fit_its_checkpoints(db, checkpoints):
    await _fill(db, 4)
    await checkpoints.make()
    await _raw(db, "UPDATE audit_log SET action = 'Nothing' WHERE sequence = 2")
    await _rehash(db)
    assert await _reasons(db) == [(4, "CheckpointMismatch")]


async def test_a_cut_end_shows_by_a_kept_checkpoint_even_if_all_traces_are_gone(db, checkpoints, tmp_path):
    await _fill(db, 4)
    await checkpoints.make()
    kept = parse_lines((tmp_path / FILE_NAME).read_text().splitlines())
    assert await _reasons(db, kept=kept) == []
    await _raw(db, "DELETE FROM audit_log WHERE sequence > 2", "DELETE FROM audit_checkpoints")
    await _rehash(db)
    assert await _reasons(db) == []
    assert await _reasons(db, kept=kept) == [(4, "LogTruncated")]
    # Filled up again, it is another log.
    await _fill(db, 2)
    assert await _reasons(db, kept=kept) == [(4, "CheckpointMismatch")]


async def test_a_replaced_key_shows_by_a_kept_checkpoint(db, checkpoints, tmp_path):
    await _fill(db, 4)
    await checkpoints.make()
    kept = parse_lines((tmp_path / FILE_NAME).read_text().splitlines())
    await _raw(
        db,
        "DELETE FROM audit_log WHERE sequence > 2",
        "DELETE FROM audit_checkpoints",
        "DELETE FROM audit_keys",
    )
    await _rehash(db)
    own = Checkpoints(db, KeyEncryptionKey(new_key()), folder=tmp_path / "nowhere")
    with suppress(FileNotFoundError):
        await own.make()
    assert await _reasons(db) == []
    assert (4, "KeyReplaced") in await _reasons(db, kept=kept)


async def test_checkpoints_are_not_forged(db, checkpoints):
    await _fill(db, 2)
    await checkpoints.make()
    await _raw(db, "UPDATE audit_checkpoints SET at = '2020-01-01 00:00:00'")
    assert await _reasons(db) == [(2, "CheckpointForged")]


async def test_checkpoints_are_made_when_it_is_time(db, checkpoints, clock):
    assert await checkpoints.keep() is None
    await _fill(db, 1)
    assert (await checkpoints.keep()).sequence == 1
    await _fill(db, 1)
    assert await checkpoints.keep() is None
    clock.forward(hours=1)
    assert (await checkpoints.keep()).sequence == 2
    clock.forward(hours=1)
    assert await checkpoints.keep() is None
    assert await checkpoints.make() is None
    async with db.read() as session:
        stored = await stored_checkpoints(session)
    assert [item.sequence for item in stored] == [1, 2]
    assert all(item.genuine for item in stored)


@pytest.mark.parametrize("line", ["{", "{}", '{"kind": "something else"}', "[1]"])
def test_other_files_are_no_checkpoints(line):
    with pytest.raises(CheckpointUnreadable, match="line 1"):
        parse_lines([line])


@pytest.fixture
async def archived(db, kek, clock, tmp_path):
    """Six entries of which four are archived, with the triggers in place."""
    async with db.engine.begin() as connection:
        await connection.run_sync(protect, Base.metadata)
    await _fill(db, 4)
    clock.forward(days=10)
    await _fill(db, 2)
    path = tmp_path / "archive.jsonl"
    count = await Archives(db, kek).archive(datetime(2026, 1, 5, tzinfo=UTC), path, principal=SYSTEM)
    assert count == 4
    return path


async def test_archived_entries_leave_the_log_and_the_chain_goes_on(db, archived):
    # Two entries, and the one that tells of the archiving.
    assert await _verify(db) == Verification(3)
    assert await _verify(db, archives=[ArchiveFile.open(archived)]) == Verification(7)
    async with db.read() as session:
        rows = list(await session.scalars(select(AuditEntry).order_by(AuditEntry.sequence)))
    assert [row.sequence for row in rows] == [5, 6, 7]
    assert (rows[-1].action, rows[-1].details["first"], rows[-1].details["last"]) == ("AuditArchived", 1, 4)


async def test_the_log_is_as_protected_as_before(db, archived):
    for statement in ("DELETE FROM audit_log", "UPDATE audit_log SET action = 'x'"):
        with pytest.raises(Exception, match="never changed"):
            await _raw(db, statement)


async def test_a_second_archive_follows_the_first(db, archived, kek, clock, tmp_path):
    clock.forward(days=10)
    await _fill(db, 1)
    second = tmp_path / "second.jsonl"
    before = datetime(2026, 1, 15, tzinfo=UTC)
    assert await Archives(db, kek).archive(before, second, principal=SYSTEM) == 3
    files = [ArchiveFile.open(archived), ArchiveFile.open(second)]
    assert await _verify(db, archives=files) == Verification(4 + 3 + 2)
    with pytest.raises(NothingToArchive):
        await Archives(db, kek).archive(before, tmp_path / "third", principal=SYSTEM)


async def test_a_checkpoint_within_an_archive_is_checked_with_its_file(db, kek, checkpoints, clock, tmp_path):
    await _fill(db, 3)
    await checkpoints.make()
    clock.forward(days=10)
    await _fill(db, 1)
    path = tmp_path / "archive.jsonl"
    await Archives(db, kek).archive(datetime(2026, 1, 5, tzinfo=UTC), path, principal=SYSTEM)
    file = ArchiveFile.open(path)
    assert await _reasons(db, archives=[file]) == []


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda lines: [*lines[:2], lines[2].replace("Tested", "Nothing"), *lines[3:]], "EntryChanged"),
        (lambda lines: [*lines[:2], *lines[3:]], "EntryMissing"),
        (lambda lines: lines[:-1], "LogTruncated"),
        (lambda lines: [lines[0].replace('"first": 1', '"first": 2'), *lines[1:]], "ArchiveForged"),
    ],
)
async def test_tampering_with_an_archive_shows(db, archived, edit, expected):
    archived.write_text("".join(line + "\n" for line in edit(archived.read_text().splitlines())))
    reasons = {reason for _number, reason in await _reasons(db, archives=[ArchiveFile.open(archived)])}
    assert {expected, "ArchiveUnknown"} <= reasons


async def test_an_archive_that_was_never_made_shows(db, archived):
    await _raw(
        db,
        "DROP TRIGGER audit_archives_no_update",
        "UPDATE audit_archives SET sha256 = previous_sha256",
    )
    assert {"ArchiveForged", "EntryMoved"} <= {reason for _number, reason in await _reasons(db)}


async def test_old_entries_can_not_just_be_deleted(db, archived):
    await _raw(db, "DROP TRIGGER audit_archives_no_delete", "DELETE FROM audit_archives")
    assert (1, "EntryMissing") in await _reasons(db)


async def test_a_damaged_log_is_not_archived(db, kek, clock, tmp_path):
    await _fill(db, 3)
    clock.forward(days=10)
    await _raw(db, "UPDATE audit_log SET action = 'Nothing' WHERE sequence = 2")
    path = tmp_path / "archive.jsonl"
    with pytest.raises(AuditDamaged, match="entry 2"):
        await Archives(db, kek).archive(clock(), path, principal=SYSTEM)
    assert not path.exists()
    assert await _reasons(db) == [(2, "EntryChanged")]


def test_other_files_are_no_archives(tmp_path):
    path = tmp_path / "other"
    for content in ("", "{}", "x", json.dumps({"kind": "other"})):
        path.write_text(content)
        with pytest.raises(ArchiveUnreadable):
            ArchiveFile.open(path)


async def test_an_export_can_be_checked_by_itself(db):
    await _fill(db, 3)
    lines = "".join([part async for part in json_lines(db, [])]).splitlines()
    documents = [json.loads(line) for line in lines]
    chain = Chain()
    chain.walk((item, item.pop("previous_sha256"), item.pop("sha256")) for item in documents)
    assert (chain.entries, chain.faults) == (3, [])
    rows = [row async for rows in csv_rows(db) for row in rows]
    assert [row[CSV_COLUMNS.index("action")] for row in rows] == ["Tested"] * 3
