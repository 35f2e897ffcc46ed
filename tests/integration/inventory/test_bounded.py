"""No list keeps the database busy: pages start from an index, and what takes too long is given up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select, text

from hub.db.deadline import TooSlow, deadline
from hub.http.listing import ListQuery, list_page
from hub.http.pages import read_slice
from hub.http.problems import status_of
from hub.lifecycle.listing import CERTIFICATES
from hub.lifecycle.models import Certificate
from hub.lifecycle.scoping import certificate_scope
from tests.integration.inventory.conftest import MRAO, NOW, add, rao, row

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


async def test_a_statement_without_end_is_given_up(db):
    async with db.read() as session:
        with pytest.raises(TooSlow, match="Narrow it down") as raised:
            async with deadline(session, 0.1):
                await session.execute(text(ENDLESS[db.engine.dialect.name]))
    assert status_of(raised.value) == 503
    # The connection goes on working, without a deadline.
    async with db.read() as session:
        assert await session.scalar(select(1)) == 1


async def test_a_count_that_takes_too_long_does_not_keep_the_page(db, monkeypatch):
    await add(db, [row(f"a{number}.example.com") for number in range(5)])

    async def endless(session, *_arguments, **_options):
        await session.execute(text(ENDLESS[db.engine.dialect.name]))

    monkeypatch.setattr("hub.http.pages.count_matching", endless)
    monkeypatch.setattr("hub.http.pages.COUNT_DEADLINE_S", 0.1)
    async with db.read() as session:
        page = await list_page(session, CERTIFICATES, ListQuery(limit=3))
    assert (len(page.items), page.total, page.total_exact) == (3, 3, False)


SORTS = [name for column in CERTIFICATES.sortable_names for name in (column, f"-{column}")]
FILTERS = (
    [],
    ["status:eq:Issued"],
    ["status:in:Issued,External"],
    [
        "status:in:Issued,External",
        "organization_id:in:1,2",
        f"expires:ge:{(NOW + timedelta(days=1)).isoformat()}",
    ],
    ["profile:is_null:true"],
    ["organization:in:organization 1,organization 3"],
)


@pytest.mark.parametrize("who", [MRAO, rao(1), rao(1, 3)], ids=["all", "one", "two"])
async def test_pages_show_every_row_once_in_order_however_they_are_read(db, who, monkeypatch):
    # Walked and not sorted, as long lists are.
    monkeypatch.setattr("hub.http.pages._FEWER_THAN_A_WALK", 0)
    values = []
    for number in range(60):
        time = None if number % 4 == 0 else NOW + timedelta(days=number % 5)
        values.append(
            row(
                f"n{number % 7}.example.com",
                status=("Issued", "External", "Requested")[number % 3],
                organization_id=(None, 1, 2, 3)[number % 4],
                not_after=time,
                requested_at=time,
                issued_at=time,
                renewal_due_at=time,
                serial_hex=f"{number % 3}",
            )
        )
    async with db.write() as uow:
        await uow.session.execute(insert(Certificate), values)
    for filters in FILTERS:
        for sort in SORTS:
            expected = await read(db, who, sort, filters, limit=500)
            assert await read(db, who, sort, filters, limit=7) == expected
            assert len(set(expected)) == len(expected)
            if not filters and who is MRAO:
                assert len(expected) == 60


async def read(db, who, sort, filters, *, limit):
    ids, cursor = [], None
    while True:
        query = ListQuery(sort=sort, filter=filters, limit=limit, cursor=cursor)
        async with db.read() as session:
            page = await list_page(session, CERTIFICATES, query, scope=certificate_scope(who))
        ids += [item.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return ids


async def test_sqlite_walks_along_the_index_of_the_sort_column(db):
    if not db.is_sqlite:
        # PostgreSQL's choice depends on how many rows there are; benchmarks/inventory looks at that.
        return
    await add(db, [row()])
    statements = []

    @event.listens_for(db.engine.sync_engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, parameters, _context, _many):
        statements.append((statement, parameters))

    for sort, who, filters, index in (
        ("expires", MRAO, [], "ix_certificates_expiry"),
        ("expires", rao(1), [], "ix_certificates_organization_expiry"),
        ("-common_name", rao(1), ["status:eq:Issued"], "ix_certificates_organization_name"),
        ("expires", MRAO, ["status:in:Issued,External"], "ix_certificates_status_expiry"),
        ("-requested", MRAO, ["status:eq:Issued"], "ix_certificates_requested"),
        ("renewal_due", MRAO, [], "ix_certificates_renewal_due"),
        ("serial_number", rao(1, 2), [], "ix_certificates_serial"),
    ):
        plan = await plan_of(db, statements, sort=sort, who=who, filters=filters)
        assert index in plan, (sort, plan)
        assert "TEMP B-TREE" not in plan or "MERGE" in plan or "CO-ROUTINE" in plan, (sort, plan)


async def plan_of(db, statements, *, sort, who, filters):

    query = ListQuery(sort=sort, filter=filters)
    wanted = CERTIFICATES.wanted(query, certificate_scope(who))
    statements.clear()
    async with db.read() as session:
        await read_slice(
            session, CERTIFICATES, query, conditions=[*wanted.containing, *wanted.others], limit=50
        )
        (statement, parameters) = next(item for item in statements if item[0].startswith("SELECT"))
        connection = await session.connection()
        rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "\n".join(item[-1] for item in rows.all())
