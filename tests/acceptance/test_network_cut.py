"""A network that fails for longer than the heartbeat: both sides notice, and the result arrives once."""

from datetime import UTC, datetime

import pytest

from tests.acceptance.faulty import Faults
from tests.acceptance.world import point_to, wait_for
from tests.harness.cable import Cable
from tests.harness.visitor import served

NAME = "shop.test"
SILENCE_S = 3


@pytest.fixture
def cable(world):
    """The hub expects signs of life every second; the network agent reaches it through a cable."""
    world.configure_hub(agent_heartbeat_s=1, agent_silence_s=SILENCE_S)
    world.start_hub()
    cable = Cable(world.hub.addresses["grpc"])
    point_to(world.agents["network"], cable.address, world.hub.addresses["enroll"])
    yield cable
    cable.close()


@pytest.mark.parametrize("fault", ["freeze", "cut"])
def test_a_result_that_came_during_a_cut_is_delivered_once_afterwards(world, cable, fault):
    faults = Faults(world.folder, "agent").hold(
        "agents.network.installers.file_based:FileBasedInstaller.activate", "before"
    )
    world.agents["network"].program = faults.command()
    world.serve("apache", NAME)
    world.start_agents("network")
    certificate_id = world.request_install("apache", NAME)
    world.approve(certificate_id)
    wait_for(faults.reached, "the install is under way")

    getattr(cable, fault)()
    path = f"/agents/{world.agent_id('network')}"
    world.api.wait(path, lambda it: not it["connected"], timeout_s=SILENCE_S + 10)
    wait_for(lambda: world.said("network", "disconnected"), "the agent has noticed")

    # Work goes on without the network.
    faults.release()
    wait_for(
        lambda: world.said("network", "command_finished", result="CertificateInstalled"),
        "the install is done",
    )
    expected = world.certificate(certificate_id)
    assert expected["install_state"] == "Started"
    assert served(world.servers["apache"].port, NAME) == expected["sha256"]

    cable.mend()
    done = world.installed(certificate_id)
    world.connected("network")
    assert done["install_state"] == "Successful"
    (command,) = world.commands_of(certificate_id, "InstallCertificate")
    command_id = command["command_id"]
    assert world.api.get(f"/commands/{command_id}")["attempt"] == 1
    assert len(world.said("network", "command_started", command_id=command_id)) == 1
    assert len(world.said("network", "command_finished", command_id=command_id)) == 1
    finished = f"SELECT count(*) FROM events WHERE kind = 'CommandFinished' AND object_id = '{command_id}'"
    assert world.query(finished) == [(1,)]
    assert [event["kind"] for event in done["events"]].count("InstallFinished") == 1


def test_a_quiet_connection_is_kept(world, cable):
    world.start_agents("network")
    connections = cable.connections
    carried = cable.carried_bytes

    # Twice as long as the hub would wait for a silent agent.
    heard = world.api.get(f"/agents/{world.agent_id('network')}")["connected_at"]
    wait_for(lambda: _age_s(world) > 2 * SILENCE_S, "time passes", timeout_s=30)

    assert world.api.get(f"/agents/{world.agent_id('network')}")["connected_at"] == heard
    assert cable.connections == connections
    assert cable.carried_bytes > carried
    assert world.said("network", "disconnected") == []


def _age_s(world):
    connected_at = world.api.get(f"/agents/{world.agent_id('network')}")["connected_at"]
    return (datetime.now(UTC) - datetime.fromisoformat(connected_at)).total_seconds()
