"""Webhooks and chats against receivers that hold the hub to the services' documentation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from aiohttp import web
from sqlalchemy import select

from hub.access.models import AuditEntry
from hub.notifications.channel_store import ChannelFields
from hub.notifications.errors import (
    ChannelInUse,
    ChannelKindUnknown,
    ChannelNameTaken,
    ChannelNotFound,
    ChannelSettingsInvalid,
)
from hub.notifications.models import NotificationChannel
from hub.notifications.rules import Recipients
from tests.simulators.chat_services import ChatServices
from tests.simulators.hub_world import ADMIN

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.fixture
async def services():
    found = ChatServices()
    runner = web.AppRunner(found.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


async def channel(desk, kind, url, *, principal=ADMIN, **fields):
    settings = {"url": url} | ({"secret": SECRET} if kind == "webhook" else {})
    values = {"name": kind, "kind": kind, "settings": settings} | fields
    return await desk.service.create_channel(principal, ChannelFields(**values))


async def told(desk, channel_id, type_="renewal_failed", **data):
    await desk.rule(type_, console=False, email=False, channel_ids=(channel_id,), recipients=Recipients())
    kind, base = {
        "renewal_failed": ("RenewalFinished", {"renewal_state": "Failed"}),
        "certificate_revoked": ("CertificateRevoked", {}),
    }[type_]
    await desk.happen(kind, object_id=901, organization_id=desk.world.organization_id, data={**base, **data})
    await desk.take_over()
    await desk.deliver()


def verified(headers, body):
    """Verify as the specification tells receivers to."""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [item.partition(",")[2] for item in headers["webhook-signature"].split(" ")]
    return any(hmac.compare_digest(expected, each) for each in given)


async def test_a_webhook_is_signed_and_keeps_its_id_when_it_comes_again(desk, services):
    channel_id = await channel(desk, "webhook", services.url + "/webhook")
    services.cut = 1
    await told(desk, channel_id, "certificate_revoked", reason="keyCompromise")
    assert await desk.states() == ["Queued"]  # told apart by its id, so it may come again
    desk.world.clock.forward(minutes=1)
    await desk.deliver()
    assert await desk.states() == ["Sent"]
    first, second = services.raw
    assert verified(*first)
    assert verified(*second)
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert int(second[0]["webhook-timestamp"]) >= int(first[0]["webhook-timestamp"]) + 60
    event = json.loads(second[1])
    assert event["type"] == "certificate_revoked"
    assert (event["data"]["object_id"], event["data"]["reason"]) == ("901", "keyCompromise")


@pytest.mark.parametrize("kind", ["slack", "teams", "mattermost"])
@pytest.mark.parametrize("long", [False, True])
async def test_chats_take_what_is_posted(desk, services, kind, long):
    channel_id = await channel(desk, kind, f"{services.url}/{kind}")
    message = "<!channel> *The CA* & [others](https://evil.example) say @all no" * (200 if long else 1)
    await told(desk, channel_id, reason="Quota<Exceeded>", message=message)
    assert await desk.states() == ["Sent"]
    ((_, document),) = services.posts
    text = json.dumps(document)
    assert "Renewal failed" in text
    assert "<!channel>" not in text or kind != "slack"
    if kind == "mattermost":
        assert " @all" not in text


@pytest.mark.parametrize("kind", ["slack", "teams", "mattermost"])
async def test_chats_take_a_digest_of_many(desk, services, kind):
    channel_id = await channel(desk, kind, f"{services.url}/{kind}")
    await desk.rule(
        "certificate_revoked", console=False, email=False, channel_ids=(channel_id,), recipients=Recipients()
    )
    for number in range(60):
        await desk.happen("CertificateRevoked", object_id=number, organization_id=desk.world.organization_id)
    await desk.take_over()
    await desk.deliver()
    assert set(await desk.states()) == {"Sent"}
    assert len(services.posts) == 1


async def test_who_is_asked_to_slow_down_does(desk, services):
    channel_id = await channel(desk, "slack", services.url + "/slack")
    services.answers.append((429, {"Retry-After": "300"}, "rate_limited"))
    await told(desk, channel_id)
    (row,) = await desk.rows()
    assert (row.state, row.reason) == ("Queued", "RateLimited")
    desk.world.clock.forward(seconds=290)
    await desk.deliver()
    assert services.posts == []
    assert "RateLimited" in (await desk.service.channel(ADMIN, channel_id)).problem
    desk.world.clock.forward(seconds=11)
    await desk.deliver()
    assert len(services.posts) == 1
    assert (await desk.service.channel(ADMIN, channel_id)).problem == ""


async def test_a_channel_that_is_gone_is_given_up(desk, services):
    channel_id = await channel(desk, "slack", services.url + "/slack")
    services.answers.append((404, {}, "no_service"))
    await told(desk, channel_id)
    (row,) = await desk.rows()
    assert (row.state, row.reason) == ("Failed", "HttpStatus")
    assert "no_service" in row.message


async def test_a_redirect_is_not_followed(desk, services):
    channel_id = await channel(desk, "slack", services.url + "/slack")
    services.answers.append((302, {"Location": services.url + "/webhook"}, ""))
    await told(desk, channel_id)
    assert await desk.states() == ["Failed"]
    assert services.posts == []


@pytest.mark.parametrize("kind", ["webhook", "slack"])
async def test_the_hubs_own_network_is_not_posted_to(desk, services, kind):
    desk.open(allowed_networks=())
    channel_id = await channel(desk, kind, f"{services.url}/{kind}")
    await told(desk, channel_id)
    (row,) = await desk.rows()
    assert (row.state, row.reason) == ("Queued", "AddressRefused")
    assert services.raw == []
    tried = await desk.service.test_channel(ADMIN, channel_id)
    assert not tried.ok
    assert "notification_allowed_networks" in tried.message


async def test_a_mail_channel_can_not_reach_into_the_hubs_network(desk):
    desk.open(allowed_networks=())
    settings = {"host": "127.0.0.1", "port": desk.mail.port, "security": "none", "sender": "a@example.com"}
    channel_id = await desk.service.create_channel(
        ADMIN, ChannelFields(name="own", kind="email", settings=settings)
    )
    tried = await desk.service.test_channel(ADMIN, channel_id)
    assert "AddressRefused" in tried.message
    assert desk.mail.connections == 0


async def test_an_organizations_own_mail_server_is_used_for_its_mail(desk):
    settings = {"host": "127.0.0.1", "port": desk.mail.port, "security": "none", "sender": "own@example.org"}
    await desk.service.create_channel(
        ADMIN,
        ChannelFields(
            name="own", kind="email", settings=settings, organization_id=desk.world.organization_id
        ),
    )
    await desk.rule("certificate_requested", console=False)
    for organization in (desk.world.organization_id, desk.world.other_organization_id):
        await desk.happen("CertificateRequested", object_id=organization, organization_id=organization)
    await desk.take_over()
    await desk.deliver()
    assert sorted((mail["To"], mail["From"]) for mail in desk.mail.messages) == [
        ("otto@example.com", "Certwright <hub@example.com>"),
        ("rita@example.com", "own@example.org"),
    ]


@pytest.mark.parametrize("kind", ["webhook", "slack", "teams", "mattermost"])
async def test_the_test_button(desk, services, kind):
    channel_id = await channel(desk, kind, f"{services.url}/{kind}")
    tried = await desk.service.test_channel(ADMIN, channel_id)
    assert tried.ok, tried.message
    services.answers.append((500, {}, "oops"))
    tried = await desk.service.test_channel(ADMIN, channel_id)
    assert (tried.ok, tried.message) == (False, "HttpStatus: status 500: oops")


async def test_secrets_are_stored_encrypted_and_shown_nowhere(desk, services):
    channel_id = await channel(desk, "slack", services.url + "/slack")
    async with desk.db.read() as session:
        row = (await session.execute(select(NotificationChannel.__table__))).one()
        told_to_audit = json.dumps([entry.details for entry in await session.scalars(select(AuditEntry))])
    stored = json.dumps(row.settings) + row.secrets.hex()
    assert "slack" not in stored
    assert (b"/slack").hex() not in stored
    assert services.url not in told_to_audit
    assert "url" not in (await desk.service.channel(ADMIN, channel_id)).settings


async def test_secrets_that_a_change_leaves_out_stay(desk, services):
    channel_id = await channel(desk, "webhook", services.url + "/nowhere")
    change = ChannelFields(name="renamed", kind="webhook", settings={"url": services.url + "/webhook"})
    await desk.service.change_channel(ADMIN, channel_id, change)
    await desk.service.test_channel(ADMIN, channel_id)
    assert verified(*services.raw[-1])


async def test_what_is_wrong_with_a_channel(desk, services):
    url = services.url + "/slack"
    channel_id = await channel(desk, "slack", url)
    with pytest.raises(ChannelNameTaken):
        await channel(desk, "slack", url)
    with pytest.raises(ChannelKindUnknown):
        await channel(desk, "pigeon", url)
    with pytest.raises(ChannelSettingsInvalid) as caught:
        await channel(desk, "webhook", "ftp://example.com", name="other")
    assert caught.value.field == "settings.url"
    with pytest.raises(ChannelSettingsInvalid) as caught:
        await channel(desk, "webhook", url, name="x", settings={"url": url, "secret": "whsec_short"})
    assert caught.value.field == "settings.secret"
    await desk.rule("certificate_revoked", channel_ids=(channel_id,))
    with pytest.raises(ChannelInUse):
        await desk.service.remove_channel(ADMIN, channel_id)


async def test_a_rule_can_not_send_through_others_channels(desk, services):
    theirs = await channel(
        desk, "slack", services.url + "/slack", organization_id=desk.world.other_organization_id
    )
    everybodys = await channel(desk, "teams", services.url + "/teams")
    for channel_id in (theirs, everybodys, 4711):
        with pytest.raises(ChannelNotFound):
            await desk.rule(
                "certificate_revoked",
                principal=desk.who("rita"),
                organization_id=desk.world.organization_id,
                channel_ids=(channel_id,),
            )


async def test_a_channel_that_is_switched_off_is_visibly_unused(desk, services):
    channel_id = await channel(desk, "slack", services.url + "/slack", enabled=False)
    await told(desk, channel_id)
    (row,) = await desk.rows()
    assert (row.state, row.reason) == ("Suppressed", "ChannelDisabled")
