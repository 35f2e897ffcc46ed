from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import itertools
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from aiohttp import web

from hub.db.tables import all_tables
from hub.db.uow import Database
from hub.fleet.vantage import FleetVantage
from hub.http.principal import SYSTEM, Principal, Role, RoleGrant
from hub.organizations.dcv.contract import Mail, Probes
from hub.organizations.dcv.errors import MailNotSent
from hub.organizations.dcv.probes import DnsResolver, ProbeSettings, SafeFetcher
from hub.organizations.dcv.records import DcvOptions, DcvTools, StartRequest
from hub.organizations.dcv.registry import installed_methods, installed_writers
from hub.organizations.dcv.service import DcvService
from hub.organizations.records import OrganizationFields
from hub.organizations.service import OrganizationService
from pki.at_rest import KeyEncryptionKey
from tests.integration.dcv.dns_server import LoopbackDns
from tests.integration.issuers.private_postgres import running_postgres
from tests.simulators.fleet_double import FleetDouble, FleetState

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
_NUMBERS = itertools.count(1)
KEK = KeyEncryptionKey(bytes(range(32)))
ADMIN = Principal(
    kind="administrator",
    id="1",
    name="alice",
    grants=(RoleGrant(role=Role.MRAO),),
    privileges=frozenset({"dcv", "approve_domains", "manage_organizations"}),
)


@pytest.fixture
def dns():
    server = LoopbackDns()
    yield server
    server.stop()


@dataclass
class WebSite:
    """A web server whose answers a test writes; ``seen`` are the requests' paths."""

    app: web.Application
    port: int = 0
    pages: dict = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)


