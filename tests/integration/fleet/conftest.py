from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import structlog
from sqlalchemy import insert, select

from hub.db.listen import listen
from hub.db.outbox import OutboxEvent
from hub.db.tables import all_tables
from hub.db.uow import Database
from hub.fleet.authority import Authority, create_authority, load_authority
from hub.fleet.commands import CommandBody, DeleteKey
from hub.fleet.models import Agent, FleetCommand
from hub.fleet.server import FleetServer
from hub.fleet.server_identity import server_identity
from hub.fleet.service import FleetService
from hub.fleet.settings import FleetSettings
from hub.organizations.models import Organization
from pki.at_rest import KeyEncryptionKey, new_key
from tests.integration.fleet.fake_agent import FakeAgent
from tests.integration.issuers.private_postgres import running_postgres

FAST = FleetSettings(
    heartbeat_interval_s=1,
    heartbeat_timeout_s=5,
    hello_timeout_s=3.0,
    poll_s=0.3,
    flush_s=0.3,
    progress_s=0.05,
    sweep_s=0.3,
)


class MovableClock:
    """The real time, moved by what a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Hub:
    db: Database
    service: FleetService
    server: FleetServer
    authority: Authority
    kek: KeyEncryptionKey
    clock: MovableClock
    agents: list[FakeAgent] = field(default_factory=list)
    killed: bool = False

    async def kill(self) -> None:
        """End the server as SIGKILL would: nothing is written any more, nobody is told."""
        self.killed = True
        tasks = [*self.server._tasks, self.server._ledger_task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(server.stop(0) for server in self.server._servers))

    async def token(self, **changes: object) -> str:
        """Create a token and return its secret."""
        options: dict[str, object] = {
            "kinds": ("network",),
            "organization_id": 1,
            "lifetime_s": 3600,
            "enroll_address": self.server.addresses.enrollment,
            "created_by": "tests",
        }
        async with self.db.write() as uow:
            contents = await self.service.create_token(uow, **(options | changes))
        return contents.secret

    async def enrolled(self, *, organization_id: int | None = 1, kind: str = "network") -> FakeAgent:
        secret = await self.token(organization_id=organization_id, kinds=(kind,))
        agent = await FakeAgent.enroll(
            self.server.addresses.enrollment, self.authority.ca_pem, secret, kind=kind
        )
        self.agents.append(agent)
        return agent

    async def connected(self, **options: object) -> FakeAgent:
        agent = await self.enrolled()
        return await agent.connect(**options)

    async def enqueue(
        self,
        agent: FakeAgent,
        body: CommandBody | None = None,
        *,
        deadline_s: int = 600,
        organization_id: int | None = 1,
        **options: object,
    ) -> str:
        async with self.db.write() as uow:
            return await self.service.enqueue(
                uow,
                agent_id=agent.agent_id,
                body=body or DeleteKey(key_id="k"),
                deadline_s=deadline_s,
                subject_type="test",
                subject_id="1",
                organization_id=organization_id,
                requested_by="tests",
                **options,
            )

    async def cancel(self, command_id: str) -> None:
        async with self.db.write() as uow:
            await self.service.cancel(uow, command_id)

    async def command(self, command_id: str) -> FleetCommand:
        async with self.db.read() as session:
            row = await session.get(FleetCommand, command_id)
        assert row is not None
        return row

    async def agent(self, agent_id: str) -> Agent:
        async with self.db.read() as session:
            row = await session.get(Agent, agent_id)
        assert row is not None
        return row

    async def events(self, kind: str) -> list[OutboxEvent]:
        async with self.db.read() as session:
            rows = await session.execute(
                select(OutboxEvent).where(OutboxEvent.kind == kind).order_by(OutboxEvent.id)
            )
            return list(rows.scalars())

    async def state(self, command_id: str, *wanted: str, timeout_s: float = 10) -> FleetCommand:
        """Wait until the command is in one of the wanted states."""
        return await until(
            lambda: self.command(command_id), lambda row: row.state in wanted, timeout_s=timeout_s
        )


async def until(get, is_right, *, timeout_s: float = 10):
    """Ask again and again, until a deadline, for what is told by no event."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        value = await get()
        if is_right(value):
            return value
        assert asyncio.get_running_loop().time() < deadline, f"still {getattr(value, 'state', value)!r}"
        await asyncio.sleep(0.02)


