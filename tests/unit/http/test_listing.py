"""Lists on SQLite: every row exactly once for any order, filters, search, CSV that no spreadsheet runs."""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from sqlalchemy import Boolean, ForeignKey, Integer, MetaData, String, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hub.db.base import UtcDateTime
from hub.db.errors import Malformed
from hub.db.uow import Database
from hub.http.listing import Column, Listing, ListQuery, list_page, stream_csv


class _Base(DeclarativeBase):
    metadata = MetaData()


class Thing(_Base):
    __tablename__ = "things"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    note: Mapped[str | None] = mapped_column(String(50))
    size: Mapped[int | None]
    at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    good: Mapped[bool] = mapped_column(Boolean)


class Tag(_Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    thing_id: Mapped[int] = mapped_column(ForeignKey("things.id"))


class ThingRow(BaseModel):
    id: int
    name: str
    note: str | None
    size: int | None
    at: datetime | None
    good: bool


THINGS = Listing(
    ThingRow,
    (
        Column("id", Thing.id, "ID", kind="int", nullable=False),
        Column("name", Thing.name, "Name", nullable=False, searchable=True),
        Column("note", Thing.note, "Note", searchable=True),
        Column("size", Thing.size, "Size", kind="int"),
        Column("at", Thing.at, "At", kind="time"),
        Column("good", Thing.good, "=Good", kind="bool", nullable=False),
    ),
    select_from=Thing,
    id_column=Thing.id,
    default_sort="id",
)

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.text(alphabet="abAB%_é", max_size=3),
            "note": st.none() | st.sampled_from(["", "x", "y"]),
            "size": st.none() | st.integers(-3, 3) | st.sampled_from([2**62, -(2**62)]),
            "at": st.none() | st.integers(0, 5).map(lambda step: START + timedelta(microseconds=step)),
            "good": st.booleans(),
        }
    ),
    max_size=30,
)
SORTS = st.sampled_from([sign + name for sign in ("", "-") for name in THINGS.sortable_names])


async def _database(rows: list[dict[str, Any]], folder: str | Path) -> Database:
    db = Database.open(f"sqlite:///{folder}/test.db")
    async with db.write() as uow:
        connection = await uow.session.connection()
        await connection.run_sync(_Base.metadata.create_all)
        if rows:
            await uow.session.execute(insert(Thing), rows)
    return db


async def _pages(db: Database, query: ListQuery) -> list[ThingRow]:
    found: list[ThingRow] = []
    while True:
        async with db.read() as session:
            page = await list_page(session, THINGS, query)
        assert len(page.items) <= query.limit
        found += page.items
        if page.next_cursor is None:
            assert page.total_exact
            assert page.total == len(found)
            return found
        assert len(page.items) == query.limit
        query = query.model_copy(update={"cursor": page.next_cursor})


def _order(row: ThingRow, name: str) -> tuple[Any, ...]:
    value = getattr(row, name)
    return (value is not None, value if value is not None else 0, row.id)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, sort=SORTS, limit=st.integers(1, 7))
def test_pages_show_every_row_once_in_order(rows, sort, limit):
    async def scenario(folder: str) -> None:
        db = await _database(rows, folder)
        try:
            found = await _pages(db, ListQuery(sort=sort, limit=limit))
        finally:
            await db.close()
        assert sorted(row.id for row in found) == list(range(1, len(rows) + 1))
        expected = sorted(
            found, key=lambda row: _order(row, sort.removeprefix("-")), reverse=sort.startswith("-")
        )
        assert [row.id for row in found] == [row.id for row in expected]

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(scenario(folder))


def _row(name: str, **values: Any) -> dict[str, Any]:
    return {"note": None, "size": None, "at": None, "good": True, **values, "name": name}


