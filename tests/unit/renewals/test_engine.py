"""Certificates renew themselves: from the moment that was planned to the successor that serves."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.db.outbox import OutboxEvent
from hub.fleet.commands import CommandFailure
from hub.http.principal import SYSTEM
from hub.lifecycle.models import Certificate
from hub.lifecycle.requests import AutoRenew, Installation
from tests.simulators.hub_world import ADMIN

DAY = timedelta(days=1)


async def test_it_is_scheduled_when_it_is_issued_and_renews_itself_when_due(world):
    first = await world.issued(await world.profile())
    row = await world.certificate(first)
    assert row.renewal_state == "Scheduled"
    share = (row.renewal_due_at - row.not_before) / (row.not_after - row.not_before)
    assert 0.64 < share <= 0.67
    await world.advance(row.renewal_due_at - timedelta(minutes=1))
    assert (await world.certificate(first)).renewal_state == "Scheduled"
    assert await world.successor(first) is None
    await world.advance(row.renewal_due_at + timedelta(minutes=1))
    old, new = await world.certificate(first), await world.successor(first)
    assert (old.renewal_state, old.renewed_by_id, old.renewal_due_at) == ("Successful", new.id, None)
    assert (new.status, new.renewal_state, new.requested_via) == ("Issued", "Scheduled", "Auto-Renewal")
    assert new.renewal_due_at > row.renewal_due_at + 20 * DAY


async def test_nothing_is_planned_for_what_does_not_renew_itself(world):
    plain = await world.issued(await world.profile(renewal={"enabled": False}))
    own = await world.issued(
        await world.profile("Others"),
        common_name="b.example.com",
        names=(),
        auto_renew=AutoRenew(enabled=False),
    )
    for certificate_id in (plain, own):
        row = await world.certificate(certificate_id)
        assert (row.renewal_state, row.renewal_due_at) == ("Not Scheduled", None)


async def test_a_renewal_waits_for_approval_and_says_so(world):
    first = await world.issued(await world.profile(auto_approve=False))
    due = (await world.certificate(first)).renewal_due_at
    await world.advance(due + timedelta(hours=1))
    new = await world.successor(first)
    assert (new.status, (await world.certificate(first)).renewal_state) == ("Requested", "Started")
    assert (await world.answer(first)).reason == "WaitsForApproval"
    await world.lifecycle.approve(ADMIN, new.id)
    await world.settle()
    assert (await world.certificate(first)).renewal_state == "Successful"


async def test_a_declined_renewal_has_failed_until_it_is_approved_after_all(world):
    first = await world.issued(await world.profile(auto_approve=False))
    due = (await world.certificate(first)).renewal_due_at
    await world.advance(due + timedelta(hours=1))
    new = await world.successor(first)
    await world.lifecycle.decline(ADMIN, new.id, message="not this year")
    row = await world.certificate(first)
    assert (row.renewal_state, row.renewal_due_at) == ("Failed", None)
    why = await world.answer(first)
    assert why.reason == "ApprovalDeclined"
    assert "not this year" in why.sentence
    await world.lifecycle.approve(ADMIN, new.id)
    await world.settle()
    assert (await world.certificate(first)).renewal_state == "Successful"


@pytest.mark.parametrize("installation", [Installation.IMMEDIATE, Installation.TRIGGERED])
async def test_what_was_installed_is_renewed_only_when_its_successor_is_installed(world, installation):
    first = await world.installing(await world.profile(), installation=installation)
    assert (await world.certificate(first)).install_state == "Successful"
    due = (await world.certificate(first)).renewal_due_at
    await world.advance(due + timedelta(minutes=1), agents=False)
    for command in world.fleet.open_commands("GenerateCertificate"):
        await world.fleet.finish(command.id, result=world.fleet.perform(command))
    await world.settle_hub()
    new = await world.successor(first)
    assert (new.status, (await world.certificate(first)).renewal_state) == ("Issued", "Started")
    why = await world.answer(first)
    assert why.reason == "WaitsForInstallation"
    await world.settle()
    new = await world.successor(first)
    assert new.install_state == "Successful"
    assert (await world.certificate(first)).renewal_state == "Successful"


async def test_a_failed_installation_is_tried_again_with_the_same_successor(world):
    first = await world.installing(await world.profile())
    due = (await world.certificate(first)).renewal_due_at
    ((agent_id, server, node),) = world.fleet.state.nodes
    world.fleet.state.install_faults[(agent_id, server, node)] = ("NginxBroken", "nginx -t says no")
    await world.advance(due + timedelta(minutes=2))
    row = await world.certificate(first)
    assert row.renewal_state == "Failed"
    assert row.renewal_due_at > world.clock.now
    why = await world.answer(first)
    assert why.reason == "InstallFailed"
    assert "nginx -t says no" in why.sentence
    assert why.instruction
    world.fleet.state.install_faults.clear()
    await world.advance(due + timedelta(hours=2))
    assert (await world.certificate(first)).renewal_state == "Successful"
    assert len(await world.rows(select(Certificate.id).where(Certificate.renews_id == first))) == 1


async def test_the_old_certificate_is_revoked_after_the_grace_time(world):
    first = await world.issued(await world.profile(renewal={"revoke_after_hours": 48}))
    due = (await world.certificate(first)).renewal_due_at
    await world.advance(due + timedelta(hours=47))
    assert (await world.certificate(first)).status == "Issued"
    await world.reopen()
    await world.advance(due + timedelta(hours=49))
    row = await world.certificate(first)
    assert (row.status, row.revocation_reason) == ("Revoked", "superseded")
    assert (await world.answer(first)).reason == "Renewed"


async def test_an_agent_that_cant_make_the_key_fails_the_renewal_which_is_tried_again(world):
    first = await world.installing(await world.profile())
    due = (await world.certificate(first)).renewal_due_at
    world.fleet.state.faults["GenerateCertificate"] = CommandFailure(
        reason="KeyStoreLocked", message="the store is locked"
    )
    await world.advance(due + timedelta(minutes=2))
    assert (await world.certificate(first)).renewal_state == "Failed"
    assert (await world.answer(first)).reason == "KeyNotMade"
    await world.advance(due + timedelta(hours=2))
    assert (await world.certificate(first)).renewal_state == "Successful"


async def test_a_revoked_certificate_is_renewed_no_more(world):
    first = await world.issued(await world.profile())
    await world.lifecycle.revoke(ADMIN, first, reason="cessationOfOperation")
    row = await world.certificate(first)
    assert (row.renewal_state, row.renewal_due_at) == ("Not Scheduled", None)
    assert (await world.answer(first)).reason == "Revoked"


async def test_an_agent_that_is_away_is_waited_for_with_the_approval_that_was_given(world):
    first = await world.installing(await world.profile(auto_approve=False))
    row = await world.certificate(first)
    await world.advance(row.renewal_due_at + timedelta(minutes=1), agents=False)
    new = await world.successor(first)
    await world.lifecycle.approve(ADMIN, new.id)
    await world.settle_hub()
    for _ in range(3):
        (command,) = world.fleet.open_commands("GenerateCertificate")
        world.clock.forward(days=1)
        failure = CommandFailure(reason="Expired", message="the agent did not connect before the deadline")
        await world.fleet.finish(command.id, failure=failure)
        await world.settle_hub()
        why = await world.answer(first)
        assert why.reason == "WaitsForKey"
        assert (await world.certificate(first)).renewal_state == "Started"
    await world.settle()
    assert (await world.certificate(first)).renewal_state == "Successful"
    assert (await world.successor(first)).id == new.id


async def test_a_stored_signing_request_that_the_profile_forbids_needs_a_person_and_says_so(world):
    profile_id = await world.profile()
    first = await world.issued(profile_id)
    async with world.db.write() as uow:
        changes = {"key_types": ("RSA-4096",)}
        await world.profiles.update(uow, profile_id, changes=changes, principal=SYSTEM)
    await world.advance((await world.certificate(first)).renewal_due_at + timedelta(hours=1))
    row = await world.certificate(first)
    assert (row.renewal_state, row.renewal_due_at) == ("Failed", None)
    why = await world.answer(first)
    assert why.reason == "NewSigningRequestNeeded"
    assert "EC-P256" in why.sentence
    assert "new signing request" in why.instruction
    ended = select(OutboxEvent.data).where(OutboxEvent.kind == "RenewalFinished")
    ((data,),) = await world.rows(ended)
    assert data["instruction"] == why.instruction
    assert 200 < data["hours_left"] < 500
    assert data["next_try_at"] is None


async def test_a_profile_that_was_switched_off_is_tried_again_until_it_is_back(world):
    profile_id = await world.profile()
    first = await world.issued(profile_id)
    due = (await world.certificate(first)).renewal_due_at
    async with world.db.write() as uow:
        await world.profiles.update(uow, profile_id, changes={"status": "disabled"}, principal=SYSTEM)
    await world.advance(due + timedelta(hours=3))
    assert (await world.certificate(first)).renewal_state == "Failed"
    assert (await world.answer(first)).reason == "NotAllowed"
    async with world.db.write() as uow:
        await world.profiles.update(uow, profile_id, changes={"status": "active"}, principal=SYSTEM)
    await world.advance(due + timedelta(hours=12))
    assert (await world.certificate(first)).renewal_state == "Successful"
