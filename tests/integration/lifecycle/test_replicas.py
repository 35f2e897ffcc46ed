"""Several hubs over one PostgreSQL."""

import asyncio

import pytest
from sqlalchemy import func, select

from hub.lifecycle.models import Certificate
from tests.simulators.hub_world import ADMIN, World

pytestmark = pytest.mark.server


async def test_replicas_share_the_steps_and_do_each_once(postgres_world):
    first = postgres_world
    second = World(first.url, clock=first.clock, fleet_state=first.fleet_state)
    second.open()
    try:
        ids = [
            (await first.lifecycle.request(ADMIN, first.request(profile_id=first.manual_profile_id))).id
            for _ in range(20)
        ]
        for certificate_id in ids:
            await first.lifecycle.approve(ADMIN, certificate_id)
        for _ in range(20):
            done = await asyncio.gather(
                *(world.lifecycle.worker().run_due(limit=3) for world in (first, second) * 2)
            )
            if not any(done):
                break
        statuses = await first.rows(select(Certificate.status, func.count()).group_by(Certificate.status))
        assert [tuple(row) for row in statuses] == [("Issued", 20)]
        told = [kind for kind, _ in await first.events()]
        assert told.count("CertificateIssued") == told.count("CertificateApplied") == 20
    finally:
        await second.db.close()


async def test_of_two_decisions_in_the_same_moment_one_is_too_late(postgres_world):
    world = postgres_world
    enrolled = await world.lifecycle.request(ADMIN, world.request(profile_id=world.manual_profile_id))
    results = await asyncio.gather(
        world.lifecycle.approve(ADMIN, enrolled.id),
        world.lifecycle.approve(ADMIN, enrolled.id),
        return_exceptions=True,
    )
    assert [type(item).__name__ for item in results if item is not None] in (
        ["ChangedMeanwhile"],
        ["TransitionNotAllowed"],
    )