@pytest.fixture
async def db(tmp_path):
    database = await _database(
        [
            _row("alpha", size=1, at=START),
            _row("beta", size=2, note="100%"),
            _row("=cmd()", size=-3, note="@x", good=False),
            _row("gamma", note="a,b"),
        ],
        tmp_path,
    )
    yield database
    await database.close()


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (["name:eq:beta"], {"beta"}),
        (["size:ne:1"], {"beta", "=cmd()", "gamma"}),
        (["name:in:alpha,gamma"], {"alpha", "gamma"}),
        (["size:lt:2"], {"alpha", "=cmd()"}),
        (["size:ge:1", "size:le:2"], {"alpha", "beta"}),
        (["note:contains:%"], {"beta"}),
        (["name:contains:LPH"], {"alpha"}),
        (["size:is_null:true"], {"gamma"}),
        (["at:gt:2025-12-31T23:59:59Z"], {"alpha"}),
        (["at:eq:2026-01-01T01:00:00+01:00"], {"alpha"}),
        (["good:eq:false"], {"=cmd()"}),
    ],
)
async def test_filters(db, filters, names):
    assert {row.name for row in await _pages(db, ListQuery(filter=filters))} == names


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "nothing"},
        {"filter": ["name"]},
        {"filter": ["nothing:eq:1"]},
        {"filter": ["size:eq:many"]},
        {"filter": ["name:like:x"]},
        {"filter": ["good:lt:true"]},
        {"filter": ["size:eq:99999999999999999999"]},
        {"filter": ["at:gt:yesterday"]},
        {"cursor": "!!!"},
        {"cursor": "W10"},
        {"cursor": "WyJpZCIsIjEiLHRydWVd"},
        {"cursor": "bnVsbA"},
        {"q": "ab"},
    ],
)
async def test_what_can_not_be_understood_names_its_field(db, query):
    with pytest.raises(Malformed) as caught:
        await _pages(db, ListQuery(**query))
    assert caught.value.field == next(iter(query))


async def test_a_cursor_does_not_serve_another_order(db):
    async with db.read() as session:
        page = await list_page(session, THINGS, ListQuery(limit=1, sort="name"))
    with pytest.raises(Malformed, match="another order"):
        await _pages(db, ListQuery(limit=1, sort="-name", cursor=page.next_cursor))


async def test_search_finds_substrings_of_searchable_columns(db):
    assert [row.name for row in await _pages(db, ListQuery(q="ETA"))] == ["beta"]


async def test_scope_limits_rows_and_total(db):
    async with db.read() as session:
        page = await list_page(session, THINGS, ListQuery(), scope=Thing.name == "beta")
    assert ([row.name for row in page.items], page.total) == (["beta"], 1)


async def test_counts_are_capped(db, monkeypatch):
    monkeypatch.setattr("hub.http.pages.EXACT_COUNT_LIMIT", 3)
    async with db.read() as session:
        page = await list_page(session, THINGS, ListQuery())
    assert (page.total, page.total_exact) == (3, False)


def test_limits_of_the_query_itself():
    for bad in ({"limit": 0}, {"limit": 501}, {"nothing": 1}, {"format": "xml"}):
        with pytest.raises(ValidationError):
            ListQuery(**bad)


async def _csv(db: Database, query: ListQuery) -> list[list[str]]:
    response = stream_csv(db, THINGS, query)
    text = b"".join([chunk async for chunk in response.chunks]).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


async def test_csv_holds_all_rows_and_no_formula(db, monkeypatch):
    monkeypatch.setattr("hub.http.listing.CSV_PAGE_ROWS", 1)
    table = await _csv(db, ListQuery(limit=1, columns=["name,size", "note", "at", "good"]))
    assert table[0] == ["Name", "Size", "Note", "At", "'=Good"]
    assert table[1] == ["alpha", "1", "", "2026-01-01T00:00:00Z", "true"]
    assert table[3] == ["'=cmd()", "-3", "'@x", "", "false"]
    assert [line[0] for line in table[1:]] == ["alpha", "beta", "'=cmd()", "gamma"]


async def test_csv_refuses_unknown_columns_before_it_starts(db):
    with pytest.raises(Malformed) as caught:
        stream_csv(db, THINGS, ListQuery(columns=["nothing"]))
    assert caught.value.field == "columns"
