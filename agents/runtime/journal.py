"""The journal: every command with its state, its uncommitted batches and its end, in SQLite.

A call returns only when the row is on the disk (WAL, ``synchronous=FULL``); commands are accepted, begun
and answered in that order. One thread owns the connection, so that the event loop never waits for a disk.
"""

import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self

from agents.runtime.database import Database
from agents.runtime.errors import JournalConflict

_SCHEMA = """
CREATE TABLE IF NOT EXISTS commands (
    command_id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    envelope BLOB NOT NULL,
    received_at TEXT NOT NULL,
    deadline TEXT NOT NULL,
    cursor INTEGER NOT NULL DEFAULT 0,
    memo TEXT NOT NULL DEFAULT '',
    last_sequence INTEGER NOT NULL DEFAULT 0,
    done BLOB,
    finished_at TEXT,
    committed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS commands_open ON commands (state) WHERE committed = 0;
CREATE TABLE IF NOT EXISTS batches (
    command_id TEXT NOT NULL REFERENCES commands (command_id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    finds BLOB NOT NULL,
    PRIMARY KEY (command_id, sequence)
) STRICT, WITHOUT ROWID;
"""


class CommandState(StrEnum):
    """Where a command is on this agent."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    RUNNING = "running"
    DONE = "done"


# A refusal goes from received to done; a deadline or a cancel may end what was accepted and never began.
ALLOWED: dict[CommandState, frozenset[CommandState]] = {
    CommandState.ACCEPTED: frozenset({CommandState.RECEIVED}),
    CommandState.RUNNING: frozenset({CommandState.ACCEPTED}),
    CommandState.DONE: frozenset({CommandState.RECEIVED, CommandState.ACCEPTED, CommandState.RUNNING}),
}
"""New state -> the states it may follow."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One command in the journal."""

    command_id: str
    state: CommandState
    envelope: bytes = field(repr=False)
    cursor: int = 0
    """Where a resumable command goes on: of the last batch that was journalled."""
    memo: str = ""
    """What its handler wanted to know again there."""
    last_sequence: int = 0
    done: bytes | None = field(default=None, repr=False)
    """A serialized CommandDone."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a restarted agent still owes: open commands, uncommitted batches and uncommitted ends."""

    entries: tuple[Entry, ...]
    batches: tuple[tuple[str, int, bytes], ...]
    dones: tuple[tuple[str, bytes], ...]


