"""A hub with discovery on SQLite, a network agent in memory, and certificates to be found."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.discovery.service import DiscoveryService, TaskFields
from hub.fleet.commands import Endpoint, NetworkFinds, ScanRange
from tests.simulators.hub_world import ADMIN, World

_NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
_KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
async def world(tmp_path):
    world = World(f"sqlite:///{tmp_path / 'hub.db'}")
    world.open()
    try:
        await world.create()
        yield world
        await world.lifecycle.close()
    finally:
        await world.db.close()


@pytest.fixture
def discovery(world):
    return DiscoveryService(world.db, world.fleet, world.lifecycle)


@pytest.fixture
async def agent(world):
    return await world.fleet.enroll("network", organization_id=world.organization_id)


@pytest.fixture
async def task(discovery, agent):
    wanted = TaskFields(
        name="office", agent_id=agent, ranges=(ScanRange(target="10.0.0.0/24", ports=("443",)),)
    )
    return await discovery.create(ADMIN, wanted)


@pytest.fixture(scope="session")
def certificate():
    """Return a maker of self-signed certificates (DER)."""

    def make(name: str, *, serial: int = 1) -> bytes:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(_KEY.public_key())
            .serial_number(serial)
            .not_valid_before(_NOW)
            .not_valid_after(_NOW + timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(_KEY, hashes.SHA256())
            .public_bytes(serialization.Encoding.DER)
        )

    return make


@pytest.fixture
def finds(world):
    """Return a maker of batches from (address, certificate) pairs."""

    def make(*pairs, carry=True, done=0, total=0, **changes) -> NetworkFinds:
        endpoints = tuple(
            Endpoint(
                **{
                    "address": address,
                    "port": 443,
                    "server_name": "",
                    "chain_sha256": (hashlib.sha256(der).digest(),) if der else (),
                    "status": "ok" if der else "not_tls",
                    "reason": "" if der else "PlainText",
                    "protocol": "TLSv1.2" if der else "",
                    "hostname": "",
                    "seen_at": world.clock(),
                    "partial": True,
                }
                | changes
            )
            for address, der in pairs
        )
        bodies = tuple(dict.fromkeys(der for _, der in pairs if der)) if carry else ()
        return NetworkFinds(
            certificates=bodies, endpoints=endpoints, cursor=0, targets_done=done, targets_total=total
        )

    return make
