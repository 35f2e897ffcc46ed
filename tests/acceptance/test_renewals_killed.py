"""The hub dies by SIGKILL while it renews by itself; the next one goes on, and renews once."""

import sqlite3
from contextlib import closing

import pytest

from tests.acceptance.faulty import Faults
from tests.acceptance.signing_requests import csr, pem
from tests.harness.visitor import served

NAME = "shop.test"
QUICK = {
    "hub.renewals.engine:LEASE_S": 1,
    "hub.renewals.engine:POLL_S": 0.5,
    "hub.lifecycle.step_queue:LEASE_S": 1,
    "hub.lifecycle.step_queue:claim(lease_s)": 1,
}


def quick(world):
    faults = Faults(world.folder, "hub")
    for name, value in QUICK.items():
        faults.constant(name, value)
    return faults


def auto_approve(world):
    world.api.call("PATCH", f"/profiles/{world.profile()['id']}", {"auto_approve": True})


def renewal(world, certificate_id):
    return world.api.get(f"/certificates/{certificate_id}/renewal")


def make_due(world, certificate_id):
    """Nobody waits for weeks: the hub is stopped, and finds the renewal due when it starts."""
    world.hub.stop()
    with closing(sqlite3.connect(world.hub.data_dir / "hub.db")) as database:
        database.execute(
            "UPDATE certificates SET renewal_due_at = '2020-01-01 00:00:00.000000' WHERE id = ?",
            (certificate_id,),
        )
        database.commit()


def renewed(world, certificate_id):
    path = f"/certificates/{certificate_id}/renewal"
    return world.api.wait(path, lambda it: it["renewal_state"] == "Successful", timeout_s=40)


def successors(world, certificate_id):
    return world.query(f"SELECT id, status FROM certificates WHERE renews_id = {certificate_id}")


@pytest.mark.parametrize(
    ("at", "when"),
    [
        pytest.param("hub.renewals.engine:RenewalEngine._do", "before", id="claimed"),
        pytest.param("hub.lifecycle.intake:store_requests", "after", id="about to store the request"),
        pytest.param(
            "hub.issuers.private_ca.backend:PrivateCaBackend.submit", "after", id="signed, not recorded"
        ),
        pytest.param("hub.renewals.outcomes:Outcomes.on_ended", "after", id="about to record the end"),
    ],
)
def test_killed_while_it_renews_it_renews_once(world, at, when):
    world.start_hub()
    auto_approve(world)
    first = world.request("", method="csr", csr=pem(csr("killed.test")), key_type=None, pks_agent_id=None)
    world.until(first, lambda it: it["status"] == "Issued")
    planned = world.api.call("PUT", f"/certificates/{first}/auto-renew", {"enabled": True})
    assert (planned["renewal_state"], planned["reason"]) == ("Scheduled", "NotYetDue")
    make_due(world, first)

    faults = quick(world).kill(at, when)
    world.hub.program = faults.command()
    world.hub.start()
    world.hub.running.wait_dead()
    assert faults.reached()

    world.start_hub()
    answer = renewed(world, first)
    assert successors(world, first) == [(answer["renewed_by_id"], "Issued")]
    assert [item["outcome"] for item in answer["attempts"]] == ["Successful", "Started"]
    serials = world.query("SELECT count(*) FROM ca_serials WHERE serial_hex <> ''")
    bodies = world.query("SELECT count(*) FROM certificates WHERE fingerprint_sha256 IS NOT NULL")
    assert bodies == [(2,)]
    assert serials[0][0] <= 3


def test_killed_before_the_installation_is_recorded_the_new_one_serves_and_the_renewal_ends(world):
    world.serve("nginx", NAME)
    world.start_hub()
    world.start_agents("network")
    auto_approve(world)
    first = world.request_install("nginx", NAME)
    assert world.installed(first)["install_state"] == "Successful"
    world.api.call("PUT", f"/certificates/{first}/auto-renew", {"enabled": True})
    make_due(world, first)

    faults = quick(world).kill("hub.lifecycle.installation:InstallSteps.on_outcome", "after")
    world.hub.program = faults.command()
    world.start_hub()
    world.agents["network"].kill()
    world.start_agents("network")
    world.hub.running.wait_dead()
    assert faults.reached()

    world.start_hub()
    world.agents["network"].kill()
    world.start_agents("network")
    answer = renewed(world, first)
    new = world.certificate(answer["renewed_by_id"])
    assert new["install_state"] == "Successful"
    assert served(world.servers["nginx"].port, NAME) == new["sha256"]
    assert len(successors(world, first)) == 1
