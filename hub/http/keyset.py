"""Keyset pages: a cursor says after which row a page starts, so that page 10,000 costs what page 1 does.

A cursor is opaque to callers: base64 of JSON [sort, value, id]. NULLs sort where the database puts them by
itself (SQLite: smallest, PostgreSQL: largest), because only that order is served by a plain index.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, tuple_

from hub.db.errors import Malformed
from hub.http.columns import Column, parse_value, value_text


@dataclass(frozen=True, slots=True)
class Sort:
    """An order: by one column, ties broken by the id in the same direction."""

    column: Column
    descending: bool = False

    @property
    def text(self) -> str:
        """The order as a ``sort`` parameter."""
        return f"-{self.column.name}" if self.descending else self.column.name

    def order_by(self, id_column: Any) -> tuple[Any, ...]:
        """Return the ORDER BY terms."""
        if self.descending:
            return (self.column.expression.desc(), id_column.desc())
        return (self.column.expression.asc(), id_column.asc())


@dataclass(frozen=True, slots=True)
class Position:
    """The last row of a page: its sort value and its id."""

    value: Any
    id: int | str


def encode_cursor(sort: Sort, value: Any, row_id: int | str) -> str:
    """Return the cursor of the page that starts after this row."""
    body = json.dumps([sort.text, None if value is None else value_text(value), row_id])
    return base64.urlsafe_b64encode(body.encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str, sort: Sort) -> Position:
    """Read a cursor back.

    Raises:
        Malformed: it is not ours, or was made for another order.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        body = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        sorted_by, value, row_id = body
    except (ValueError, binascii.Error, TypeError, RecursionError) as error:
        raise Malformed("the cursor is not one that this list gave", field="cursor") from error
    well_typed = isinstance(value, str | None) and isinstance(row_id, int | str) and row_id is not True
    if not well_typed or isinstance(row_id, bool) or (isinstance(row_id, int) and abs(row_id) >= 2**63):
        raise Malformed("the cursor is not one that this list gave", field="cursor")
    if sorted_by != sort.text:
        raise Malformed("the cursor belongs to another order; start again without it", field="cursor")
    parsed = None if value is None else parse_value(sort.column, value, field="cursor")
    return Position(parsed, row_id)


def stretches(
    sort: Sort, id_column: Any, position: Position | None, *, nulls_largest: bool
) -> tuple[ColumnElement[bool] | None, ...]:
    """Return the conditions on the rows after ``position``, to be read one after the other; None: all rows.

    Rows with a value and rows without are two ranges of the index. Asked for in one condition they would be
    read whole and sorted.
    """
    if position is None:
        return (None,)
    expression = sort.column.expression
    nulls_come_last = nulls_largest is not sort.descending
    if position.value is None:
        next_id: ColumnElement[bool] = id_column < position.id if sort.descending else id_column > position.id
        same = and_(expression.is_(None), next_id)
        return (same,) if nulls_come_last else (same, expression.is_not(None))
    # Bound with their types: SQLAlchemy would compare a plain boolean by equality only.
    here = tuple_(_bound(position.value, expression), _bound(position.id, id_column))
    row = tuple_(expression, id_column)
    following: ColumnElement[bool] = row < here if sort.descending else row > here
    if sort.column.nullable and nulls_come_last:
        return (following, expression.is_(None))
    return (following,)


def _bound(value: Any, expression: Any) -> Any:
    return literal(value, getattr(expression, "type", None))
