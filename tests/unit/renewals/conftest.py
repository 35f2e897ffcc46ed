"""A hub's rooms with automatic renewal, on SQLite, with a private CA and a fleet in memory."""

import pytest

from tests.simulators.renewal_world import RenewalWorld


@pytest.fixture
async def world(tmp_path):
    world = RenewalWorld(f"sqlite:///{tmp_path / 'hub.db'}")
    world.open()
    try:
        await world.create()
        yield world
        await world.lifecycle.close()
    finally:
        await world.db.close()
