"""A hub's rooms on SQLite, with a private CA and a fleet in memory."""

import pytest

from tests.simulators.hub_world import World


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
