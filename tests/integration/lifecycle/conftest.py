"""Lifecycle and discovery behind a real web server with the real policy, on SQLite and on PostgreSQL."""

import contextlib
import uuid

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from hub.access.policy import PolicyAuthorizer
from hub.db.errors import Unauthenticated
from hub.discovery.routes import DiscoveryRoutes
from hub.discovery.service import DiscoveryService
from hub.http.principal import Principal, Role, RoleGrant
from hub.http.shell import ShellOptions, build_application
from hub.lifecycle.route_sets import certificate_routes
from tests.integration.issuers.private_postgres import running_postgres
from tests.simulators.hub_world import World


class Tokens:
    """Bearer tokens ``mrao``, ``rao-<organization>``, and ``reader``, which may only look."""

    async def by_api_token(self, token):
        scopes = frozenset({"certificates.view"} if token == "reader" else {"*"})
        role, _, organization = token.replace("reader", "mrao").partition("-")
        if role not in {"mrao", "rao"}:
            raise Unauthenticated
        grant = RoleGrant(
            role=Role(role.upper()),
            organization_id=int(organization) if organization else None,
            certificate_types=frozenset({"ssl"}) if organization else frozenset(),
        )
        return Principal(
            kind="api_token",
            id=token,
            name=token,
            grants=(grant,),
            privileges=frozenset({"approve_own_requests", "discovery", "edit_requests"}),
            scopes=scopes,
        )

    async def by_session(self, token):
        raise Unauthenticated


class Client:
    def __init__(self, url):
        self._session = aiohttp.ClientSession(url)

    async def call(self, method, path, body=None, *, token="mrao", expect=200, accept=""):
        headers = {"Authorization": f"Bearer {token}"} | ({"Accept": accept} if accept else {})
        if method != "GET" and body is None:
            body = {}
        json = body if method != "GET" else None
        async with self._session.request(method, f"/api/v1{path}", json=json, headers=headers) as answer:
            text = await answer.text()
            assert answer.status == expect, text
            return await answer.json(content_type=None) if answer.content_type.endswith("json") else text

    async def raw(self, method, path, *, expect=200, token="mrao", headers=None, **options):
        """Send whatever is given, below the root; return the answer with its bytes read."""
        headers = {"Authorization": f"Bearer {token}"} | (headers or {}) if token else headers
        async with self._session.request(method, path, headers=headers, **options) as answer:
            answer.content_bytes = await answer.read()
            assert answer.status == expect, answer.content_bytes
            return answer

    async def get(self, path, **options):
        return await self.call("GET", path, **options)

    async def post(self, path, body=None, **options):
        return await self.call("POST", path, body, **options)

    async def close(self):
        await self._session.close()


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


@pytest.fixture
async def postgres_world(postgres):
    world = World(await new_database(postgres))
    async with contextlib.AsyncExitStack() as stack:
        world.open()
        stack.push_async_callback(world.db.close)
        await world.create()
        yield world
        await world.lifecycle.close()


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
async def rest(world):
    discovery = DiscoveryService(world.db, world.fleet, world.lifecycle)
    application = build_application(
        [*certificate_routes(world.lifecycle), DiscoveryRoutes(discovery)],
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
