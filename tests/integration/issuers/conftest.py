"""The rooms of organizations, profiles and issuers behind a real web server, with the real policy."""

import contextlib
import uuid

import aiohttp
import asyncpg
import pytest
from aiohttp import web

import hub.access.models
from hub.access.policy import PolicyAuthorizer
from hub.access.privileges import holdable
from hub.db.base import Base
from hub.db.errors import Unauthenticated
from hub.db.uow import Database
from hub.http.principal import Principal, Role, RoleGrant
from hub.http.shell import ShellOptions, build_application
from hub.issuers.ocsp.routes import OcspRoutes
from hub.issuers.routes import IssuerRoutes, StatusRoutes
from hub.issuers.service import IssuerService
from hub.organizations.domain_routes import DomainRoutes
from hub.organizations.routes import OrganizationRoutes
from hub.organizations.service import OrganizationService
from hub.profiles.routes import ProfileRoutes
from hub.profiles.service import ProfileService
from pki.at_rest import KeyEncryptionKey, new_key
from tests.integration.issuers.private_postgres import running_postgres


class Tokens:
    """Bearer tokens ``mrao``, ``rao-<organization>`` and ``drao-<organization>``."""

    async def by_api_token(self, token):
        role, _, organization = token.partition("-")
        if role not in {"mrao", "rao", "drao"}:
            raise Unauthenticated
        grant = RoleGrant(
            role=Role(role.upper()),
            organization_id=int(organization) if organization else None,
            department_id=1 if role == "drao" else None,
        )
        privileges = holdable([grant]) - {"api_only"}
        if role != "mrao":
            privileges -= {"approve_domains"}
        return Principal(kind="administrator", id=token, name=token, grants=(grant,), privileges=privileges)

    async def by_session(self, token):
        raise Unauthenticated


class Hub:
    def __init__(self, url, db, issuers):
        self.url, self.db, self.issuers = url, db, issuers
        self._client = aiohttp.ClientSession(url)

    async def call(self, method, path, *, token="mrao", expect=None, **json):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = json or None
        async with self._client.request(method, f"/api/v1{path}", json=body, headers=headers) as response:
            text = await response.text()
            assert expect is None or response.status == expect, text
            is_json = response.content_type.endswith("json")
            return await response.json(content_type=None) if is_json and text else text

    async def fetch(self, path, **headers):
        async with self._client.get(path, headers=headers) as response:
            return response.status, response.headers, await response.read()

    async def close(self):
        await self._client.close()


@pytest.fixture(scope="session")
def postgres():
    with running_postgres() as socket_folder:
        yield socket_folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
async def db(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'hub.db'}"
    else:
        folder = request.getfixturevalue("postgres")
        name = f"hub_{uuid.uuid4().hex}"
        connection = await asyncpg.connect(host=str(folder), user="certwright", database="postgres")
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        url = f"postgresql://certwright@/{name}?host={folder}"
    database = Database.open(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield database
    await database.close()


@pytest.fixture
async def hub(db):
    async with contextlib.AsyncExitStack() as stack:
        # Certificates carry this address; tests take the path from it and ask the port that was free.
        issuers = IssuerService(db, KeyEncryptionKey(new_key()), public_url="http://127.0.0.1")
        organizations = OrganizationService(db)
        application = build_application(
            [
                OrganizationRoutes(db, organizations),
                DomainRoutes(db, organizations),
                ProfileRoutes(db, ProfileService(db)),
                IssuerRoutes(db, issuers),
                StatusRoutes(db, issuers),
                OcspRoutes(issuers.ocsp),
            ],
            authenticator=Tokens(),
            authorizer=PolicyAuthorizer(),
            options=ShellOptions(over_tls=False),
        )
        runner = web.AppRunner(application, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        running = Hub(f"http://{host}:{port}", db, issuers)
        stack.push_async_callback(running.close)
        yield running
