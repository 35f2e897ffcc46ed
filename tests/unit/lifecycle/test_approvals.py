"""Two administrators for profiles that want two; what takes approvals back."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from hub.access.privileges import APPROVE_OWN
from hub.lifecycle.detail import read_detail
from hub.lifecycle.editing import Edit
from hub.lifecycle.errors import (
    AlreadyApproved,
    ApproverNotIdentified,
    OwnRequest,
    TransitionNotAllowed,
)
from hub.lifecycle.models import CertificateApproval
from tests.simulators.hub_world import ADMIN

ALICE = replace(ADMIN, privileges=ADMIN.privileges - {APPROVE_OWN})
BOB = replace(ALICE, id="7", name="bob")
CAROL = replace(ALICE, id="8", name="carol")


@pytest.fixture
async def requested(world):
    async with world.db.write() as uow:
        profile = await world._profile(uow, "Two people", approvals=2)
    return (await world.lifecycle.request(ALICE, world.request(profile_id=profile))).id


async def detail(world, certificate_id):
    async with world.db.read() as session:
        return await read_detail(session, ADMIN, certificate_id, now=world.clock())


async def test_it_takes_two_different_administrators(world, requested):
    await world.lifecycle.approve(BOB, requested, message="looks right")
    seen = await detail(world, requested)
    assert (seen.status, seen.approvals_needed) == ("Requested", 2)
    assert [(item.administrator, item.message) for item in seen.approvals] == [("bob", "looks right")]
    with pytest.raises(AlreadyApproved):
        await world.lifecycle.approve(BOB, requested)
    await world.lifecycle.approve(CAROL, requested)
    await world.settle()
    seen = await detail(world, requested)
    assert (seen.status, seen.approver) == ("Issued", "bob, carol")
    assert [kind for kind, _ in await world.events()].count("CertificateApprovalRecorded") == 1


async def test_neither_of_the_two_is_who_asked(world, requested):
    with pytest.raises(OwnRequest):
        await world.lifecycle.approve(ALICE, requested)
    await world.lifecycle.approve(BOB, requested)
    with pytest.raises(OwnRequest):
        await world.lifecycle.approve(ALICE, requested)


async def test_who_asked_is_told_by_their_id_and_not_by_their_name(world, requested):
    with pytest.raises(OwnRequest):
        await world.lifecycle.approve(replace(ALICE, name="alice cooper"), requested)
    namesake = replace(ALICE, id="9")
    await world.lifecycle.approve(namesake, requested)
    assert [item.administrator_id for item in (await detail(world, requested)).approvals] == [9]


async def test_an_api_token_counts_as_its_owner(world, requested):
    await world.lifecycle.approve(BOB, requested)
    with pytest.raises(AlreadyApproved):
        await world.lifecycle.approve(replace(BOB, kind="api_token"), requested)


async def test_nobody_in_particular_is_not_one_of_two(world, requested):
    with pytest.raises(ApproverNotIdentified):
        await world.lifecycle.approve(replace(BOB, kind="agent", id="x"), requested)


async def test_declining_takes_approvals_back_and_both_are_needed_again(world, requested):
    await world.lifecycle.approve(BOB, requested)
    await world.lifecycle.decline(CAROL, requested, message="not yet")
    assert await world.rows(select(CertificateApproval.id)) == []
    await world.lifecycle.approve(BOB, requested)
    assert (await world.certificate(requested)).status == "Declined"
    await world.lifecycle.approve(CAROL, requested)
    await world.settle()
    assert (await world.certificate(requested)).status == "Issued"


async def test_editing_takes_approvals_back(world, requested):
    await world.lifecycle.approve(BOB, requested)
    await world.lifecycle.editing.edit(CAROL, requested, Edit(changes={"comments": "changed"}))
    assert await world.rows(select(CertificateApproval.id)) == []


async def test_what_is_decided_is_not_approved_once_more(world, requested):
    await world.lifecycle.approve(BOB, requested)
    await world.lifecycle.approve(CAROL, requested)
    with pytest.raises(TransitionNotAllowed):
        await world.lifecycle.approve(replace(BOB, id="10", name="dave"), requested)
