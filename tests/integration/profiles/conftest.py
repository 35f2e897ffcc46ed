"""Profiles, compromised keys and certificates behind a real web server, with a private CA."""

import contextlib

import aiohttp
import pytest
from aiohttp import web

from hub.access.policy import PolicyAuthorizer
from hub.db.errors import Unauthenticated
from hub.http.shell import ShellOptions, build_application
from hub.lifecycle.profile_uses import CertificatesOfProfiles
from hub.lifecycle.routes import CertificateRoutes
from hub.profiles.key_routes import CompromisedKeyRoutes
from hub.profiles.routes import ProfileRoutes
from hub.profiles.service import ProfileService
from tests.simulators.hub_world import ADMIN, World, rao


class Tokens:
    """Bearer tokens ``mrao`` and ``rao``."""

    async def by_api_token(self, token):
        who = {"mrao": ADMIN, "rao": rao(1)}.get(token)
        if who is None:
            raise Unauthenticated
        return who

    async def by_session(self, token):
        raise Unauthenticated


class Hub:
    """What a script sees of the hub, and the rooms behind it."""

    def __init__(self, url, world):
        self.world = world
        self._client = aiohttp.ClientSession(url)

    async def call(self, method, path, body=None, *, token="mrao", expect=200):
        headers = {"Authorization": f"Bearer {token}"}
        async with self._client.request(method, f"/api/v1{path}", json=body, headers=headers) as response:
            text = await response.text()
            assert response.status == expect, text
            return await response.json(content_type=None) if text.startswith(("{", "[")) else text

    @property
    def profile_body(self):
        backend = self.world.backend_id
        return {"name": "P", "backend_id": backend, "terms_days": [90], "key_types": ["EC-P256"]}

    async def profile(self, **fields):
        body = {
            "name": "P",
            "backend_id": self.world.backend_id,
            "terms_days": [90],
            "key_types": ["EC-P256"],
        }
        return await self.call("POST", "/profiles", body | fields, expect=201)

    async def close(self):
        await self._client.close()


@pytest.fixture
async def hub(tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        world = World(f"sqlite:///{tmp_path / 'hub.db'}")
        world.open()
        stack.push_async_callback(world.db.close)
        await world.create()
        stack.push_async_callback(world.lifecycle.close)
        profiles = ProfileService(world.db, uses=CertificatesOfProfiles())
        application = build_application(
            [
                ProfileRoutes(world.db, profiles),
                CompromisedKeyRoutes(world.db, profiles),
                CertificateRoutes(world.lifecycle),
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
        running = Hub(f"http://{host}:{port}", world)
        stack.push_async_callback(running.close)
        yield running
