"""The routes of access on a real web server, browsers with cookies, and people to sign in."""

from __future__ import annotations

import secrets
import socket
from contextlib import asynccontextmanager

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from argon2 import PasswordHasher

from hub.access.login_limits import AddressLimiter
from hub.access.passwords import Passwords
from hub.access.policy import PolicyAuthorizer
from hub.access.routes import access_routes
from hub.access.service import AccessService
from hub.access.signin.service import SignInOptions
from hub.db.tables import all_tables
from hub.db.uow import Database
from hub.http.principal import SYSTEM, Role, RoleGrant
from hub.http.shell import ShellOptions, build_application
from hub.organizations.service import OrganizationFields, OrganizationService
from tests.integration.issuers.private_postgres import running_postgres

PASSWORD = "correct horse battery staple"


class Hub:
    """A web server with the access room behind it."""

    def __init__(self, access, url):
        self.access, self.db, self.url = access, access.db, url

    @asynccontextmanager
    async def browser(self):
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(self.url, cookie_jar=jar) as session:
            yield Browser(session)

    async def add(self, username, **more):
        more.setdefault("grants", [RoleGrant(role=Role.MRAO)])
        async with self.db.write() as uow:
            return await self.access.administrators.create(
                uow, principal=SYSTEM, username=username, name=username.title(), password=PASSWORD, **more
            )


class Browser:
    """Cookies, the CSRF token, and JSON."""

    def __init__(self, session):
        self.session, self.csrf = session, ""

    async def call(self, method, path, body=None, **options):
        headers = {"X-CSRF-Token": self.csrf, **options.pop("headers", {})}
        async with self.session.request(
            method, f"/api/v1{path}", json=body, headers=headers, allow_redirects=False, **options
        ) as response:
            text = await response.text()
            found = await response.json(content_type=None) if text.startswith(("{", "[")) else text
            session = found.get("next", found) if isinstance(found, dict) else {}
            self.csrf = session.get("csrf_token") or self.csrf
            return response, found

    async def get(self, path, **options):
        return await self.call("GET", path, **options)

    async def post(self, path, body=None, **options):
        return await self.call("POST", path, {} if body is None else body, **options)

    async def sign_in(self, username="alice", password=PASSWORD):
        return await self.post("/session", {"username": username, "password": password})

    async def who(self):
        response, found = await self.get("/session")
        return found["name"] if response.status == 200 else None


@asynccontextmanager
async def serving(folder, *, database_url=None, trusted_proxies=(), **more):
    """Serve the access room; ``more`` are fields of SignInOptions."""
    db = Database.open(database_url or f"sqlite:///{folder}/hub.db")
    async with db.engine.begin() as connection:
        await connection.run_sync(all_tables().create_all)
    runner = None
    # The address is known before the service, as in the hub itself.
    listening = socket.create_server(("127.0.0.1", 0))
    try:
        url = f"http://localhost:{listening.getsockname()[1]}"
        access = AccessService(
            db,
            passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
            addresses=AddressLimiter(burst=500),
            options=SignInOptions(base_url=url, **more),
        )
        application = build_application(
            access_routes(access),
            authenticator=access,
            authorizer=PolicyAuthorizer(),
            options=ShellOptions(over_tls=False, trusted_proxies=trusted_proxies),
        )
        runner = web.AppRunner(application, shutdown_timeout=1.0)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        found = Hub(access, url)
        await found.add("alice")
        async with db.write() as uow:
            await OrganizationService(db).create(uow, OrganizationFields(name="Corp"), principal=SYSTEM)
        yield found
    finally:
        if runner is not None:
            await runner.cleanup()
        listening.close()
        await db.close()


@pytest.fixture
async def hub(tmp_path):
    async with serving(tmp_path) as found:
        yield found


@pytest.fixture(scope="session")
def postgres_folder():
    with running_postgres() as folder:
        yield folder


@pytest.fixture
async def postgres_url(postgres_folder):
    name = f"t{secrets.token_hex(6)}"
    connection = await asyncpg.connect(host=str(postgres_folder), user="certwright", database="postgres")
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return f"postgresql://certwright@/{name}?host={postgres_folder}"


@pytest.fixture
async def browser(hub):
    async with hub.browser() as found:
        yield found


@pytest.fixture
async def master(hub):
    """Alice, an MRAO, signed in."""
    async with hub.browser() as found:
        response, _ = await found.sign_in()
        assert response.status == 200
        yield found
