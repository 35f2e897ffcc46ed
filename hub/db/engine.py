"""Opening the database: SQLite in WAL mode by default, PostgreSQL by URL.

SQLite allows one writer at a time. Write transactions therefore start with BEGIN IMMEDIATE, so that two
writers queue at their start and never fail half-way with a locked database; how long they queue is bounded
by ``busy_timeout``.
"""

from __future__ import annotations

import math
import sqlite3
import time
from typing import Any

from sqlalchemy import event, exc
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from hub.db import sqlite_driver

BUSY_TIMEOUT_MS = 10_000
_PING_AFTER_S = 10.0
_USED_AT = "certwright_used_at"
_ASYNC_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}


def async_url(database_url: str) -> URL:
    """Return ``database_url`` with the asynchronous driver for its database.

    Raises:
        ValueError: the database is neither SQLite nor PostgreSQL.
    """
    url = make_url(database_url)
    backend = url.get_backend_name()
    if backend not in _ASYNC_DRIVERS:
        raise ValueError(f"the database URL names {backend!r}; sqlite and postgresql are supported")
    return url.set(drivername=_ASYNC_DRIVERS[backend])


def open_engine(database_url: str, *, pool_size: int = 10) -> AsyncEngine:
    """Open an engine on ``database_url``; no connection is made yet."""
    url = async_url(database_url)
    if url.get_backend_name() == "sqlite":
        # All stay open: a connection costs a thread, six statements and an empty cache each time.
        engine = create_async_engine(
            url,
            pool_size=2 * pool_size,
            max_overflow=0,
            connect_args={"async_creator_fn": sqlite_driver.connect},
        )
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        return engine
    engine = create_async_engine(url, pool_size=pool_size, max_overflow=pool_size)
    event.listen(engine.sync_engine, "checkin", _note_use)
    event.listen(engine.sync_engine, "checkout", _check_postgres)
    return engine


def _note_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _check_postgres(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    # What SQLAlchemy's pre-ping is for, without its three round trips each time: a server that ends closes
    # its sockets, which asyncpg sees at once; only one that vanished must be asked.
    driver: Any = record.driver_connection
    if driver.is_closed():
        raise exc.InvalidatePoolError("the server has closed the connection")
    if time.monotonic() - record.info.get(_USED_AT, math.inf) > _PING_AFTER_S:
        try:
            connection.ping()
        except (AsyncAdapt_asyncpg_dbapi.Error, OSError) as error:
            raise exc.InvalidatePoolError("the server is gone") from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Certificates and command results are facts that others rely on: a commit must survive a power cut,
    # hence synchronous=FULL.
    connection.isolation_level = None
    cursor: sqlite3.Cursor = connection.cursor()
    try:
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-16000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
    finally:
        cursor.close()
