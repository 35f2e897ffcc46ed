"""Databases with a population: a hub's own schema, filled in bulk, kept for the next run if wanted."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import insert, select, text

from benchmarks.inventory.population import DEPARTMENTS, ORGANIZATIONS, PROFILES, Spread, rows, start_of_today
from hub.db.companions import install_all
from hub.db.tables import all_tables
from hub.db.uow import Database
from hub.lifecycle.figures.folding import fold_all
from hub.lifecycle.figures.triggers import note_all
from hub.lifecycle.models import Certificate

HUB = [sys.executable, "-m", "hub.cli.main", "hub"]
_CHUNK = 20_000
_TABLE: Any = Certificate.__table__
_NAMES = [column.name for column in _TABLE.columns]


@dataclass(frozen=True, slots=True)
class Store:
    """A filled database: what it is called, how to open it, and the hub's folder."""

    name: str
    url: str
    folder: Path


def sqlite_store(folder: Path, count: int) -> Store:
    """Return the SQLite database in ``folder`` with ``count`` certificates, made now if it is not there."""
    store = Store("SQLite", f"sqlite:///{folder / 'hub.db'}", folder)
    if not (folder / "filled").exists():
        _fresh(folder)
        _initialize(store)
        asyncio.run(_fill(store, count))
        (folder / "filled").write_text(str(count))
    return store


def postgresql_store(url: str, folder: Path, count: int) -> Store:
    """Return the PostgreSQL database at ``url`` with ``count`` certificates, made now if it is empty."""
    store = Store("PostgreSQL", url, folder)
    if not (folder / "filled").exists():
        _fresh(folder)
        _initialize(store)
        asyncio.run(_fill(store, count))
        (folder / "filled").write_text(str(count))
    return store


def _fresh(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _initialize(store: Store) -> None:
    subprocess.run(
        [*HUB, "init", "--data-dir", str(store.folder), "--database-url", store.url, "--json"],
        check=True,
        stdout=subprocess.DEVNULL,
    )


async def _fill(store: Store, count: int) -> None:
    db = Database.open(store.url)
    try:
        await _owners(db)
        dropped = await _without_indexes(db)
        load = _load_sqlite if db.is_sqlite else _load_postgresql
        await load(store.url, rows(count, Spread(start_of_today())))
        async with db.engine.begin() as connection:
            for statement in dropped:
                await connection.exec_driver_sql(statement)
            await connection.run_sync(install_all, all_tables())
            await connection.run_sync(note_all)
        await fold_all(db)
        async with db.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("ANALYZE" if db.is_sqlite else "VACUUM ANALYZE"))
    finally:
        await db.close()


async def _owners(db: Database) -> None:
    """Copy the first organization, its department and its profile as often as needed."""
    tables = all_tables().tables
    async with db.write() as uow:
        for name, count in (("organizations", ORGANIZATIONS), ("profiles", PROFILES)):
            table = tables[name]
            row = (await uow.session.execute(select(table).where(table.c.id == 1))).mappings().one()
            copies = [{**row, "id": number, "name": f"{name} {number}"} for number in range(2, count + 1)]
            if "public_id" in row:
                copies = [{**copy, "public_id": f"{copy['id']:016x}"} for copy in copies]
            await uow.session.execute(insert(table), copies)
        table = tables["departments"]
        values: dict[str, Any] = {
            column.name: "" for column in table.columns if not column.nullable and column.default is None
        }
        values |= {"status": "active", "created_at": uow.now, "key_recovery": []}
        for number in range(1, DEPARTMENTS + 1):
            owner = {
                "id": number,
                "organization_id": 1 + number % ORGANIZATIONS,
                "name": f"department {number}",
            }
            await uow.session.execute(insert(table).values({**values, **owner}))


async def _without_indexes(db: Database) -> list[str]:
    """Drop what slows down a bulk load; return the statements that make the indexes again."""
    async with db.engine.begin() as connection:
        if db.is_sqlite:
            found = await connection.exec_driver_sql(
                "SELECT name, sql, type FROM sqlite_master"
                " WHERE tbl_name = 'certificates' AND type IN ('index', 'trigger') AND sql IS NOT NULL"
            )
            made = [(row.name, row.sql) for row in found.all() if row.type == "index"]
            found = await connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE tbl_name = 'certificates' AND type = 'trigger'"
            )
            for (name,) in found.all():
                await connection.exec_driver_sql(f"DROP TRIGGER {name}")
            await connection.exec_driver_sql("DROP TABLE certificate_names")
        else:
            found = await connection.exec_driver_sql(
                "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'certificates'"
                " AND indexname NOT LIKE 'pk_%%' AND indexname NOT LIKE 'uq_%%'"
            )
            made = [(row.indexname, row.indexdef) for row in found.all()]
            for name in ("certificates_counted", "certificates_counted_update"):
                await connection.exec_driver_sql(f"DROP TRIGGER {name} ON certificates")
        for name, _sql in made:
            await connection.exec_driver_sql(f"DROP INDEX {name}")
    return [sql for _name, sql in made]


def _defaults() -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column in _TABLE.columns:
        argument = getattr(column.default, "arg", None)
        values[column.name] = argument(None) if callable(argument) else argument
    return values


def _chunks(population: Iterator[dict[str, Any]], *, text_times: bool) -> Iterator[list[list[Any]]]:
    defaults = _defaults()
    while chunk := list(islice(population, _CHUNK)):
        yield [[_plain({**defaults, **row}[name], text_times=text_times) for name in _NAMES] for row in chunk]


def _plain(value: Any, *, text_times: bool) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(value)
    if isinstance(value, datetime) and text_times:
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return value


async def _load_sqlite(url: str, population: Iterator[dict[str, Any]]) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    try:
        connection.execute("PRAGMA synchronous=OFF")
        places = ", ".join("?" * len(_NAMES))
        statement = f"INSERT INTO certificates ({', '.join(_NAMES)}) VALUES ({places})"
        for chunk in _chunks(population, text_times=True):
            connection.executemany(statement, chunk)
        connection.commit()
    finally:
        connection.close()


async def _load_postgresql(url: str, population: Iterator[dict[str, Any]]) -> None:
    connection = await asyncpg.connect(url)
    try:
        for chunk in _chunks(population, text_times=False):
            await connection.copy_records_to_table("certificates", records=chunk, columns=_NAMES)
        await connection.execute("SELECT setval('certificates_id_seq', (SELECT max(id) FROM certificates))")
    finally:
        await connection.close()


@contextmanager
def kept_postgres(folder: Path, options: Sequence[str] = ("shared_buffers=512MB",)) -> Iterator[str]:
    """Run a PostgreSQL whose data stay in ``folder``; yield the URL of its database.

    Durable as one in production. Its memory is four times PostgreSQL's default, which is meant for 2005.
    """
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs and shutil.which("initdb") is None:
        raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
    binaries = programs[-1].parent if programs else Path(str(shutil.which("initdb"))).resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    user = "postgres" if os.geteuid() == 0 else None
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(binaries / program), "-D", str(folder / "data"), *arguments],
            user=user,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    if not (folder / "data").exists():
        run("initdb", "-A", "trust", "-U", "certwright", "-E", "UTF8", "--locale=C.UTF-8")
    settings = " ".join(f"-c {option}" for option in (*options, "listen_addresses=''"))
    run("pg_ctl", "-o", f"-k {folder} {settings}", "-l", str(folder / "log"), "-w", "start")
    try:
        yield f"postgresql://certwright@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-m", "fast", "-w", "stop")
