"""The issuers room with ACME backends at a real Pebble; names are proven by a DNS server on loopback."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from hub.db.tables import all_tables
from hub.db.uow import Database
from hub.http.principal import SYSTEM
from hub.issuers.contract import CertificateOrder, Intent, Issued, Pending, Refused
from hub.issuers.service import IssuerService
from hub.organizations.dcv.contract import DnsRecord
from hub.organizations.dcv.errors import WriterFailed
from pki.at_rest import KeyEncryptionKey
from pki.csrs import build_csr
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields
from tests.integration.acme_upstream.pebble import PebbleSpec, start_pebble
from tests.integration.dcv.dns_server import LoopbackDns

KEK = KeyEncryptionKey(bytes(range(32)))


@dataclass
class ZoneWriter:
    """A DNS writer over the loopback server's zone; ``fault`` makes it refuse."""

    dns: LoopbackDns
    fault: str = ""
    published: list[DnsRecord] = field(default_factory=list)

    async def open(self, writer_id: int):
        assert writer_id == 1
        return self

    async def publish(self, record: DnsRecord) -> None:
        if self.fault:
            raise WriterFailed("UpdateRefused", self.fault)
        self.published.append(record)
        values = self.dns.zone.records.get((record.name, "TXT"), [])
        self.dns.zone.set(record.name, "TXT", *{*values, record.value})

    async def withdraw(self, record: DnsRecord) -> None:
        values = set(self.dns.zone.records.get((record.name, "TXT"), [])) - {record.value}
        self.dns.zone.set(record.name, "TXT", *values)


@pytest.fixture
def dns():
    server = LoopbackDns()
    yield server
    server.stop()


@pytest.fixture
async def pebbles(tmp_path, dns):
    """Start Pebbles."""
    running = []

    async def start(**spec):
        folder = tmp_path / f"pebble-{len(running)}"
        running.append(await start_pebble(folder, PebbleSpec(dns_port=dns.port, **spec)))
        return running[-1]

    yield start
    for pebble in running:
        pebble.stop()


@pytest.fixture
async def pebble(pebbles):
    return await pebbles()


@pytest.fixture
async def db(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path / 'hub.db'}")
    async with database.engine.begin() as connection:
        await connection.run_sync(all_tables().create_all)
    yield database
    await database.close()


def make_order(*names, addresses=(), **fields) -> CertificateOrder:
    key = generate_key(KeyType.EC_P256)
    values = {
        "order_id": secrets.token_hex(8),
        "certificate_type": "ssl",
        "csr": build_csr(key, SubjectFields(common_name=names[0] if names else ""), names, addresses),
        "subject": {},
        "dns_names": names,
        "ip_addresses": addresses,
        "term_days": 90,
        "not_before": datetime.now(UTC),
    }
    return CertificateOrder(**values | fields)


@dataclass
class Bench:
    """One hub's issuers room; every :meth:`reopened` is another process over the same database."""

    db: Database
    writer: ZoneWriter
    agents: object = None
    backend_id: int = 0
    issuers: IssuerService = None

    async def configure(self, pebble, **settings):
        """Make a backend at a Pebble."""
        values = {
            "directory_url": pebble.url,
            "ca_bundle": pebble.ca_bundle,
            "terms_agreed": True,
            "dns_writer_id": 1,
            "propagation_s": 0,
        }
        self.issuers = self.restart()
        async with self.db.write() as uow:
            self.backend_id = await self.issuers.create_backend(
                uow,
                name=f"acme {secrets.token_hex(3)}",
                kind="acme",
                settings=values | settings,
                principal=SYSTEM,
            )
        return await self.backend()

    def restart(self) -> IssuerService:
        self.issuers = IssuerService(self.db, KEK, public_url="http://hub.example")
        self.issuers.prove_by(dns=self.writer, agents=self.agents)
        return self.issuers

    async def backend(self):
        async with self.db.read() as session:
            return await self.issuers.backend(session, self.backend_id)

    async def reopened(self):
        """Return the backend as a new process sees it."""
        self.restart()
        return await self.backend()


@pytest.fixture
async def bench(db, dns):
    return Bench(db, ZoneWriter(dns))


async def drive(backend, order, intent, *, each=None, timeout_s=60.0):
    """Submit until the CA has decided; returns the outcome and the phases it went through.

    ``each`` is called with the number of the step and may return another backend to go on with.
    """
    phases = []
    end = asyncio.get_running_loop().time() + timeout_s
    for number in range(10_000):
        if each is not None:
            backend = await each(number) or backend
        outcome = await backend.submit(order, intent)
        if not isinstance(outcome, Pending):
            return outcome, phases
        intent = Intent(serial_hex=None, document=outcome.document or intent.document)
        phases.append(intent.document["phase"])
        assert asyncio.get_running_loop().time() < end, outcome
        if outcome.retry_after_s:
            await asyncio.sleep(0.05)
    raise AssertionError("unreachable")


async def order_and_drive(backend, *names, **options):
    order = make_order(*names, **options.pop("fields", {}))
    outcome, phases = await drive(backend, order, await backend.prepare(order), **options)
    return order, outcome, phases


def issued(outcome) -> Issued:
    assert isinstance(outcome, Issued), outcome
    return outcome


def refused(outcome) -> Refused:
    assert isinstance(outcome, Refused), outcome
    return outcome
