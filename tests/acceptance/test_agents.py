"""Agents that were removed, agents that were away too long, and agents that meddle with others' commands."""

import asyncio
import base64
import json
from datetime import UTC, datetime

import grpc
from cryptography import x509

from tests.acceptance.faulty import Faults
from tests.acceptance.world import point_to, wait_for
from tests.harness.processes import HUB
from tests.integration.fleet.fake_agent import FakeAgent


def test_a_removed_agent_is_cut_off_at_once_and_does_not_come_back(world):
    world.start_hub()
    world.start_agents("pks")
    agent_id = world.agent_id("pks")
    waiting = world.request("never.test", method="pks")
    world.until(waiting, lambda it: it["csr"] is not None)

    world.api.call("DELETE", f"/agents/{agent_id}")

    # Long before a heartbeat would be missed.
    wait_for(lambda: world.said("pks", "agent_removed"), "the agent learns of it", timeout_s=5)
    record = world.api.get(f"/agents/{agent_id}")
    assert (record["status"], record["connected"]) == ("removed", False)

    # A restart does not help, nor does the way back for those whose certificate has expired.
    agent = world.agents["pks"]
    assert agent.stop() == 0
    agent.start()
    wait_for(lambda: len(world.said("pks", "agent_removed")) > 1, "the agent is refused again")
    assert len(world.said("pks", "connected")) == 1
    assert world.said("pks", "rejoined") == []
    assert not world.api.get(f"/agents/{agent_id}")["connected"]


def test_an_agent_whose_certificate_expired_comes_back_by_itself(world):
    shortened = Faults(world.folder, "hub").constant("hub.fleet.authority:IDENTITY_LIFETIME", 4)
    world.hub.program = shortened.command()
    world.hub.start()
    agent = world.agents["pks"]
    # Its certificate from the template is good for a month: this one gets another, good for seconds.
    agent.state_dir.rename(world.folder / "former")
    agent.enroll(world.hub.token("pks"), name="sleeper", kind="pks")
    world.write_policy("pks")
    point_to(agent, world.hub.addresses["grpc"], world.hub.addresses["enroll"])
    first = x509.load_pem_x509_certificate((agent.state_dir / "agent.pem").read_bytes())
    assert world.hub.stop() == 0
    world.hub.program = HUB
    world.hub.start()
    wait_for(lambda: datetime.now(UTC) > first.not_valid_after_utc, "the certificate expires")

    agent.start()
    world.connected("pks")

    assert len(world.said("pks", "rejoined")) == 1
    fresh = x509.load_pem_x509_certificate((agent.state_dir / "agent.pem").read_bytes())
    assert fresh.public_key() == first.public_key()
    assert fresh.not_valid_after_utc > first.not_valid_after_utc
    certificate_id = world.request("back.test")
    world.until(certificate_id, lambda it: it["csr"] is not None)


def test_an_agent_of_another_organization_reports_on_a_command_in_vain(world):
    faults = Faults(world.folder, "agent").hold(
        "agents.runtime.key_commands:GenerateCertificateHandler.run", "before"
    )
    world.agents["pks"].program = faults.command()
    world.start_hub()
    world.start_agents("pks")
    world.api.post("/organizations", {"name": "Others"})
    token = world.hub.token("pks", "Others")
    certificate_id = world.request("ours.test")
    wait_for(faults.reached, "our agent is at work")
    (command,) = world.commands_of(certificate_id, "GenerateCertificate")
    before = world.api.get(f"/commands/{command['command_id']}")

    end = asyncio.run(_report_as_stranger(world, token, command["command_id"]))

    assert end.code is grpc.StatusCode.PERMISSION_DENIED
    assert "report_refused" in end.details
    after = world.api.get(f"/commands/{command['command_id']}")
    assert after == before
    assert after["state"] == "accepted"
    refused = "SELECT count(*) FROM events WHERE kind = 'AgentReportRefused'"
    assert world.query(refused) == [(1,)]
    faults.release()
    world.until(certificate_id, lambda it: it["csr"] is not None)


async def _report_as_stranger(world, token, command_id):
    text = token.removeprefix("cwt1.")
    secret = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))["secret"]
    ca_pem = (world.hub.data_dir / "ca.pem").read_bytes()
    stranger = await FakeAgent.enroll(world.hub.addresses["enroll"], ca_pem, secret, kind="pks")
    await stranger.connect()
    try:
        await stranger.fail(command_id, "Sabotage", message="not my command")
        return await stranger.ended()
    finally:
        await stranger.close()
