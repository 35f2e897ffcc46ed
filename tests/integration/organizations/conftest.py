"""Organizations and certificates behind a real web server with the real policy, on SQLite and PostgreSQL."""

import contextlib
import json
import uuid

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from hub.access.policy import PolicyAuthorizer
from hub.access.privileges import holdable
from hub.db.errors import Unauthenticated
from hub.http.principal import Principal, Role, RoleGrant
from hub.http.shell import ShellOptions, build_application
from hub.lifecycle.route_sets import certificate_routes
from hub.organizations.custom_field_routes import CustomFieldRoutes
from hub.organizations.domain_routes import DomainRoutes
from hub.organizations.person_routes import PersonRoutes
from hub.organizations.routes import OrganizationRoutes, SettingsRoutes
from tests.integration.issuers.private_postgres import running_postgres
from tests.simulators.hub_world import World


class Tokens:
    """Bearer tokens say who calls: ``mrao``, ``rao-7``, ``drao-7-3``, with ``:ssl,client`` for types.

    Everybody holds what their roles may hold, apart from the approval of domains: that takes ``!`` at the
    end. ``@console`` calls as from a console session.
    """

    async def by_api_token(self, token):
        if token.split("-")[0].rstrip("!") not in {"mrao", "rao", "drao", "mrao@console"}:
            raise Unauthenticated
        text = token.removesuffix("!").removesuffix("@console")
        place, _, types = text.partition(":")
        role, *ids = place.split("-")
        grant = RoleGrant(
            role=Role(role.upper()),
            organization_id=int(ids[0]) if ids else None,
            department_id=int(ids[1]) if len(ids) > 1 else None,
            certificate_types=frozenset(types.split(",")) if types else frozenset(),
        )
        privileges = holdable([grant]) - {"api_only"}
        if role == "rao" and not token.endswith("!"):
            privileges -= {"approve_domains"}
        kind = "administrator" if "@console" in token else "api_token"
        return Principal(kind=kind, id=token, name=token, grants=(grant,), privileges=privileges)

    async def by_session(self, token):
        raise Unauthenticated


class Client:
    def __init__(self, url):
        self._session = aiohttp.ClientSession(url)

    async def call(self, method, path, body=None, *, token="mrao", expect=200):
        json_body = (body if body is not None else {}) if method not in {"GET", "DELETE"} else None
        async with self._session.request(
            method, f"/api/v1{path}", json=json_body, headers={"Authorization": f"Bearer {token}"}
        ) as answer:
            text = await answer.text()
            assert answer.status == expect, f"{method} {path}: {answer.status} {text}"
            return json.loads(text) if answer.content_type.endswith("json") and text else text

    async def get(self, path, **options):
        return await self.call("GET", path, **options)

    async def post(self, path, body=None, *, expect=201, **options):
        return await self.call("POST", path, body, expect=expect, **options)

    async def put(self, path, body, **options):
        return await self.call("PUT", path, body, **options)

    async def patch(self, path, body, **options):
        return await self.call("PATCH", path, body, **options)

    async def delete(self, path, *, expect=204, **options):
        return await self.call("DELETE", path, expect=expect, **options)

    async def refusal(self, method, path, body=None, *, status, **options):
        """Return code and the faulty fields (with their reasons) of a problem document."""
        problem = await self.call(method, path, body, expect=status, **options)
        return problem["code"], {item["field"]: item.get("code", "") for item in problem["errors"]}

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
    db, organizations = world.db, world.organizations
    application = build_application(
        [
            OrganizationRoutes(db, organizations),
            SettingsRoutes(db, organizations),
            DomainRoutes(db, organizations),
            PersonRoutes(db, organizations),
            CustomFieldRoutes(db, organizations),
            *certificate_routes(world.lifecycle),
        ],
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


@pytest.fixture
async def department(world, rest):
    """A department of the first organization."""
    made = await rest.post(f"/organizations/{world.organization_id}/departments", {"name": "Research"})
    return made["id"]
