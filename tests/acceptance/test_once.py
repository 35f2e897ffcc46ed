"""A command is done once, however often it is asked for and by how many hubs."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.acceptance.faulty import Faults
from tests.acceptance.world import point_to, wait_for
from tests.harness.cable import Cable
from tests.harness.processes import Hub, run


def spki(certificate):
    request = x509.load_pem_x509_csr(certificate["csr"].encode())
    return request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_a_command_that_a_restored_hub_repeats_is_answered_from_the_journal(world):
    world.start_hub()
    certificate_id = world.request("repeated.test")
    (command,) = wait_for(
        lambda: world.commands_of(certificate_id, "GenerateCertificate"), "the command waits for its agent"
    )
    command_id = command["command_id"]
    backup = world.folder / "backup.db"
    run(world.hub.command("hub", "backup", str(backup)))
    world.start_agents("pks")
    first = world.until(certificate_id, lambda it: it["csr"] is not None)
    wait_for(lambda: world.said("pks", "command_finished", command_id=command_id), "the agent is done")

    # The hub goes back to a time when it had not heard of the answer, and sends the command once more.
    assert world.hub.stop() == 0
    run(world.hub.command("hub", "restore", str(backup)))
    world.hub.start()
    again = world.until(certificate_id, lambda it: it["csr"] is not None)

    assert spki(again) == spki(first)
    assert world.api.get(f"/commands/{command_id}")["state"] == "successful"
    assert len(world.said("pks", "command_started", command_id=command_id)) == 1
    assert len(world.said("pks", "command_repeated", command_id=command_id)) == 1


def test_an_answer_that_the_hub_took_to_its_grave_is_given_again(world):
    world.hub.program = (
        Faults(world.folder, "hub").kill("hub.fleet.reports:CommandReports.done", "before").command()
    )
    world.start_hub()
    world.start_agents("pks")

    certificate_id = world.request("answered.test")
    world.hub.running.wait_dead()
    world.start_hub()
    world.until(certificate_id, lambda it: it["csr"] is not None)

    (command,) = world.commands_of(certificate_id, "GenerateCertificate")
    assert len(world.said("pks", "command_started", command_id=command["command_id"])) == 1


# ---- two hubs over one database


@pytest.fixture
def pair(postgres_copies):
    """Two hubs over one PostgreSQL database, and a cable that leads the agents to the first one."""
    world = postgres_copies()
    second = Hub(world.folder / "second")
    second.data_dir.mkdir()
    for name in ("hub.key", "ca.pem", "config.toml", "demo-credentials.json"):
        shutil.copy2(world.hub.data_dir / name, second.data_dir / name)
    second.init()
    cable = None
    try:
        world.start_hub()
        second.start()
        cable = Cable(world.hub.addresses["grpc"])
        point_to(world.agents["pks"], cable.address, world.hub.addresses["enroll"])
        yield world, second, cable
    finally:
        second.kill()
        world.stop()
        if cable is not None:
            cable.close()


@pytest.mark.server
def test_commands_given_at_two_hubs_are_each_done_once(pair):
    world, second, _ = pair
    world.start_agents("pks")
    organization_id, profile = world.organization_id(), world.profile()
    body = {
        "method": "pks",
        "organization_id": organization_id,
        "profile_id": profile["id"],
        "term_days": min(profile["terms_days"]),
        "key_type": "EC-P256",
        "pks_agent_id": world.agent_id("pks"),
    }

    def request(number):
        api = (world.hub, second)[number % 2].api
        return api.post("/certificates", body | {"common_name": f"n{number}.test"})["id"]

    with ThreadPoolExecutor(8) as requesters:
        ids = list(requesters.map(request, range(12)))

    for certificate_id in ids:
        world.until(certificate_id, lambda it: it["csr"] is not None)
        (command,) = world.commands_of(certificate_id, "GenerateCertificate")
        command_id = command["command_id"]
        assert world.api.get(f"/commands/{command_id}")["attempt"] == 1
        assert len(world.said("pks", "command_started", command_id=command_id)) == 1
    assert len(world.said("pks", "command_started")) == 12
    assert world.said("pks", "command_repeated") == []


@pytest.mark.server
def test_the_other_hub_takes_over_the_agents_and_commands_of_one_that_was_killed(pair):
    world, second, cable = pair
    faults = Faults(world.folder, "agent").hold(
        "agents.runtime.key_commands:GenerateCertificateHandler.run", "before"
    )
    world.agents["pks"].program = faults.command()
    world.start_agents("pks")
    certificate_id = world.request("taken-over.test")
    wait_for(faults.reached, "the agent is at work")

    cable.target = second.addresses["grpc"]
    world.hub.kill()
    faults.release()

    path = f"/certificates/{certificate_id}"
    done = second.api.wait(path, lambda it: it["csr"] is not None)
    (command,) = done["commands"]
    assert command["outcome"] == "Successful"
    assert len(world.said("pks", "command_started", command_id=command["command_id"])) == 1
    second.api.wait(f"/agents/{world.agent_id('pks')}", lambda it: it["connected"])
