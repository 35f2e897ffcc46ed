"""A hub that is killed between any two steps goes on where it was, and issues each certificate once."""

import asyncio

import pytest
from sqlalchemy import func, select

from hub.issuers.private_ca.backend import PrivateCaBackend
from hub.lifecycle.models import Certificate, CertificateBody, CertificateCommand, LifecycleStep
from hub.lifecycle.requests import Installation, KeyLocation, Method, TargetNode
from tests.simulators.hub_world import ADMIN


class Killed(BaseException):
    """The process is gone: nothing catches this."""


async def issued(world):
    rows = await world.rows(
        select(func.count())
        .select_from(CertificateBody)
        .join(Certificate, Certificate.fingerprint_sha256 == CertificateBody.sha256)
    )
    return rows[0][0]


async def serials(world):
    rows = await world.rows(select(Certificate.serial_hex, Certificate.intent))
    return [(row.serial_hex, row.intent["serial_hex"]) for row in rows]


async def test_killed_between_the_cas_signature_and_the_commit(world, monkeypatch):
    signed = []
    submit = PrivateCaBackend.submit

    async def submit_and_die(self, order, intent):
        outcome = await submit(self, order, intent)
        signed.append(outcome.chain[0])
        raise Killed

    enrolled = await world.lifecycle.request(ADMIN, world.request(profile_id=world.manual_profile_id))
    await world.lifecycle.approve(ADMIN, enrolled.id)
    await world.run()
    assert (await world.certificate(enrolled.id)).status == "Applied"
    monkeypatch.setattr(PrivateCaBackend, "submit", submit_and_die)
    with pytest.raises(Killed):
        await world.run()
    monkeypatch.undo()
    await world.reopen()
    assert (await world.certificate(enrolled.id)).status == "Applied"
    # The dead hub's claim is respected until it is over.
    assert await world.run() == 0
    world.clock.forward(seconds=31)
    await world.run()
    row = await world.certificate(enrolled.id)
    assert row.status == "Issued"
    async with world.db.read() as session:
        body = await session.get(CertificateBody, row.fingerprint_sha256)
    assert body.der == signed[0]
    assert await issued(world) == 1


async def test_killed_right_after_the_first_commit_of_an_inline_request(world, monkeypatch):
    async def never(self, order, intent):
        await asyncio.Event().wait()

    monkeypatch.setattr(PrivateCaBackend, "submit", never)
    request = asyncio.create_task(world.lifecycle.request(ADMIN, world.request()))
    while not await world.rows(select(Certificate.id)):
        await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.gather(request, return_exceptions=True)
    monkeypatch.undo()
    await world.reopen()
    ((certificate_id, status),) = await world.rows(select(Certificate.id, Certificate.status))
    assert status == "Applied"
    world.clock.forward(seconds=31)
    await world.settle()
    row = await world.certificate(certificate_id)
    assert row.status == "Issued"
    assert row.serial_hex == row.intent["serial_hex"]
    assert await issued(world) == 1


@pytest.mark.parametrize("location", list(KeyLocation))
async def test_killed_after_every_step_of_an_automatic_installation(world, location):
    pks = await world.fleet.enroll("pks", organization_id=world.organization_id)
    network = await world.fleet.enroll("network", organization_id=world.organization_id)
    world.fleet.add_node(network)
    request = world.request(
        method=Method.AUTO_INSTALL,
        key_location=location,
        pks_agent_id=pks if location is KeyLocation.PKS else None,
        targets=(TargetNode(agent_id=network, server="web", node_id="a:443"),),
        installation=Installation.IMMEDIATE,
        profile_id=world.manual_profile_id,
    )
    enrolled = await world.lifecycle.request(ADMIN, request)
    await world.reopen()
    await world.lifecycle.approve(ADMIN, enrolled.id)
    deaths = 0
    for _ in range(60):
        # One step, or one answer of an agent, and the hub is gone again.
        if await world.lifecycle.worker().run_due(limit=1) == 0:
            commands = world.fleet.open_commands()
            if not commands:
                break
            await world.fleet.finish(commands[0].id, result=world.fleet.perform(commands[0]))
        await world.reopen()
        deaths += 1
    row = await world.certificate(enrolled.id)
    assert (row.status, row.install_state) == ("Issued", "Successful")
    assert deaths >= 8
    assert await issued(world) == 1
    assert await world.rows(select(LifecycleStep.id)) == []
    sent = await world.rows(select(CertificateCommand.kind).order_by(CertificateCommand.created_at))
    kinds = [kind for (kind,) in sent]
    assert kinds.count("GenerateCertificate") == kinds.count("InstallCertificate") == 1
    assert kinds.count("ExportKey") == (1 if location is KeyLocation.PKS else 0)


async def test_a_step_whose_claim_ran_out_is_done_by_another_hub_and_recorded_once(world):
    enrolled = await world.lifecycle.request(ADMIN, world.request(profile_id=world.manual_profile_id))
    await world.lifecycle.approve(ADMIN, enrolled.id)
    from hub.lifecycle import step_queue

    slow = await step_queue.claim(world.db)
    world.clock.forward(seconds=31)
    await world.settle()
    assert (await world.certificate(enrolled.id)).status == "Issued"
    before = await world.events()
    # The slow hub wakes up with a claim that is no longer its own: nothing may change.
    await world.lifecycle.worker()._do_batch("apply", slow)
    assert await world.events() == before
    assert await serials(world) == [((await world.certificate(enrolled.id)).serial_hex,) * 2]


async def test_a_step_that_fails_is_put_off_with_the_reason(world, monkeypatch):
    enrolled = await world.lifecycle.request(ADMIN, world.request(profile_id=world.manual_profile_id))
    await world.lifecycle.approve(ADMIN, enrolled.id)

    async def broken(self, order):
        raise RuntimeError("the HSM is on fire")

    monkeypatch.setattr(PrivateCaBackend, "prepare", broken)
    await world.run()
    (row,) = await world.rows(select(LifecycleStep.attempts, LifecycleStep.message))
    assert tuple(row) == (1, "the HSM is on fire")
    assert await world.run() == 0
    monkeypatch.undo()
    world.clock.forward(seconds=5)
    await world.settle()
    assert (await world.certificate(enrolled.id)).status == "Issued"
