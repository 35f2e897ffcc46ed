"""Alembic's environment: runs on the connection that :mod:`hub.db.migrations.runner` hands over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import AddColumnOp, ModifyTableOps, OpContainer
from sqlalchemy import JSON, Column, DefaultClause, literal, text

from hub.db.base import UtcDateTime
from hub.db.companions import is_modelled
from hub.db.tables import all_tables


def _render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    if kind == "type" and isinstance(item, UtcDateTime):
        autogen.imports.add("from hub.db.base import UtcDateTime")
        return "UtcDateTime()"
    if kind == "type" and isinstance(item, JSON):
        autogen.imports.add("from hub.db.base import JsonDocument")
        return "JsonDocument"
    return False


def _added_columns(container: OpContainer) -> Iterator[Column[Any]]:
    for operation in container.ops:
        if isinstance(operation, AddColumnOp):
            yield operation.column
        elif isinstance(operation, ModifyTableOps | OpContainer):
            yield from _added_columns(operation)


def _with_values_for_rows(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Give new columns that must not be NULL the model's default, for the rows that are there already."""
    for column in _added_columns(directives[0].upgrade_ops):
        if column.nullable or column.server_default is not None:
            continue
        value = getattr(column.default, "arg", None)
        if value is None:
            continue
        if callable(value):
            # Lists and dicts are made by their types.
            value = json.dumps(value(None))
        if isinstance(value, bool):
            rendered = "true" if value else "false"
        else:
            rendered = str(literal(value).compile(compile_kwargs={"literal_binds": True}))
        column.server_default = DefaultClause(text(rendered))


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
        include_name=is_modelled,
        render_item=_render,
        process_revision_directives=_with_values_for_rows,
    )
    with context.begin_transaction():
        context.run_migrations()


_run()
