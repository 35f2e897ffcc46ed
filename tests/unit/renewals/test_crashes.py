"""A hub that is killed at any step of a renewal goes on where it was, and renews each certificate once."""

import asyncio

import pytest
from sqlalchemy import func, select

from hub.fleet.commands import CommandFailure
from hub.issuers.private_ca.backend import PrivateCaBackend
from hub.lifecycle.models import Certificate, CertificateCommand, LifecycleStep
from hub.lifecycle.requests import Installation, KeyLocation, Method, TargetNode
from hub.lifecycle.service import LifecycleService
from hub.renewals.engine import LEASE_S
from hub.renewals.models import RenewalAttempt, RenewalSchedule
from hub.renewals.schedules import write_schedules
from tests.simulators.hub_world import ADMIN


class Killed(BaseException):
    """The process is gone: nothing catches this."""


async def successors(world, certificate_id):
    rows = await world.rows(select(Certificate.id).where(Certificate.renews_id == certificate_id))
    return [row.id for row in rows]


async def outcomes(world, certificate_id):
    rows = await world.rows(
        select(RenewalAttempt.outcome)
        .where(RenewalAttempt.certificate_id == certificate_id)
        .order_by(RenewalAttempt.id)
    )
    return [row.outcome for row in rows]


async def die_between_all_steps(world, *, at_most=80):
    """Do one thing at a time, each in a hub that is dead afterwards; return how many died."""
    for deaths in range(at_most):
        engine = world.renewals.engine()
        done = await world.lifecycle.worker().run_due(limit=1)
        done = done or await engine.start_due(limit=1) or await engine._looks.run_due(limit=1)
        if not done:
            commands = world.fleet.open_commands()
            if not commands:
                return deaths
            await world.fleet.finish(commands[0].id, result=world.fleet.perform(commands[0]))
        await world.lifecycle.close()
        await world.reopen()
    raise AssertionError("the renewal never comes to an end")


async def make(world, kind, profile_id):
    if kind == "csr":
        return await world.issued(profile_id)
    pks = await world.fleet.enroll("pks", organization_id=world.organization_id)
    if kind == "pks":
        return await world.issued(profile_id, method=Method.PKS, pks_agent_id=pks)
    network = await world.fleet.enroll("network", organization_id=world.organization_id)
    world.fleet.add_node(network)
    location = KeyLocation.PKS if kind == "installed, key in the store" else KeyLocation.TARGET
    return await world.issued(
        profile_id,
        method=Method.AUTO_INSTALL,
        key_location=location,
        pks_agent_id=pks if location is KeyLocation.PKS else None,
        targets=(TargetNode(agent_id=network, server="web", node_id="a:443"),),
        installation=Installation.IMMEDIATE,
    )


@pytest.mark.parametrize("approved", ["by itself", "by hand"])
@pytest.mark.parametrize("kind", ["csr", "pks", "installed", "installed, key in the store"])
async def test_killed_after_every_step(world, kind, approved):
    profile_id = await world.profile(auto_approve=approved == "by itself", renewal={"revoke_after_hours": 24})
    first = await make(world, kind, profile_id)
    world.clock.now = (await world.certificate(first)).renewal_due_at
    deaths = await die_between_all_steps(world)
    if approved == "by hand":
        ((new),) = await successors(world, first)
        assert (await world.answer(first)).reason == "WaitsForApproval"
        await world.lifecycle.approve(ADMIN, new)
        await world.reopen()
        deaths += await die_between_all_steps(world)
    (new,) = await successors(world, first)
    row, old = await world.certificate(new), await world.certificate(first)
    assert (row.status, old.renewal_state, old.renewed_by_id) == ("Issued", "Successful", new)
    assert row.renewal_due_at is not None
    if kind.startswith("installed"):
        assert row.install_state == "Successful"
        assert deaths >= 4
    assert await outcomes(world, first) == ["Started", "Successful"]
    assert await world.rows(select(LifecycleStep.id)) == []
    sent = [
        kind_
        for (kind_,) in await world.rows(
            select(CertificateCommand.kind).where(CertificateCommand.certificate_id == new)
        )
    ]
    assert sent.count("GenerateCertificate") == (0 if kind == "csr" else 1)
    assert sent.count("InstallCertificate") == (1 if kind.startswith("installed") else 0)
    # The grace time passes, and the hub dies there too.
    world.clock.forward(hours=25)
    await die_between_all_steps(world)
    assert (await world.certificate(first)).status == "Revoked"
    events = [kind_ for kind_, object_id in await world.events() if object_id == str(first)]
    assert events.count("CertificateRevoked") == events.count("RenewalFinished") == 1


