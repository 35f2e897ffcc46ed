"""The journal keeps its word across deaths: each test opens the file again as a restarted agent would."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from agents.runtime.errors import JournalConflict, StateDirectoryUnusable
from agents.runtime.journal import CommandState, Journal

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOON = NOW + timedelta(hours=1)


@pytest.fixture
async def journal(tmp_path):
    journal = await Journal.open(tmp_path / "journal.db")
    yield journal
    await journal.close()


async def reopened(tmp_path) -> Journal:
    """The journal as a process that was killed right now would leave it: the files are copied while open."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in tmp_path.glob("journal.db*"):
        shutil.copy(file, copy / file.name)
    return await Journal.open(copy / "journal.db")


async def receive(journal, command_id="c1", **changes):
    arguments = {"envelope": b"envelope", "deadline": SOON, "now": NOW} | changes
    return await journal.receive(command_id, **arguments)


async def test_a_new_command_is_unknown_and_a_repeated_one_is_found(journal):
    assert await receive(journal) is None

    again = await receive(journal, envelope=b"other")

    assert again.state is CommandState.RECEIVED
    assert again.envelope == b"envelope"


@pytest.mark.parametrize("steps", range(5))
async def test_whatever_was_reached_is_there_after_a_kill(journal, tmp_path, steps):
    async def batch():
        await journal.add_batch("c1", finds=b"finds", cursor=7, memo="m")

    async def done():
        await journal.finish("c1", done=b"done", now=NOW)

    await receive(journal)
    walk = [lambda: journal.accept("c1"), lambda: journal.begin("c1"), batch, done]
    for step in walk[:steps]:
        await step()

    later = await reopened(tmp_path)
    unfinished = await later.unfinished()
    entry = await later.entry("c1")
    await later.close()

    states = [
        CommandState.RECEIVED,
        CommandState.ACCEPTED,
        CommandState.RUNNING,
        CommandState.RUNNING,
        CommandState.DONE,
    ]
    assert entry.state is states[steps]
    assert [each.command_id for each in unfinished.entries] == (["c1"] if steps < 4 else [])
    assert unfinished.batches == ((("c1", 1, b"finds"),) if steps >= 3 else ())
    assert unfinished.dones == ((("c1", b"done"),) if steps == 4 else ())
    assert (entry.cursor, entry.memo) == ((7, "m") if steps >= 3 else (0, ""))


async def test_an_end_stays_for_repeats_after_it_was_committed(journal):
    await receive(journal)
    await journal.finish("c1", done=b"done", now=NOW)
    await journal.done_committed("c1")

    assert (await receive(journal)).done == b"done"
    assert (await journal.unfinished()).dones == ()


async def test_an_end_is_written_once(journal):
    await receive(journal)
    await journal.finish("c1", done=b"first", now=NOW)

    with pytest.raises(JournalConflict):
        await journal.finish("c1", done=b"second", now=NOW)

    assert (await journal.entry("c1")).done == b"first"


async def test_states_go_forward_only(journal):
    await receive(journal)
    with pytest.raises(JournalConflict):
        await journal.begin("c1")
    await journal.accept("c1")
    await journal.begin("c1")
    with pytest.raises(JournalConflict):
        await journal.accept("c1")
    with pytest.raises(JournalConflict):
        await journal.accept("unknown")


async def test_batches_are_numbered_and_dropped_when_committed(journal):
    await receive(journal)
    await journal.accept("c1")
    with pytest.raises(JournalConflict):
        await journal.add_batch("c1", finds=b"too early", cursor=1)
    await journal.begin("c1")

    numbers = [await journal.add_batch("c1", finds=b"%d" % number, cursor=number) for number in range(3)]
    await journal.batch_committed("c1", 2)

    assert numbers == [1, 2, 3]
    assert await journal.batches("c1") == ((1, b"0"), (3, b"2"))


@pytest.mark.parametrize(
    ("committed", "age_days", "deadline_days", "purged"),
    [(True, 31, 1, 1), (True, 29, 1, 0), (False, 31, 1, 0), (True, 31, 32, 0)],
)
async def test_only_old_committed_ends_are_purged(journal, committed, age_days, deadline_days, purged):
    await receive(journal, deadline=NOW + timedelta(days=deadline_days))
    await journal.finish("c1", done=b"done", now=NOW)
    if committed:
        await journal.done_committed("c1")

    assert await journal.purge(now=NOW + timedelta(days=age_days), keep_days=30) == purged


async def test_a_file_that_is_no_database_is_said_to_be_unusable(tmp_path):
    (tmp_path / "journal.db").write_bytes(b"nonsense" * 1000)

    with pytest.raises(StateDirectoryUnusable):
        await Journal.open(tmp_path / "journal.db")


async def test_a_full_disk_is_a_typed_error_and_changes_nothing(journal):
    def fill(connection):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    await receive(journal)
    await journal._database.call(fill)

    with pytest.raises(StateDirectoryUnusable, match="full"):
        await receive(journal, "c2", envelope=bytes(1_000_000))

    assert await journal.entry("c2") is None
    await journal.accept("c1")
