"""Reading a page of a list, and counting what matches, in bounded time on tables of any size.

Small lists are read and counted as they are. A big one, which has an index of :mod:`hub.http.search_index`,
is counted first: if a few rows match, they are fetched and sorted; of many, the first ones come soon on a
walk along the index of the sort column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, RowMapping, Select, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.deadline import TooSlow, deadline
from hub.http.keyset import Sort, decode_cursor, encode_cursor, stretches
from hub.http.planner import Hidden, concern_only, hide, plan_walk
from hub.http.search_index import FEW, Hits, narrow

if TYPE_CHECKING:
    from hub.http.listing import Listing, ListQuery

EXACT_COUNT_LIMIT = 10_000
PAGE_DEADLINE_S = 10.0
"""A page that isn't there by then is given up: the caller is told to narrow it down."""
COUNT_DEADLINE_S = 1.0
"""Nobody waits longer for a number; the page says that there are more than those it shows."""
# To count rows with a common text that match other conditions too, so many are looked at: of those that match
# the others, if they are no more, else of those that have the text.
_LOOKED_AT = 3000
# Not so many are sorted without looking for a shorter way: a walk that passes few rows for each of them.
_FEWER_THAN_A_WALK = 1000
_PASSED_FOR_EACH = 5


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows in order, and where to go on."""

    rows: list[RowMapping]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The conditions of a list, apart: what names must contain (and these texts), and all others."""

    containing: Sequence[ColumnElement[bool]]
    others: Sequence[ColumnElement[bool]]
    texts: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows match; if not ``exact``, more than ``total``."""

    total: int
    exact: bool


async def read_page(
    session: AsyncSession, listing: Listing[Any], query: ListQuery, *, wanted: Wanted
) -> tuple[Slice, Counted]:
    """Return the page that ``query`` asks for, and how many rows match.

    Raises:
        Malformed: the cursor is not this list's.
        TooSlow: it takes longer than :data:`PAGE_DEADLINE_S`.
    """
    conditions = [*wanted.containing, *wanted.others]
    if listing.index is None:
        found = await _in_time(session, listing, query, conditions=conditions)
        return found, await _count_in_time(session, listing, conditions, at_least=len(found.rows))
    async with deadline(session, PAGE_DEADLINE_S):
        narrowed = await narrow(session, listing.index, wanted.texts)
    if narrowed is not None and not narrowed.common:
        conditions = _among(session, listing, narrowed.hits, FEW, conditions)
    if narrowed is not None and narrowed.exact and len(wanted.containing) == 1 and not wanted.others:
        counted = Counted(min(narrowed.hits.count, EXACT_COUNT_LIMIT), exact=not narrowed.common)
    else:
        common = narrowed.hits if narrowed is not None and narrowed.common else None
        counted = await _count_in_time(session, listing, conditions, common=common, wanted=wanted)
        if common is not None and counted.exact:
            conditions = [*_hidden(listing, wanted.containing), *wanted.others]
    fetched = narrowed is not None and not narrowed.common
    few = FEW if fetched else counted.total if counted.exact else None
    found = await _in_time(session, listing, query, conditions=conditions, few=few)
    if query.cursor is None and found.next_cursor is None:
        return found, Counted(len(found.rows), exact=True)
    return found, Counted(max(counted.total, len(found.rows)), counted.exact)


def _among(
    session: AsyncSession,
    listing: Listing[Any],
    hits: Hits,
    limit: int,
    conditions: Sequence[ColumnElement[bool]],
) -> list[ColumnElement[bool]]:
    """Return ``conditions`` for rows of which the search index tells that they have a text."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    assert listing.index is not None  # noqa: S101 - who else would know of the text
    among = listing.index.among(hits, limit=limit, postgresql=postgresql)
    return [among, *_hidden(listing, conditions)]


def _hidden(listing: Listing[Any], conditions: Sequence[ColumnElement[bool]]) -> list[ColumnElement[bool]]:
    return [hide(condition, listing.id_column.table, everywhere=True) for condition in conditions]


async def _in_time(
    session: AsyncSession,
    listing: Listing[Any],
    query: ListQuery,
    *,
    conditions: Sequence[ColumnElement[bool]],
    few: int | None = None,
) -> Slice:
    async with deadline(session, PAGE_DEADLINE_S):
        return await read_slice(session, listing, query, conditions=conditions, limit=query.limit, few=few)


async def read_slice(
    session: AsyncSession,
    listing: Listing[Any],
    query: ListQuery,
    *,
    conditions: Sequence[ColumnElement[bool]],
    limit: int,
    few: int | None = None,
) -> Slice:
    """Return up to ``limit`` rows from the cursor on; ``few``: how many match, if that is known."""
    sort = listing.sort_of(query)
    position = None if query.cursor is None else decode_cursor(query.cursor, sort)
    postgresql = session.get_bind().dialect.name == "postgresql"
    rows: list[RowMapping] = []
    build = _in_order if listing.index is None else _walked
    if listing.index is not None and few is not None:
        build = _walked if await _walk_is_shorter(session, listing, sort, conditions, few) else _sorted
    for stretch in stretches(sort, listing.id_column, position, nulls_largest=postgresql):
        statement = build(listing, sort, conditions, stretch, limit + 1 - len(rows))
        rows += (await session.execute(statement)).mappings()
        if len(rows) > limit:
            last = rows[limit - 1]
            return Slice(rows[:limit], encode_cursor(sort, last[sort.column.name], last["_id"]))
    return Slice(rows, None)


