"""Bringing a database to the current schema, and telling whether it is there.

All missing migrations run in one transaction on a connection of their own, with foreign keys off on SQLite:
rebuilding a table drops the old one, which would cascade. They are checked before the commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.db.append_only import protect
from hub.db.companions import install_all
from hub.db.engine import open_engine
from hub.db.tables import all_tables
from hub.db.uow import Database

FOLDER = Path(__file__).parent
# Two replicas that start together must not migrate at once.
_POSTGRES_LOCK = 0x63657274


class BrokenReferences(Exception):
    """A migration left rows that point to nothing; it was rolled back."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Which revision a database has, and which one this program needs."""

    current: str | None
    needed: str | None

    @property
    def is_current(self) -> bool:
        """Whether the program can work on the database."""
        return self.current is not None and self.current == self.needed


def alembic_config() -> Config:
    """Return Alembic's configuration; there is no ini file."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def needed_revision() -> str | None:
    """Return the newest revision that this program has."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


async def schema_state(db: Database) -> SchemaState:
    """Return what schema the database has."""
    async with db.engine.connect() as connection:
        return SchemaState(await connection.run_sync(_current_revision), needed_revision())


def _current_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def upgrade(database_url: str) -> SchemaState:
    """Run all missing migrations; return the state before.

    Raises:
        BrokenReferences: see there.
        CommandError: the database is from a newer release.
    """
    engine = open_engine(database_url, pool_size=1)
    if engine.dialect.name == "sqlite":
        _without_foreign_keys(engine)
    try:
        async with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})"))
            return await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> SchemaState:
    before = SchemaState(_current_revision(connection), needed_revision())
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    protect(connection, all_tables())
    install_all(connection, all_tables())
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise BrokenReferences(f"{len(broken)} rows, the first in table {broken[0][0]}")
    return before


def _without_foreign_keys(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: object, _record: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
