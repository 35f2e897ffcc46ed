"""Filters of lists: ``column:op:value``.

Operators: ``eq``, ``ne`` (also rows without a value), ``in`` (comma-separated), ``lt``, ``le``, ``gt``,
``ge``, ``contains`` (case-insensitive substring; text only) and ``is_null`` (``true`` or ``false``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select

from hub.db.errors import Malformed
from hub.http.columns import Column, column_named, parse_value

_MAX_IN_VALUES = 100
_FIELD = "filter"
# What holds for no row without a value.
_POSITIVE = frozenset({"eq", "in", "contains"})
_ORDERED_KINDS = frozenset({"int", "time", "text"})


def contains(expression: Any, text: str) -> ColumnElement[bool]:
    """Return the condition that ``expression`` contains ``text``, whatever the case."""
    escaped = text.replace("/", "//").replace("%", "/%").replace("_", "/_")
    condition: ColumnElement[bool] = expression.ilike(f"%{escaped}%", escape="/")
    return condition


def parse_filter(columns: Sequence[Column], text: str) -> ColumnElement[bool]:
    """Return the condition that a ``filter`` parameter stands for.

    Raises:
        Malformed: it is not ``column:op:value``, or column, operator or value don't go together.
    """
    name, separator, rest = text.partition(":")
    operator, second, value = rest.partition(":")
    if not separator or not second:
        raise Malformed(f"{text[:64]!r} is not column:op:value", field=_FIELD)
    column = column_named(columns, name, field=_FIELD)
    if not column.filterable:
        raise Malformed(f"the list can't be filtered by {name!r}", field=_FIELD)
    build = _OPERATORS.get(operator)
    if build is None:
        raise Malformed(f"{operator[:16]!r} is none of {', '.join(_OPERATORS)}", field=_FIELD)
    condition = build(column, value)
    if column.refers is None or operator not in _POSITIVE:
        return condition
    reference, other_id = column.refers
    found: ColumnElement[bool] = reference.in_(select(other_id).where(condition))
    return found


def contained_text(text: str, names: Collection[str]) -> str | None:
    """Return the text of a ``contains`` filter on one of the columns ``names``; None for any other filter."""
    name, _separator, rest = text.partition(":")
    operator, _second, value = rest.partition(":")
    return value if operator == "contains" and name in names else None


def _equal(column: Column, value: str) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = column.expression == parse_value(column, value, field=_FIELD)
    return condition


def _different(column: Column, value: str) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = column.expression.is_distinct_from(
        parse_value(column, value, field=_FIELD)
    )
    return condition


def _in(column: Column, value: str) -> ColumnElement[bool]:
    values = value.split(",")
    if len(values) > _MAX_IN_VALUES:
        raise Malformed(f"more than {_MAX_IN_VALUES} values", field=_FIELD)
    condition: ColumnElement[bool] = column.expression.in_(
        [parse_value(column, item, field=_FIELD) for item in values]
    )
    return condition


def _compare(method: str) -> Callable[[Column, str], ColumnElement[bool]]:
    def build(column: Column, value: str) -> ColumnElement[bool]:
        if column.kind not in _ORDERED_KINDS:
            raise Malformed(f"{column.name} has no order", field=_FIELD)
        bound = parse_value(column, value, field=_FIELD)
        condition: ColumnElement[bool] = getattr(column.expression, method)(bound)
        return condition

    return build


def _contains(column: Column, value: str) -> ColumnElement[bool]:
    if column.kind != "text":
        raise Malformed(f"{column.name} is not text", field=_FIELD)
    return contains(column.expression, str(parse_value(column, value, field=_FIELD)))


def _is_null(column: Column, value: str) -> ColumnElement[bool]:
    if value not in {"true", "false"}:
        raise Malformed("is_null takes true or false", field=_FIELD)
    condition: ColumnElement[bool] = (
        column.expression.is_(None) if value == "true" else column.expression.is_not(None)
    )
    return condition


_OPERATORS: dict[str, Callable[[Column, str], ColumnElement[bool]]] = {
    "eq": _equal,
    "ne": _different,
    "in": _in,
    "lt": _compare("__lt__"),
    "le": _compare("__le__"),
    "gt": _compare("__gt__"),
    "ge": _compare("__ge__"),
    "contains": _contains,
    "is_null": _is_null,
}
