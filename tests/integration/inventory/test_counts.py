"""Counts are what counting would give: after any writes, folded or not, by many writers, in any scope."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from hub.db.uow import Database
from hub.http.listing import ListQuery, list_page
from hub.http.principal import Principal
from hub.lifecycle.figures.counts import in_one_snapshot, read_counts
from hub.lifecycle.figures.dashboard import IN_USE, read_dashboard
from hub.lifecycle.figures.folding import DIMENSIONS, backlog, fold, fold_all
from hub.lifecycle.figures.models import CertificateCount
from hub.lifecycle.figures.places import places_of
from hub.lifecycle.figures.triggers import note_all
from hub.lifecycle.listing import CERTIFICATES
from hub.lifecycle.models import Certificate
from hub.lifecycle.scoping import certificate_scope
from tests.integration.inventory.conftest import MRAO, NOW, add, drao, rao, row

STATUSES = ("Requested", "Issued", "Downloaded", "Expired", "External", "Revoked")
SCOPES = (
    MRAO,
    rao(1),
    rao(2, 3),
    Principal(kind="administrator", id="3", name="d", grants=(drao(1, 1), drao(2, 4))),
    Principal(kind="administrator", id="4", name="both", grants=(*rao(1).grants, drao(1, 2), drao(3, 5))),
    Principal(kind="administrator", id="5", name="nobody"),
)


def random_values(chance):
    organization = chance.choice((None, 1, 2, 3))
    department = (
        None if organization is None else chance.choice((None, 2 * organization - 1, 2 * organization))
    )
    return {
        "status": chance.choice(STATUSES),
        "organization_id": organization,
        "department_id": department,
        "not_after": chance.choice((None, NOW + timedelta(hours=chance.randrange(-900, 4400)))),
        "requested_at": chance.choice((None, NOW - timedelta(days=chance.randrange(400)))),
        "issued_at": chance.choice((None, NOW - timedelta(days=chance.randrange(400)))),
        "authority": chance.choice(("", "Some CA", "Other, CA")),
        "key_type": chance.choice(("RSA-2048", "RSA-1024", "EC-P256")),
        "signature_algorithm": chance.choice(("sha256WithRSAEncryption", "ecdsa-with-SHA256")),
        "term_days": chance.choice((47, 90)),
    }


async def write_something(db, chance):
    """One transaction: new rows, changed rows, rows that go; sometimes undone."""
    try:
        async with db.write() as uow:
            for _step in range(chance.randrange(1, 6)):
                ids = list((await uow.session.scalars(select(Certificate.id).order_by(Certificate.id))).all())
                deed = chance.random()
                if deed < 0.5 or not ids:
                    await uow.session.execute(insert(Certificate).values(**row(**random_values(chance))))
                elif deed < 0.85:
                    values = random_values(chance)
                    name = chance.choice(list(values))
                    # A department is its organization's.
                    together = {"organization_id", "department_id"}
                    names = together if name in together else {name}
                    chosen = chance.sample(ids, min(3, len(ids)))
                    changed = update(Certificate).where(Certificate.id.in_(chosen))
                    await uow.session.execute(changed.values({name: values[name] for name in names}))
                else:
                    await uow.session.execute(delete(Certificate).where(Certificate.id == chance.choice(ids)))
            if chance.random() < 0.2:
                await uow.session.execute(text("SELECT no_such_column"))
    except DBAPIError:
        pass


async def counted(session, principal):
    """Count by looking at every row."""
    scope = certificate_scope(principal)
    rows = await session.execute(select(Certificate.__table__).where(*([] if scope is None else [scope])))
    amounts = {dimension: Counter() for dimension in DIMENSIONS}
    for item in rows.all():
        for dimension in DIMENSIONS:
            amounts[dimension][value_of(item, dimension), item.status] += 1
    return amounts


def value_of(item, dimension):
    times = {
        "expiry_day": ("not_after", 10),
        "requested_month": ("requested_at", 7),
        "issued_month": ("issued_at", 7),
    }
    if dimension == "total":
        return ""
    if dimension in times:
        column, length = times[dimension]
        time = getattr(item, column)
        return "" if time is None else time.isoformat()[:length]
    columns = {"organization": "organization_id", "profile": "profile_id"}
    value = getattr(item, columns.get(dimension, dimension))
    return "" if value is None else str(value)


async def assert_exact(db):
    for principal in SCOPES:
        async with db.read() as session:
            await in_one_snapshot(session)
            kept = await read_counts(session, places_of(principal))
            looked = await counted(session, principal)
        for dimension in DIMENSIONS:
            if dimension == "organization" and any(grant.department_id for grant in principal.grants):
                # Told of whole organizations only.
                continue
            have = {key: amount for key, amount in kept.amounts.get(dimension, {}).items() if amount}
            assert have == dict(looked[dimension]), (principal.name, dimension)


@pytest.mark.parametrize("seed", range(3))
async def test_they_are_exact_after_any_writes(db, seed):
    chance = random.Random(seed)
    for _round in range(25):
        await write_something(db, chance)
        if chance.random() < 0.3:
            await fold(db, at_most=chance.choice((1, 3, 5000)))
    await assert_exact(db)
    await fold_all(db)
    async with db.read() as session:
        assert await backlog(session) == 0
    await assert_exact(db)


async def test_many_writers_and_folders_at_once(db):
    """On PostgreSQL nobody waits for anybody, and a reader in between sees one moment."""
    other = Database.open(db.engine.url.render_as_string(hide_password=False), clock=db.clock)

    async def write(number):
        database = db if number % 2 else other
        chance = random.Random(number)
        for _step in range(4):
            async with database.write() as uow:
                values = [row(**random_values(chance)) for _ in range(5)]
                await uow.session.execute(insert(Certificate), values)

    async def fold_often(database):
        for _step in range(8):
            await fold(database, at_most=7)
            await asyncio.sleep(0)

    async def read_often():
        for _step in range(8):
            async with db.read() as session:
                await in_one_snapshot(session)
                kept = await read_counts(session, places_of(MRAO), dimensions=("total",))
                looked = await counted(session, MRAO)
            assert dict(kept.amounts.get("total", {})) == dict(looked["total"])

    try:
        await asyncio.gather(
            *(write(number) for number in range(8)), fold_often(db), fold_often(other), read_often()
        )
        await assert_exact(db)
        await fold_all(db)
        await assert_exact(db)
    finally:
        await other.close()


async def test_rows_from_before_the_triggers_are_noted_by_the_migration(db):
    chance = random.Random(9)
    await add(db, [row(**random_values(chance)) for _ in range(20)])
    await fold_all(db)
    async with db.engine.begin() as connection:
        await connection.execute(delete(CertificateCount))
        await connection.run_sync(note_all)
    await assert_exact(db)


async def test_the_dashboard_leads_to_lists_of_as_many(db):
    chance = random.Random(4)
    await add(db, [row(**random_values(chance)) for _ in range(300)])
    async with db.read() as session:
        await in_one_snapshot(session)
        figures = await read_dashboard(session, rao(1, 2), now=NOW)
    shares = [
        *figures.statuses,
        *figures.authorities,
        *figures.terms,
        *figures.organizations,
        *figures.key_strengths,
        *figures.key_algorithms,
        *figures.signature_algorithms,
    ]
    wanted = [(share.filters, share.count) for share in shares if "Other, CA" not in share.label]
    wanted += [(window.filters, window.managed + window.other) for window in figures.expiring]
    wanted += [(month.filters, month.requested) for month in figures.months]
    assert len(wanted) > 30
    for filters, count in wanted:
        async with db.read() as session:
            scope = certificate_scope(rao(1, 2))
            page = await list_page(session, CERTIFICATES, ListQuery(filter=filters, limit=1), scope=scope)
        assert page.total == count, filters


async def test_days_add_up_to_what_is_in_use(db):
    expiries = [NOW + timedelta(hours=hours) for hours in (-1, 1, 11, 13, 24, 24 * 7, 24 * 8, 24 * 30)]
    await add(db, [row(not_after=time, status="External") for time in expiries])
    await add(db, [row(not_after=NOW + timedelta(hours=2), status="Revoked")])
    async with db.read() as session:
        figures = await read_dashboard(session, MRAO, now=NOW)
    within = {window.days: window.other for window in figures.expiring}
    assert (within[7], within[30], within[180]) == (5, 7, 7)
    assert sum(day.count for day in figures.expiring_by_day) == 8
    assert sum(share.count for share in figures.statuses if share.label in IN_USE) == 8
