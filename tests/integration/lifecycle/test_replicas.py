"""Several hubs over one PostgreSQL."""

import asyncio
import hashlib

import pytest
from sqlalchemy import func, select

from hub.discovery.service import DiscoveryService, TaskFields
from hub.fleet.commands import Endpoint, NetworkFinds, ScanRange
from hub.lifecycle.models import Certificate, CertificateLocation
from tests.simulators.hub_world import ADMIN, World

pytestmark = pytest.mark.server


async def test_replicas_share_the_steps_and_do_each_once(postgres_world):
    first = postgres_world
    second = World(first.url, clock=first.clock, fleet_state=first.fleet_state)
    second.open()
    try:
        ids = [
            (await first.lifecycle.request(ADMIN, first.request(profile_id=first.manual_profile_id))).id
            for _ in range(20)
        ]
        for certificate_id in ids:
            await first.lifecycle.approve(ADMIN, certificate_id)
        for _ in range(20):
            done = await asyncio.gather(
                *(world.lifecycle.worker().run_due(limit=3) for world in (first, second) * 2)
            )
            if not any(done):
                break
        statuses = await first.rows(select(Certificate.status, func.count()).group_by(Certificate.status))
        assert [tuple(row) for row in statuses] == [("Issued", 20)]
        told = [kind for kind, _ in await first.events()]
        assert told.count("CertificateIssued") == told.count("CertificateApplied") == 20
    finally:
        await second.db.close()


async def test_of_two_decisions_in_the_same_moment_one_is_too_late(postgres_world):
    world = postgres_world
    enrolled = await world.lifecycle.request(ADMIN, world.request(profile_id=world.manual_profile_id))
    results = await asyncio.gather(
        world.lifecycle.approve(ADMIN, enrolled.id),
        world.lifecycle.approve(ADMIN, enrolled.id),
        return_exceptions=True,
    )
    assert [type(item).__name__ for item in results if item is not None] in (
        ["ChangedMeanwhile"],
        ["TransitionNotAllowed"],
    )


async def test_two_scans_that_find_the_same_certificates_do_not_block_one_another(postgres_world):
    world = postgres_world
    discovery = DiscoveryService(world.db, world.fleet, world.lifecycle)
    certificates = [self_signed(f"h{number}.example.com") for number in range(60)]
    commands = []
    for name in ("first", "second"):
        agent = await world.fleet.enroll("network", organization_id=world.organization_id, name=name)
        ranges = (ScanRange(target="10.0.0.0/24"),)
        task = await discovery.create(ADMIN, TaskFields(name=name, agent_id=agent, ranges=ranges))
        await discovery.scan(ADMIN, task)
        commands.append(world.fleet.open_commands("DiscoverNetwork")[-1].id)
    forwards, backwards = certificates, certificates[::-1]
    await asyncio.gather(
        world.fleet.batch(commands[0], batch(world, forwards)),
        world.fleet.batch(commands[1], batch(world, backwards)),
    )
    stored = await world.rows(select(func.count()).select_from(Certificate))
    places = await world.rows(select(func.count()).select_from(CertificateLocation))
    assert (stored[0][0], places[0][0]) == (60, 120)


def self_signed(name):
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime(2026, 11, 1, tzinfo=UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=90))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


def batch(world, certificates):
    endpoints = tuple(
        Endpoint(
            address=f"10.0.0.{number}",
            port=443,
            server_name="",
            chain_sha256=(hashlib.sha256(der).digest(),),
            status="ok",
            reason="",
            protocol="TLSv1.3",
            hostname="",
            seen_at=world.clock(),
            partial=False,
        )
        for number, der in enumerate(certificates)
    )
    return NetworkFinds(
        certificates=tuple(certificates), endpoints=endpoints, cursor=0, targets_done=0, targets_total=0
    )
