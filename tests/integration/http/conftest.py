"""A real web server on a free port, serving whatever routes a test declares."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from hub.db.errors import Unauthenticated
from hub.http.principal import Principal, Role, RoleGrant
from hub.http.shell import ShellOptions, build_application

ADMIN = Principal(kind="administrator", id="1", name="admin", grants=(RoleGrant(role=Role.MRAO),))
RAO = Principal(
    kind="administrator", id="2", name="rao", grants=(RoleGrant(role=Role.RAO, organization_id=7),)
)


class KnownTokens:
    """Two fixed API tokens and one session; what the access room does for real."""

    async def by_api_token(self, token):
        if token == "good":
            return ADMIN
        if token == "rao":
            return RAO
        raise Unauthenticated

    async def by_session(self, token):
        if token == "session":
            return ADMIN
        raise Unauthenticated


class AllowAllBut:
    def refusal(self, principal, action):
        return "not for you" if action == "things.forbidden" else None


@asynccontextmanager
async def serving(*route_sets, options=None):
    application = build_application(
        route_sets,
        authenticator=KnownTokens(),
        authorizer=AllowAllBut(),
        options=options or ShellOptions(over_tls=False),
    )
    runner = web.AppRunner(application, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        async with aiohttp.ClientSession(f"http://{host}:{port}") as client:
            yield client
    finally:
        await runner.cleanup()


@pytest.fixture
async def serve():
    async with AsyncExitStack() as stack:

        async def start(*route_sets, options=None):
            return await stack.enter_async_context(serving(*route_sets, options=options))

        yield start
