"""Real agents at a real hub's fleet: the two sides of the protocol were written apart."""

from datetime import timedelta

import pytest

from agents.pks.agent import KIND as PKS
from agents.runtime.agent import Agent
from agents.runtime.enrollment import enroll
from agents.runtime.errors import EnrollmentRefused
from agents.runtime.facts import gather_facts
from agents.runtime.hub_address import Dialled
from agents.runtime.state_dir import StateDirectory
from agents.runtime.tokens import parse_token
from hub.fleet.commands import DeleteKey, DiscoverNetwork, GenerateCertificate, ScanRange
from hub.fleet.directory import CUT_SHUTDOWN
from tests.integration.agent.conftest import Bench, ResumableWork, kind_of
from tests.integration.fleet.conftest import _factory, until


@pytest.fixture
async def fleet(tmp_path):
    async with _factory(f"sqlite:///{tmp_path / 'hub.db'}") as factory:
        yield await factory.start()


class Tokens:
    """Makes the hub's tokens where the bench expects those of the fake one."""

    def __init__(self, fleet):
        self._fleet = fleet
        self._texts: list[str] = []
        self.control_port = int(fleet.server.addresses.control.rpartition(":")[2])

    async def prepare(self, *kinds: str) -> str:
        async with self._fleet.db.write() as uow:
            contents = await self._fleet.service.create_token(
                uow,
                kinds=kinds,
                organization_id=1,
                lifetime_s=3600,
                enroll_address=self._fleet.server.addresses.enrollment,
                created_by="tests",
            )
        self._texts.append(contents.text())
        return contents.text()

    def token(self, *kinds: str) -> str:
        return self._texts.pop()


@pytest.fixture
async def agent_of(fleet, tmp_path):
    """Enrolls and starts an agent of a kind; returns the bench it stands on."""
    benches = []

    async def start(kind) -> Bench:
        tokens = Tokens(fleet)
        await tokens.prepare(kind.name)
        bench = Bench(tokens, StateDirectory(tmp_path / f"agent-{len(benches)}"), kind)
        benches.append(bench)
        await bench.enroll()
        await bench.start()
        await until(lambda: fleet.agent(bench.agent_id), lambda row: row.session_id is not None)
        return bench

    yield start
    for bench in benches:
        await bench.kill()


class Addressee:
    """What the fleet's test hub wants of an agent."""

    def __init__(self, bench):
        self.agent_id = bench.agent_id


async def test_a_command_is_carried_out_and_its_result_stored(fleet, agent_of):
    bench = await agent_of(PKS)
    request = GenerateCertificate(key_id="k", key_type="EC-P256", common_name="a.example")

    command_id = await fleet.enqueue(Addressee(bench), request)
    row = await fleet.state(command_id, "successful", "failed")

    assert row.failure_message == ""
    assert row.state == "successful"
    agent = bench.running[0][0]
    await agent.milestones.reached("result_committed")
    record = await fleet.agent(bench.agent_id)
    assert record.kind == "pks"
    assert "GenerateCertificate" in record.capabilities
    assert len(record.receiver_public_key) == 32


async def test_batches_reach_the_hub_once_although_agent_and_stream_die(fleet, agent_of):
    work = ResumableWork(batches=20)
    seen = []

    async def on_batch(uow, command, finds):
        seen.append(finds.cursor)

    fleet.service.on_batch("DiscoverNetwork", on_batch)
    bench = await agent_of(kind_of(work))
    scan = DiscoverNetwork(ranges=(ScanRange(target="127.0.0.1"),))
    command_id = await fleet.enqueue(Addressee(bench), scan)
    await until(lambda: _value(len(seen)), lambda count: count >= 20)
    await bench.kill()

    work.batches = 0
    work.permit.set()
    await bench.start()
    row = await fleet.state(command_id, "successful", "failed")

    assert row.state == "successful"
    assert seen == list(range(1, 21))
    assert work.resumed[0].cursor == 20


async def _value(value):
    return value


