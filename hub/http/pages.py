"""Reading a page of a list, and counting what matches, in bounded time on tables of any size.

Small lists are read and counted as they are. A big one, which has an index of :mod:`hub.http.search_index`,
is counted first: if a few rows match, they are fetched and sorted; of many, the first ones come soon on a
walk along the index of the sort column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, RowMapping, UnaryExpression, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.operators import custom_op

from hub.db.deadline import TooSlow, deadline
from hub.http.keyset import Sort, decode_cursor, encode_cursor, stretches
from hub.http.search_index import FEW, narrow

if TYPE_CHECKING:
    from hub.http.listing import Listing, ListQuery

EXACT_COUNT_LIMIT = 10_000
PAGE_DEADLINE_S = 10.0
"""A page that isn't there by then is given up: the caller is told to narrow it down."""
COUNT_DEADLINE_S = 1.0
"""Nobody waits longer for a number; the page says that there are more than those it shows."""
# A common text is looked for in so many rows that have it, to count those that match the rest too.
_HITS_LOOKED_AT = 20_000


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows in order, and where to go on."""

    rows: list[RowMapping]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows match; if not ``exact``, more than ``total``."""

    total: int
    exact: bool


async def read_page(
    session: AsyncSession,
    listing: Listing[Any],
    query: ListQuery,
    *,
    conditions: Sequence[ColumnElement[bool]],
    texts: Sequence[str],
) -> tuple[Slice, Counted]:
    """Return the page that ``query`` asks for, and how many rows match.

    Raises:
        Malformed: the cursor is not this list's.
        TooSlow: it takes longer than :data:`PAGE_DEADLINE_S`.
    """
    if listing.index is None:
        found = await _in_time(session, listing, query, conditions=conditions)
        return found, await _count_in_time(session, listing, conditions, at_least=len(found.rows))
    async with deadline(session, PAGE_DEADLINE_S):
        narrowed = await narrow(session, listing.index, texts)
    if narrowed.condition is not None:
        conditions = [narrowed.condition, *conditions]
    counted = await _count_in_time(session, listing, conditions, common=narrowed.common)
    few = narrowed.condition is not None or (counted.exact and counted.total <= FEW)
    found = await _in_time(session, listing, query, conditions=conditions, few=few)
    return found, Counted(max(counted.total, len(found.rows)), counted.exact)


async def _in_time(
    session: AsyncSession,
    listing: Listing[Any],
    query: ListQuery,
    *,
    conditions: Sequence[ColumnElement[bool]],
    few: bool = False,
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
    few: bool = False,
) -> Slice:
    """Return up to ``limit`` rows from the cursor on; ``few``: fetch those that match and sort them."""
    sort = listing.sort_of(query)
    position = None if query.cursor is None else decode_cursor(query.cursor, sort)
    dialect = session.get_bind().dialect.name
    order = _order(sort, listing.id_column, unindexed=few and dialect == "sqlite")
    rows: list[RowMapping] = []
    for stretch in stretches(sort, listing.id_column, position, nulls_largest=dialect == "postgresql"):
        wanted = [*conditions, stretch] if stretch is not None else conditions
        statement = listing.statement(wanted).order_by(*order).limit(limit + 1 - len(rows))
        rows += (await session.execute(statement)).mappings()
        if len(rows) > limit:
            last = rows[limit - 1]
            return Slice(rows[:limit], encode_cursor(sort, last[sort.column.name], last["_id"]))
    return Slice(rows, None)


def _order(sort: Sort, id_column: Any, *, unindexed: bool) -> tuple[Any, ...]:
    if not unindexed:
        return sort.order_by(id_column)
    # SQLite would rather walk an index than sort; a plus sign hides the column from it.
    terms = (
        UnaryExpression(expression, operator=custom_op("+"), type_=expression.type)
        for expression in (sort.column.expression, id_column)
    )
    return tuple(term.desc() if sort.descending else term.asc() for term in terms)


async def _count_in_time(
    session: AsyncSession,
    listing: Listing[Any],
    conditions: Sequence[ColumnElement[bool]],
    *,
    at_least: int = 0,
    common: str | None = None,
) -> Counted:
    try:
        async with deadline(session, COUNT_DEADLINE_S):
            if common is not None and listing.index is not None:
                postgresql = session.get_bind().dialect.name == "postgresql"
                hits = listing.index.hits(common, limit=_HITS_LOOKED_AT, postgresql=postgresql)
                return await _count_hits(session, listing, conditions, hits=hits)
            return await count_matching(session, listing, conditions)
    except TooSlow:
        await session.rollback()
        return Counted(at_least, exact=False)


async def count_matching(
    session: AsyncSession, listing: Listing[Any], conditions: Sequence[ColumnElement[bool]]
) -> Counted:
    """Count up to :data:`EXACT_COUNT_LIMIT`."""
    matching = (
        select(literal(1).label("one"))
        .select_from(listing.select_from)
        .where(*conditions)
        .limit(EXACT_COUNT_LIMIT + 1)
        .subquery()
    )
    count = (await session.execute(select(func.count()).select_from(matching))).scalar_one()
    return Counted(min(count, EXACT_COUNT_LIMIT), exact=count <= EXACT_COUNT_LIMIT)


async def _count_hits(
    session: AsyncSession, listing: Listing[Any], conditions: Sequence[ColumnElement[bool]], *, hits: Any
) -> Counted:
    """Count rows with a text that many have: among the first that have it."""
    matching = (
        select(literal(1).label("one"))
        .select_from(hits.join(listing.select_from, listing.id_column == hits.c.id))
        .where(*conditions)
        .limit(EXACT_COUNT_LIMIT + 1)
        .subquery()
    )
    looked_at = select(func.count()).select_from(hits).scalar_subquery()
    row = (await session.execute(select(func.count(), looked_at).select_from(matching))).one()
    count, hit = row
    if count > EXACT_COUNT_LIMIT:
        return Counted(EXACT_COUNT_LIMIT, exact=False)
    return Counted(count, exact=hit < _HITS_LOOKED_AT)
