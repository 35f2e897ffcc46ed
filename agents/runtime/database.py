"""An SQLite file behind one thread: every call is one transaction that is on the disk when it returns.

WAL with ``synchronous=FULL``: a commit survives a power cut, and a process killed at any point leaves
either all of a transaction or nothing.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from agents.runtime.errors import StateDirectoryUnusable

_Answer = TypeVar("_Answer")


class Database:
    """The file; `call` raises StateDirectoryUnusable when the disk or the file refuses."""

    def __init__(self, path: Path, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._path = path
        self._connection = connection
        self._thread = thread

    @classmethod
    async def open(cls, path: Path, schema: str) -> Self:
        """Open or create the file, for its owner only."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=path.stem)
        connection = await asyncio.get_running_loop().run_in_executor(thread, _connect, path, schema)
        return cls(path, connection, thread)

    async def close(self) -> None:
        """Close the file; everything is on the disk already."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown(wait=False)

    async def call(self, work: Callable[[sqlite3.Connection], _Answer]) -> _Answer:
        """Run `work` in a transaction.

        A cancelled caller waits until the transaction has ended, so that it is never unknown whether a row is
        being written at the same time.
        """
        running = asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            if not running.done():
                await asyncio.wait({running})
            raise

    def _transact(self, work: Callable[[sqlite3.Connection], _Answer]) -> _Answer:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            answer = work(connection)
            connection.execute("COMMIT")
        except sqlite3.Error as fault:
            raise StateDirectoryUnusable(f"{self._path}: {fault}") from fault
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return answer


def _connect(path: Path, schema: str) -> sqlite3.Connection:
    try:
        path.touch(mode=0o600)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # What is deleted is overwritten: it is key material, if encrypted.
        connection.execute("PRAGMA secure_delete = ON")
        connection.executescript(schema)
    except (OSError, sqlite3.Error) as fault:
        raise StateDirectoryUnusable(f"{path}: {fault}") from fault
    return connection
