"""Fifty orders at the same moment: each gets a certificate, and a serial number that the ledger had before.

On SQLite by one hub, on PostgreSQL by two; approved at once, and later by the workers.
"""

import asyncio
import contextlib
from collections import Counter

import pytest
from cryptography import x509
from sqlalchemy import select

from hub.issuers.models import CaAuthority, CaSerial
from hub.lifecycle.models import Certificate, CertificateBody
from tests.integration.lifecycle.conftest import new_database
from tests.simulators.hub_world import ADMIN, World, csr

ORDERS = 50


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
async def replicas(request, tmp_path):
    """The hubs that share one database."""
    if request.param == "sqlite":
        url, count = f"sqlite:///{tmp_path / 'hub.db'}", 1
    else:
        url, count = await new_database(request.getfixturevalue("postgres")), 2
    first = World(url)
    async with contextlib.AsyncExitStack() as stack:
        first.open()
        stack.push_async_callback(first.db.close)
        await first.create()
        stack.push_async_callback(first.lifecycle.close)
        worlds = [first]
        for _ in range(count - 1):
            other = World(url, clock=first.clock, fleet_state=first.fleet_state)
            other.open()
            stack.push_async_callback(other.db.close)
            stack.push_async_callback(other.lifecycle.close)
            worlds.append(other)
        yield worlds


async def order_all(worlds, profile_id):
    first = worlds[0]
    names = [f"host{number}.example.com" for number in range(ORDERS)]
    requests = [
        first.request(common_name=name, names=(name,), csr=csr(name), profile_id=profile_id) for name in names
    ]
    enrolled = await asyncio.gather(
        *(worlds[number % len(worlds)].lifecycle.request(ADMIN, item) for number, item in enumerate(requests))
    )
    return [item.id for item in enrolled]


async def assert_each_has_its_own(world, ids):
    rows = await world.rows(
        select(Certificate.id, Certificate.status, Certificate.serial_hex, CertificateBody.der).join(
            CertificateBody, CertificateBody.sha256 == Certificate.fingerprint_sha256
        )
    )
    assert Counter(row.status for row in rows) == {"Issued": ORDERS}
    assert sorted(row.id for row in rows) == sorted(ids)
    signed = [x509.load_der_x509_certificate(row.der) for row in rows]
    serials = [f"{item.serial_number:x}" for item in signed]
    assert serials == [row.serial_hex for row in rows]
    assert len(set(serials)) == ORDERS
    assert len({item.subject for item in signed}) == ORDERS
    recorded = await world.rows(
        select(CaSerial.serial_hex, CaSerial.not_after)
        .join(CaAuthority, CaAuthority.id == CaSerial.authority_id)
        .where(CaAuthority.role == "issuing")
    )
    ledger = {row.serial_hex: row.not_after for row in recorded}
    ends = {f"{item.serial_number:x}": item.not_valid_after_utc for item in signed}
    assert ledger == ends
    events = Counter(kind for kind, _ in await world.events())
    assert (events["CertificateApplied"], events["CertificateIssued"]) == (ORDERS, ORDERS)


async def test_fifty_that_are_approved_at_once(replicas):
    ids = await order_all(replicas, replicas[0].profile_id)
    await assert_each_has_its_own(replicas[0], ids)


async def test_fifty_that_workers_compete_for(replicas):
    first = replicas[0]
    ids = await order_all(replicas, first.manual_profile_id)
    await asyncio.gather(
        *(replicas[number % len(replicas)].lifecycle.approve(ADMIN, item) for number, item in enumerate(ids))
    )
    workers = [world.lifecycle.worker() for world in [*replicas, *replicas]]
    while any(await asyncio.gather(*(worker.run_due(limit=7) for worker in workers))):
        pass
    await assert_each_has_its_own(first, ids)
