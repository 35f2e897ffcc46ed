"""Saying which index a list is walked by.

A database chooses an index without knowing what lies where. For ``status = 'Issued' ORDER BY name`` SQLite
would fetch every issued certificate and sort them; for ``status IN (...) ORDER BY expiry`` PostgreSQL would
walk past all that expired years ago. So a walk (:class:`Walk`) goes along one index, or along one for each
value of a list of values, and what does not help it is hidden.

A plus sign before a column hides it from SQLite's planner (https://sqlite.org/optoverview.html, section 2);
it changes nothing else, and PostgreSQL gets none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from sqlalchemy import Column, ColumnClause, ColumnElement, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import coercions, operators, roles, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.sql.visitors import InternalTraversal

MOST_BRANCHES = 16
"""Into so many walks one is split at most."""


class Hidden(ColumnElement[Any]):
    """An expression for which SQLite uses no index; of a text, PostgreSQL neither if ``everywhere``."""

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 - SQLAlchemy's name
        ("inner", InternalTraversal.dp_clauseelement),
        ("everywhere", InternalTraversal.dp_boolean),
    ]

    def __init__(self, expression: Any, *, everywhere: bool = False) -> None:
        self.everywhere = everywhere
        self.inner = coercions.expect(roles.ExpressionElementRole, expression)
        self.type = self.inner.type

    @property
    def _from_objects(self) -> list[Any]:
        return list(self.inner._from_objects)  # noqa: SLF001 - as SQLAlchemy's own elements do


@compiles(Hidden)
def _plain(element: Hidden, compiler: Any, **options: Any) -> str:
    text: str = compiler.process(element.inner, **options)
    return f"({text} || '')" if element.everywhere and isinstance(element.type, String) else text


@compiles(Hidden, "sqlite")
def _plus(element: Hidden, compiler: Any, **options: Any) -> str:
    return f"+{compiler.process(element.inner, **options)}"


@dataclass(frozen=True, slots=True)
class Walk:
    """Conditions on the rows of a walk, and the columns that each branch of it holds to one value."""

    conditions: Sequence[ColumnElement[bool]]
    columns: Sequence[Any] = ()
    values: Sequence[Sequence[Any]] = ()

    def branches(self) -> Iterator[list[ColumnElement[bool]]]:
        """Yield the conditions of each walk; together they are those of all."""
        for values in product(*self.values):
            held = [column == value for column, value in zip(self.columns, values, strict=True)]
            yield [*held, *self.conditions]


def plan_walk(conditions: Sequence[ColumnElement[bool]], *, sort: Any, id_column: Any) -> Walk:
    """Plan a walk in the order of ``sort`` (then of the id) through the rows that meet ``conditions``.

    The best index has columns that the conditions hold to one value, or to one of a few, before the sort
    column. Conditions on the sort column itself bound the walk.
    """
    table = id_column.table
    parts = list(_parts(conditions))
    held = {name: part for part in parts if (name := _held_column(part, table)) is not None}
    order = [_name(sort, table)]
    if order != [_name(id_column, table)]:
        order.append(_name(id_column, table))
    leading = _leading_columns(table, order, {name: _values(part) for name, part in held.items()})
    used = [held[name] for name in leading]
    rest = [part for part in parts if not any(part is other for other in used)]
    kept = [part if _bounds(part, order[0], table) else hide(part, table) for part in rest]
    columns = [table.columns[name] for name in leading]
    return Walk(kept, columns, [list(dict.fromkeys(_values(part))) for part in used])


def _leading_columns(table: Any, order: list[Any], values: dict[str, list[Any]]) -> list[str]:
    best: list[str] = []
    for index in table.indexes:
        names = [column.name for column in index.columns]
        size = next((size for size in range(len(names)) if names[size : size + len(order)] == order), 0)
        branches = 1
        for name in names[:size]:
            branches *= len(values.get(name, ()))
        if size > len(best) and 0 < branches <= MOST_BRANCHES:
            best = names[:size]
    return best


def _parts(conditions: Iterable[ColumnElement[bool]]) -> Iterator[ColumnElement[bool]]:
    for condition in conditions:
        if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
            yield from _parts(condition.clauses)
        else:
            yield condition


def _held_column(condition: ColumnElement[bool], table: Any) -> str | None:
    """Return the column that ``condition`` holds to values that are known."""
    if not isinstance(condition, BinaryExpression) or not isinstance(condition.right, BindParameter):
        return None
    listed = condition.operator is operators.in_op and condition.right.expanding
    if not listed and condition.operator is not operators.eq:
        return None
    return None if condition.right.value is None else _name(condition.left, table)


def _values(condition: Any) -> list[Any]:
    value = condition.right.value
    return list(value) if condition.right.expanding else [value]


def _bounds(condition: ColumnElement[bool], name: str | None, table: Any) -> bool:
    return (
        name is not None
        and isinstance(condition, BinaryExpression)
        and isinstance(condition.right, BindParameter)
        and _name(condition.left, table) == name
    )


def hide(condition: ColumnElement[bool], table: Any, *, everywhere: bool = False) -> ColumnElement[bool]:
    """Return ``condition`` so that no index of ``table`` is used for it; see :class:`Hidden`."""

    def plus(element: Any, **_options: Any) -> Any:
        return Hidden(element, everywhere=everywhere) if _name(element, table) else None

    return visitors.replacement_traverse(condition, {}, plus)


def concern_only(table: Any, expressions: Iterable[Any]) -> bool:
    """Tell whether all columns are of ``table``, but for those within a SELECT of their own."""
    for expression in expressions:
        element = getattr(expression, "__clause_element__", lambda item=expression: item)()
        for part in _own_parts(element):
            if isinstance(part, ColumnClause) and part.table is not None and _name(part, table) is None:
                return False
    return True


def _own_parts(element: Any) -> Iterator[Any]:
    yield element
    if not isinstance(element, SelectBase):
        for child in element.get_children():
            yield from _own_parts(child)


def _name(expression: Any, table: Any) -> str | None:
    column = getattr(expression, "__clause_element__", lambda: expression)()
    # A mapped attribute's column is an annotated copy: known by its table's name.
    if not isinstance(column, Column) or getattr(column.table, "name", None) != table.name:
        return None
    return column.name
