"""Domain validation over HTTP: the admin API with its scopes, and the page behind a mailed link."""

import csv
import dataclasses
import io
import socket
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from hub.access.policy import PolicyAuthorizer
from hub.access.privileges import PRIVILEGES
from hub.db.errors import Unauthenticated
from hub.http.principal import Principal, Role, RoleGrant
from hub.http.shell import ShellOptions, build_application
from hub.organizations.dcv.confirmation_page import ConfirmationRoutes
from hub.organizations.dcv.contract import Mail
from hub.organizations.dcv.errors import MailNotSent
from hub.organizations.dcv.mailing import SmtpMailer, SmtpSettings
from hub.organizations.dcv.routes import DcvRoutes, DnsWriterRoutes


def principal(name, role, organization_id=None, *, privileged=True):
    grant = RoleGrant(role=role, organization_id=organization_id)
    held = [each.name for each in PRIVILEGES if role in each.roles and not each.restricts]
    return Principal(
        kind="administrator",
        id=name,
        name=name,
        grants=(grant,),
        privileges=frozenset(held if privileged else ()),
    )


class Tokens:
    def __init__(self, world):
        self.known = {
            "mrao": principal("mrao", Role.MRAO),
            "rao": principal("rao", Role.RAO, world.organization_id),
            "plain": principal("plain", Role.RAO, world.organization_id, privileged=False),
            "other": principal("other", Role.RAO, world.other_organization_id),
        }

    async def by_api_token(self, token):
        if token in self.known:
            return self.known[token]
        raise Unauthenticated

    async def by_session(self, token):
        raise Unauthenticated

    async def admit(self, principal, address):
        del principal, address


class Api:
    def __init__(self, client):
        self.client = client

    async def __call__(self, method, path, *, who="mrao", expect=200, **options):
        headers = {"Authorization": f"Bearer {who}"} if who else {}
        path = path if path.startswith("/dcv/confirm") else f"/api/v1{path}"
        async with self.client.request(method, path, headers=headers, **options) as response:
            text = await response.text()
            assert response.status == expect, text
            if response.content_type.endswith("json"):
                return await response.json(content_type=None)
            return text


class Received(Message):
    def __init__(self):
        super().__init__()
        self.messages = []

    def handle_message(self, message):
        self.messages.append(message)


@pytest.fixture
def smtp():
    handler = Received()
    # Its own way of finding a free port would connect to port 0.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield controller
    controller.stop()


def smtp_settings(smtp, **changes):
    values = {"host": "127.0.0.1", "port": smtp.port, "sender": "hub@hub.example", "security": "none"}
    return SmtpSettings(**(values | changes))


@pytest.fixture
async def dcv(world, smtp):
    service = world.hub()
    service.tools = dataclasses.replace(service.tools, mailer=SmtpMailer(smtp_settings(smtp)))
    service.mails._tools = service.tools
    return service


@pytest.fixture
async def api(world, dcv):
    async with AsyncExitStack() as stack:
        application = build_application(
            [DcvRoutes(dcv), DnsWriterRoutes(dcv), ConfirmationRoutes(dcv)],
            authenticator=Tokens(world),
            authorizer=PolicyAuthorizer(),
            options=ShellOptions(over_tls=False),
        )
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield Api(await stack.enter_async_context(aiohttp.ClientSession(base)))


def body(world, **changes):
    values = {"organization_id": world.organization_id, "domain": "example.com", "method": "dns_txt"}
    return {"json": values | changes}


