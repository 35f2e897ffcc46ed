"""A domain's validation from the first instruction to the last day, against a real DNS and web server."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from hub.access.models import AuditEntry
from hub.db.listen import listen
from hub.db.outbox import OutboxEvent
from hub.fleet.commands import CheckDomainControl, CommandFailure, DomainControlSeen
from hub.organizations.dcv.contract import Probes, Sight
from hub.organizations.dcv.errors import (
    CheckRunning,
    DomainNotDelegated,
    MailNotConfigured,
    NoOpenChallenge,
    RecipientNotAllowed,
    RenewalNotPossible,
    VantageUnusable,
)
from hub.organizations.dcv.models import DcvChallenge, DcvMail, DcvSighting
from hub.organizations.dcv.service import names_not_validated, outlook_of, validation_of
from hub.organizations.errors import DomainIsPublicSuffix, InvalidDomain
from tests.integration.dcv.conftest import ADMIN, LOOPBACK

pytestmark = pytest.mark.parametrize("world", ["sqlite", "postgresql"], indirect=True)
CHALLENGE_NAME = "_certwright-challenge.example.com"


async def publish(dns, detail) -> None:
    record = detail.instructions.record
    dns.zone.set(record.name, record.type, record.value)


async def state_of(dcv, validation_id):
    async with dcv.db.read() as session:
        return (await dcv.get(session, validation_id)).state


async def kinds(dcv):
    async with dcv.db.read() as session:
        events = select(OutboxEvent.kind).where(OutboxEvent.object_type == "domain_validation")
        return list((await session.execute(events.order_by(OutboxEvent.id))).scalars())


async def validate(world, dcv, dns, **changes):
    """Bring a domain to being validated; return its id."""
    detail = await dcv.start(world.request(**changes), principal=ADMIN)
    await publish(dns, detail)
    assert await dcv.check_now(detail.validation.id) is None
    return detail.validation.id


@pytest.mark.parametrize("method", ["dns_txt", "dns_cname", "dns_persistent"])
async def test_from_instructions_to_validated(world, dcv, dns, method):
    detail = await dcv.start(world.request(method), principal=ADMIN)
    assert detail.validation.state == "pending"
    finding = await dcv.check_now(detail.validation.id)
    assert finding.reason == "NameNotFound"
    await publish(dns, detail)
    assert await dcv.check_now(detail.validation.id) is None
    async with dcv.db.read() as session:
        found = await dcv.detail(session, detail.validation.id)
    assert found.validation.state == "validated"
    assert found.challenge is None
    assert found.validation.method == method
    assert found.validation.evidence["seen"].lower() == detail.instructions.record.value.lower()
    assert found.validation.evidence["trail"]
    assert await kinds(dcv) == ["DomainValidationStarted", "DomainValidated"]
    async with dcv.db.read() as session:
        audited = (await session.execute(select(AuditEntry.action, AuditEntry.actor_name))).all()
    assert ("DomainValidationStarted", "alice") in audited
    assert ("DomainValidated", "system") in audited


async def test_a_wrong_value_is_told_and_waits(world, dcv, dns):
    detail = await dcv.start(world.request(), principal=ADMIN)
    dns.zone.set(CHALLENGE_NAME, "TXT", "something else")
    finding = await dcv.check_now(detail.validation.id)
    assert finding.reason == "ValueDiffers"
    assert "something else" in finding.message
    async with dcv.db.read() as session:
        found = await dcv.detail(session, detail.validation.id)
    assert found.challenge.reason == "ValueDiffers"
    assert found.challenge.next_check_at > world.clock.now
    assert found.validation.state == "pending"


async def test_a_file_validates_its_own_name_only(world, dns, site):
    world.probe_settings = type(world.probe_settings)(
        nameservers=world.probe_settings.nameservers,
        allowed_networks=LOOPBACK,
        allowed_ports=frozenset({site.port}),
        dns_timeout_s=1.5,
    )
    dcv = world.hub()
    dns.zone.set("www.example.com", "A", "127.0.0.1")
    # Port 80 of loopback is not a test's to take: the server there is this one by a redirect of its own.
    detail = await dcv.start(world.request("http_file", domain="www.example.com"), principal=ADMIN)
    method = dcv.tools.methods["http_file"]
    lookup = method.lookup(detail.challenge.challenge("www.example.com", "hub.example"))
    path = lookup.urls[0].removeprefix("http://www.example.com")
    site.pages[path] = detail.instructions.file_content + "\n"
    fetched = await dcv.tools.probes.fetcher.fetch(f"http://www.example.com:{site.port}{path}")

    class There:
        async def fetch(self, url):
            del url
            return fetched

    dcv = world.hub(probes=Probes(dcv.tools.probes.resolver, There()))
    assert await dcv.check_now(detail.validation.id) is None
    async with dcv.db.read() as session:
        names = ["www.example.com", "a.www.example.com", "*.www.example.com", "example.com"]
        findings = await names_not_validated(session, names, at=world.clock.now)
    assert len(findings) == 3


# ---- what may be started


async def test_only_delegated_domains_are_validated(world, dcv):
    with pytest.raises(DomainNotDelegated):
        await dcv.start(world.request(domain="other.example"), principal=ADMIN)
    with pytest.raises(DomainNotDelegated):
        await dcv.start(world.request(organization_id=world.other_organization_id), principal=ADMIN)
    with pytest.raises(DomainIsPublicSuffix):
        await dcv.start(world.request(domain="co.uk"), principal=ADMIN)
    with pytest.raises(InvalidDomain):
        await dcv.start(world.request(domain="*"), principal=ADMIN)
    with pytest.raises(InvalidDomain):
        await dcv.start(world.request(domain="192.0.2.1"), principal=ADMIN)


async def test_a_wildcard_delegation_is_enough_to_validate_its_base(world, dcv):
    detail = await dcv.start(world.request(domain="*.Example.ORG"), principal=ADMIN)
    assert detail.validation.domain == "example.org"


async def test_starting_again_replaces_the_value_and_the_old_one_is_good_no_longer(world, dcv, dns):
    first = await dcv.start(world.request(), principal=ADMIN)
    second = await dcv.start(world.request(), principal=ADMIN)
    assert second.validation.id == first.validation.id
    assert second.instructions.record.value != first.instructions.record.value
    await publish(dns, first)
    assert (await dcv.check_now(first.validation.id)).reason == "ValueDiffers"
    await publish(dns, second)
    assert await dcv.check_now(first.validation.id) is None


async def test_cancelling(world, dcv):
    detail = await dcv.start(world.request(), principal=ADMIN)
    async with dcv.db.write() as uow:
        await dcv.cancel(uow, detail.validation.id, principal=ADMIN)
    assert await state_of(dcv, detail.validation.id) == "not_started"
    with pytest.raises(NoOpenChallenge):
        await dcv.check_now(detail.validation.id)


# ---- time


async def test_a_value_that_nobody_published_lapses_after_thirty_days(world, dcv):
    detail = await dcv.start(world.request(), principal=ADMIN)
    worker = dcv.worker()
    world.clock.forward(minutes=1)
    for _ in range(400):
        await worker.run_due()
        world.clock.forward(hours=2)
        if await state_of(dcv, detail.validation.id) != "pending":
            break
    assert await state_of(dcv, detail.validation.id) == "failed"
    async with dcv.db.read() as session:
        challenge = (await session.execute(select(DcvChallenge))).scalar_one()
    assert timedelta(days=30) <= challenge.ended_at - challenge.started_at < timedelta(days=30, hours=5)
    assert challenge.reason == "ValueTooOld"
    # Back-off: some four times a day, not every minute.
    assert challenge.round < 250
    # And it can be started anew.
    await dcv.start(world.request(), principal=ADMIN)
    assert await state_of(dcv, detail.validation.id) == "pending"


async def test_validated_then_action_required_then_expired(world, dcv, dns):
    validation_id = await validate(world, dcv, dns)
    worker = dcv.worker()
    # On 2027-03-15 the limit falls to 100 days; 2026-11-25 is 110 days before.
    async with dcv.db.read() as session:
        validation = await dcv.get(session, validation_id)
        assert f"{validation.expires_at:%Y-%m-%d}" == "2027-03-15"
        assert await validation_of(session, "a.example.com", at=world.clock.now) is not None
        ahead = await outlook_of(
            session, "a.example.com", at=world.clock.now + timedelta(days=120), now=world.clock.now
        )
        assert not ahead.valid
    world.clock.forward(days=70)
    await worker.sweep()
    assert await state_of(dcv, validation_id) == "validated"
    world.clock.forward(days=15)
    await worker.sweep()
    assert await state_of(dcv, validation_id) == "expiring"
    world.clock.forward(days=30)
    await worker.sweep()
    assert await state_of(dcv, validation_id) == "expired"
    assert await worker.sweep() == 0
    async with dcv.db.read() as session:
        assert await validation_of(session, "a.example.com", at=world.clock.now) is None
        (finding,) = await names_not_validated(session, ["a.example.com"], at=world.clock.now)
    assert "again" in finding.message
    assert await kinds(dcv) == [
        "DomainValidationStarted",
        "DomainValidated",
        "DomainValidationExpiring",
        "DomainValidationExpired",
    ]


async def test_a_hub_that_was_away_for_long_expires_at_once(world, dcv, dns):
    validation_id = await validate(world, dcv, dns)
    world.clock.forward(days=300)
    await dcv.worker().sweep()
    assert await state_of(dcv, validation_id) == "expired"


async def test_private_trust_has_a_year(world, dcv, dns):
    validation_id = await validate(world, dcv, dns, trust="private")
    async with dcv.db.read() as session:
        validation = await dcv.get(session, validation_id)
        assert validation.expires_at - validation.validated_at == timedelta(days=365)
        assert (await dcv.outlook(session, validation_id, world.clock.now + timedelta(days=364))).valid


async def test_a_persistent_record_is_looked_at_again_by_itself(world, dcv, dns):
    validation_id = await validate(world, dcv, dns, method="dns_persistent")
    async with dcv.db.write() as uow:
        await dcv.set_renewal(uow, validation_id, method="dns_persistent", writer_id=None, principal=ADMIN)
    worker = dcv.worker()
    for _ in range(6):
        world.clock.forward(days=7)
        await worker.sweep()
        await worker.run_due()
        assert await state_of(dcv, validation_id) == "validated"
    # The record goes away: warned, then expired.
    dns.zone.clear("_validation-persist.example.com", "TXT")
    world.clock.forward(days=7)
    await worker.sweep()
    await worker.run_due()
    world.clock.forward(days=1)
    await worker.sweep()
    assert await state_of(dcv, validation_id) == "expiring"
    world.clock.forward(days=3)
    await worker.sweep()
    assert await state_of(dcv, validation_id) == "expired"


async def test_a_renewal_goes_on_after_an_attempt_that_came_to_nothing(world, dcv, dns):
    validation_id = await validate(world, dcv, dns, method="dns_persistent")
    async with dcv.db.write() as uow:
        await dcv.set_renewal(uow, validation_id, method="dns_persistent", writer_id=None, principal=ADMIN)
    record = "_validation-persist.example.com"
    value = dns.zone.records[record, "TXT"]
    dns.zone.clear(record, "TXT")
    worker = dcv.worker()
    # Longer than an attempt lasts.
    for _ in range(45):
        world.clock.forward(days=1)
        await worker.sweep()
        await worker.run_due()
    assert await state_of(dcv, validation_id) != "validated"
    dns.zone.set(record, "TXT", *value)
    for _ in range(3):
        world.clock.forward(days=1)
        await worker.sweep()
        await worker.run_due()
    assert await state_of(dcv, validation_id) == "validated"


async def test_changing_the_trust_changes_the_dates(world, dcv, dns):
    validation_id = await validate(world, dcv, dns, trust="private")
    await dcv.start(world.request(trust="public"), principal=ADMIN)
    async with dcv.db.read() as session:
        validation = await dcv.get(session, validation_id)
    assert f"{validation.expires_at:%Y-%m-%d}" == "2027-03-15"


async def test_what_needs_a_person_can_not_be_renewed_by_itself(world, dcv, dns):
    validation_id = await validate(world, dcv, dns)
    for method in ("dns_txt", "http_file", "email"):
        async with dcv.db.write() as uow:
            with pytest.raises(RenewalNotPossible):
                await dcv.set_renewal(uow, validation_id, method=method, writer_id=None, principal=ADMIN)


# ---- replicas and restarts


class Gate:
    """A resolver that holds every question until the test lets go."""

    def __init__(self, inner):
        self.inner, self.asked, self.open = inner, 0, asyncio.Event()

    async def txt(self, name):
        self.asked += 1
        await self.open.wait()
        return await self.inner.txt(name)

    async def cname(self, name):
        return await self.inner.cname(name)


async def test_two_replicas_look_once(world, dcv, dns):
    detail = await dcv.start(world.request(), principal=ADMIN)
    await publish(dns, detail)
    gate = Gate(dcv.tools.probes.resolver)
    probes = Probes(gate, dcv.tools.probes.fetcher)
    workers = [world.hub(probes=probes).worker() for _ in range(3)]
    world.clock.forward(minutes=2)
    running = [asyncio.create_task(worker.run_due()) for worker in workers]
    while not gate.asked:
        await asyncio.sleep(0.01)
    with pytest.raises(CheckRunning):
        await dcv.check_now(detail.validation.id)
    gate.open.set()
    assert sum(await asyncio.gather(*running)) == 1
    assert gate.asked == 1
    assert await state_of(dcv, detail.validation.id) == "validated"


async def test_two_replicas_sweep_once(world, dcv, dns):
    validation_id = await validate(world, dcv, dns)
    workers = [world.hub().worker() for _ in range(3)]
    world.clock.forward(days=100)
    assert sum(await asyncio.gather(*(worker.sweep() for worker in workers))) == 1
    assert (await kinds(dcv)).count("DomainValidationExpiring") == 1
    assert await state_of(dcv, validation_id) == "expiring"


async def test_a_hub_that_dies_while_looking_is_followed_by_another(world, dcv, dns):
    detail = await dcv.start(world.request(), principal=ADMIN)
    await publish(dns, detail)
    gate = Gate(dcv.tools.probes.resolver)
    dying = world.hub(probes=Probes(gate, dcv.tools.probes.fetcher))
    world.clock.forward(minutes=2)
    task = asyncio.create_task(dying.worker().run_due())
    while not gate.asked:
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await dying.db.close()
    successor = world.hub().worker()
    assert await successor.run_due() == 0
    world.clock.forward(minutes=3)
    assert await successor.run_due() == 1
    assert await state_of(dcv, detail.validation.id) == "validated"


async def test_an_answer_that_comes_after_the_attempt_was_replaced_changes_nothing(world, dcv, dns):
    detail = await dcv.start(world.request(), principal=ADMIN)
    await publish(dns, detail)
    gate = Gate(dcv.tools.probes.resolver)
    slow = world.hub(probes=Probes(gate, dcv.tools.probes.fetcher))
    task = asyncio.create_task(slow.check_now(detail.validation.id))
    while not gate.asked:
        await asyncio.sleep(0.01)
    async with dcv.db.write() as uow:
        await dcv.cancel(uow, detail.validation.id, principal=ADMIN)
    gate.open.set()
    assert (await task).reason == "ChangedMeanwhile"
    assert await state_of(dcv, detail.validation.id) == "not_started"


async def test_the_running_worker_validates_by_itself(world, dcv, dns):
    tasks = [asyncio.create_task(dcv.worker().run())]
    if not dcv.db.is_sqlite:
        tasks.append(asyncio.create_task(listen(world.url, dcv.db.notifier)))
    detail = await dcv.start(world.request("dns_persistent"), principal=ADMIN)
    await publish(dns, detail)
    world.clock.forward(minutes=2)
    async with dcv.db.write() as uow:
        uow.notify("dcv")
    async with asyncio.timeout(10):
        while await state_of(dcv, detail.validation.id) != "validated":
            await asyncio.sleep(0.02)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


# ---- vantage points


async def vantage_points(world, dcv, count, **changes):
    detail = await dcv.start(world.request(**changes), principal=ADMIN)
    agents = [await world.fleet.enroll("network") for _ in range(count)]
    async with dcv.db.write() as uow:
        await dcv.assign_vantage_points(uow, detail.validation.id, agents, principal=ADMIN)
    return detail, agents


def seen(world, *values, reason=""):
    return DomainControlSeen(
        values=values,
        trail=("dns 198.51.100.1",),
        reason=reason,
        message=reason,
        authenticated=False,
        seen_at=world.clock.now,
    )


async def answer(world, agent_id, result=None, failure=None):
    (command,) = [item for item in world.fleet.open_commands() if item.agent_id == agent_id]
    await world.fleet.finish(command.id, result=result, failure=failure)


async def test_agents_are_asked_after_the_hub_saw_it_and_are_not_told_the_value(world, dcv, dns):
    detail, agents = await vantage_points(world, dcv, 3)
    await dcv.check_now(detail.validation.id)
    assert world.fleet.open_commands() == []
    await publish(dns, detail)
    finding = await dcv.check_now(detail.validation.id)
    assert finding.reason == "AwaitingVantagePoints"
    commands = world.fleet.open_commands("CheckDomainControl")
    assert {command.agent_id for command in commands} == set(agents)
    body = commands[0].body
    assert isinstance(body, CheckDomainControl)
    assert (body.method, body.name) == ("txt", CHALLENGE_NAME)
    assert detail.instructions.record.value not in repr(commands)
    value = detail.instructions.record.value
    await answer(world, agents[0], seen(world, value))
    assert await state_of(dcv, detail.validation.id) == "pending"
    await answer(world, agents[1], seen(world, reason="LookupTimedOut"))
    assert await state_of(dcv, detail.validation.id) == "pending"
    await answer(world, agents[2], seen(world, "other", value))
    assert await state_of(dcv, detail.validation.id) == "validated"
    async with dcv.db.read() as session:
        evidence = (await dcv.get(session, detail.validation.id)).evidence
        ((_, sightings),) = await dcv.history(session, detail.validation.id)
    assert [step for step in evidence["trail"] if agents[2] in step]
    assert not [step for step in evidence["trail"] if agents[1] in step]
    votes = {item.vantage: item.vote for item in sightings}
    assert votes == {
        "hub": "confirmed",
        agents[0]: "confirmed",
        agents[1]: "disagreed",
        agents[2]: "confirmed",
    }


async def test_answers_that_come_at_the_same_moment_decide_once(world, dcv, dns):
    detail, agents = await vantage_points(world, dcv, 6)
    await publish(dns, detail)
    await dcv.check_now(detail.validation.id)
    value = detail.instructions.record.value
    await asyncio.gather(*(answer(world, agent_id, seen(world, value)) for agent_id in agents))
    assert await state_of(dcv, detail.validation.id) == "validated"
    assert (await kinds(dcv)).count("DomainValidated") == 1


async def test_two_of_three_that_do_not_confirm_are_too_many(world, dcv, dns):
    detail, agents = await vantage_points(world, dcv, 3)
    await publish(dns, detail)
    await dcv.check_now(detail.validation.id)
    await answer(world, agents[0], seen(world, "a value of the attacker"))
    failure = CommandFailure(reason="Expired", message="the deadline passed")
    await answer(world, agents[1], failure=failure)
    assert await state_of(dcv, detail.validation.id) == "pending"
    async with dcv.db.read() as session:
        challenge = (await dcv.detail(session, detail.validation.id)).challenge
    assert challenge.reason == "TooFewVantagePoints"
    assert "2 of 3" in challenge.message
    # The last one's word comes too late for this round, and the next round asks all again.
    await answer(world, agents[2], seen(world, detail.instructions.record.value))
    assert await state_of(dcv, detail.validation.id) == "pending"
    world.clock.forward(minutes=10)
    await dcv.worker().run_due()
    assert len(world.fleet.open_commands()) == 3
    for agent_id in agents:
        await answer(world, agent_id, seen(world, detail.instructions.record.value))
    assert await state_of(dcv, detail.validation.id) == "validated"


async def test_agents_confirm_nothing_that_the_hub_does_not_see(world, dcv):
    detail, _ = await vantage_points(world, dcv, 1)
    assert (await dcv.check_now(detail.validation.id)).reason == "NameNotFound"
    assert world.fleet.open_commands() == []


async def test_answers_to_an_earlier_round_do_not_count(world, dcv, dns):
    detail, agents = await vantage_points(world, dcv, 1)
    await publish(dns, detail)
    await dcv.check_now(detail.validation.id)
    (old,) = world.fleet.open_commands()
    world.clock.forward(minutes=20)
    await dcv.worker().run_due()
    await world.fleet.finish(old.id, result=seen(world, detail.instructions.record.value))
    assert await state_of(dcv, detail.validation.id) == "pending"
    await answer(world, agents[0], seen(world, detail.instructions.record.value))
    assert await state_of(dcv, detail.validation.id) == "validated"


async def test_a_restart_between_asking_and_answering(world, dcv, dns):
    detail, agents = await vantage_points(world, dcv, 2)
    await publish(dns, detail)
    await dcv.check_now(detail.validation.id)
    await dcv.db.close()
    successor = world.hub()
    for agent_id in agents:
        await answer(world, agent_id, seen(world, detail.instructions.record.value))
    assert await state_of(successor, detail.validation.id) == "validated"


async def test_who_can_be_a_vantage_point(world, dcv):
    detail = await dcv.start(world.request(), principal=ADMIN)
    foreign = await world.fleet.enroll("network", organization_id=world.other_organization_id)
    keystore = await world.fleet.enroll("pks")
    for agent_id in (foreign, keystore, "no-such-agent"):
        async with dcv.db.write() as uow:
            with pytest.raises(VantageUnusable):
                await dcv.assign_vantage_points(uow, detail.validation.id, [agent_id], principal=ADMIN)


# ---- e-mail


async def test_mails_go_out_and_a_confirmation_validates_once(world, dcv, dns):
    dns.zone.set("_validation-contactemail.example.com", "TXT", "ops@corp.example")
    detail = await dcv.start(world.request("email"), principal=ADMIN)
    assert {mail.recipient for mail in detail.mails} == {
        "admin@example.com",
        "administrator@example.com",
        "hostmaster@example.com",
        "ops@corp.example",
        "postmaster@example.com",
        "webmaster@example.com",
    }
    await dcv.worker().run_due()
    links = {mail.to: link_in(mail.text) for mail in world.outbox.mails}
    assert len(set(links.values())) == 6
    mail_id, value = links["ops@corp.example"]
    async with dcv.db.read() as session:
        shown = await dcv.mails.read(session, mail_id, value)
    assert (shown.domain, shown.recipient) == ("example.com", "ops@corp.example")
    assert await state_of(dcv, detail.validation.id) == "pending"
    async with dcv.db.write() as uow:
        await dcv.mails.confirm(uow, mail_id, value, remote="198.51.100.7")
    assert await state_of(dcv, detail.validation.id) == "validated"
    async with dcv.db.read() as session:
        evidence = (await dcv.get(session, detail.validation.id)).evidence
    assert evidence["seen"] == "ops@corp.example"
    assert "198.51.100.7" in evidence["trail"][0]
    for other_id, other_value in links.values():
        with pytest.raises(Exception, match="not valid"):
            async with dcv.db.write() as uow:
                await dcv.mails.confirm(uow, other_id, other_value, remote="198.51.100.7")


def link_in(text):
    (link,) = [line for line in text.splitlines() if line.startswith("https://hub.example/dcv/confirm/")]
    return tuple(link.rsplit("/", 2)[1:])


async def test_values_of_mails_are_not_kept_and_do_not_fit_one_another(world, dcv, dns):
    detail = await dcv.start(
        world.request("email", recipients=("admin@example.com", "Hostmaster@Example.com")), principal=ADMIN
    )
    await dcv.worker().run_due()
    (first_id, first_value), (second_id, second_value) = (link_in(m.text) for m in world.outbox.mails)
    async with dcv.db.read() as session:
        stored = (await session.execute(select(DcvMail.__table__))).all()
    assert len(stored) == 2
    assert first_value not in str(stored)
    for mail_id, value in ((first_id, second_value), (second_id, first_value), ("nothing", first_value)):
        async with dcv.db.read() as session:
            with pytest.raises(Exception, match="not valid"):
                await dcv.mails.read(session, mail_id, value)
    assert len(first_value) == 43
    assert await state_of(dcv, detail.validation.id) == "pending"


async def test_links_end_after_thirty_days_and_with_the_attempt(world, dcv, dns):
    detail = await dcv.start(world.request("email"), principal=ADMIN)
    await dcv.worker().run_due()
    mail_id, value = link_in(world.outbox.mails[0].text)
    world.clock.forward(days=30)
    async with dcv.db.read() as session:
        with pytest.raises(Exception, match="not valid"):
            await dcv.mails.read(session, mail_id, value)
    await dcv.worker().run_due()
    assert await state_of(dcv, detail.validation.id) == "failed"


async def test_other_recipients_prove_nothing(world, dcv):
    for recipients in (("eve@evil.example",), ("admin@example.org",), ()):
        with pytest.raises(RecipientNotAllowed):
            await dcv.start(world.request("email", recipients=recipients), principal=ADMIN)
    with pytest.raises(RecipientNotAllowed):
        await dcv.start(world.request("dns_txt", recipients=("admin@example.com",)), principal=ADMIN)


async def test_a_mail_server_that_is_away_is_tried_again(world, dcv):
    world.outbox.fault = "connection refused"
    detail = await dcv.start(world.request("email"), principal=ADMIN)
    await dcv.worker().run_due()
    async with dcv.db.read() as session:
        found = await dcv.detail(session, detail.validation.id)
    assert found.challenge.reason == "MailNotSent"
    assert all("connection refused" in mail.problem for mail in found.mails)
    world.outbox.fault = ""
    world.clock.forward(minutes=5)
    await dcv.worker().run_due()
    assert len(world.outbox.mails) == 5


async def test_without_a_mail_server_there_is_no_mail(world):
    world.mailing = False
    with pytest.raises(MailNotConfigured):
        await world.hub().start(world.request("email"), principal=ADMIN)


# ---- the gate and history


async def test_a_dns_proof_still_counts_after_a_narrower_one(world, dcv, dns):
    await validate(world, dcv, dns)
    async with dcv.db.write() as uow:
        validation_id = (await uow.session.execute(select(DcvChallenge.validation_id))).scalar_one()
    detail = await dcv.start(world.request("http_file"), principal=ADMIN)

    class There:
        async def fetch(self, url):
            del url
            return Sight(values=(detail.instructions.file_content,), seen_at=world.clock.now)

    other = world.hub(probes=Probes(dcv.tools.probes.resolver, There()))
    assert await other.check_now(validation_id) is None
    async with dcv.db.read() as session:
        assert (await dcv.get(session, validation_id)).method == "http_file"
        assert await names_not_validated(session, ["*.example.com"], at=world.clock.now) == []


async def test_history_shows_attempts_and_what_was_seen(world, dcv, dns):
    detail = await dcv.start(world.request(), principal=ADMIN)
    await dcv.check_now(detail.validation.id)
    await dcv.start(world.request("dns_cname"), principal=ADMIN)
    async with dcv.db.read() as session:
        newest, oldest = await dcv.history(session, detail.validation.id)
        assert (newest[0].method, newest[0].state) == ("dns_cname", "open")
        assert (oldest[0].method, oldest[0].state) == ("dns_txt", "superseded")
        assert oldest[1][0].reason == "NameNotFound"
        assert (await session.execute(select(func.count()).select_from(DcvSighting))).scalar_one() == 1


async def test_a_broken_step_ends_neither_the_worker_nor_the_attempt(world, dcv, dns):
    class Broken:
        async def txt(self, name):
            raise RuntimeError(name)

    detail = await dcv.start(world.request(), principal=ADMIN)
    await publish(dns, detail)
    broken = world.hub(probes=Probes(Broken(), dcv.tools.probes.fetcher))
    world.clock.forward(minutes=2)
    assert await broken.worker().run_due() == 1
    world.clock.forward(minutes=3)
    assert await dcv.worker().run_due() == 1
    assert await state_of(dcv, detail.validation.id) == "validated"