async def test_cancelling_reaches_the_agent(fleet, agent_of):
    bench = await agent_of(kind_of(ResumableWork()))
    scan = DiscoverNetwork(ranges=(ScanRange(target="127.0.0.1"),))
    command_id = await fleet.enqueue(Addressee(bench), scan)
    await fleet.state(command_id, "accepted")

    await fleet.cancel(command_id)
    row = await fleet.state(command_id, "cancelled", "failed", timeout_s=3)

    assert row.state == "cancelled"


async def test_a_policy_refusal_fails_the_command_at_the_hub(fleet, agent_of):
    bench = await agent_of(PKS)
    bench.directory.policy.write_text("commands = []\n")

    command_id = await fleet.enqueue(Addressee(bench), DeleteKey(key_id="k"))
    row = await fleet.state(command_id, "failed", "successful")

    assert (row.state, row.failure_reason, row.attempt) == ("failed", "PolicyRefused", 1)


async def test_a_retryable_failure_comes_back_as_a_new_delivery(fleet, agent_of):
    work = ResumableWork()
    work.resume = None  # not resumable: a restart makes it fail as something to be tried again

    class Plain:
        run = staticmethod(work.run)

    bench = await agent_of(kind_of(Plain()))
    scan = DiscoverNetwork(ranges=(ScanRange(target="127.0.0.1"),))
    command_id = await fleet.enqueue(Addressee(bench), scan)
    await fleet.state(command_id, "accepted")
    await bench.kill()
    work.permit.set()
    await bench.start()

    await until(lambda: fleet.command(command_id), lambda row: row.next_attempt_at is not None)
    fleet.clock.ahead += timedelta(minutes=2)
    row = await fleet.state(command_id, "successful", "failed")

    assert (row.state, row.attempt) == ("successful", 2)
    assert len(set(work.started)) == 2


async def test_an_agent_that_was_away_too_long_rejoins(fleet, agent_of):
    bench = await agent_of(PKS)
    await bench.kill()
    before = (await fleet.agent(bench.agent_id)).certificate_sha256
    expired = Agent.run

    def pretend(self, **options):
        # The certificate is as good as expired: it is 31 days later here.
        object.__setattr__(self._identity, "certificate", _Expired(self._identity.certificate))
        return expired(self, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Agent, "run", pretend)
        agent = await bench.start()
        await agent.milestones.reached("rejoined")
    await agent.milestones.reached("connected")

    row = await until(lambda: fleet.agent(bench.agent_id), lambda row: row.certificate_sha256 != before)
    assert row.session_id is not None


class _Expired:
    """A certificate that looks expired."""

    def __init__(self, certificate):
        self._certificate = certificate

    @property
    def not_valid_after_utc(self):
        return self._certificate.not_valid_before_utc + timedelta(minutes=1)

    def __getattr__(self, name):
        return getattr(self._certificate, name)


async def test_a_removed_agent_is_cut_and_stays_away(fleet, agent_of):
    bench = await agent_of(PKS)
    agent = bench.running[0][0]

    async with fleet.db.write() as uow:
        await fleet.service.remove_agent(uow, bench.agent_id)
    removed = await agent.milestones.reached("agent_removed")

    assert removed.facts["next_attempt_s"] > 0
    assert agent.milestones.count("rejoined") == 0


async def test_a_renewal_is_accepted_by_both(fleet, agent_of):
    bench = await agent_of(PKS)
    agent = bench.running[0][0]
    before = agent.identity.certificate.serial_number

    agent._uplink.request_identity(agent.identity.csr())
    await agent.milestones.reached("identity_renewed")
    for stream in fleet.server._desk.directory:
        stream.cut(*CUT_SHUTDOWN)
    await agent.milestones.reached("connected", times=2)

    assert agent.identity.certificate.serial_number != before


async def test_a_spent_token_is_told_apart(fleet, agent_of):
    tokens = Tokens(fleet)
    token = parse_token(await tokens.prepare("pks"))
    facts = gather_facts(PKS, b"\x01" * 32)
    await enroll(token, facts, dialled=Dialled(token.address))

    with pytest.raises(EnrollmentRefused, match="TokenSpent"):
        await enroll(token, facts, dialled=Dialled(token.address))
