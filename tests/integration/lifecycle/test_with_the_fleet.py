"""Lifecycle and discovery over the real command queue: what is queued, and what a cancelled command does."""

import pytest
from sqlalchemy import select

from hub.discovery.models import Scan
from hub.discovery.service import DiscoveryService, TaskFields
from hub.fleet.commands import ScanRange
from hub.fleet.models import FleetCommand
from hub.fleet.service import FleetService
from hub.lifecycle.requests import Method
from hub.lifecycle.service import LifecycleService, Rooms
from tests.simulators.hub_world import ADMIN


@pytest.fixture
async def fleet(world):
    return FleetService(world.db)


@pytest.fixture
async def lifecycle(world, fleet):
    rooms = Rooms(
        organizations=world.organizations,
        profiles=world.profiles,
        issuers=world.issuers,
        fleet=fleet,
    )
    service = LifecycleService(world.db, rooms)
    yield service
    await service.close()


async def commands(world):
    rows = await world.rows(
        select(FleetCommand.id, FleetCommand.kind, FleetCommand.subject_type, FleetCommand.subject_id)
    )
    return [tuple(row) for row in rows]


async def test_a_key_is_asked_for_through_the_queue_and_a_cancelled_command_says_so(world, fleet, lifecycle):
    pks = await world.fleet.enroll("pks", organization_id=world.organization_id)
    request = world.request(method=Method.PKS, pks_agent_id=pks)
    enrolled = await lifecycle.request(ADMIN, request)
    await lifecycle.worker().run_due()
    ((command_id, *about),) = await commands(world)
    assert about == ["GenerateCertificate", "certificate", str(enrolled.id)]
    async with world.db.write() as uow:
        await fleet.cancel(uow, command_id)
    row = await world.certificate(enrolled.id)
    assert (row.status, row.status_reason) == ("Invalid", "Cancelled")


async def test_a_scan_that_no_agent_has_begun_is_canceled_at_once(world, fleet, lifecycle):
    discovery = DiscoveryService(world.db, fleet, lifecycle)
    agent = await world.fleet.enroll("network", organization_id=world.organization_id)
    task = await discovery.create(
        ADMIN, TaskFields(name="office", agent_id=agent, ranges=(ScanRange(target="10.0.0.0/24"),))
    )
    scan_id = await discovery.scan(ADMIN, task)
    assert [about[1:] for about in await commands(world)] == [("DiscoverNetwork", "scan", str(scan_id))]
    await discovery.cancel(ADMIN, task)
    ((state, reason),) = await world.rows(select(Scan.state, Scan.reason))
    assert (state, reason) == ("Canceled", "Cancelled")
    assert await discovery.scan(ADMIN, task) != scan_id


async def test_an_agent_that_is_removed_ends_what_waits_for_it(world, fleet, lifecycle):
    pks = await world.fleet.enroll("pks", organization_id=world.organization_id)
    enrolled = await lifecycle.request(ADMIN, world.request(method=Method.PKS, pks_agent_id=pks))
    await lifecycle.worker().run_due()
    async with world.db.write() as uow:
        await fleet.remove_agent(uow, pks)
    row = await world.certificate(enrolled.id)
    assert (row.status, row.status_reason) == ("Invalid", "AgentRemoved")
