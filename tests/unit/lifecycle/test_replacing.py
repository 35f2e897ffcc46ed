"""Replacing certificates that are in use by ones with a new key, and doing things to many at once."""

import pytest

from hub.db.errors import Forbidden, Malformed
from hub.http.principal import SYSTEM
from hub.lifecycle.bulk import BulkOrder
from hub.lifecycle.errors import (
    NotReplaceable,
    ReplaceAutoInstalled,
    ReplacementUnderWay,
    ReplaceUnvalidatedOrganization,
    RequestRefused,
)
from hub.lifecycle.renewal import Renewal
from hub.lifecycle.replacing import Replacement
from hub.lifecycle.requests import Method, TargetNode
from hub.organizations.states import ValidationEvent
from hub.organizations.validation import ValidationStep
from tests.simulators.found_certificates import self_signed
from tests.simulators.hub_world import ADMIN, csr, rao


async def issue(world, **changes):
    return (await world.lifecycle.request(ADMIN, world.request(**changes))).id


def by_csr(**changes):
    return Replacement(**{"method": Method.CSR, "csr": csr(), "reason": "key was copied", **changes})


async def test_the_old_one_is_replaced_once_the_new_one_is_issued(world):
    old = await issue(world, profile_id=world.manual_profile_id, comments="shop")
    await world.lifecycle.approve(ADMIN, old)
    await world.settle()
    enrolled = await world.lifecycle.replace(ADMIN, old, by_csr())
    assert enrolled.status == "Requested"
    assert (await world.certificate(old)).status == "Issued"
    await world.lifecycle.approve(ADMIN, enrolled.id)
    await world.settle()
    before, after = await world.certificate(old), await world.certificate(enrolled.id)
    assert (before.status, before.renewed_by_id) == ("Replaced", after.id)
    assert before.replaced_at is not None
    assert before.renewal_state == "Not Scheduled"
    assert (after.status, after.comments, after.dns_names) == (
        "Issued",
        "key was copied",
        before.dns_names,
    )
    assert after.spki_sha256 != before.spki_sha256
    await world.lifecycle.revoke(ADMIN, old, reason="superseded")
    assert (await world.certificate(old)).status == "Revoked"


async def test_the_private_key_store_makes_the_new_key(world):
    pks = await world.fleet.enroll("pks", organization_id=world.organization_id)
    old = await issue(world, method=Method.PKS, pks_agent_id=pks)
    await world.settle()
    enrolled = await world.lifecycle.replace(ADMIN, old, Replacement(method=Method.PKS, reason="rotation"))
    await world.settle()
    before, after = await world.certificate(old), await world.certificate(enrolled.id)
    assert (before.status, after.status, after.key_agent_id) == ("Replaced", "Issued", pks)
    assert after.key_id != before.key_id


async def test_what_is_installed_automatically_is_renewed_instead(world):
    network = await world.fleet.enroll("network", organization_id=world.organization_id)
    world.fleet.add_node(network)
    target = TargetNode(agent_id=network, server="web", node_id="a:443")
    old = await issue(world, method=Method.AUTO_INSTALL, targets=(target,))
    await world.settle()
    with pytest.raises(ReplaceAutoInstalled):
        await world.lifecycle.replace(ADMIN, old, by_csr())


async def test_of_public_trust_only_while_the_organization_is_validated(world, monkeypatch):
    import hub.lifecycle.gathering as gathering

    async def all_validated(_session, _names, *, at):
        return []

    monkeypatch.setattr(gathering, "names_not_validated", all_validated)
    async with world.db.write() as uow:
        public = await world._profile(uow, "Public", trust="public", auto_approve=True, terms_days=(90,))
    old = await issue(world, profile_id=public)
    with pytest.raises(ReplaceUnvalidatedOrganization):
        await world.lifecycle.replace(ADMIN, old, by_csr())
    private = await issue(world)
    assert (await world.lifecycle.replace(ADMIN, private, by_csr())).status == "Issued"
    async with world.db.write() as uow:
        for event in (ValidationEvent.SUBMIT, ValidationEvent.VALIDATE):
            step = ValidationStep(event=event)
            await world.organizations.validate(uow, world.organization_id, step, principal=SYSTEM)
    assert (await world.lifecycle.replace(ADMIN, old, by_csr())).status == "Issued"


