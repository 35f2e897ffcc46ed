"""Four eyes: who asked for a certificate approves it only with the privilege for that."""

from dataclasses import replace

import pytest

from hub.access.privileges import APPROVE_OWN
from hub.lifecycle.errors import OwnRequest
from tests.simulators.hub_world import ADMIN

WITHOUT = replace(ADMIN, privileges=ADMIN.privileges - {APPROVE_OWN})
SOMEBODY_ELSE = replace(WITHOUT, id="7", name="bob")


async def test_own_requests_are_approved_by_somebody_else(world):
    enrolled = await world.lifecycle.request(WITHOUT, world.request(profile_id=world.manual_profile_id))
    with pytest.raises(OwnRequest):
        await world.lifecycle.approve(WITHOUT, enrolled.id)
    assert (await world.certificate(enrolled.id)).status == "Requested"
    await world.lifecycle.approve(SOMEBODY_ELSE, enrolled.id)
    await world.settle()
    assert (await world.certificate(enrolled.id)).status == "Issued"


async def test_the_privilege_allows_it(world):
    enrolled = await world.lifecycle.request(ADMIN, world.request(profile_id=world.manual_profile_id))
    await world.lifecycle.approve(ADMIN, enrolled.id)
    await world.settle()
    assert (await world.certificate(enrolled.id)).status == "Issued"
