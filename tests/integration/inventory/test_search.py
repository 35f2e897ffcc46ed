"""Searching by trigrams finds what LIKE finds, whatever the text, the order, the scope, and the frequency."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update

from hub.db.backup import restore, write
from hub.db.errors import Malformed
from hub.db.migrations.runner import upgrade
from hub.db.uow import Database
from hub.http.listing import ListQuery, list_page
from hub.lifecycle.facts import name_columns
from hub.lifecycle.listing import CERTIFICATES
from hub.lifecycle.models import Certificate
from hub.lifecycle.scoping import certificate_scope
from hub.lifecycle.searching.trigrams import TABLE
from tests.integration.inventory.conftest import MRAO, add, rao, row

LETTERS = "abAB.%_\"'*-/ éÉßİ"
NAMES = st.lists(st.text(alphabet=LETTERS, min_size=1, max_size=8), min_size=1, max_size=8)
TEXTS = st.text(alphabet=LETTERS + "(^:)", min_size=3, max_size=6).filter(
    lambda wanted: len(wanted.strip()) >= 3
)


async def found(db, *, who=MRAO, **query):
    rows, cursor = [], None
    while True:
        async with db.read() as session:
            page = await list_page(
                session, CERTIFICATES, ListQuery(**query, cursor=cursor), scope=certificate_scope(who)
            )
        rows += [item.common_name for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return rows, page


async def by_like(db, wanted):
    """What a search is: a substring of the lower-case names."""
    async with db.read() as session:
        rows = await session.execute(select(Certificate.common_name, Certificate.search_names))
        return sorted(name for name, names in rows.all() if wanted.strip().lower() in names)


@pytest.fixture
def own_loop():
    """Hypothesis calls plain functions: they need a loop of their own."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def test_it_finds_what_like_finds(db, own_loop):
    here = Database.open(db.engine.url.render_as_string(hide_password=False))

    async def run(names, wanted, sort):
        async with here.write() as uow:
            await uow.session.execute(delete(Certificate))
        await add(here, [row(name) for name in names])
        rows, page = await found(here, q=wanted, sort=sort, limit=3)
        expected = await by_like(here, wanted)
        assert sorted(rows) == expected
        assert page.total == len(expected) or not page.total_exact

    @settings(max_examples=60, deadline=None)
    @given(NAMES, TEXTS, st.sampled_from(["common_name", "-expires", "id"]), st.booleans())
    def check(names, wanted, sort, common):
        with pytest.MonkeyPatch.context() as patch:
            if common:
                # As if every text was too common to fetch its rows.
                patch.setattr("hub.http.search_index.FEW", 0)
                patch.setattr("hub.http.pages.FEW", 0)
            own_loop.run_until_complete(run(names, wanted, sort))

    try:
        check()
    finally:
        own_loop.run_until_complete(here.close())


async def test_a_name_that_changes_or_goes_is_found_no_more(db):
    (first, second) = await add(
        db, [row("before.example.com"), row("other.example.com", names=["also.before.test"])]
    )
    assert (await found(db, q="before"))[0] == ["other.example.com", "before.example.com"]
    async with db.write() as uow:
        changed = name_columns("after.example.com", ("after.example.com",), ())
        await uow.session.execute(update(Certificate).where(Certificate.id == first).values(**changed))
        await uow.session.execute(delete(Certificate).where(Certificate.id == second))
    assert (await found(db, q="before"))[0] == []
    assert (await found(db, q="AFTER.ex"))[0] == ["after.example.com"]


async def test_a_number_finds_the_certificate_of_this_id(db):
    ids = await add(db, [row("a.example.com"), row("b.example.com")])
    assert (await found(db, q=str(ids[1])))[0] == ["b.example.com"]
    with pytest.raises(Malformed, match="3 characters"):
        await found(db, q="ab")


async def test_search_and_filters_end_at_the_scope(db):
    await add(db, [row(f"web{number}.example.com", organization_id=1 + number % 3) for number in range(9)])
    assert (await found(db, who=rao(2), q="web", sort="common_name"))[0] == [
        "web1.example.com",
        "web4.example.com",
        "web7.example.com",
    ]
    contains = ["common_name:contains:WEB1", "organization:eq:organization 2"]
    assert (await found(db, who=rao(1, 2), filter=contains))[0] == ["web1.example.com"]
    assert (await found(db, who=rao(1), filter=contains))[0] == []


async def test_without_an_index_it_is_slower_but_the_same(db):
    async with db.engine.begin() as connection:
        if db.is_sqlite:
            for event in ("insert", "update", "delete"):
                await connection.execute(text(f"DROP TRIGGER certificates_named_{event}"))
            await connection.execute(text(f"DROP TABLE {TABLE}"))
        else:
            await connection.execute(text("DROP EXTENSION pg_trgm CASCADE"))
    await add(db, [row("a.example.com"), row("b.example.org")])
    assert (await found(db, q="example.o"))[0] == ["b.example.org"]


async def test_a_backup_is_searched_as_the_original(tmp_path):
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    await upgrade(url)
    db = Database.open(url)
    await add(db, [row("kept.example.com")])
    await asyncio.to_thread(write, url, str(tmp_path / "copy.db"))
    await add(db, [row("later.example.com")])
    await db.close()
    await asyncio.to_thread(restore, url, str(tmp_path / "copy.db"))
    db = Database.open(url)
    try:
        await add(db, [row("after.example.com")])
        assert (await found(db, q="example"))[0] == ["after.example.com", "kept.example.com"]
    finally:
        await db.close()
