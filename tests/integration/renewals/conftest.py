"""Automatic renewal behind a real web server with the real policy, on SQLite and on PostgreSQL."""

import contextlib
import uuid

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from hub.access.policy import PolicyAuthorizer
from hub.db.errors import Unauthenticated
from hub.http.principal import Principal, Role, RoleGrant
from hub.http.shell import ShellOptions, build_application
from hub.renewals.routes import RenewalRoutes
from tests.integration.issuers.private_postgres import running_postgres
from tests.simulators.renewal_world import RenewalWorld


class Tokens:
    """Bearer tokens ``mrao``, ``rao-<organization>``, and ``reader``, which may only look."""

    async def by_api_token(self, token):
        scopes = frozenset({"certificates.view"} if token == "reader" else {"*"})
        role, _, organization = token.replace("reader", "mrao").partition("-")
        grant = RoleGrant(
            role=Role(role.upper()),
            organization_id=int(organization) if organization else None,
            certificate_types=frozenset({"ssl"}) if organization else frozenset(),
        )
        return Principal(kind="api_token", id=token, name=token, grants=(grant,), scopes=scopes)

    async def by_session(self, token):
        raise Unauthenticated


@pytest.fixture(scope="session")
def postgres():
    with running_postgres() as socket_folder:
        yield socket_folder


async def new_database(folder):
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
    world = RenewalWorld(url)
    async with contextlib.AsyncExitStack() as stack:
        world.open()
        stack.push_async_callback(world.db.close)
        await world.create()
        yield world
        await world.lifecycle.close()


@pytest.fixture
async def call(world):
    """Call the API: ``await call("GET", path, body, token=..., expect=...)``."""
    application = build_application(
        [RenewalRoutes(world.renewals)],
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
        session = await stack.enter_async_context(aiohttp.ClientSession(f"http://{host}:{port}"))

        async def send(method, path, body=None, *, token="mrao", expect=200):
            headers = {"Authorization": f"Bearer {token}"}
            async with session.request(method, f"/api/v1{path}", json=body, headers=headers) as answer:
                text = await answer.text()
                assert answer.status == expect, text
                return await answer.json()

        yield send
