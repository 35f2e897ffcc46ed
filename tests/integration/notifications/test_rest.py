"""The REST of notifications behind a real web server with the real policy: scopes, faults, defaults."""

from __future__ import annotations

import contextlib

import pytest
from aiohttp import web
from sqlalchemy import update

from hub.access.models import Administrator
from hub.access.policy import PolicyAuthorizer
from hub.http.shell import ShellOptions, build_application
from hub.notifications.notice_routes import NoticeRoutes
from hub.notifications.routes import ChannelRoutes, NotificationRoutes, RuleRoutes, TemplateRoutes
from hub.notifications.rules import Recipients
from tests.integration.organizations.conftest import Client, Tokens
from tests.simulators.hub_world import ADMIN

RULES, TEMPLATES = "/notifications/rules", "/notifications/templates"


@pytest.fixture
async def client(desk):
    service = desk.service
    sets = (
        NotificationRoutes(service),
        RuleRoutes(service),
        TemplateRoutes(service),
        ChannelRoutes(service),
        NoticeRoutes(service),
    )
    application = build_application(
        sets, authenticator=Tokens(), authorizer=PolicyAuthorizer(), options=ShellOptions(over_tls=False)
    )
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        found = Client(f"http://127.0.0.1:{runner.addresses[0][1]}")
        stack.push_async_callback(found.close)
        yield found


def rule(**changes):
    values = {"name": "r", "type": "certificate_issued", "recipients": {"requester": True}}
    return values | changes


@pytest.fixture
def tokens(desk):
    organization = desk.world.organization_id
    return {
        "rita": f"rao-{organization}:ssl",
        "dora": f"drao-{organization}-{desk.department_id}:ssl",
        "otto": f"rao-{desk.world.other_organization_id}:ssl",
    }


async def names(client, path, token):
    return sorted(row["name"] for row in (await client.get(path, token=token))["items"])


async def test_everybody_sees_and_changes_what_is_theirs(desk, client, tokens):
    organization = desk.world.organization_id
    await client.post(RULES, rule(name="all"))
    own = await client.post(RULES, rule(name="own", organization_id=organization), token=tokens["rita"])
    await client.post(
        RULES,
        rule(name="web", organization_id=organization, department_id=desk.department_id),
        token=tokens["dora"],
    )
    assert await names(client, RULES, "mrao") == ["all", "own", "web"]
    assert await names(client, RULES, tokens["rita"]) == ["own", "web"]
    assert await names(client, RULES, tokens["dora"]) == ["web"]
    assert await names(client, RULES, tokens["otto"]) == []
    path = f"{RULES}/{own['id']}"
    await client.put(path, rule(name="mine", organization_id=organization), token=tokens["rita"])
    for token in (tokens["otto"], tokens["dora"]):
        await client.get(path, token=token, expect=404)
        await client.delete(path, token=token, expect=404)
    await client.delete(path, token=tokens["rita"])
    await client.post(RULES, rule(), token=tokens["rita"], expect=403)
    await client.post(RULES, rule(organization_id=organization), token=tokens["otto"], expect=404)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "nonsense"}, "type"),
        ({"name": "  "}, "name"),
        ({"days": [5]}, "days"),
        ({"type": "certificate_expiring", "days": [0]}, "days"),
        ({"type": "certificate_expiring", "days": [500]}, "days"),
        ({"minutes": 5}, "minutes"),
        ({"recipients": {}}, "recipients"),
        ({"recipients": {"addresses": ["a@example.com\r\nBcc: b@example.com"]}}, "recipients.addresses"),
        ({"type": "ca_expiring", "recipients": {"roles": ["RAO"]}}, "recipients"),
        ({"email": False, "console": False}, "email"),
        ({"digest": {"every": "daily", "time_zone": "Mars/Olympus"}}, "digest.time_zone"),
        ({"digest": {"every": "daily", "time_zone": "../../etc/passwd"}}, "digest.time_zone"),
        ({"profile_ids": [4711]}, "profile_ids"),
        ({"channel_ids": [4711]}, "channel_ids"),
        ({"certificate_types": ["pigeon"]}, "certificate_types"),
        ({"department_id": 1}, "department_id"),
    ],
)
async def test_faults_of_a_rule_are_named(client, changes, field):
    status = 404 if field in {"type", "channel_ids"} else 400
    _, fields = await client.refusal("POST", RULES, rule(**changes), status=status)
    assert field in fields


