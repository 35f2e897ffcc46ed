"""Columns of a list: what they are called, which SQL they stand for, and how their values are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Literal

import sqlalchemy

from hub.db.errors import Malformed

Kind = Literal["text", "int", "time", "enum", "bool"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``expression`` is SQL, ``header`` the first line of the CSV.

    ``nullable=False`` promises that the expression is never NULL (mind outer joins); pages then come from an
    index range. ``choices`` lists the values of an enum for documentation and for checking filters. With
    ``refers`` filters first look for the other table's rows, then for those that refer to them.
    """

    name: str
    expression: Any
    header: str
    kind: Kind = "text"
    sortable: bool = True
    filterable: bool = True
    searchable: bool = False
    nullable: bool = True
    choices: tuple[str, ...] = ()
    # Of a column of another table: the column that refers to it, and that table's id.
    refers: tuple[Any, Any] | None = None


def column_named(columns: Sequence[Column], name: str, *, field: str) -> Column:
    """Return the column called ``name``.

    Raises:
        Malformed: there is none; blamed on the query parameter ``field``.
    """
    for column in columns:
        if column.name == name:
            return column
    raise Malformed(f"there is no column {name[:64]!r}", field=field)


def parse_value(column: Column, text: str, *, field: str) -> Any:
    """Turn a filter's or cursor's text into what the database compares with.

    Raises:
        Malformed: it is not a value of the column's kind.
    """
    try:
        return _PARSERS[column.kind](column, text)
    except (ValueError, OverflowError) as error:
        raise Malformed(
            f"{text[:64]!r} is not a {column.kind} value of {column.name}", field=field
        ) from error


def value_text(value: Any) -> str:
    """Return ``value`` as text that :func:`parse_value` reads back."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return str(value.value)
    return str(value)


def _parse_int(_column: Column, text: str) -> int:
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError("beyond 64 bits")
    return number


def _parse_time(_column: Column, text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _parse_bool(_column: Column, text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(text)
    return text == "true"


def _parse_enum(column: Column, text: str) -> Any:
    if column.choices and text not in column.choices:
        raise ValueError(text)
    type_ = getattr(column.expression, "type", None)
    if isinstance(type_, sqlalchemy.Enum) and type_.enum_class is not None:
        return type_.enum_class(text)
    return text


def _parse_text(_column: Column, text: str) -> str:
    if "\x00" in text:
        raise ValueError("a NUL character")
    return text


_PARSERS = {
    "text": _parse_text,
    "int": _parse_int,
    "time": _parse_time,
    "enum": _parse_enum,
    "bool": _parse_bool,
}
