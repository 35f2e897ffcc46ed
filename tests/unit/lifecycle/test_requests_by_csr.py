"""A certificate from the applicant's own signing request."""

import asyncio

import pytest

from hub.lifecycle.errors import RequestRefused
from pki.csrs import parse_csr
from tests.simulators.hub_world import ADMIN, csr


async def test_an_administrators_request_to_an_auto_approving_profile_comes_back_issued(world):
    enrolled = await world.lifecycle.request(ADMIN, world.request())
    row = await world.certificate(enrolled.id)
    assert (enrolled.status, row.status) == ("Issued", "Issued")
    assert row.dns_names == ["www.example.com"]
    assert row.subject_fields["organization"] == "Example Ltd"
    assert row.fingerprint_sha256
    assert len(row.chain) == 3


async def test_requests_that_arrive_together_share_commits_and_are_all_issued(world):
    requests = [world.request(common_name=f"h{n}.example.com", names=()) for n in range(20)]
    enrolled = await asyncio.gather(*(world.lifecycle.request(ADMIN, item) for item in requests))
    assert {item.status for item in enrolled} == {"Issued"}
    assert len({item.id for item in enrolled}) == 20


async def test_a_request_that_is_refused_does_not_take_its_neighbours_with_it(world):
    good = world.request()
    bad = world.request(common_name="www.elsewhere.example", names=())
    first, second = await asyncio.gather(
        world.lifecycle.request(ADMIN, good),
        world.lifecycle.request(ADMIN, bad),
        return_exceptions=True,
    )
    assert first.status == "Issued"
    assert isinstance(second, RequestRefused)
    assert [(item.field, item.reason) for item in second.findings] == [
        ("subject_alternative_names", "NameNotDelegated")
    ]


async def test_a_request_that_needs_approval_waits_for_it(world):
    enrolled = await world.lifecycle.request(ADMIN, world.request(profile_id=world.manual_profile_id))
    assert enrolled.status == "Requested"
    await world.settle()
    assert (await world.certificate(enrolled.id)).status == "Requested"
    await world.lifecycle.approve(ADMIN, enrolled.id, message="fine")
    await world.settle()
    row = await world.certificate(enrolled.id)
    assert (row.status, row.approver, row.decision_message) == ("Issued", "alice", "fine")


async def test_a_key_that_was_compromised_while_its_request_waited_is_not_certified(world):
    request = world.request(profile_id=world.manual_profile_id)
    enrolled = await world.lifecycle.request(ADMIN, request)
    async with world.db.write() as uow:
        keys = [parse_csr(request.csr).spki_sha256]
        await world.profiles.add_compromised(uow, keys, source="a list", principal=ADMIN)
    await world.lifecycle.approve(ADMIN, enrolled.id)
    await world.settle()
    row = await world.certificate(enrolled.id)
    assert (row.status, row.status_reason) == ("Rejected", "KeyCompromised")
    assert "a list" in row.status_message


async def test_the_names_of_the_csr_are_meant_where_the_request_has_none(world):
    request = world.request(
        common_name="", names=(), csr=csr("a.example.com", ("a.example.com", "b.example.com"))
    )
    row = await world.certificate((await world.lifecycle.request(ADMIN, request)).id)
    assert row.common_name == "a.example.com"
    assert row.dns_names == ["a.example.com", "b.example.com"]


@pytest.mark.parametrize("message", ["", "not today"])
async def test_a_declined_request_can_be_approved_later(world, message):
    enrolled = await world.lifecycle.request(ADMIN, world.request(profile_id=world.manual_profile_id))
    await world.lifecycle.decline(ADMIN, enrolled.id, message=message)
    assert (await world.certificate(enrolled.id)).status == "Declined"
    await world.lifecycle.approve(ADMIN, enrolled.id)
    await world.settle()
    assert (await world.certificate(enrolled.id)).status == "Issued"