@dataclass
class HubFactory:
    url: str
    kek: KeyEncryptionKey
    stack: AsyncExitStack
    clock: MovableClock
    hubs: list[Hub] = field(default_factory=list)

    async def initialize(self) -> None:
        db = Database.open(self.url, clock=self.clock)
        if db.is_sqlite:
            await create_tables(db)
        async with db.write() as uow:
            await create_authority(uow, self.kek)
            for number, name in ((1, "Org A"), (2, "Org B")):
                await uow.session.execute(
                    insert(Organization).values(
                        id=number, public_id=f"org{number}", name=name, created_at=uow.now
                    )
                )
        await db.close()

    async def start(self, *, settings: FleetSettings = FAST, configure=None) -> Hub:
        db = Database.open(self.url, clock=self.clock)
        self.stack.push_async_callback(db.close)
        if not db.is_sqlite:
            listening = asyncio.create_task(listen(self.url, db.notifier))
            self.stack.push_async_callback(_cancelled, listening)
        authority = await load_authority(db, self.kek)
        service = FleetService(db, authority=authority, settings=settings)
        if configure is not None:
            configure(service)
        async with db.write() as uow:
            identity = await server_identity(uow, authority, self.kek, names=["127.0.0.1", "localhost"])

        async def organization_name(organization_id: int) -> str:
            async with db.read() as session:
                return (
                    await session.execute(select(Organization.name).where(Organization.id == organization_id))
                ).scalar_one()

        server = FleetServer(service, authority, identity, organization_name=organization_name)
        await server.start(control="127.0.0.1:0", enrollment="127.0.0.1:0")
        hub = Hub(db, service, server, authority, self.kek, self.clock)
        self.hubs.append(hub)
        self.stack.push_async_callback(self._stop, hub)
        return hub

    async def _stop(self, hub: Hub) -> None:
        for agent in hub.agents:
            await agent.close()
        if not hub.killed:
            await hub.server.stop(grace_s=0.2)


async def create_tables(db: Database) -> None:
    async with db.engine.begin() as connection:
        await connection.run_sync(all_tables().create_all)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _factory(url: str):
    async with AsyncExitStack() as stack:
        factory = HubFactory(url, KeyEncryptionKey(new_key()), stack, MovableClock())
        await factory.initialize()
        yield factory


@dataclass
class Postgres:
    """A private server, and a database with all tables to copy for each test."""

    folder: Path
    copies: int = 0

    def url(self, name: str) -> str:
        return f"postgresql://certwright@/{name}?host={self.folder}"

    async def copy(self) -> str:
        connection = await asyncpg.connect(host=str(self.folder), user="certwright", database="postgres")
        try:
            if self.copies == 0:
                await connection.execute("CREATE DATABASE fleet_template")
                db = Database.open(self.url("fleet_template"))
                await create_tables(db)
                await db.close()
            self.copies += 1
            name = f"fleet_{self.copies}"
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE fleet_template")
        finally:
            await connection.close()
        return self.url(name)


@pytest.fixture(autouse=True)
def _plain_logs():
    # The default renders local variables into tracebacks, which takes longer than a heartbeat.
    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
    )
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def postgres():
    with running_postgres() as folder:
        yield Postgres(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
async def hubs(request, tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    if request.param == "postgresql":
        url = await request.getfixturevalue("postgres").copy()
    async with _factory(url) as factory:
        yield factory


@pytest.fixture
async def hub(hubs: HubFactory) -> Hub:
    return await hubs.start()
