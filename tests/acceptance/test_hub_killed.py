"""The hub dies by SIGKILL at the worst moments; what it left in its database is enough to go on."""

from contextlib import suppress
from http.client import HTTPException
from urllib.error import URLError

import pytest

from tests.acceptance.faulty import Faults
from tests.acceptance.signing_requests import csr, pem
from tests.acceptance.world import wait_for
from tests.harness.api import ApiProblem

GONE = (URLError, HTTPException, ConnectionError, ApiProblem)
QUICK_LEASE = {
    # A dead hub's steps are free again when its lease is over; thirty seconds are long for a test.
    "hub.lifecycle.step_queue:LEASE_S": 1,
    "hub.lifecycle.step_queue:claim(lease_s)": 1,
}


def deadly(world, at, when):
    faults = Faults(world.folder, "hub").kill(at, when)
    for name, value in QUICK_LEASE.items():
        faults.constant(name, value)
    world.hub.program = faults.command()
    return faults


def requested_by_csr(world):
    return world.request("", method="csr", csr=pem(csr("killed.test")), key_type=None, pks_agent_id=None)


def status_and_serial(world, certificate_id):
    ((status, serial),) = world.query(
        f"SELECT status, serial_hex FROM certificates WHERE id = {certificate_id}"
    )
    return status, serial


BACKEND = "hub.issuers.private_ca.backend:PrivateCaBackend"
ISSUANCE = "hub.lifecycle.issuance:Issuance"


@pytest.mark.parametrize(
    ("at", "when"),
    [
        pytest.param(f"{BACKEND}.submit", "before", id="intent recorded"),
        pytest.param(f"{BACKEND}.submit", "after", id="signed"),
        pytest.param(f"{ISSUANCE}._record_issued", "after", id="about to commit"),
    ],
)
def test_killed_between_signature_and_commit_one_certificate_with_the_intended_serial(either_world, at, when):
    world = either_world
    faults = deadly(world, at, when)
    world.start_hub()
    certificate_id = requested_by_csr(world)

    with suppress(*GONE):
        world.api.post(f"/certificates/{certificate_id}/approve", {"message": ""})
    world.hub.running.wait_dead()

    assert faults.reached()
    status, intended = status_and_serial(world, certificate_id)
    assert status == "Applied"
    assert intended

    world.start_hub()
    issued = world.until(certificate_id, lambda it: it["status"] == "Issued")

    assert issued["serial_number"].lower() == intended
    found = world.query(
        "SELECT id FROM certificates WHERE common_name = 'killed.test' AND fingerprint_sha256 IS NOT NULL"
    )
    assert found == [(certificate_id,)]
    # What is published about the CA's certificates counts it once, too.
    assert world.query(f"SELECT count(*) FROM ca_serials WHERE serial_hex = '{intended}'") == [(1,)]


def test_killed_while_the_requester_waits_for_the_certificate_it_is_there_afterwards(world):
    world.hub.start()
    world.api.call("PATCH", f"/profiles/{world.profile()['id']}", {"auto_approve": True})
    world.hub.stop()
    deadly(world, f"{BACKEND}.submit", "after")
    world.start_hub()

    with pytest.raises(GONE):
        requested_by_csr(world)
    world.hub.running.wait_dead()

    ((certificate_id, intended),) = world.query("SELECT id, serial_hex FROM certificates")
    world.start_hub()
    issued = world.until(certificate_id, lambda it: it["status"] == "Issued")
    assert issued["serial_number"].lower() == intended


@pytest.mark.parametrize(
    ("at", "when"),
    [
        pytest.param("hub.fleet.dispatch:Dispatcher._send", "before", id="recorded as sent, not sent"),
        pytest.param("hub.fleet.reports:CommandReports.accepted", "before", id="taken, not recorded"),
    ],
)
def test_killed_between_dispatch_and_accept_the_command_is_executed_once(either_world, at, when):
    world = either_world
    faults = deadly(world, at, when)
    world.start_hub()
    world.agents["pks"].start()
    world.connected("pks")

    certificate_id = world.request("dispatched.test")
    world.hub.running.wait_dead()
    assert faults.reached()

    world.start_hub()
    world.until(certificate_id, lambda it: it["csr"] is not None)

    (command,) = world.commands_of(certificate_id, "GenerateCertificate")
    command_id = command["command_id"]
    assert world.api.get(f"/commands/{command_id}")["state"] == "successful"
    wait_for(lambda: world.said("pks", "command_finished", command_id=command_id), "the agent is done")
    assert len(world.said("pks", "command_started", command_id=command_id)) == 1
    assert len(world.said("pks", "command_finished", command_id=command_id)) == 1