async def test_words_of_an_organization_count_before_those_of_all(desk, client, tokens):
    organization = desk.world.organization_id
    await desk.rule("certificate_requested", console=False)
    words = {"subject": "Of all: ${object_id}", "body": "x"}
    code, fields = await client.refusal("PUT", f"{TEMPLATES}/certificate_requested", words, status=400)
    assert (code, set(fields)) == ("notification_template_invalid", {"subject"})
    words["subject"] = "Of all"
    await client.put(f"{TEMPLATES}/certificate_requested", words, expect=204)
    await client.put(f"{TEMPLATES}/certificate_requested", words, token=tokens["rita"], expect=403)
    own = f"{TEMPLATES}/certificate_requested?organization_id={organization}"
    await client.put(own, {"subject": "Our own", "body": "x"}, token=tokens["rita"], expect=204)
    await client.put(own, words, token=tokens["otto"], expect=404)

    async def subjects():
        for place in (organization, desk.world.other_organization_id):
            await desk.happen("CertificateRequested", object_id=901, organization_id=place)
        await desk.take_over()
        return [row.subject for row in (await desk.rows())[-2:]]

    assert await subjects() == ["Our own", "Of all"]
    assert len((await client.get(TEMPLATES, token=tokens["otto"]))["items"]) == 1
    await client.delete(own, token=tokens["rita"])
    await client.delete(f"{TEMPLATES}/certificate_requested")
    assert await subjects() == ["Requested: certificate for"] * 2


async def test_words_in_the_readers_language(desk, client):
    await desk.rule("certificate_requested", console=False, recipients=Recipients(roles=("RAO", "MRAO")))
    german = f"{TEMPLATES}/certificate_requested?language=de"
    await client.put(german, {"subject": "Beantragt", "body": "x"}, expect=204)
    async with desk.db.write() as uow:
        await uow.session.execute(
            update(Administrator).where(Administrator.username == "rita").values(locale="de-AT")
        )
    await desk.happen("CertificateRequested", object_id=901, organization_id=desk.world.organization_id)
    await desk.take_over()
    told = {row.recipient: row.subject for row in await desk.rows()}
    assert told["rita@example.com"] == "Beantragt"
    assert told["mona@example.com"] == "Requested: certificate for"


async def test_a_preview_with_a_real_object_shows_only_ones_own(desk, client, tokens):
    certificate = await desk.world.lifecycle.request(ADMIN, desk.world.request())
    body = {"subject": "${common_name}", "body": "${organization}", "object_id": str(certificate.id)}
    path = f"{TEMPLATES}/certificate_issued/preview"
    shown = await client.post(path, body, token=tokens["rita"], expect=200)
    assert shown == {"subject": "www.example.com", "body": "Example Ltd\n"}
    await client.post(path, body, token=tokens["otto"], expect=404)
    await client.post(path, body | {"object_id": "4711"}, token=tokens["rita"], expect=404)


async def test_a_test_message_is_mailed(desk, client):
    body = {"subject": "${common_name}", "body": "x", "to": "me@example.com"}
    tried = await client.post(f"{TEMPLATES}/certificate_issued/test", body, expect=200)
    assert tried["ok"]
    assert desk.mail.messages[0]["Subject"] == "[Test] www.example.com"


async def test_what_was_sent_is_listed_for_who_may_see_it(desk, client, tokens):
    await desk.rule("certificate_requested")
    await desk.happen("CertificateRequested", object_id=901, organization_id=desk.world.organization_id)
    await desk.take_over()
    await desk.deliver()
    page = await client.get("/notifications?filter=certificate_id:eq:901", token=tokens["rita"])
    assert {(row["channel_kind"], row["state"]) for row in page["items"]} == {
        ("console", "Sent"),
        ("email", "Sent"),
    }
    mail = next(row for row in page["items"] if row["channel_kind"] == "email")
    path = f"/notifications/{mail['id']}"
    assert "requested" in (await client.get(path, token=tokens["rita"]))["body"]
    assert (await client.get("/notifications", token=tokens["otto"]))["items"] == []
    await client.get(path, token=tokens["otto"], expect=404)
    await client.post(f"{path}/resend", token=tokens["otto"], expect=404)
    again = await client.post(f"{path}/resend", token=tokens["rita"], expect=202)
    assert (again["state"], again["edition"]) == ("Queued", 2)
    await client.post(f"{path}/resend", token=tokens["rita"], expect=409)


async def test_a_new_hub_has_rules_for_what_fails(desk, client):
    async with desk.db.write() as uow:
        assert await desk.service.install_defaults(uow) > 20
        assert await desk.service.install_defaults(uow) == 0
    rules = {row["type"]: row for row in (await client.get(f"{RULES}?limit=100"))["items"]}
    for failing in ("renewal_failed", "renewal_at_risk", "install_failed", "agent_offline"):
        assert {"MRAO", "RAO"} <= set(rules[failing]["recipients"]["roles"])
        assert rules[failing]["organization_id"] is None
    assert all(row["enabled"] for row in rules.values())