async def _walk_is_shorter(
    session: AsyncSession, listing: Listing[Any], sort: Sort, conditions: Sequence[Any], few: int
) -> bool:
    """Tell whether a walk finds a page of the ``few`` rows sooner than sorting them would."""
    walk = plan_walk(conditions, sort=sort.column.expression, id_column=listing.id_column)
    if few <= _FEWER_THAN_A_WALK or not walk.columns:
        return False
    held = [column.in_(values) for column, values in zip(walk.columns, walk.values, strict=True)]
    passed = await count_matching(session, listing, held, up_to=few * _PASSED_FOR_EACH)
    return passed.exact


def _in_order(
    listing: Listing[Any], sort: Sort, conditions: Sequence[Any], stretch: Any, limit: int
) -> Select[Any]:
    wanted = [*conditions, stretch] if stretch is not None else conditions
    return listing.statement(wanted).order_by(*sort.order_by(listing.id_column)).limit(limit)


def _walked(
    listing: Listing[Any], sort: Sort, conditions: Sequence[Any], stretch: Any, limit: int
) -> Select[Any]:
    walk = plan_walk(conditions, sort=sort.column.expression, id_column=listing.id_column)
    branches = list(walk.branches())
    if len(branches) == 1:
        return _in_order(listing, sort, branches[0], stretch, limit)
    # The first rows of each are more than the first of all.
    firsts = [_ids(listing, sort, branch, stretch, limit) for branch in branches]
    merged = union_all(*(select(first.c.id, first.c.key) for first in firsts)).subquery("merged")
    ids = select(merged.c.id).order_by(*_directed(sort, merged.c.key, merged.c.id)).limit(limit)
    return _rows_of(listing, sort, ids)


def _ids(listing: Listing[Any], sort: Sort, conditions: Sequence[Any], stretch: Any, limit: int) -> Any:
    wanted = [*conditions, stretch] if stretch is not None else conditions
    columns = listing.id_column.label("id"), sort.column.expression.label("key")
    statement = (
        select(*columns).select_from(_source(listing, [*wanted, sort.column.expression])).where(*wanted)
    )
    return statement.order_by(*sort.order_by(listing.id_column)).limit(limit).subquery()


def _sorted(
    listing: Listing[Any], sort: Sort, conditions: Sequence[Any], stretch: Any, limit: int
) -> Select[Any]:
    """Sort ids first and fetch the columns of the page only: rows are wide."""
    wanted = [*conditions, stretch] if stretch is not None else conditions
    key = sort.column.expression
    source = _source(listing, [*wanted, key])
    columns = listing.id_column.label("id"), key.label("key")
    # OFFSET 0 makes it a question of its own: neither database walks along the sort column for it.
    few = select(*columns).select_from(source).where(*wanted).offset(0).subquery("few")
    ids = select(few.c.id).order_by(*_directed(sort, few.c.key, few.c.id)).limit(limit)
    return _rows_of(listing, sort, ids)


def _rows_of(listing: Listing[Any], sort: Sort, ids: Any) -> Select[Any]:
    order = _directed(sort, Hidden(sort.column.expression), Hidden(listing.id_column))
    return listing.statement([listing.id_column.in_(ids)]).order_by(*order)


def _directed(sort: Sort, *terms: Any) -> tuple[Any, ...]:
    return tuple(term.desc() if sort.descending else term.asc() for term in terms)


async def _count_in_time(
    session: AsyncSession,
    listing: Listing[Any],
    conditions: Sequence[ColumnElement[bool]],
    *,
    at_least: int = 0,
    common: Hits | None = None,
    wanted: Wanted | None = None,
) -> Counted:
    try:
        async with deadline(session, COUNT_DEADLINE_S):
            if common is not None and wanted is not None:
                return await _count_common(session, listing, wanted, common)
            return await count_matching(session, listing, conditions)
    except TooSlow:
        await session.rollback()
        return Counted(at_least, exact=False)


async def count_matching(
    session: AsyncSession,
    listing: Listing[Any],
    conditions: Sequence[ColumnElement[bool]],
    *,
    up_to: int | None = None,
) -> Counted:
    """Count up to ``up_to``, or :data:`EXACT_COUNT_LIMIT`."""
    up_to = up_to or EXACT_COUNT_LIMIT
    rows = select(literal(1).label("one")).select_from(_source(listing, conditions))
    matching = rows.where(*conditions).limit(up_to + 1).subquery()
    count = (await session.execute(select(func.count()).select_from(matching))).scalar_one()
    return Counted(min(count, up_to), exact=count <= up_to)


def _source(listing: Listing[Any], conditions: Sequence[ColumnElement[bool]]) -> Any:
    """Return what to count in: of a big list its table alone, if the conditions need no other.

    SQLite skips joins that make no difference, but reads the rows for their columns.
    """
    if listing.index is None:
        return listing.select_from
    table = listing.id_column.table
    return table if concern_only(table, conditions) else listing.select_from


async def _count_common(
    session: AsyncSession, listing: Listing[Any], wanted: Wanted, common: Hits
) -> Counted:
    """Count rows with a text that many have, and that meet other conditions too."""
    conditions = [*wanted.containing, *wanted.others]
    others = await count_matching(session, listing, wanted.others, up_to=_LOOKED_AT)
    if others.exact:
        hidden = _hidden(listing, wanted.containing)
        return await count_matching(session, listing, [*hidden, *wanted.others])
    if session.get_bind().dialect.name == "postgresql":
        # It finds the first rows with a text after all of them. That there are more than shown is enough.
        return Counted(0, exact=False)
    among = _among(session, listing, common, _LOOKED_AT, conditions)
    found = await count_matching(session, listing, among)
    return Counted(found.total, exact=False)
