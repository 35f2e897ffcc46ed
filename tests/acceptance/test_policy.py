"""What an agent's owner does not allow is not done, whatever the hub asks; and everybody sees why."""

import pytest

from tests.acceptance.faulty import Faults
from tests.acceptance.world import wait_for
from tests.harness.visitor import Visitor, served

NAME = "shop.test"


@pytest.fixture(scope="module")
def shop(calm):
    """Apache under management, known to the hub."""
    calm.serve("apache", NAME)
    return calm


@pytest.fixture(autouse=True)
def usual_policies(shop):
    shop.write_policy("network")
    shop.write_policy("pks")
    shop.api.post(f"/agents/{shop.agent_id('network')}/discover-servers")
    shop.node_id("apache", NAME)


def problems(servers):
    return [node["problem"] for server in servers["servers"] for node in server["nodes"]]


def test_a_file_outside_the_allowed_paths_is_not_replaced(shop):
    port = shop.servers["apache"].port
    old = served(port, NAME)
    certificate_id = shop.request_install("apache", NAME)
    # The owner tightens the policy after the hub has planned with the old one.
    shop.write_policy("network", paths=["/etc/somewhere-else"])

    with Visitor(port, NAME) as visitor:
        shop.approve(certificate_id)
        failed = shop.installed(certificate_id)

    assert failed["install_state"] == "Failed"
    (item,) = failed["items"]
    assert (item["status"], item["reason"]) == ("Failed", "PathNotAllowed")
    assert "the local policy" in item["message"]
    (command,) = shop.commands_of(certificate_id, "InstallCertificate")
    (outcome,) = shop.api.get(f"/commands/{command['command_id']}")["result"]["outcomes"]
    assert outcome["reason"] == "PathNotAllowed"
    # The inventory shows it from now on, before anybody tries again.
    path = f"/agents/{shop.agent_id('network')}/servers"
    shop.api.wait(path, lambda it: any(each.startswith("PathNotAllowed") for each in problems(it)))
    assert set(visitor.seen) == {old}
    assert visitor.failures == []


def test_a_kind_of_command_that_is_not_allowed_is_refused(shop):
    port = shop.servers["apache"].port
    old = served(port, NAME)
    certificate_id = shop.request_install("apache", NAME)
    policy = (shop.agents["network"].state_dir / "policy.toml").read_text()
    shop.agents["network"].write_policy(policy.replace('"InstallCertificate", ', ""))

    shop.approve(certificate_id)
    failed = shop.installed(certificate_id)

    assert failed["install_state"] == "Failed"
    assert failed["items"][0]["reason"] == "PolicyRefused"
    (command,) = shop.commands_of(certificate_id, "InstallCertificate")
    assert (command["outcome"], command["reason"]) == ("Failed", "PolicyRefused")
    assert served(port, NAME) == old


@pytest.mark.parametrize("allowed", ["never", ["sha256:" + "00" * 32]], ids=["never", "to somebody else"])
def test_a_key_is_not_given_to_a_receiver_that_the_owner_did_not_name(shop, allowed):
    port = shop.servers["apache"].port
    old = served(port, NAME)
    shop.write_policy("pks", key_export=allowed)
    certificate_id = shop.request_install("apache", NAME, key_location="pks")

    shop.approve(certificate_id)
    failed = shop.installed(certificate_id)

    assert failed["install_state"] == "Failed"
    assert failed["status"] == "Issued"
    (item,) = failed["items"]
    assert (item["status"], item["reason"]) == ("Failed", "PolicyRefused")
    assert shop.receiver_fingerprint() in item["message"]
    (command,) = shop.commands_of(certificate_id, "ExportKey")
    detail = shop.api.get(f"/commands/{command['command_id']}")
    assert (detail["state"], detail["failure_reason"]) == ("failed", "PolicyRefused")
    assert detail["result"] is None
    assert shop.commands_of(certificate_id, "InstallCertificate") == []
    assert served(port, NAME) == old


def test_a_refused_key_ends_the_installation_whichever_agent_answers_last(world):
    faults = Faults(world.folder, "agent").hold(
        "agents.runtime.key_commands:StoreCertificateHandler.run", "before"
    )
    world.agents["pks"].program = faults.command()
    world.serve("apache", NAME)
    world.start_hub()
    world.start_agents()
    world.write_policy("pks", key_export="never")
    certificate_id = world.request_install("apache", NAME, key_location="pks")
    world.approve(certificate_id)

    # The store has not yet kept the certificate when its refusal to give the key out arrives.
    wait_for(faults.reached, "the certificate is being stored")
    world.until(certificate_id, lambda it: it["items"][0]["reason"] == "PolicyRefused")
    faults.release()

    failed = world.installed(certificate_id)
    assert failed["install_state"] == "Failed"
    (command,) = world.commands_of(certificate_id, "StoreCertificate")
    assert command["outcome"] == "Successful"
