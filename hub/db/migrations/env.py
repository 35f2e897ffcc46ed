"""Alembic's environment: runs on the connection that :mod:`hub.db.migrations.runner` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON

from hub.db.base import UtcDateTime
from hub.db.tables import all_tables


def _render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    if kind == "type" and isinstance(item, UtcDateTime):
        autogen.imports.add("from hub.db.base import UtcDateTime")
        return "UtcDateTime()"
    if kind == "type" and isinstance(item, JSON):
        autogen.imports.add("from hub.db.base import JsonDocument")
        return "JsonDocument"
    return False


def _run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=all_tables(),
        # SQLite can't alter most things in place; the table is rebuilt instead.
        render_as_batch=True,
        # The runner's one transaction holds all migrations: a schema is never half new.
        transactional_ddl=True,
        compare_type=True,
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()


_run()