@pytest.fixture
async def site():
    async def answer(request: web.Request) -> web.StreamResponse:
        found.seen.append(request.path)
        found.hosts.append(request.host)
        page = found.pages.get(request.path)
        if page is None:
            raise web.HTTPNotFound
        return await page(request) if callable(page) else web.Response(text=page)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    found = WebSite(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    server = web.TCPSite(runner, "127.0.0.1", 0)
    await server.start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()


@pytest.fixture
def probing(dns):
    def make(**changes) -> ProbeSettings:
        values = {"nameservers": (("127.0.0.1", dns.port),), "dns_timeout_s": 1.5, "fetch_timeout_s": 3.0}
        return ProbeSettings(**(values | changes))

    return make


def clock_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 25, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@dataclass
class Outbox:
    """A mailer that keeps what it is given, or refuses."""

    mails: list[Mail] = field(default_factory=list)
    fault: str = ""

    async def send(self, mail: Mail) -> None:
        if self.fault:
            raise MailNotSent(self.fault)
        self.mails.append(mail)


@dataclass
class World:
    """One database with as many hubs over it as a test wants."""

    url: str
    probe_settings: ProbeSettings
    clock: Clock = field(default_factory=Clock)
    fleet_state: FleetState = field(default_factory=FleetState)
    outbox: Outbox = field(default_factory=Outbox)
    hubs: list[Database] = field(default_factory=list)
    mailing: bool = True
    organization_id: int = 0
    other_organization_id: int = 0
    fleet: FleetDouble | None = None

    def hub(self, *, probes: Probes | None = None) -> DcvService:
        """Open the database once more, as another replica, or after a restart."""
        db = Database.open(self.url, clock=self.clock)
        self.hubs.append(db)
        resolver = DnsResolver(self.probe_settings, self.clock)
        fetcher = SafeFetcher(self.probe_settings, resolver, self.clock)
        self.fleet = FleetDouble(db, self.fleet_state)
        tools = DcvTools(
            probes=probes or Probes(resolver, fetcher),
            vantage=FleetVantage(self.fleet),
            mailer=self.outbox if self.mailing else None,
            kek=KEK,
            methods=installed_methods(),
            writers=installed_writers(),
            options=DcvOptions(base_url="https://hub.example", issuer="hub.example"),
        )
        return DcvService(db, OrganizationService(db), tools)

    async def create(self) -> None:
        db = Database.open(self.url, clock=self.clock)
        self.hubs.append(db)
        organizations = OrganizationService(db)
        async with db.write() as uow:
            ids = [
                (await organizations.create(uow, OrganizationFields(name=name), principal=SYSTEM)).id
                for name in ("Example Ltd", "Other Ltd")
            ]
            self.organization_id, self.other_organization_id = ids
        async with db.write() as uow:
            for name in ("example.com", "*.example.com", "*.example.org"):
                await organizations.delegate_domain(
                    uow, organization_id=self.organization_id, name=name, principal=ADMIN
                )

    def request(self, method: str = "dns_txt", **changes) -> StartRequest:
        values = {"organization_id": self.organization_id, "domain": "example.com", "method": method}
        return StartRequest(**(values | changes))

    async def close(self) -> None:
        for db in self.hubs:
            await db.close()


@pytest.fixture(scope="session")
def postgres():
    with running_postgres() as folder:
        yield folder


async def new_database(folder) -> str:
    """Make a PostgreSQL database with empty tables; return its URL."""
    number = next(_NUMBERS)
    if number == 1:
        await _create_database(folder, "dcv_template")
        await create_tables(_url(folder, "dcv_template"))
    await _create_database(folder, f"dcv{number} TEMPLATE dcv_template")
    return _url(folder, f"dcv{number}")


def _url(folder, name: str) -> str:
    return f"postgresql://certwright@/{name}?host={folder}"


async def _create_database(folder, what: str) -> None:
    connection = await asyncpg.connect(host=str(folder), user="certwright", database="postgres")
    await connection.execute(f"CREATE DATABASE {what}")
    await connection.close()


async def create_tables(url: str) -> None:
    db = Database.open(url)
    async with db.engine.begin() as connection:
        await connection.run_sync(all_tables().create_all)
    await db.close()


@pytest.fixture
async def world(request, tmp_path, probing):
    """A world on SQLite, or on the database that the test names by an indirect parameter."""
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    if getattr(request, "param", "sqlite") == "postgresql":
        url = await new_database(request.getfixturevalue("postgres"))
    else:
        await create_tables(url)
    made = World(url, probing(allowed_networks=LOOPBACK))
    await made.create()
    yield made
    await made.close()


@pytest.fixture
async def dcv(world):
    return world.hub()


def free_port() -> int:
    """A port that is free for UDP and TCP now."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            port = udp.getsockname()[1]
            with socket.socket() as tcp, contextlib.suppress(OSError):
                tcp.bind(("127.0.0.1", port))
                return port


@dataclass
class Knot:
    """A private Knot DNS: primary of example.com, which the key ``certwright`` may update."""

    port: int
    secret: str
    log: Path


@pytest.fixture(scope="session")
def knot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("knot")
    secret = "QmFzZTY0IG9mIHRoaXJ0eS10d28gYnl0ZXMgb2Yga2V5IQ=="
    (folder / "example.com.zone").write_text(
        "$ORIGIN example.com.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n"
        '_certwright-challenge TXT "of somebody else"\n'
    )
    port = free_port()
    (folder / "knot.conf").write_text(
        f"server:\n  listen: 127.0.0.1@{port}\n  rundir: {folder}\n"
        f"database:\n  storage: {folder}\n"
        "log:\n  - target: stderr\n    any: info\n"
        f"key:\n  - id: certwright\n    algorithm: hmac-sha256\n    secret: {secret}\n"
        "acl:\n  - id: update\n    key: certwright\n    action: update\n"
        "    update-type: [TXT, CNAME]\n"
        f"zone:\n  - domain: example.com\n    file: {folder}/example.com.zone\n    acl: update\n"
        "    zonefile-sync: -1\n    journal-content: none\n"
    )
    log = (folder / "log").open("wb")
    program = shutil.which("knotd", path=f"{os.environ['PATH']}:/usr/sbin") or "knotd"
    process = subprocess.Popen([program, "-c", folder / "knot.conf"], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 10
        while b"server started" not in (folder / "log").read_bytes():
            assert time.monotonic() < deadline, (folder / "log").read_text()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
                raise AssertionError((folder / "log").read_text())
        yield Knot(port, secret, folder / "log")
    finally:
        process.terminate()
        process.wait(10)
        log.close()


async def eventually(condition, *, timeout_s: float = 10.0):
    """Poll until ``condition()`` is true, and return what it said."""
    end = asyncio.get_running_loop().time() + timeout_s
    while not (found := await condition()):
        assert asyncio.get_running_loop().time() < end, "it never came to that"
        await asyncio.sleep(0.02)
    return found
