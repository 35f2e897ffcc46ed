"""SQLite's connection with as few trips to its thread as can be.

aiosqlite runs each call in the connection's own thread, and each trip there and back costs some 60 us of CPU
and two turns of the event loop. SQLAlchemy makes four trips a statement: open a cursor, execute, fetch,
close. Here a statement is one trip, a read transaction begins with its first statement, and returning a
connection to the pool with nothing to roll back is none.

The rules of transactions stay SQLite's: BEGIN (deferred) takes neither lock nor snapshot before the first
statement, so beginning it later is the same. BEGIN IMMEDIATE takes the lock at once and is sent at once.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Self

import aiosqlite

# Rows that are fetched together with the statement; a longer result is fetched on demand, so that readers
# of a whole table hold no more than this.
_FIRST_ROWS = 500
_CHUNK_ROWS = 64
# Some milliseconds: the question needs the interpreter, for which a busy event loop lets it wait.
_STEPS_BETWEEN_QUESTIONS = 100_000


class Connection(aiosqlite.Connection):
    """A connection whose cursors work in one trip."""

    _begins = False
    # When a running statement gives up, in time.monotonic(); set by hub.db.deadline.
    deadline: float | None = None

    def is_late(self) -> bool:
        """Tell SQLite whether to interrupt what it is doing; called in the connection's thread."""
        return self.deadline is not None and time.monotonic() > self.deadline

    def cursor(self) -> Cursor:  # type: ignore[override]  # aiosqlite's is a context manager around its own
        """Return a cursor; nothing happens in the database yet."""
        return Cursor(self)

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run ``function`` in the connection's thread and return its result."""
        return await self._execute(function, *arguments)  # type: ignore[no-untyped-call]

    def begin_with_next(self) -> None:
        """Begin a deferred transaction with the next statement."""
        self._begins = True

    def open_cursor(self) -> sqlite3.Cursor:
        """Return a cursor in the transaction that was to begin; called in the connection's thread."""
        if self._begins:
            self._conn.execute("BEGIN")
            self._begins = False
        return self._conn.cursor()

    async def commit(self) -> None:
        """Commit; nothing to do when no statement was run."""
        if not self._drops_begin():
            await super().commit()

    async def rollback(self) -> None:
        """Roll back; nothing to do outside a transaction."""
        if not self._drops_begin() and self.in_transaction:
            await super().rollback()

    def _drops_begin(self) -> bool:
        begins, self._begins = self._begins, False
        return begins


class Cursor:
    """What SQLAlchemy's adapter needs of a cursor."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # Only while rows are left in the database.
        self._open: sqlite3.Cursor | None = None
        self._rows: list[Any] = []
        self.arraysize = 1
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        """Run a statement and fetch its first rows."""
        await self._connection.run(self._execute, sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Run a statement that returns no rows with each of the parameters."""
        await self._connection.run(self._execute_many, sql, parameters)
        return self

    async def fetchone(self) -> Any:
        """Return the next row; None when there are no more."""
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return up to ``size`` rows."""
        wanted = size or self.arraysize
        if len(self._rows) < wanted and self._open is not None:
            self._rows += await self._connection.run(self._fetch, self._open, max(wanted, _CHUNK_ROWS))
        rows, self._rows = self._rows[:wanted], self._rows[wanted:]
        return rows

    async def fetchall(self) -> list[Any]:
        """Return all rows that are left."""
        if self._open is not None:
            self._rows += await self._connection.run(self._fetch, self._open, None)
        rows, self._rows = self._rows, []
        return rows

    async def __aiter__(self) -> AsyncIterator[Any]:
        while (row := await self.fetchone()) is not None:
            yield row

    async def close(self) -> None:
        """Forget the rows that are left."""
        self._rows = []
        if self._open is not None:
            still_open, self._open = self._open, None
            await self._connection.run(still_open.close)

    # ---- in the connection's thread

    def _execute(self, sql: str, parameters: Sequence[Any]) -> None:
        cursor = self._connection.open_cursor()
        try:
            cursor.execute(sql, parameters)
            self.description = cursor.description
            if cursor.description is not None:
                self._rows = self._fetch(cursor, _FIRST_ROWS)
            else:
                self._done(cursor)
        except BaseException:
            cursor.close()
            raise

    def _execute_many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        cursor = self._connection.open_cursor()
        try:
            cursor.executemany(sql, parameters)
        except BaseException:
            cursor.close()
            raise
        self._done(cursor)

    def _fetch(self, cursor: sqlite3.Cursor, size: int | None) -> list[Any]:
        rows = cursor.fetchall() if size is None else cursor.fetchmany(size)
        if size is None or len(rows) < size:
            self._done(cursor)
        else:
            self._open = cursor
        return rows

    def _done(self, cursor: sqlite3.Cursor) -> None:
        # Closed here: a statement that is not reset would keep its transaction's snapshot.
        self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        cursor.close()
        self._open = None


def connect(database: str, **options: Any) -> Connection:
    """Return a connection for SQLAlchemy's ``async_creator_fn``; awaiting it opens the file."""

    def connector() -> sqlite3.Connection:
        opened: sqlite3.Connection = sqlite3.connect(database, **options)
        opened.set_progress_handler(connection.is_late, _STEPS_BETWEEN_QUESTIONS)
        return opened

    connection = Connection(connector, iter_chunk_size=_CHUNK_ROWS)
    # A hub that is killed in the middle must not wait for its threads.
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does; aiosqlite offers no other way
    return connection