async def test_start_check_and_list(world, api, dns):
    started = await api("POST", "/dcv", who="rao", expect=201, **body(world))
    assert started["state"] == "pending"
    record = started["instructions"]["record"]
    path = f"/dcv/{started['id']}"
    checked = await api("POST", f"{path}/check", who="rao")
    assert (checked["proved"], checked["reason"]) == (False, "NameNotFound")
    dns.zone.set(record["name"], "TXT", record["value"])
    checked = await api("POST", f"{path}/check", who="rao")
    assert (checked["proved"], checked["reason"]) == (True, "")
    assert checked["validation"]["state"] == "validated"
    page = await api("GET", "/dcv?filter=state:eq:validated&sort=-expires_at", who="rao")
    assert [item["domain"] for item in page["items"]] == ["example.com"]
    text = await api("GET", "/dcv?format=csv", who="rao")
    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert (row["Domain"], row["State"], row["Method"]) == ("example.com", "validated", "dns_txt")
    history = await api("GET", f"{path}/history", who="rao")
    assert history["items"][0]["challenge"]["state"] == "proved"
    assert history["items"][0]["sightings"][0]["vantage"] == "hub"
    now = await api("GET", f"{path}/outlook", who="rao")
    assert now["valid"]
    assert now["limit_days"] == 200
    then = await api("GET", f"{path}/outlook", who="rao", params={"at": "2027-03-16T00:00:00Z"})
    assert (then["valid"], then["days_left"], then["limit_days"]) == (False, -1, 100)


async def test_a_value_is_never_in_lists_or_history(world, api):
    started = await api("POST", "/dcv", expect=201, **body(world))
    value = started["instructions"]["record"]["value"]
    for path in ("/dcv", f"/dcv/{started['id']}/history"):
        assert value not in str(await api("GET", path))


async def test_other_organizations_do_not_exist(world, api):
    started = await api("POST", "/dcv", expect=201, **body(world))
    path = f"/dcv/{started['id']}"
    for method, tail in (
        ("GET", ""),
        ("GET", "/history"),
        ("GET", "/outlook"),
        ("POST", "/check"),
        ("POST", "/cancel"),
    ):
        problem = await api(method, path + tail, who="other", expect=404)
        assert problem["code"] == "dcv_not_found"
    for tail, json in (("/vantage-points", {"agent_ids": []}), ("/renewal", {"method": None})):
        await api("PUT", path + tail, who="other", expect=404, json=json)
    assert (await api("GET", "/dcv", who="other"))["total"] == 0
    assert "example.com" not in await api("GET", "/dcv?format=csv", who="other")
    problem = await api("POST", "/dcv", who="other", expect=404, **body(world))
    assert problem["code"] == "organization_not_found"


async def test_it_takes_the_privilege(world, api):
    await api("GET", "/dcv", who="plain")
    await api("POST", "/dcv", who="plain", expect=403, **body(world))
    await api("GET", "/dcv", who="", expect=401)
    writer = {"name": "a", "kind": "acme_dns", "settings": {}}
    await api("POST", "/dcv/writers", who="rao", expect=403, json=writer)


@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"domain": "other.example"}, 422, "dcv_domain_not_delegated", "domain"),
        ({"domain": "com"}, 422, "domain_is_public_suffix", "name"),
        ({"domain": "10.0.0.1"}, 400, "domain_is_ip_address", "name"),
        ({"domain": "exa mple.com"}, 400, "invalid_domain", "name"),
        ({"method": "whois"}, 400, "dcv_method_unknown", "method"),
        ({"writer_id": 77}, 404, "dcv_writer_not_found", "writer_id"),
        (
            {"method": "email", "recipients": ["eve@evil.example"]},
            400,
            "dcv_recipient_not_allowed",
            "recipients",
        ),
        ({"trust": "none"}, 400, "invalid_fields", "trust"),
    ],
)
async def test_bad_input_is_told_by_field(world, api, changes, status, code, field):
    problem = await api("POST", "/dcv", expect=status, **body(world, **changes))
    assert problem["code"] == code
    assert problem["errors"][0]["field"] == field


async def test_methods_and_kinds_come_with_their_settings(api):
    found = await api("GET", "/dcv/methods")
    methods = {item["name"]: item for item in found["methods"]}
    assert methods["http_file"]["covers_subdomains"] is False
    assert methods["email"]["ends_at"].startswith("2028-03-15")
    assert methods["dns_persistent"]["max_reuse_days"] == 10
    assert [name for name, item in methods.items() if item["takes_writer"]] == ["dns_cname", "dns_txt"]
    kinds = {item["kind"]: item["settings_schema"] for item in found["writer_kinds"]}
    assert kinds["rfc2136"]["properties"]["key_secret"]["writeOnly"]