class Journal:
    """The journal of one agent. All methods raise StateDirectoryUnusable when the disk refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or create the journal."""
        return cls(await Database.open(path, _SCHEMA))

    async def close(self) -> None:
        """Close the file; everything is on the disk already."""
        await self._database.close()

    async def receive(
        self, command_id: str, *, envelope: bytes, deadline: datetime, now: datetime
    ) -> Entry | None:
        """Note a new command; return the entry of one that was here before, or None."""

        def work(connection: sqlite3.Connection) -> Entry | None:
            known = _entry(connection, command_id)
            if known is None:
                connection.execute(
                    "INSERT INTO commands (command_id, state, envelope, received_at, deadline) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (command_id, CommandState.RECEIVED, envelope, _text(now), _text(deadline)),
                )
            return known

        return await self._database.call(work)

    async def accept(self, command_id: str) -> None:
        """Promise an answer. Raises JournalConflict unless received."""
        await self._database.call(lambda connection: _advance(connection, command_id, CommandState.ACCEPTED))

    async def begin(self, command_id: str) -> None:
        """Note that acting starts now. Raises JournalConflict unless accepted."""
        await self._database.call(lambda connection: _advance(connection, command_id, CommandState.RUNNING))

    async def add_batch(self, command_id: str, *, finds: bytes, cursor: int, memo: str = "") -> int:
        """Keep a batch together with the cursor that follows it; return its sequence."""

        def work(connection: sqlite3.Connection) -> int:
            row = connection.execute(
                "UPDATE commands SET last_sequence = last_sequence + 1, cursor = ?, memo = ? "
                "WHERE command_id = ? AND state = ? RETURNING last_sequence",
                (cursor, memo, command_id, CommandState.RUNNING),
            ).fetchone()
            if row is None:
                raise JournalConflict(f"command {command_id} is not running")
            sequence = int(row[0])
            connection.execute("INSERT INTO batches VALUES (?, ?, ?)", (command_id, sequence, finds))
            return sequence

        return await self._database.call(work)

    async def batches(self, command_id: str) -> tuple[tuple[int, bytes], ...]:
        """The uncommitted batches of a command, in order."""
        rows = await self._database.call(
            lambda connection: connection.execute(
                "SELECT sequence, finds FROM batches WHERE command_id = ? ORDER BY sequence", (command_id,)
            ).fetchall()
        )
        return tuple(rows)

    async def batch_committed(self, command_id: str, sequence: int) -> None:
        """Drop a batch that the hub has."""
        await self._database.call(
            lambda connection: connection.execute(
                "DELETE FROM batches WHERE command_id = ? AND sequence = ?", (command_id, sequence)
            )
        )

    async def finish(self, command_id: str, *, done: bytes, now: datetime) -> None:
        """Keep a command's end. Raises JournalConflict if it has one."""

        def work(connection: sqlite3.Connection) -> None:
            _advance(connection, command_id, CommandState.DONE)
            connection.execute(
                "UPDATE commands SET done = ?, finished_at = ? WHERE command_id = ?",
                (done, _text(now), command_id),
            )

        await self._database.call(work)

    async def done_committed(self, command_id: str) -> None:
        """Note that the hub has the end; it is kept for repeats until `purge`."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE commands SET committed = 1 WHERE command_id = ?", (command_id,))
            connection.execute("DELETE FROM batches WHERE command_id = ?", (command_id,))

        await self._database.call(work)

    async def purge(self, *, now: datetime, keep_days: int) -> int:
        """Drop committed ends older than so many days, whose deadline is past too; return how many."""

        def work(connection: sqlite3.Connection) -> int:
            # A command whose deadline has passed is refused anyway, so forgetting it can't repeat its effect.
            return connection.execute(
                "DELETE FROM commands WHERE committed = 1 AND state = ? AND finished_at < ? AND deadline < ?",
                (CommandState.DONE, _text(now - timedelta(days=keep_days)), _text(now)),
            ).rowcount

        return await self._database.call(work)

    async def entry(self, command_id: str) -> Entry | None:
        """One command, or None."""
        return await self._database.call(lambda connection: _entry(connection, command_id))

    async def unfinished(self) -> Unfinished:
        """Everything a restarted agent has to see to, oldest first."""

        def work(connection: sqlite3.Connection) -> Unfinished:
            ids = connection.execute(
                "SELECT command_id FROM commands WHERE state <> ? ORDER BY received_at, rowid",
                (CommandState.DONE,),
            ).fetchall()
            entries = (_entry(connection, command_id) for (command_id,) in ids)
            batches = connection.execute(
                "SELECT command_id, sequence, finds FROM batches ORDER BY command_id, sequence"
            )
            dones = connection.execute(
                "SELECT command_id, done FROM commands WHERE state = ? AND committed = 0 "
                "ORDER BY finished_at, rowid",
                (CommandState.DONE,),
            )
            return Unfinished(
                tuple(entry for entry in entries if entry), tuple(batches.fetchall()), tuple(dones.fetchall())
            )

        return await self._database.call(work)


def _advance(connection: sqlite3.Connection, command_id: str, state: CommandState) -> None:
    before = sorted(ALLOWED[state])
    marks = ", ".join("?" * len(before))
    changed = connection.execute(
        f"UPDATE commands SET state = ? WHERE command_id = ? AND state IN ({marks})",  # noqa: S608 (question marks only)
        (state, command_id, *before),
    ).rowcount
    if not changed:
        raise JournalConflict(f"command {command_id} can't become {state}")


def _entry(connection: sqlite3.Connection, command_id: str) -> Entry | None:
    row = connection.execute(
        "SELECT state, envelope, cursor, memo, last_sequence, done FROM commands WHERE command_id = ?",
        (command_id,),
    ).fetchone()
    if row is None:
        return None
    state, envelope, cursor, memo, last_sequence, done = row
    return Entry(command_id, CommandState(state), envelope, cursor, memo, last_sequence, done)


def _text(moment: datetime) -> str:
    # One fixed width in UTC, so that text order is time order.
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
