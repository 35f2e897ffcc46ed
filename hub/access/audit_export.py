"""Export of the audit log: what is hashed, with the hashes, so that a copy can be checked anywhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select

from hub.access.audit_chain import entry_document
from hub.access.models import AuditEntry
from hub.db.uow import Database
from hub.http.columns import value_text

_BATCH = 1000
CSV_COLUMNS: tuple[str, ...] = tuple(column.name for column in AuditEntry.__table__.columns)


async def json_lines(db: Database, conditions: Sequence[ColumnElement[bool]]) -> AsyncIterator[str]:
    """Yield the entries that match, oldest first, a thousand lines at a time; no transaction stays open."""
    async for rows in _batches(db, conditions):
        yield "".join(_line(row) for row in rows)


async def csv_rows(db: Database) -> AsyncIterator[list[list[str]]]:
    """Yield all entries as the texts of :data:`CSV_COLUMNS`."""
    async for rows in _batches(db, ()):
        yield [[value_text(row[name]) for name in CSV_COLUMNS] for row in rows]


async def _batches(db: Database, conditions: Sequence[ColumnElement[bool]]) -> AsyncIterator[list[Any]]:
    position = 0
    while True:
        statement = (
            select(AuditEntry.__table__)
            .where(AuditEntry.sequence > position, *conditions)
            .order_by(AuditEntry.sequence)
            .limit(_BATCH)
        )
        async with db.read() as session:
            rows: list[Any] = list((await session.execute(statement)).mappings())
        if not rows:
            return
        yield rows
        position = rows[-1]["sequence"]


def _line(row: Any) -> str:
    document = {
        **entry_document(row),
        "previous_sha256": row["previous_sha256"],
        "sha256": row["sha256"],
    }
    return json.dumps(document) + "\n"