async def test_only_what_is_in_use_and_only_once(world):
    old = await issue(world)
    async with world.db.write() as uow:
        await world.profiles.update(uow, world.profile_id, changes={"auto_approve": False}, principal=SYSTEM)
    first = await world.lifecycle.replace(ADMIN, old, by_csr())
    with pytest.raises(ReplacementUnderWay, match=str(first.id)):
        await world.lifecycle.replace(ADMIN, old, by_csr())
    await world.lifecycle.decline(ADMIN, first.id)
    await world.lifecycle.replace(ADMIN, old, by_csr())
    with pytest.raises(NotReplaceable):
        await world.lifecycle.replace(ADMIN, first.id, by_csr())


async def test_a_replacement_without_a_signing_request_is_refused(world):
    old = await issue(world)
    with pytest.raises(RequestRefused) as refused:
        await world.lifecycle.replace(ADMIN, old, by_csr(csr=None))
    assert [item.field for item in refused.value.findings] == ["csr"]


# ---- many at once


async def run(world, name, ids, principal=ADMIN, **order):
    return await world.lifecycle.bulk.run(principal, name, ids, BulkOrder(**order))


async def test_each_is_done_by_itself(world):
    issued, asked = await issue(world), await issue(world, profile_id=world.manual_profile_id)
    external = await self_signed(world, "intranet.local")
    ids = [issued, asked, external, 999]
    expected = {
        "approve": ["transition_not_allowed", "", "transition_not_allowed", "certificate_not_found"],
        "suspend_notifications": ["", "", "", "certificate_not_found"],
        "resume_notifications": ["", "", "", "certificate_not_found"],
        "delete": ["not_deletable", "not_deletable", "", "certificate_not_found"],
    }
    for name, codes in expected.items():
        assert [item.code for item in await run(world, name, ids)] == codes, name


async def test_renewing_many_with_their_key_pairs(world):
    ids = [await issue(world), await issue(world), await self_signed(world, "intranet.local")]
    first, second, third = await run(world, "renew", ids)
    assert (first.done, second.done, third.code) == (True, True, "request_refused")
    assert (await world.certificate(first.successor_id)).renews_id == ids[0]


async def test_moving_many_wants_to_know_where(world):
    external = await self_signed(world, "intranet.local")
    (refused,) = await run(world, "move", [external])
    assert refused.code == "request_refused"
    (moved,) = await run(world, "move", [external], organization_id=world.other_organization_id)
    assert moved.done
    (assigned,) = await run(world, "assign", [external], organization_id=world.organization_id)
    assert assigned.done
    assert (await world.certificate(external)).organization_id == world.organization_id


async def test_what_no_room_does_is_refused(world):
    with pytest.raises(Malformed):
        await run(world, "enable_auto_renew", [await issue(world)])


async def test_who_may_not_do_it_to_one_does_it_to_none(world):
    from dataclasses import replace

    token = replace(rao(world.organization_id), kind="api_token", scopes=frozenset({"certificates.view"}))
    with pytest.raises(Forbidden):
        await run(world, "delete", [await self_signed(world, "intranet.local")], principal=token)


async def test_renewal_and_replacement_at_the_same_time(world):
    old = await issue(world)
    await world.lifecycle.replace(ADMIN, old, by_csr())
    renewed = await world.lifecycle.renew(ADMIN, old, Renewal(csr=csr()))
    assert (await world.certificate(renewed.id)).status == "Issued"
    assert (await world.certificate(old)).status == "Replaced"


async def test_a_replacement_that_is_declined_ends_no_renewal(world):
    old = await issue(world)
    async with world.db.write() as uow:
        await world.profiles.update(uow, world.profile_id, changes={"auto_approve": False}, principal=SYSTEM)
    await world.lifecycle.renew(ADMIN, old, Renewal(csr=csr()))
    replacement = await world.lifecycle.replace(ADMIN, old, by_csr())
    await world.lifecycle.decline(ADMIN, replacement.id)
    assert (await world.certificate(old)).renewal_state == "Started"
