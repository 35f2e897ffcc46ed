from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from typing import ClassVar

import aiohttp
import pytest
from aiohttp import web
from certwright.agent.v1 import commands_pb2
from sqlalchemy import select

from agents.runtime.tokens import parse_token
from hub.access.models import AuditEntry
from hub.access.policy import PolicyAuthorizer
from hub.access.privileges import PRIVILEGES
from hub.db.errors import Unauthenticated
from hub.fleet.commands import ExportKey, SealedKey, StoreCertificate
from hub.fleet.routes import fleet_routes
from hub.http.principal import Principal, Role, RoleGrant
from hub.http.shell import ShellOptions, build_application
from tests.integration.fleet.conftest import Hub
from tests.integration.fleet.fake_agent import FakeAgent


def principal(name: str, role: Role, organization_id: int | None = None) -> Principal:
    grant = RoleGrant(role=role, organization_id=organization_id)
    held = frozenset(each.name for each in PRIVILEGES if role in each.roles and not each.restricts)
    return Principal(kind="administrator", id=name, name=name, grants=(grant,), privileges=held)


class KnownTokens:
    principals: ClassVar = {
        "mrao": principal("mrao", Role.MRAO),
        "rao-a": principal("rao-a", Role.RAO, 1),
        "rao-b": principal("rao-b", Role.RAO, 2),
        "drao-a": principal("drao-a", Role.DRAO, 1),
    }

    async def by_api_token(self, token):
        if token in self.principals:
            return self.principals[token]
        raise Unauthenticated

    async def by_session(self, token):
        raise Unauthenticated


class Api:
    def __init__(self, client: aiohttp.ClientSession) -> None:
        self._client = client

    async def call(self, method: str, path: str, *, who: str = "mrao", expect: int = 200, **options):
        headers = {"Authorization": f"Bearer {who}"}
        async with self._client.request(method, f"/api/v1{path}", headers=headers, **options) as response:
            text = await response.text()
            assert response.status == expect, text
            if response.content_type.endswith("json"):
                return await response.json(content_type=None)
            return text


