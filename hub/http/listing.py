"""Lists: keyset pages, filters, search, sorting and CSV, once for all rooms.

A room declares what a list shows and hands requests to a :class:`ListEndpoint`::

    class AgentRow(BaseModel):
        id: str
        name: str
        status: str
        last_seen: datetime | None

    AGENTS = Listing(
        AgentRow,
        (
            Column("id", Agent.id, "ID", nullable=False),
            Column("name", Agent.name, "Name", nullable=False, searchable=True),
            Column("status", Agent.status, "Status", kind="enum", choices=("active", "removed")),
            Column("last_seen", Agent.last_seen_at, "Last seen", kind="time"),
        ),
        select_from=Agent,               # a mapped class, or join(Agent, Organization, ...)
        id_column=Agent.id,              # unique; breaks ties of the sort column
        default_sort="name",             # "-name": descending
    )

    class AgentRoutes(RouteSet):
        prefix, tag = "/agents", "agents"

        def __init__(self, db: Database) -> None:
            self._listing = ListEndpoint(db, AGENTS, scope=lambda who: scope(who, Agent.organization_id))

        @get("", action="agents.read", summary="List agents",
             query=ListQuery, returns=Page[AgentRow], listing=AGENTS)
        async def list(self, call: Call[None, ListQuery]) -> Page[AgentRow] | StreamedResponse:
            return await self._listing(call)     # or (call, where=Agent.kind == "pks") to narrow it

Callers then have ``limit``, ``cursor``, ``sort=-last_seen``, ``q``, repeated ``filter=status:eq:active``
(see :mod:`hub.http.filters`), and ``format=csv`` with ``columns=name,status`` (or ``Accept: text/csv``).
Sort only by columns that an index serves: set ``sortable=False`` on the others.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import ColumnElement, RowMapping, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.errors import Malformed
from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.columns import Column, column_named
from hub.http.csv_export import csv_header, csv_lines
from hub.http.filters import contained_text, contains, parse_filter
from hub.http.keyset import Sort
from hub.http.pages import Wanted, read_page, read_slice
from hub.http.principal import Principal
from hub.http.routing import StreamedResponse
from hub.http.search_index import SearchIndex

__all__ = ["Column", "ListEndpoint", "ListQuery", "Listing", "Page", "list_page"]

CSV_PAGE_ROWS = 1000
_MAX_FILTERS = 20

RowT = TypeVar("RowT", bound=BaseModel)
Where = ColumnElement[bool] | None


def _split_commas(value: object) -> object:
    if isinstance(value, list):
        return [part for item in value for part in str(item).split(",") if part]
    return value


class ListQuery(BaseModel):
    """Query parameters of every list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=500, description="Rows a page.")
    cursor: str | None = Field(
        default=None,
        max_length=2000,
        description="`next_cursor` of the page before; keep the other parameters.",
    )
    sort: str | None = Field(
        default=None, max_length=65, description="Column to sort by; a leading `-` sorts descending."
    )
    q: str | None = Field(default=None, max_length=200, description="Text to search for.")
    filter: list[str] = Field(
        default_factory=list,
        max_length=_MAX_FILTERS,
        description="`column:op:value`, repeatable, all must hold. Operators: eq, ne, in (comma-separated),"
        " lt, le, gt, ge, contains, is_null (true or false).",
    )
    columns: Annotated[list[str], BeforeValidator(_split_commas)] = Field(
        default_factory=list, max_length=100, description="Columns of the CSV, comma-separated; default all."
    )
    format: Literal["json", "csv"] = Field(
        default="json", description="`csv` exports all rows, not one page."
    )


class Page(BaseModel, Generic[RowT]):
    """One page of a list."""

    items: list[RowT]
    next_cursor: str | None = Field(description="Ask for the next page with it; null on the last page.")
    total: int = Field(description="Rows that match, counted up to 10,000.")
    total_exact: bool = Field(description="False: there are more than `total` rows.")


