"""http-01 and tls-alpn-01 at a real Pebble, answered by real agents over the control channel."""

import asyncio
import contextlib
from dataclasses import dataclass

import pytest

from agents.network.agent import KIND
from agents.runtime.state_dir import StateDirectory
from hub.fleet.challenge_agents import FleetChallengeAgents
from pki.certificates import parse_certificate
from tests.integration.acme_upstream.conftest import (
    Bench,
    ZoneWriter,
    drive,
    issued,
    make_order,
    order_and_drive,
    refused,
)
from tests.integration.agent.conftest import Bench as AgentBench
from tests.integration.agent.test_with_the_hub import Tokens
from tests.integration.fleet.conftest import _factory, until

ALLOWED = 'commands = ["ServeChallenge", "WithdrawChallenge"]\n[challenges]\n'


@pytest.fixture
async def fleet(tmp_path):
    async with _factory(f"sqlite:///{tmp_path / 'fleet.db'}") as factory:
        yield await factory.start()


@dataclass
class Answerer:
    """An enrolled agent whose policy a test writes."""

    bench: AgentBench

    @property
    def agent_id(self) -> str:
        return self.bench.agent_id

    def policy(self, text: str) -> None:
        self.bench.directory.policy.write_text(text)


@pytest.fixture
async def agent(fleet, tmp_path):
    tokens = Tokens(fleet)
    await tokens.prepare("network")
    bench = AgentBench(tokens, StateDirectory(tmp_path / "agent"), KIND)
    await bench.enroll()
    await bench.start()
    await until(lambda: fleet.agent(bench.agent_id), lambda row: row.session_id)
    yield Answerer(bench)
    await bench.kill()


@pytest.fixture
async def bench(db, dns, fleet):
    return Bench(db, ZoneWriter(dns), agents=FleetChallengeAgents(fleet.db, fleet.service))


async def refuses_connections(port: int) -> bool:
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return False
    return True


async def eventually(condition) -> None:
    end = asyncio.get_running_loop().time() + 10
    while not await condition():
        assert asyncio.get_running_loop().time() < end, "it never came to that"
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
async def test_an_agent_proves_names_and_stops_listening(bench, pebble, dns, agent, challenge):
    ports = {"http-01": pebble.http_port, "tls-alpn-01": pebble.tls_port}
    setting = {"http-01": "http_listen", "tls-alpn-01": "tls_listen"}[challenge]
    agent.policy(f'{ALLOWED}{setting} = "127.0.0.1:{ports[challenge]}"\n')
    for name in ("www.example.com", "api.example.com"):
        dns.zone.set(name, "A", "127.0.0.1")
    backend = await bench.configure(pebble, challenges=[challenge], agent_id=agent.agent_id)
    _, outcome, _ = await order_and_drive(backend, "www.example.com", "api.example.com")
    facts = parse_certificate(issued(outcome).chain[0])
    assert set(facts.dns_names) == {"www.example.com", "api.example.com"}
    await eventually(lambda: refuses_connections(ports[challenge]))
    assert not bench.writer.published


async def test_an_address_is_proven_by_an_agent(bench, pebble, agent):
    agent.policy(f'{ALLOWED}tls_listen = "127.0.0.1:{pebble.tls_port}"\n')
    backend = await bench.configure(pebble, challenges=["tls-alpn-01"], agent_id=agent.agent_id)
    order = make_order(addresses=("127.0.0.1",))
    outcome, _ = await drive(backend, order, await backend.prepare(order))
    assert parse_certificate(issued(outcome).chain[0]).ip_addresses == ("127.0.0.1",)


async def test_an_agent_whose_policy_refuses_is_passed_over_for_dns(bench, pebble, agent):
    agent.policy('commands = ["DiscoverServers"]\n')
    backend = await bench.configure(pebble, challenges=["http-01", "dns-01"], agent_id=agent.agent_id)
    _, outcome, _ = await order_and_drive(backend, "www.example.com")
    issued(outcome)
    assert bench.writer.published


async def test_without_another_way_the_agent_s_words_are_told(bench, pebble, agent):
    agent.policy(f'{ALLOWED}domains = ["*.example.org"]\nhttp_listen = "127.0.0.1:{pebble.http_port}"\n')
    backend = await bench.configure(pebble, challenges=["http-01"], agent_id=agent.agent_id)
    _, outcome, _ = await order_and_drive(backend, "www.example.com")
    answer = refused(outcome)
    assert answer.reason == "NoChallengeLeft"
    assert "PolicyRefused" in answer.message


async def test_a_name_that_leads_elsewhere_falls_back_to_dns(bench, pebble, dns, agent, tmp_path):
    webroot = tmp_path / "www"
    agent.policy(f'{ALLOWED}http_webroot = "{webroot}"\n')
    dns.zone.set("www.example.com", "A", "127.0.0.1")
    backend = await bench.configure(
        pebble, challenges=["http-01", "dns-01"], agent_id=agent.agent_id, validation_attempts=1
    )
    _, outcome, phases = await order_and_drive(backend, "www.example.com")
    issued(outcome)
    assert phases.count("create") == 1
    await eventually(lambda: is_empty(webroot))


async def is_empty(webroot) -> bool:
    folder = webroot / ".well-known" / "acme-challenge"
    return folder.is_dir() and not any(folder.iterdir())


async def test_an_agent_that_is_restarted_goes_on_answering(bench, pebble, dns, agent, fleet):
    agent.policy(f'{ALLOWED}http_listen = "127.0.0.1:{pebble.http_port}"\n')
    dns.zone.set("www.example.com", "A", "127.0.0.1")
    backend = await bench.configure(pebble, challenges=["http-01"], agent_id=agent.agent_id)
    order = make_order("www.example.com")
    restarted = []

    async def restart_once(_number):
        served = not await refuses_connections(pebble.http_port)
        if served and not restarted:
            restarted.append(True)
            await agent.bench.kill()
            await agent.bench.start()
            await until(lambda: fleet.agent(agent.agent_id), lambda row: row.session_id)

    outcome, _ = await drive(backend, order, await backend.prepare(order), each=restart_once)
    issued(outcome)
    assert restarted
