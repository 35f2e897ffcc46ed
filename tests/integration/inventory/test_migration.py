"""A hub of an older release gets search and counts for the certificates that it has."""

from __future__ import annotations

from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import select, text

from hub.db.migrations.runner import alembic_config, upgrade
from hub.db.uow import Database
from hub.http.listing import ListQuery, list_page
from hub.lifecycle.figures.counts import read_counts
from hub.lifecycle.figures.places import places_of
from hub.lifecycle.listing import CERTIFICATES
from hub.lifecycle.models import Certificate
from tests.integration.inventory.conftest import MRAO, NOW, add, row


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
async def url(request, new_url):
    return await new_url(request.param)


async def test_rows_of_before_are_found_counted_and_named(url):
    db = Database.open(url)
    try:
        async with db.engine.begin() as connection:
            await connection.run_sync(_upgrade_to, "0002")
        names = ("CN=R3,O=Let\\, us,C=US", "CN=alone", "")
        expiry = NOW + timedelta(days=5)
        await add(
            db, [row(f"old{at}.example.com", issuer=name, not_after=expiry) for at, name in enumerate(names)]
        )
        await upgrade(url)
        async with db.read() as session:
            page = await list_page(session, CERTIFICATES, ListQuery(q="old1"))
            counts = await read_counts(session, places_of(MRAO))
            authorities = list(await session.scalars(select(Certificate.authority).order_by(Certificate.id)))
        assert [item.common_name for item in page.items] == ["old1.example.com"]
        assert authorities == ["Let, us", "alone", ""]
        assert counts.of("expiry_day") == {expiry.date().isoformat(): 3}
        assert counts.of("authority") == {"Let, us": 1, "alone": 1, "": 1}
        # And from now on by themselves; also after an upgrade that finds nothing to do.
        await upgrade(url)
        await add(db, [row("new.example.com")])
        async with db.read() as session:
            assert (await read_counts(session, places_of(MRAO))).by_status() == {"Issued": 4}
            assert (await list_page(session, CERTIFICATES, ListQuery(q="new.ex"))).total == 1
            if db.is_sqlite:
                await session.execute(
                    text(
                        "INSERT INTO certificate_names(certificate_names, rank) VALUES ('integrity-check', 1)"
                    )
                )
    finally:
        await db.close()


def _upgrade_to(connection, revision):
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
