"""SIGTERM: the hub answers what it has begun and ends with 0; what is left goes on after the next start."""

import ssl
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.acceptance.faulty import Faults
from tests.acceptance.signing_requests import csr, pem
from tests.acceptance.world import wait_for


def test_a_stopping_hub_answers_the_requests_that_it_has_taken(world):
    world.hub.start()
    world.api.call("PATCH", f"/profiles/{world.profile()['id']}", {"auto_approve": True})
    world.hub.stop()
    faults = Faults(world.folder, "hub").hold(
        "hub.issuers.private_ca.backend:PrivateCaBackend.submit", "before"
    )
    world.hub.program = faults.command()
    world.start_hub()
    world.start_agents()

    with ThreadPoolExecutor(1) as clients:
        request = {"method": "csr", "csr": pem(csr("last.test")), "key_type": None, "pks_agent_id": None}
        answer = clients.submit(world.request, "", **request)
        wait_for(faults.reached, "the CA is asked")
        world.hub.running.process.terminate()
        wait_for(lambda: world.said("pks", "disconnected"), "the hub is stopping")
        faults.release()
        certificate_id = answer.result(20)
        assert world.hub.running.wait_dead() == 0

    ((status,),) = world.query(f"SELECT status FROM certificates WHERE id = {certificate_id}")
    assert status == "Issued"
    # Nobody is left as connected, and both agents come back by themselves.
    assert world.query("SELECT count(*) FROM agents WHERE session_id IS NOT NULL") == [(0,)]
    world.hub.start()
    world.connected("network")
    world.connected("pks")


def test_a_hub_that_is_stopped_while_agents_work_gets_their_answers_after_its_next_start(world):
    faults = Faults(world.folder, "agent").hold(
        "agents.runtime.key_commands:GenerateCertificateHandler.run", "before"
    )
    world.agents["pks"].program = faults.command()
    world.start_hub()
    world.start_agents("pks")
    certificate_id = world.request("later.test")
    wait_for(faults.reached, "the agent is at work")

    assert world.hub.stop() == 0
    faults.release()
    wait_for(lambda: world.said("pks", "command_finished"), "the agent is done")
    world.hub.start()

    world.until(certificate_id, lambda it: it["csr"] is not None)
    assert len(world.said("pks", "command_started")) == 1


@pytest.mark.parametrize("kind", ["network", "pks"])
def test_an_idle_agent_ends_with_0_and_is_shown_as_gone_at_once(world, kind):
    world.start_hub()
    world.start_agents(kind)

    assert world.agents[kind].stop() == 0

    path = f"/agents/{world.agent_id(kind)}"
    world.api.wait(path, lambda it: not it["connected"], timeout_s=5)


def test_an_open_event_stream_does_not_keep_a_hub_from_stopping(world):
    world.start_hub()
    request = urllib.request.Request(
        f"{world.hub.url}/api/v1/events",
        headers={
            "Authorization": f"Bearer {world.hub.credentials['api_token']}",
            "Accept": "text/event-stream",
        },
    )
    context = ssl.create_default_context(cafile=str(world.hub.data_dir / "ca.pem"))
    with urllib.request.urlopen(request, context=context, timeout=30) as stream:
        assert stream.headers.get_content_type() == "text/event-stream"
        rest = []
        reader = threading.Thread(target=lambda: rest.append(stream.read()))
        reader.start()
        assert world.hub.running.stop(timeout_s=10) == 0
        reader.join(10)
        assert not reader.is_alive()
