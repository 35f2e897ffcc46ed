"""INSERT ... ON CONFLICT, which SQLite and PostgreSQL share but SQLAlchemy's common insert does not offer."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession


def insert_for(session: AsyncSession, table: Any) -> sqlite.Insert | postgresql.Insert:
    """Return the dialect's INSERT into ``table``, with ``on_conflict_do_nothing`` and ``..._do_update``."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