async def test_killed_between_the_claim_and_the_request(world, monkeypatch):
    first = await world.issued(await world.profile())
    world.clock.now = (await world.certificate(first)).renewal_due_at

    async def die(self, *_args):
        raise Killed

    monkeypatch.setattr(LifecycleService, "renew", die)
    with pytest.raises(Killed):
        await world.renewals.engine().start_due()
    monkeypatch.undo()
    await world.reopen()
    # The dead hub's claim is respected until it is over.
    assert await world.renewals.engine().start_due() == 0
    assert (await world.certificate(first)).renewal_state == "Scheduled"
    world.clock.forward(seconds=LEASE_S + 1)
    await world.settle()
    assert (await world.certificate(first)).renewal_state == "Successful"
    assert len(await successors(world, first)) == 1


async def test_killed_right_after_the_request_was_stored(world, monkeypatch):
    first = await world.issued(await world.profile())
    world.clock.now = (await world.certificate(first)).renewal_due_at

    async def never(self, order, intent):
        await asyncio.Event().wait()

    monkeypatch.setattr(PrivateCaBackend, "submit", never)
    work = asyncio.create_task(world.renewals.engine().start_due())
    while not await successors(world, first):
        await asyncio.sleep(0.01)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.gather(work, return_exceptions=True)
    monkeypatch.undo()
    await world.reopen()
    row = await world.certificate(first)
    assert (row.renewal_state, row.renewal_due_at) == ("Started", None)
    world.clock.forward(seconds=LEASE_S + 1)
    await world.settle()
    assert (await world.certificate(first)).renewal_state == "Successful"
    assert len(await successors(world, first)) == 1


async def test_killed_between_the_revocation_and_its_note(world, monkeypatch):
    first = await world.issued(await world.profile(renewal={"revoke_after_hours": 1}))
    await world.advance((await world.certificate(first)).renewal_due_at)
    assert (await world.certificate(first)).renewal_state == "Successful"
    world.clock.forward(hours=2)
    revoke = LifecycleService.revoke

    async def revoke_and_die(self, *args, **named):
        await revoke(self, *args, **named)
        raise Killed

    monkeypatch.setattr(LifecycleService, "revoke", revoke_and_die)
    with pytest.raises(Killed):
        await world.renewals.engine().run_due()
    monkeypatch.undo()
    await world.reopen()
    assert (await world.certificate(first)).status == "Revoked"
    world.clock.forward(seconds=121)
    await world.settle()
    ((retire_at, look_at),) = await world.rows(
        select(RenewalSchedule.retire_at, RenewalSchedule.look_at).where(
            RenewalSchedule.certificate_id == first
        )
    )
    assert (retire_at, look_at) == (None, None)


async def test_killed_after_every_step_of_a_second_try(world):
    first = await make(world, "installed", await world.profile())
    ((place),) = world.fleet.state.nodes
    world.fleet.state.install_faults[place] = ("NginxBroken", "nginx -t says no")
    world.clock.now = (await world.certificate(first)).renewal_due_at
    await die_between_all_steps(world)
    assert (await world.certificate(first)).renewal_state == "Failed"
    world.fleet.state.install_faults.clear()
    world.clock.now = (await world.certificate(first)).renewal_due_at
    await die_between_all_steps(world)
    assert (await world.certificate(first)).renewal_state == "Successful"
    assert await outcomes(world, first) == ["Started", "Failed", "Started", "Successful"]
    assert len(await successors(world, first)) == 1


async def test_two_hubs_never_renew_one_certificate_twice(world):
    profile_id = await world.profile()
    ids = [
        await world.issued(profile_id, common_name=f"n{number}.example.com", names=()) for number in range(6)
    ]
    other = type(world)(world.url, clock=world.clock, fleet_state=world.fleet_state)
    other.open()
    try:
        world.clock.now = max([(await world.certificate(key)).renewal_due_at for key in ids])
        await asyncio.gather(*(w.renewals.engine().start_due(limit=4) for w in (world, other) * 3))
        await world.settle()
        for certificate_id in ids:
            assert len(await successors(world, certificate_id)) == 1
            assert (await world.certificate(certificate_id)).renewal_state == "Successful"
        # Even a claim that ran out while the first hub was slow leads to no second request.
        rows = await world.rows(select(func.count()).select_from(Certificate))
        await asyncio.gather(*(world.renewals.engine()._start(key) for key in ids))
        assert await world.rows(select(func.count()).select_from(Certificate)) == rows
    finally:
        await other.lifecycle.close()
        await other.db.close()


async def test_a_failure_is_never_without_its_next_try(world):
    first = await make(world, "pks", await world.profile())
    world.clock.now = (await world.certificate(first)).renewal_due_at
    world.fleet.state.faults["GenerateCertificate"] = CommandFailure(reason="Locked", message="locked")
    await world.settle()
    row = await world.certificate(first)
    assert row.renewal_state == "Failed"
    assert row.renewal_due_at > world.clock.now
    async with world.db.write() as uow:
        # A look of another hub in between changes nothing of that.
        await write_schedules(uow, [{"certificate_id": first, "look_at": uow.now}])
    await world.settle()
    assert (await world.certificate(first)).renewal_due_at == row.renewal_due_at
