"""What belongs to a table but is more than SQLAlchemy can declare: triggers, full-text indexes.

A table names a function that makes them, once, with :func:`keep`. It runs when the table is created (tests),
and after the migrations of every upgrade: on SQLite a migration may rebuild a table, which drops its
triggers. So it makes what is missing and leaves what is there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, MetaData, event

_KEY = "companions"
FULL_TEXT = "certificate_names"
Install = Callable[[Connection], None]


def keep(table: Any, install: Install) -> None:
    """Have ``install`` run whenever ``table`` may lack its companions."""
    table.info.setdefault(_KEY, []).append(install)

    def created(_table: object, connection: Connection, **_options: object) -> None:
        install(connection)

    event.listen(table, "after_create", created)


def install_all(connection: Connection, metadata: MetaData) -> None:
    """Make the missing companions of all tables."""
    for table in metadata.sorted_tables:
        for install in table.info.get(_KEY, ()):
            install(connection)


def is_modelled(name: str | None, kind: str, _parents: object) -> bool:
    """Tell Alembic whether a model describes what it met in a database; companions are made by nobody else.

    SQLite keeps a full-text index in tables called after it; PostgreSQL's trigram indexes end in ``_trgm``.
    """
    if name is None:
        return True
    if kind == "table":
        return name != FULL_TEXT and not name.startswith(f"{FULL_TEXT}_")
    return not (kind == "index" and name.endswith("_trgm"))
