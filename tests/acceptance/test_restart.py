"""A server that nobody may reload: deployed first, served after somebody pressed Restart."""

import asyncio

import pytest

from agents.network.verify import served_certificate

NAME = "slow.test"


def served(server):
    return asyncio.run(served_certificate("127.0.0.1", server.port, NAME)).fingerprint


@pytest.mark.parametrize("kind", ["apache", "nginx"])
def test_restart_required_and_then_successful(world, kind):
    old = world.serve(kind, NAME)
    definitions = world.agents["network"].state_dir / "servers.toml"
    definitions.write_text(f'{definitions.read_text()}activation = "restart"\n')
    world.start_hub()
    world.start_agents("network")
    certificate_id = world.request_install(kind, NAME)
    world.approve(certificate_id)
    waiting = world.until(certificate_id, lambda it: it["install_state"] == "Restart Required")
    assert [item["status"] for item in waiting["items"]] == ["Certificate Deployed"]
    assert "restart" in waiting["actions"]
    assert served(world.servers[kind]) == old.fingerprint

    world.api.post(f"/certificates/{certificate_id}/restart")
    done = world.until(certificate_id, lambda it: it["install_state"] == "Successful")
    assert [item["status"] for item in done["items"]] == ["Installed"]
    assert served(world.servers[kind]) == done["sha256"]
    [command] = world.commands_of(certificate_id, "RestartServer")
    assert command["outcome"] == "Successful"


def test_a_policy_without_the_command_refuses_and_it_goes_on_waiting(world):
    old = world.serve("apache", NAME)
    agent = world.agents["network"]
    definitions = agent.state_dir / "servers.toml"
    definitions.write_text(f'{definitions.read_text()}activation = "restart"\n')
    policy = agent.state_dir / "policy.toml"
    agent.write_policy(policy.read_text().replace(', "RestartServer"', ""))
    world.start_hub()
    world.start_agents("network")
    certificate_id = world.request_install("apache", NAME)
    world.approve(certificate_id)
    world.until(certificate_id, lambda it: it["install_state"] == "Restart Required")
    world.api.post(f"/certificates/{certificate_id}/restart")
    refused = world.until(certificate_id, lambda it: it["items"][0]["reason"])
    assert (refused["install_state"], refused["items"][0]["reason"]) == ("Restart Required", "PolicyRefused")
    assert served(world.servers["apache"]) == old.fingerprint
