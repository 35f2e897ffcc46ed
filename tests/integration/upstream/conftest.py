"""A hub's rooms, and simulators of CAs on the loopback."""

import pytest

from tests.simulators.hub_world import World
from tests.simulators.web_server import WebServer


@pytest.fixture
async def world(tmp_path):
    world = World(f"sqlite:///{tmp_path / 'hub.db'}")
    world.open()
    try:
        await world.create()
        yield world
        await world.lifecycle.close()
    finally:
        await world.db.close()


@pytest.fixture
async def serve(tmp_path):
    servers = []

    async def start(application, **options):
        folder = tmp_path / f"server-{len(servers)}"
        folder.mkdir()
        server = WebServer(application, folder, **options)
        await server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop()
