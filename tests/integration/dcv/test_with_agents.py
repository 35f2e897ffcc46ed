"""Real agents as vantage points: over the control channel, each at its own name server and site."""

import contextlib
import dataclasses

import pytest

from agents.network.agent import KIND
from agents.runtime.state_dir import StateDirectory
from hub.fleet.vantage import FleetVantage
from hub.http.principal import SYSTEM
from hub.organizations.dcv.contract import Probes
from hub.organizations.dcv.probes import DnsResolver, SafeFetcher
from hub.organizations.dcv.records import DcvOptions, DcvTools, StartRequest
from hub.organizations.dcv.registry import installed_methods, installed_writers
from hub.organizations.dcv.service import DcvService
from hub.organizations.service import OrganizationService
from tests.integration.agent.conftest import Bench
from tests.integration.agent.test_with_the_hub import Tokens
from tests.integration.dcv.conftest import ADMIN, KEK
from tests.integration.dcv.dns_server import LoopbackDns
from tests.integration.fleet.conftest import _factory, until


@pytest.fixture
async def fleet(tmp_path):
    async with _factory(f"sqlite:///{tmp_path / 'hub.db'}") as factory:
        yield await factory.start()


@pytest.fixture
async def dcv(fleet, probing):
    settings = probing()
    resolver = DnsResolver(settings, fleet.db.clock)
    organizations = OrganizationService(fleet.db)
    async with fleet.db.write() as uow:
        await organizations.delegate_domain(uow, organization_id=1, name="example.com", principal=SYSTEM)
    tools = DcvTools(
        probes=Probes(resolver, SafeFetcher(settings, resolver, fleet.db.clock)),
        vantage=FleetVantage(fleet.service),
        mailer=None,
        kek=KEK,
        methods=installed_methods(),
        writers=installed_writers(),
        options=DcvOptions(),
    )
    return DcvService(fleet.db, organizations, tools)


@dataclasses.dataclass
class Vantage:
    bench: Bench
    dns: LoopbackDns

    @property
    def agent_id(self):
        return self.bench.agent_id


@pytest.fixture
async def vantage_points(fleet, tmp_path):
    """Start agents, each with a name server of its own."""
    made = []

    async def start(count):
        for _ in range(count):
            tokens = Tokens(fleet)
            await tokens.prepare("network")
            bench = Bench(tokens, StateDirectory(tmp_path / f"agent-{len(made)}"), KIND)
            made.append(Vantage(bench, LoopbackDns()))
            await bench.enroll()
            write_policy(made[-1])
            await bench.start()
            await until(lambda bench=bench: fleet.agent(bench.agent_id), lambda row: row.session_id)
        return made

    yield start
    for vantage in made:
        await vantage.bench.kill()
        vantage.dns.stop()


def write_policy(vantage, commands='["CheckDomainControl"]'):
    vantage.bench.directory.policy.write_text(
        f'commands = {commands}\n[domain_control]\nnameservers = ["127.0.0.1#{vantage.dns.port}"]\n'
    )


async def begin(dcv, vantage_points):
    detail = await dcv.start(
        StartRequest(organization_id=1, domain="example.com", method="dns_txt"), principal=ADMIN
    )
    async with dcv.db.write() as uow:
        agents = [vantage.agent_id for vantage in vantage_points]
        await dcv.assign_vantage_points(uow, detail.validation.id, agents, principal=ADMIN)
    return detail.validation.id, detail.instructions.record


async def read(dcv, validation_id):
    async with dcv.db.read() as session:
        return await dcv.detail(session, validation_id)


async def test_three_agents_confirm_what_the_hub_sees(dcv, dns, vantage_points):
    made = await vantage_points(3)
    validation_id, record = await begin(dcv, made)
    for server in (dns, *(vantage.dns for vantage in made)):
        server.zone.set(record.name, "TXT", record.value)
    assert (await dcv.check_now(validation_id)).reason == "AwaitingVantagePoints"
    found = await until(lambda: read(dcv, validation_id), lambda it: it.validation.state == "validated")
    assert len([step for step in found.validation.evidence["trail"] if "confirmed by" in step]) >= 2
    for vantage in made:
        assert vantage.dns.zone.asked[record.name, "TXT"] == 1


async def test_a_hub_whose_resolver_is_deceived_is_contradicted(dcv, dns, vantage_points):
    made = await vantage_points(3)
    validation_id, record = await begin(dcv, made)
    dns.zone.set(record.name, "TXT", record.value)
    made[0].dns.zone.set(record.name, "TXT", record.value)
    await dcv.check_now(validation_id)
    found = await until(
        lambda: read(dcv, validation_id), lambda it: it.challenge.reason == "TooFewVantagePoints"
    )
    assert "NameNotFound" in found.challenge.message
    assert found.validation.state == "pending"


async def test_an_agent_whose_policy_refuses_does_not_confirm(dcv, dns, vantage_points):
    (vantage,) = await vantage_points(1)
    write_policy(vantage, commands='["DiscoverServers"]')
    validation_id, record = await begin(dcv, [vantage])
    dns.zone.set(record.name, "TXT", record.value)
    await dcv.check_now(validation_id)
    found = await until(
        lambda: read(dcv, validation_id), lambda it: it.challenge.reason == "TooFewVantagePoints"
    )
    assert "PolicyRefused" in found.challenge.message
    assert vantage.dns.zone.asked == {}


async def test_removing_an_agent_is_no_confirmation(fleet, dcv, dns, vantage_points):
    (vantage,) = await vantage_points(1)
    validation_id, record = await begin(dcv, [vantage])
    dns.zone.set(record.name, "TXT", record.value)
    with contextlib.suppress(Exception):
        await vantage.bench.kill()
    await dcv.check_now(validation_id)
    async with fleet.db.write() as uow:
        await fleet.service.remove_agent(uow, vantage.agent_id)
    found = await read(dcv, validation_id)
    assert found.challenge.reason == "TooFewVantagePoints"
    # Later rounds can't even ask it.
    finding = await dcv.check_now(validation_id)
    assert finding.reason == "TooFewVantagePoints"
    assert "VantageUnusable" in finding.message