async def test_writers_over_the_api_show_no_secret(world, api):
    settings = {"url": "https://auth.example.net", "username": "u", "password": "geheim", "subdomain": "s"}
    new = {"name": "zone", "kind": "acme_dns", "organization_id": world.other_organization_id}
    made = await api("POST", "/dcv/writers", expect=201, json={**new, "settings": settings})
    assert "geheim" not in str(made)
    assert "password" not in made["settings"]
    assert (await api("GET", "/dcv/writers", who="rao"))["items"] == []
    assert len((await api("GET", "/dcv/writers", who="other"))["items"]) == 1
    problem = await api(
        "POST", "/dcv/writers", expect=400, json={**new, "name": "b", "settings": {"url": "ftp://x"}}
    )
    assert problem["errors"][0]["field"] == "settings.url"
    await api("DELETE", f"/dcv/writers/{made['id']}", expect=204)
    await api("DELETE", f"/dcv/writers/{made['id']}", expect=404)


# ---- e-mail, through a real mail server


async def mailed(world, api, dcv, smtp):
    changes = {"method": "email", "recipients": ["admin@example.com"]}
    started = await api("POST", "/dcv", who="rao", expect=201, **body(world, **changes))
    await dcv.worker().run_due()
    (message,) = smtp.handler.messages
    text = message.get_payload(decode=True).decode()
    (link,) = [line for line in text.splitlines() if line.startswith("https://hub.example/")]
    return started["id"], message, link.removeprefix("https://hub.example")


async def test_the_mail_says_who_asks_for_what(world, api, dcv, smtp):
    _, message, _ = await mailed(world, api, dcv, smtp)
    assert message["To"] == "admin@example.com"
    assert message["From"] == "hub@hub.example"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_payload(decode=True).decode()
    assert "rao" in text
    assert "2026-12-25" in text


async def test_looking_does_not_confirm_and_the_button_does_once(world, api, dcv, smtp):
    validation_id, _, link = await mailed(world, api, dcv, smtp)
    for method in ("GET", "HEAD", "GET", "GET"):
        page = await api(method, link, who="")
    assert "example.com" in page
    assert '<form method="post">' in page
    assert (await api("GET", f"/dcv/{validation_id}"))["state"] == "pending"
    assert "is confirmed" in await api("POST", link, who="", data=b"")
    assert (await api("GET", f"/dcv/{validation_id}"))["state"] == "validated"
    for method in ("GET", "POST"):
        assert "not valid" in await api(method, link, who="", expect=404)


async def test_guessed_and_changed_links_are_not_valid(world, api, dcv, smtp):
    validation_id, _, link = await mailed(world, api, dcv, smtp)
    _, _, _, mail, value = link.split("/")
    for bad in (
        f"{mail}/{value[:-1]}",
        f"{mail}/{value}x",
        f"{'0' * 32}/{value}",
        f"{mail}/%00",
        f"{value}/{mail}",
    ):
        assert "not valid" in await api("POST", f"/dcv/confirm/{bad}", who="", expect=404, data=b"")
    assert (await api("GET", f"/dcv/{validation_id}"))["state"] == "pending"


async def test_the_page_runs_nothing_and_is_not_kept(world, api, dcv, smtp):
    _, _, link = await mailed(world, api, dcv, smtp)
    async with api.client.get(link) as response:
        headers = response.headers
    assert "script-src" not in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "form-action 'self'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


async def test_mail_servers_that_refuse(smtp):
    mail = Mail(to="admin@example.com", subject="s", text="t")
    for changes in (
        {"port": 1},
        # It offers no STARTTLS, so the password must not be sent.
        {"security": "starttls"},
        {"username": "u", "password": "p"},
    ):
        with pytest.raises(MailNotSent):
            await SmtpMailer(smtp_settings(smtp, **changes)).send(mail)
    assert smtp.handler.messages == []
