"""Tables that only grow: the database itself refuses to change or delete their rows.

A table says so by ``info={"append_only": True}``. The triggers guard against mistakes and against whoever has
the hub's database account; an owner of the database can drop them, which is what hash chains are for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import AsyncConnection

APPEND_ONLY = {"append_only": True}
_MESSAGE = "rows of {table} are never changed"


def protect(connection: Connection, metadata: MetaData) -> None:
    """Put the triggers on all append-only tables; those that are there stay."""
    statements = _postgresql if connection.dialect.name == "postgresql" else _sqlite
    for table in metadata.sorted_tables:
        if table.info.get("append_only"):
            for statement in statements(table.name):
                connection.exec_driver_sql(statement)


def _sqlite(table: str) -> list[str]:
    message = _MESSAGE.format(table=table)
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        for verb in ("update", "delete")
    ]


def _postgresql(table: str) -> list[str]:
    message = _MESSAGE.format(table=table)
    function = f"{table}_append_only()"
    return [
        f"""CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{message}'; END $$""",
        f"""CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION {function}""",
    ]


@asynccontextmanager
async def growing_only_lifted(connection: AsyncConnection, table: str) -> AsyncIterator[None]:
    """Let rows of ``table`` be deleted within the block, which is within a transaction of its own.

    For archiving only. When the transaction is undone the triggers are back.
    """
    if connection.dialect.name == "postgresql":
        trigger = f"{table}_append_only"
        await connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        yield
        await connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
        return
    await connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_delete")
    yield
    for statement in _sqlite(table):
        await connection.exec_driver_sql(statement)
