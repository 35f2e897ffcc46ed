"""Scheduled installations and keys of agents over REST, on SQLite and on PostgreSQL."""

from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12
from sqlalchemy import select

from hub.fleet.commands import CommandFailure
from hub.lifecycle.key_access import KeyAccess
from hub.lifecycle.key_download import ACTION, DownloadWish
from hub.lifecycle.key_schemas import KeyTransferView
from hub.lifecycle.models import KeyTransfer
from hub.lifecycle.requests import Method
from pki.csrs import build_csr
from pki.key_files import DownloadContext, KeyFile, UploadContext, open_file, seal_file
from pki.keys import KeyType, encode_private_key, generate_key
from pki.names import SubjectFields
from pki.sealing import generate_receiver_key
from tests.simulators.hub_world import ADMIN

STRONG = replace(ADMIN, methods=frozenset({"password", "passkey"}))
NIGHTS = {"time_zone": "Europe/Berlin", "hour_from": 22, "hour_to": 4}


def target(agent_id, node_id="a:443"):
    return {"agent_id": agent_id, "server": "web", "node_id": node_id}


@pytest.fixture
async def agents(world):
    pks = await world.fleet.enroll("pks", organization_id=world.organization_id)
    network = await world.fleet.enroll("network", organization_id=world.organization_id)
    world.fleet.add_node(network)
    world.fleet.add_node(network, node_id="b:443")
    return pks, network


@pytest.fixture
async def kept(world, agents):
    request = world.request(method=Method.PKS, pks_agent_id=agents[0])
    enrolled = await world.lifecycle.request(ADMIN, request)
    await world.settle()
    return enrolled.id


async def test_nodes_and_times_of_a_certificate_that_was_not_asked_for_with_any(world, rest, agents, kept):
    _, network = agents
    path = f"/certificates/{kept}"
    times = {"installation": "scheduled", "schedule": NIGHTS}
    refused = {"installation": "scheduled", "schedule": NIGHTS | {"time_zone": "Europe/Atlantis"}}
    body = {"targets": [target(network)], "times": refused}
    problem = await rest.post(f"{path}/install-items", body, expect=422)
    assert [error["field"] for error in problem["errors"]] == ["install_schedule"]
    added = await rest.post(f"{path}/install-items", body | {"times": times}, expect=201)
    assert added["install_state"] == "Scheduled"
    await world.settle()
    detail = await rest.get(path)
    [step] = detail["steps"]
    # The clock stands at noon, UTC, in winter.
    assert step["due_at"].startswith("2026-11-25T21:00:00")
    assert detail["install_schedule"]["time_zone"] == "Europe/Berlin"
    assert {"set_install_schedule", "add_install_items", "download_key"} <= set(detail["actions"])

    world.clock.now = datetime(2026, 11, 25, 21, 30, tzinfo=UTC)
    await world.settle()
    detail = await rest.get(path)
    assert (detail["install_state"], detail["items"][0]["status"]) == ("Successful", "Installed")

    await rest.post(f"{path}/install-items", {"targets": [target(network, "b:443")]}, expect=201)
    item = (await rest.get(path))["items"][1]
    await rest.call("DELETE", f"{path}/install-items/{item['id']}", expect=204)
    await rest.call("DELETE", f"{path}/install-items/{item['id']}", expect=404)
    await rest.call("PUT", f"{path}/install-schedule", {"installation": "triggered"})
    await rest.post(f"{path}/restart", expect=409)


async def test_a_missed_window_and_a_restart(world, rest, agents, kept):
    _, network = agents
    path = f"/certificates/{kept}"
    world.fleet_state.needs_restart.add((network, "web", "a:443"))
    times = {"installation": "scheduled", "schedule": NIGHTS}
    await rest.post(f"{path}/install-items", {"targets": [target(network)], "times": times}, expect=201)
    await world.settle()
    world.clock.now = datetime(2026, 11, 25, 21, 30, tzinfo=UTC)
    await world.run()
    [command] = world.fleet.open_commands("InstallCertificate")

    world.clock.now = datetime(2026, 11, 26, 3, 30, tzinfo=UTC)
    await world.fleet.finish(command.id, failure=CommandFailure(reason="Expired", message=""))
    detail = await rest.get(path)
    assert (detail["install_state"], detail["items"][0]["reason"]) == ("Scheduled", "WindowMissed")
    await rest.post(f"{path}/install", expect=202)
    await world.settle()
    detail = await rest.get(path)
    assert detail["install_state"] == "Restart Required"
    assert "restart" in detail["actions"]
    await rest.post(f"{path}/restart", expect=202)
    await world.settle()
    assert (await rest.get(path))["install_state"] == "Successful"


async def test_keys_go_out_once_and_what_is_not_fetched_is_dropped(world, kept):
    downloads = world.lifecycle.key_custody.downloads
    receiver = generate_receiver_key()
    wish = DownloadWish(receiver_public_key=b64encode(receiver.public).decode())
    first = await downloads.request(STRONG, kept, wish)
    second = await downloads.request(STRONG, kept, wish)
    await world.settle()
    view = KeyTransferView.of(await downloads.read(STRONG, kept, first.id))
    context = DownloadContext(
        download_id=first.id,
        agent_id=view.agent_id,
        certificate_sha256=view.certificate_sha256,
        format="pkcs12",
    )
    file = open_file(receiver, b64decode(view.envelope), context)
    assert pkcs12.load_key_and_certificates(file.content, file.passphrase.encode())[0] is not None
    world.clock.forward(minutes=11)
    assert await world.lifecycle.key_custody.sweep() == 1
    assert (await downloads.read(STRONG, kept, second.id)).state == "Expired"
    assert await world.rows(select(KeyTransfer.envelope)) == [(None,), (None,)]


async def test_keys_come_in_and_are_removed(world, agents):
    pks, _ = agents
    key = generate_key(KeyType.EC_P256)
    csr = build_csr(key, SubjectFields(common_name="www.example.com"), ("www.example.com",))
    enrolled = await world.lifecycle.request(ADMIN, world.request(csr=csr))
    uploads = world.lifecycle.key_custody.uploads
    receiver = await uploads.receiver(STRONG, enrolled.id, pks)
    context = UploadContext(agent_id=pks, certificate_sha256=receiver.certificate_sha256)
    file = KeyFile(content=encode_private_key(key), passphrase="")
    envelope = b64encode(seal_file(receiver.agent.receiver_public_key, file, context)).decode()
    transfer = await uploads.request(STRONG, enrolled.id, agent_id=pks, envelope=envelope)
    await world.settle()
    assert (await uploads.read(STRONG, enrolled.id, transfer.id)).state == "Stored"
    await uploads.remove(STRONG, enrolled.id, confirm="www.example.com")
    await world.settle()
    assert (await world.certificate(enrolled.id)).key_agent_id is None


async def test_over_rest_a_token_without_the_privilege_reaches_no_key(world, rest, kept):
    body = {"receiver_public_key": b64encode(bytes(range(32))).decode()}
    problem = await rest.post(f"/certificates/{kept}/key-downloads", body, expect=403)
    assert ACTION in problem["detail"]
    problem = await rest.get(f"/certificates/{kept}/key-receiver?agent_id=x", expect=409)
    assert problem["code"] == "key_agent_away"
    # A token that is for everything is not for keys.
    problem = await rest.post(
        f"/certificates/{kept}/key-uploads", {"agent_id": "x", "envelope": "A" * 120}, expect=403
    )
    assert problem["code"] == "stronger_sign_in_needed"
    assert KeyAccess().requires == "second_factor"
