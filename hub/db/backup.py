"""Backup and restore of the embedded database, by SQLite's online backup (https://sqlite.org/backup.html).

A backup is one consistent state, taken while the hub writes. The key-encryption key is not in it, and must be
kept as well, elsewhere. PostgreSQL has its own tools.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.engine import make_url

_USAGE = 2
_PAGES_A_STEP = 2000


class NotEmbedded(Exception):
    """The database is not SQLite; use pg_dump and pg_restore."""


class BackupFailed(Exception):
    """The backup can't be written or read."""


def exit_code(work: Callable[[], None]) -> int:
    """Run ``work`` and turn its errors into a message and an exit code."""
    try:
        work()
    except NotEmbedded as error:
        sys.stderr.write(f"certwright: {error.__doc__ or error}\n")
        return _USAGE
    except BackupFailed as error:
        sys.stderr.write(f"certwright: {error}\n")
        return 1
    return 0


def write(database_url: str, target: str) -> None:
    """Copy the database to ``target``, a new file that only its owner can read.

    Raises:
        NotEmbedded: it is PostgreSQL.
        BackupFailed: there is no database, or the file exists or can't be written.
    """
    source = _file_of(database_url)
    if not source.exists():
        raise BackupFailed(f"there is no database {source}")
    partial = Path(f"{target}.part")
    if Path(target).exists():
        raise BackupFailed(f"{target} exists already")
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        _copy(source, partial)
        _check(partial)
        partial.rename(target)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise BackupFailed(f"{target}: {error}") from error


def restore(database_url: str, backup: str) -> None:
    """Put ``backup`` in the place of the database; the hub must not run.

    Raises:
        NotEmbedded: it is PostgreSQL.
        BackupFailed: the file is damaged, or a hub is using the database.
    """
    target, source = _file_of(database_url), Path(backup)
    if not source.exists():
        raise BackupFailed(f"there is no file {backup}")
    try:
        _check(source)
        if target.exists():
            _refuse_in_use(target)
        partial = target.with_name(target.name + ".restoring")
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        _copy(source, partial)
        for suffix in ("-wal", "-shm"):
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        partial.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(f"{backup}: {error}") from error


def _file_of(database_url: str) -> Path:
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise NotEmbedded
    return Path(url.database)


def _copy(source: Path, target: Path) -> None:
    reading = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
    writing = sqlite3.connect(target)
    try:
        reading.backup(writing, pages=_PAGES_A_STEP)
        # One file without a log beside it, whatever the source's mode.
        writing.execute("PRAGMA journal_mode=DELETE")
    finally:
        writing.close()
        reading.close()


def _check(file: Path) -> None:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        versions = connection.execute("SELECT count(*) FROM alembic_version").fetchone()
    finally:
        connection.close()
    if answer != "ok" or not versions[0]:
        raise BackupFailed(f"{file} is damaged: {answer}")


def _refuse_in_use(database: Path) -> None:
    """A running hub holds the log's shared lock; an exclusive one can't be had then."""
    connection = sqlite3.connect(database, timeout=0.5)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("ROLLBACK")
        # Only without other connections can the log be folded in and left.
        (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.OperationalError as error:
        raise BackupFailed(f"{database} is in use: stop the hub first") from error
    finally:
        connection.close()
    if mode != "delete":
        raise BackupFailed(f"{database} is in use: stop the hub first")
