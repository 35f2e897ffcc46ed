"""dns-01 over a configured writer at a real Knot DNS, which Pebble asks as well."""

import pytest
from sqlalchemy import text

from hub.organizations.dcv.registry import installed_writers
from hub.organizations.dcv.writer_store import NewWriter, WriterOpener, WriterStore
from pki.certificates import parse_certificate
from tests.integration.acme_upstream.conftest import KEK, Bench, issued, order_and_drive
from tests.integration.acme_upstream.pebble import PebbleSpec, start_pebble
from tests.integration.dcv.conftest import ADMIN, knot
from tests.integration.dcv.test_writers import values_at

__all__ = ["knot"]


@pytest.fixture
async def pebble_at_knot(tmp_path, knot):
    found = await start_pebble(tmp_path / "pebble", PebbleSpec(dns_port=knot.port))
    yield found
    found.stop()


@pytest.mark.server
async def test_records_are_written_seen_and_removed(db, knot, pebble_at_knot):
    store = WriterStore(installed_writers(), KEK)
    settings = {
        "server": "127.0.0.1",
        "port": knot.port,
        "key_name": "certwright",
        "key_secret": knot.secret,
    }
    async with db.write() as uow:
        new = NewWriter(name="knot", kind="rfc2136", organization_id=None, settings=settings)
        writer = await store.create(uow, new, principal=ADMIN)
    bench = Bench(db, WriterOpener(db, store))
    backend = await bench.configure(pebble_at_knot, dns_writer_id=writer.id)
    _, outcome, _ = await order_and_drive(backend, "shop.example.com", "*.shop.example.com")
    names = set(parse_certificate(issued(outcome).chain[0]).dns_names)
    assert names == {"shop.example.com", "*.shop.example.com"}
    assert await values_at(knot, "_acme-challenge.shop.example.com") == set()
    async with db.read() as session:
        secrets = (await session.execute(text("SELECT settings FROM dcv_writers"))).scalar_one()
    assert knot.secret not in str(secrets)