@pytest.fixture
async def api(hub: Hub):
    async with AsyncExitStack() as stack:
        application = build_application(
            fleet_routes(hub.service, hub.server.addresses, base_url="https://hub.example"),
            authenticator=KnownTokens(),
            authorizer=PolicyAuthorizer(),
            options=ShellOptions(over_tls=False),
        )
        runner = web.AppRunner(application, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        client = await stack.enter_async_context(aiohttp.ClientSession(f"http://{host}:{port}"))
        yield Api(client)


async def test_agents_are_listed_read_renamed_and_removed(hub: Hub, api: Api):
    agent = await hub.connected()
    page = await api.call("GET", "/agents")
    assert [(row["id"], row["connected"], row["kind"]) for row in page["items"]] == [
        (agent.agent_id, True, "network")
    ]
    detail = await api.call("GET", f"/agents/{agent.agent_id}")
    assert "DeleteKey" in detail["capabilities"]
    changed = await api.call("PATCH", f"/agents/{agent.agent_id}", json={"name": "Front door"})
    assert changed["name"] == "Front door"
    await api.call("DELETE", f"/agents/{agent.agent_id}", expect=204)
    assert (await agent.ended()).details.startswith("AgentRemoved")
    gone = await api.call("GET", f"/agents/{agent.agent_id}")
    assert (gone["status"], gone["connected"]) == ("removed", False)
    await api.call("DELETE", f"/agents/{agent.agent_id}", expect=409)
    async with hub.db.read() as session:
        actions = (await session.execute(select(AuditEntry.actor_name, AuditEntry.action))).all()
    assert [tuple(row) for row in actions] == [
        ("system", "EnrollmentTokenCreated"),
        ("mrao", "AgentRenamed"),
        ("mrao", "AgentRemoved"),
    ]


async def test_agents_filter_by_what_they_do(hub: Hub, api: Api):
    connected, away = await hub.connected(), await hub.enrolled(kind="pks")
    for query, expected in (
        ("filter=connected:eq:true", connected),
        ("filter=kind:eq:pks", away),
        (f"q={away.agent_id[:8]}", away),
    ):
        page = await api.call("GET", f"/agents?{query}")
        assert [row["id"] for row in page["items"]] == [expected.agent_id]
    assert "web-1" in await api.call("GET", "/agents?format=csv")


async def test_organizations_don_t_see_one_another_s_agents_and_commands(hub: Hub, api: Api):
    mine, theirs = await hub.enrolled(organization_id=1), await hub.enrolled(organization_id=2)
    everybody_s = await hub.enrolled(organization_id=None)
    command_id = await hub.enqueue(theirs, organization_id=2)
    page = await api.call("GET", "/agents", who="rao-a")
    assert {row["id"] for row in page["items"]} == {mine.agent_id, everybody_s.agent_id}
    for path in (
        f"/agents/{theirs.agent_id}",
        f"/commands/{command_id}",
        f"/agents/{theirs.agent_id}/servers",
    ):
        await api.call("GET", path, who="rao-a", expect=404)
        await api.call("GET", path, who="rao-b")
    await api.call("POST", f"/commands/{command_id}/cancel", who="rao-a", expect=404)
    await api.call("DELETE", f"/agents/{theirs.agent_id}", who="rao-a", expect=404)
    # One that serves everybody is not one administrator's to remove.
    await api.call("GET", f"/agents/{everybody_s.agent_id}", who="rao-a")
    await api.call("DELETE", f"/agents/{everybody_s.agent_id}", who="rao-a", expect=403)
    await api.call("DELETE", f"/agents/{mine.agent_id}", who="drao-a", expect=403)
    assert (await api.call("GET", "/commands", who="rao-a"))["items"] == []


async def test_a_command_shows_its_body_timeline_and_result_and_no_key_material(hub: Hub, api: Api):
    agent = await hub.connected()
    body = StoreCertificate(
        key_id="web",
        chain=(b"certificate",),
        sealed_key=SealedKey(envelope=b"SECRETENVELOPE", spki_sha256=b"\x01" * 32, sender_agent_id="p"),
    )
    command_id = await hub.enqueue(agent, body)
    await agent.command()
    await agent.accept(command_id)
    await hub.state(command_id, "accepted")
    shown = await api.call("GET", f"/commands/{command_id}")
    assert (shown["state"], shown["state_name"], shown["agent_name"]) == ("accepted", "In Progress", "web-1")
    assert shown["body"]["sealed_key"] == {
        "envelope": "14 bytes",
        "spki_sha256": "01" * 32,
        "sender_agent_id": "p",
    }
    assert len(shown["body"]["chain"][0]) == 64
    assert [entry["what"] for entry in shown["timeline"]] == ["queued", "sent", "accepted", "deadline"]
    stored = commands_pb2.CertificateStored(key_id="web", certificate_sha256=b"\x02" * 32)
    await agent.succeed(command_id, certificate_stored=stored)
    await agent.expect("done_committed")
    shown = await api.call("GET", f"/commands/{command_id}")
    assert (shown["state_name"], shown["result"]["certificate_sha256"]) == ("Successful", "02" * 32)
    assert "SECRET" not in str(shown)
    assert [entry["what"] for entry in shown["timeline"]] == ["queued", "sent", "accepted", "finished"]


async def test_a_key_that_is_asked_for_shows_for_whom(hub: Hub, api: Api):
    agent = await hub.enrolled()
    command_id = await hub.enqueue(
        agent, ExportKey(key_id="web", receiver_public_key=b"\x03" * 32, receiver_agent_id="r")
    )
    shown = await api.call("GET", f"/commands/{command_id}")
    assert shown["body"] == {
        "key_id": "web",
        "receiver_public_key": "03" * 32,
        "receiver_agent_id": "r",
    }


async def test_commands_are_cancelled_and_tried_again(hub: Hub, api: Api):
    agent = await hub.enrolled()
    command_id = await hub.enqueue(agent)
    await api.call("POST", f"/commands/{command_id}/retry", expect=409)
    shown = await api.call("POST", f"/commands/{command_id}/cancel")
    assert (shown["state"], shown["state_name"]) == ("cancelled", "Canceled")
    await api.call("POST", f"/commands/{command_id}/cancel", expect=409)
    again = (await api.call("POST", f"/commands/{command_id}/retry", expect=202))["command_id"]
    assert again != command_id
    # Twice the button is once the command.
    assert (await api.call("POST", f"/commands/{command_id}/retry", expect=202))["command_id"] == again
    shown = await api.call("GET", f"/commands/{again}")
    assert (shown["retry_of"], shown["requested_by"], shown["state"]) == (command_id, "mrao", "queued")
    page = await api.call("GET", f"/agents/{agent.agent_id}/commands")
    assert [row["id"] for row in page["items"]] == [again, command_id]
    page = await api.call("GET", "/commands?filter=state:eq:queued")
    assert [row["id"] for row in page["items"]] == [again]
    await api.call("GET", "/commands/nonsense", expect=404)


async def test_servers_are_discovered_on_demand(hub: Hub, api: Api):
    agent = await hub.connected()
    path = f"/agents/{agent.agent_id}"
    queued = await api.call("POST", f"{path}/discover-servers", who="rao-a", expect=202)
    envelope = await agent.command()
    assert (envelope.command_id, envelope.WhichOneof("body")) == (queued["command_id"], "discover_servers")
    port = commands_pb2.NodePort(address="::", port=443, protocol="https")
    node = commands_pb2.ServerNode(id="www", names=["www.example.com"], ports=[port], manageable=True)
    server = commands_pb2.Server(name="nginx", kind="nginx", version="1.22", nodes=[node])
    await agent.succeed(envelope.command_id, server_inventory=commands_pb2.ServerInventory(servers=[server]))
    await agent.expect("done_committed")
    tree = await api.call("GET", f"{path}/servers")
    assert tree["servers"][0]["nodes"][0]["names"] == ["www.example.com"]
    assert tree["servers"][0]["nodes"][0]["ports"][0]["port"] == 443


async def test_a_token_is_shown_once_works_and_can_be_withdrawn(hub: Hub, api: Api):
    created = await api.call(
        "POST",
        "/enrollment-tokens",
        who="rao-a",
        json={"kinds": ["network"], "organization_id": 1},
        expect=201,
    )
    token = parse_token(created["token"])
    await FakeAgent.enroll(token.address, hub.authority.ca_pem, token.secret)
    listed = (await api.call("GET", "/enrollment-tokens", who="rao-a"))["items"]
    assert [(row["id"], row["status"], row["created_by"]) for row in listed] == [
        (created["id"], "used", "rao-a")
    ]
    assert token.secret.partition(".")[2] not in str(listed)
    body = {"kinds": ["pks"], "organization_id": 1, "lifetime_hours": 1}
    other = await api.call("POST", "/enrollment-tokens", json=body, expect=201)
    await api.call("DELETE", f"/enrollment-tokens/{other['id']}", who="rao-b", expect=404)
    await api.call("DELETE", f"/enrollment-tokens/{other['id']}", who="rao-a", expect=204)
    page = await api.call("GET", "/enrollment-tokens?sort=-created_at")
    assert [row["status"] for row in page["items"]] == ["revoked", "used"]
    hub.clock.ahead += timedelta(hours=2)


@pytest.mark.parametrize(
    ("who", "body", "expect"),
    [
        ("rao-a", {"kinds": ["network"], "organization_id": 2}, 404),
        ("rao-a", {"kinds": ["network"]}, 403),
        ("drao-a", {"kinds": ["network"], "organization_id": 1}, 403),
        ("mrao", {"kinds": []}, 400),
        ("mrao", {"kinds": ["toaster"]}, 400),
        ("mrao", {"kinds": ["network"], "lifetime_hours": 0}, 400),
    ],
)
async def test_tokens_that_may_not_be_made(hub: Hub, api: Api, who: str, body: dict, expect: int):
    await api.call("POST", "/enrollment-tokens", who=who, json=body, expect=expect)
