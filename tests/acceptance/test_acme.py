"""A public CA's protocol in whole processes: the hub is killed in the middle, an agent proves the name."""

import asyncio
import json

import pytest

from tests.acceptance.signing_requests import csr, pem
from tests.integration.acme_upstream.pebble import PebbleSpec, start_pebble
from tests.integration.dcv.dns_server import LoopbackDns

NAME = "acme.test"


@pytest.fixture
def pebble(tmp_path):
    dns = LoopbackDns()
    dns.zone.set(NAME, "A", "127.0.0.1")
    found = asyncio.run(start_pebble(tmp_path / "pebble", PebbleSpec(dns_port=dns.port)))
    yield found
    found.stop()
    dns.stop()


def profile_at(world, pebble, **settings):
    """Make a backend at a Pebble, and a profile that orders there; returns their ids."""
    values = {
        "directory_url": pebble.url,
        "ca_bundle": pebble.ca_bundle,
        "terms_agreed": True,
        "agent_id": world.agent_id("network"),
    }
    body = {"name": "Pebble", "kind": "acme", "settings": values | settings}
    backend = world.api.post("/ca-backends", body)
    assert world.api.post(f"/ca-backends/{backend['id']}/test")["ok"]
    profile = world.api.post(
        "/profiles",
        {
            "name": "From Pebble",
            "backend_id": backend["id"],
            "terms_days": [90],
            "key_types": ["EC-P256"],
            "auto_approve": True,
        },
    )
    return backend["id"], profile["id"]


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_a_hub_that_is_killed_goes_on_with_the_same_order(world, pebble, challenge):
    setting, port = {
        "http-01": ("http_listen", pebble.http_port),
        "tls-alpn-01": ("tls_listen", pebble.tls_port),
    }[challenge]
    world.start_hub()
    world.agents["network"].write_policy(
        f'commands = ["ServeChallenge", "WithdrawChallenge"]\n[challenges]\n{setting} = "127.0.0.1:{port}"\n'
    )
    backend_id, profile_id = profile_at(world, pebble, challenges=[challenge])
    ask = {"method": "csr", "csr": pem(csr(NAME)), "key_type": None, "pks_agent_id": None}
    # Nobody can prove the name yet: the order waits at the CA.
    certificate_id = world.request(NAME, profile_id=profile_id, **ask)
    waiting = world.until(certificate_id, lambda it: it["order_number"])
    assert waiting["status"] == "Applied"
    world.hub.kill()
    world.start_hub()
    world.start_agents("network")
    issued = world.until(certificate_id, lambda it: it["status"] == "Issued", timeout_s=240)
    assert pebble.log_text().count("Added order") == 1
    assert issued["subject_alternative_names"] == [NAME]
    world.api.post(f"/certificates/{certificate_id}/revoke", {"reason": "superseded"})
    serial = issued["serial_number"]
    status = json.loads(revoked(pebble, serial))
    assert status["Status"] == "Revoked"
    stored = world.query("SELECT name, locked FROM ca_keepsakes")
    assert {name.partition(":")[0] for name, _ in stored} == {"account", "leaf", "order"}
    assert not any(b"PRIVATE KEY" in locked for _, locked in stored)
    settings = world.api.get(f"/ca-backends/{backend_id}")["settings"]
    assert "eab_hmac_key" not in settings


def revoked(pebble, serial: str) -> bytes:
    async def ask() -> bytes:
        end = asyncio.get_running_loop().time() + 20
        while b"Revoked" not in (answer := await pebble.management(f"cert-status-by-serial/{serial}")):
            assert asyncio.get_running_loop().time() < end, answer
            await asyncio.sleep(0.1)
        return answer

    return asyncio.run(ask())