@dataclass(frozen=True, slots=True)
class Listing(Generic[RowT]):
    """The declaration of a list. See the module's text for an example.

    ``row`` has a field for each column. ``search`` replaces the default (a substring of any searchable
    column), for instance by a full-text index. ``search_min_length`` keeps big tables from being walked for
    two letters; small ones set it to 1.
    """

    row: type[RowT]
    columns: Sequence[Column]
    select_from: Any
    id_column: Any
    default_sort: str
    search_min_length: int = 3
    search: Callable[[str], ColumnElement[bool]] | None = None
    # Of a big table: what finds rows by a part of their names.
    index: SearchIndex | None = None
    # What a text shorter than that may still find, such as the row of this number.
    short_search: Callable[[str], ColumnElement[bool] | None] | None = None
    make_row: Callable[[RowMapping], RowT] | None = None
    # Made once: building a SELECT of many columns costs more than running it on a small table.
    _select: Select[Any] = field(init=False, repr=False)
    page: type[Page[RowT]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        wanted = [column.expression.label(column.name) for column in self.columns]
        statement = select(*wanted, self.id_column.label("_id")).select_from(self.select_from)
        object.__setattr__(self, "_select", statement)
        object.__setattr__(self, "page", Page[self.row])  # type: ignore[name-defined]

    @property
    def sortable_names(self) -> list[str]:
        """Names of the columns that ``sort`` may name."""
        return [column.name for column in self.columns if column.sortable]

    @property
    def filterable_names(self) -> list[str]:
        """Names of the columns that ``filter`` may name."""
        return [column.name for column in self.columns if column.filterable]

    def sort_of(self, query: ListQuery) -> Sort:
        """Return the order that ``query`` asks for.

        Raises:
            Malformed: there is no such column, or it can't be sorted by.
        """
        text = query.sort or self.default_sort
        column = column_named(self.columns, text.removeprefix("-"), field="sort")
        if not column.sortable:
            raise Malformed(f"the list can't be sorted by {column.name!r}", field="sort")
        return Sort(column, descending=text.startswith("-"))

    def wanted(self, query: ListQuery, scope: Where) -> Wanted:
        """Return the conditions of filters, search and scope.

        Raises:
            Malformed: a filter or the search text breaks the rules.
        """
        text = "" if query.q is None else query.q.strip()
        containing, texts = ([self._searching(text)], [text]) if text else ([], [])
        others = [] if scope is None else [scope]
        for item in query.filter:
            condition = parse_filter(self.columns, item)
            contained = None if self.index is None else contained_text(item, self.index.columns)
            # What a database takes for the same letter differs from what an index does; not so in ASCII.
            if contained is not None and contained.isascii():
                containing.append(condition)
                texts.append(contained)
            else:
                others.append(condition)
        return Wanted(containing, others, texts)

    def _searching(self, text: str) -> ColumnElement[bool]:
        if "\x00" in text:
            raise Malformed("a NUL character", field="q")
        if len(text) < self.search_min_length:
            short = self.short_search(text) if self.short_search is not None else None
            if short is not None:
                return short
            raise Malformed(f"search for at least {self.search_min_length} characters", field="q")
        if self.search is not None:
            return self.search(text)
        searchable = [column for column in self.columns if column.searchable]
        if not searchable:
            raise Malformed("this list has nothing to search in", field="q")
        return or_(*(contains(column.expression, text) for column in searchable))

    def statement(self, conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
        """Return the unordered SELECT of all columns; ``_id`` is the id."""
        return self._select.where(*conditions)

    def to_row(self, mapping: RowMapping) -> RowT:
        """Return the schema object of a database row."""
        if self.make_row is not None:
            return self.make_row(mapping)
        return self.row.model_validate(dict(mapping))


async def list_page(
    session: AsyncSession, listing: Listing[RowT], query: ListQuery, *, scope: Where = None
) -> Page[RowT]:
    """Return the page that ``query`` asks for, of the rows that ``scope`` lets through.

    Raises:
        Malformed: the query names unknown columns, breaks a rule, or carries a foreign cursor.
        TooSlow: no index serves the query, and the table is large.
    """
    found, counted = await read_page(session, listing, query, wanted=listing.wanted(query, scope))
    return listing.page(
        items=[listing.to_row(row) for row in found.rows],
        next_cursor=found.next_cursor,
        total=counted.total,
        total_exact=counted.exact,
    )


def stream_csv(
    db: Database,
    listing: Listing[Any],
    query: ListQuery,
    *,
    scope: Where = None,
    filename: str = "export.csv",
) -> StreamedResponse:
    """Return all rows that match as CSV, read page by page so that no transaction stays open.

    Raises:
        Malformed: as :func:`list_page`, before the first byte is sent.
    """
    names = query.columns or [column.name for column in listing.columns]
    columns = [column_named(listing.columns, name, field="columns") for name in names]
    wanted = listing.wanted(query, scope)
    conditions = [*wanted.containing, *wanted.others]
    listing.sort_of(query)

    async def chunks() -> AsyncIterator[bytes]:
        yield csv_header(columns)
        current: ListQuery | None = query.model_copy(update={"cursor": None})
        while current is not None:
            async with db.read() as session:
                found = await read_slice(
                    session, listing, current, conditions=conditions, limit=CSV_PAGE_ROWS
                )
            yield csv_lines(columns, found.rows)
            current = query.model_copy(update={"cursor": found.next_cursor}) if found.next_cursor else None

    return StreamedResponse(chunks(), media_type="text/csv; charset=utf-8", filename=filename)


class ListEndpoint(Generic[RowT]):
    """Answers a list route: a page as JSON, or everything as CSV.

    ``scope`` turns the caller into the condition on what they may see; None means everything.
    """

    def __init__(
        self,
        db: Database,
        listing: Listing[RowT],
        *,
        scope: Callable[[Principal], Where] | None = None,
        filename: str = "export.csv",
    ) -> None:
        self._db = db
        self._listing = listing
        self._scope = scope
        self._filename = filename

    async def __call__(
        self, call: Call[Any, ListQuery], *, where: Where = None
    ) -> Page[RowT] | StreamedResponse:
        """Answer ``call``; ``where`` narrows the list further, for instance to one parent."""
        condition = self._scope(call.principal) if self._scope else None
        if where is not None:
            condition = where if condition is None else condition & where
        if call.query.format == "csv" or _prefers_csv(call.headers.get("Accept", "")):
            return stream_csv(self._db, self._listing, call.query, scope=condition, filename=self._filename)
        async with self._db.read() as session:
            return await list_page(session, self._listing, call.query, scope=condition)


def _prefers_csv(accept: str) -> bool:
    first = accept.split(",", 1)[0].split(";", 1)[0].strip().lower()
    return first == "text/csv"
