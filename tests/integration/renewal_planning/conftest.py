"""Planning behind a real web server with the real policy, on SQLite and on PostgreSQL."""

import contextlib
import itertools
import uuid
from datetime import timedelta

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from sqlalchemy import insert

from hub.access.policy import PolicyAuthorizer
from hub.access.privileges import holdable
from hub.db.errors import Unauthenticated
from hub.fleet.models import Agent
from hub.http.principal import Principal, Role, RoleGrant
from hub.http.shell import ShellOptions, build_application
from hub.lifecycle.models import Certificate, InstallItem
from hub.renewals.planning.routes import planning_routes
from hub.renewals.planning.service import PlanningService
from tests.integration.issuers.private_postgres import running_postgres
from tests.simulators.hub_world import World


class Tokens:
    """Bearer tokens ``mrao``, ``rao-<organization>`` and ``drao-<organization>-<department>``."""

    async def by_api_token(self, token):
        role, *ids = token.split("-")
        if role not in {"mrao", "rao", "drao"}:
            raise Unauthenticated
        grant = RoleGrant(
            role=Role(role.upper()),
            organization_id=int(ids[0]) if ids else None,
            department_id=int(ids[1]) if len(ids) > 1 else None,
            certificate_types=frozenset({"ssl"}) if ids else frozenset(),
        )
        return Principal(
            kind="api_token",
            id=token,
            name=token,
            grants=(grant,),
            privileges=holdable([grant]) - {"api_only"},
        )

    async def by_session(self, token):
        raise Unauthenticated


class Client:
    def __init__(self, url):
        self._session = aiohttp.ClientSession(url)

    async def call(self, method, path, body=None, *, token="mrao", expect=200):
        json = (body if body is not None else {}) if method in {"POST", "PATCH", "PUT"} else None
        headers = {"Authorization": f"Bearer {token}"}
        async with self._session.request(method, f"/api/v1{path}", json=json, headers=headers) as answer:
            text = await answer.text()
            assert answer.status == expect, f"{method} {path}: {answer.status} {text}"
            return await answer.json(content_type=None) if answer.content_type.endswith("json") else text

    async def get(self, path, **options):
        return await self.call("GET", path, **options)

    async def post(self, path, body=None, *, expect=201, **options):
        return await self.call("POST", path, body, expect=expect, **options)

    async def patch(self, path, body, **options):
        return await self.call("PATCH", path, body, **options)

    async def delete(self, path, *, expect=204, **options):
        return await self.call("DELETE", path, expect=expect, **options)

    async def close(self):
        await self._session.close()


class Plant:
    """Puts rows into the inventory."""

    def __init__(self, world):
        self.world = world
        self._numbers = itertools.count(1)

    @property
    def now(self):
        return self.world.clock.now

    async def certificate(self, *, ends_in=20, term=90, due_in=None, automatic=True, **values):
        """Insert a certificate in service; days are counted from now. Return its id."""
        number = next(self._numbers)
        name = values.pop("common_name", f"n{number}.example.com")
        ends = self.now + timedelta(days=ends_in)
        due = None if not automatic else self.now + timedelta(days=ends_in / 2 if due_in is None else due_in)
        row = {
            "type": "ssl",
            "status": "Issued",
            "common_name": name,
            "dns_names": [name],
            "search_names": name,
            "organization_id": self.world.organization_id,
            "profile_id": self.world.profile_id,
            "backend_id": self.world.backend_id,
            "term_days": term,
            "not_before": ends - timedelta(days=term),
            "not_after": ends,
            "issued_at": ends - timedelta(days=term),
            "created_at": ends - timedelta(days=term),
            "renewal_state": "Scheduled" if automatic else "Not Scheduled",
            "renewal_due_at": due,
        } | values
        async with self.world.db.write() as uow:
            return (
                await uow.session.execute(insert(Certificate).values(**row).returning(Certificate.id))
            ).scalar_one()

    async def agent(self, name, *, connected=False, organization_id=None, **values):
        """Insert an agent and return its id."""
        agent_id = str(uuid.uuid4())
        row = {
            "id": agent_id,
            "name": name,
            "kind": "network",
            "hostname": f"{name}.internal",
            "organization_id": organization_id,
            "receiver_public_key": b"k",
            "identity_spki": b"s",
            "certificate_sha256": "0" * 64,
            "certificate_serial": "1",
            "certificate_not_after": self.now + timedelta(days=90),
            "enrolled_at": self.now - timedelta(days=90),
            "last_seen_at": self.now - timedelta(hours=5),
            "session_id": "s" if connected else None,
        } | values
        async with self.world.db.write() as uow:
            await uow.session.execute(insert(Agent).values(**row))
        return agent_id

    async def item(self, certificate_id, agent_id, server="nginx"):
        """Have a certificate installed on a server."""
        async with self.world.db.write() as uow:
            await uow.session.execute(
                insert(InstallItem).values(
                    certificate_id=certificate_id,
                    agent_id=agent_id,
                    server=server,
                    node_id="n",
                    status="Installed",
                    updated_at=uow.now,
                )
            )


class Recorder:
    """Remembers whose plans were to be made anew."""

    def __init__(self):
        self.ids = []

    async def plan_again(self, uow, certificate_ids):
        self.ids.extend(certificate_ids)


@pytest.fixture(scope="session")
def postgres():
    with running_postgres() as socket_folder:
        yield socket_folder


async def new_database(folder) -> str:
    name = f"hub_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(host=str(folder), user="certwright", database="postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"postgresql://certwright@/{name}?host={folder}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
async def world(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'hub.db'}"
    else:
        url = await new_database(request.getfixturevalue("postgres"))
    world = World(url)
    async with contextlib.AsyncExitStack() as stack:
        world.open()
        stack.push_async_callback(world.db.close)
        await world.create()
        yield world
        await world.lifecycle.close()


@pytest.fixture
def plant(world):
    return Plant(world)


@pytest.fixture
def replanned():
    return Recorder()


@pytest.fixture
def planning(world, replanned):
    return PlanningService(world.db, replanned)


@pytest.fixture
async def rest(planning):
    application = build_application(
        list(planning_routes(planning)),
        authenticator=Tokens(),
        authorizer=PolicyAuthorizer(),
        options=ShellOptions(over_tls=False),
    )
    async with contextlib.AsyncExitStack() as stack:
        runner = web.AppRunner(application, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        client = Client(f"http://{host}:{port}")
        stack.push_async_callback(client.close)
        yield client
