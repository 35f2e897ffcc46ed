"""Mail against a real SMTP server: encryption, signing in, refusals, and answers that get lost."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from aiohttp import web
from pydantic import SecretStr

from hub.notifications.errors import NotDelivered
from hub.notifications.notifiers.contract import Message, Tools
from hub.notifications.notifiers.email import EmailNotifier, EmailSettings
from hub.notifications.posting import Poster
from hub.notifications.queue import MAX_ATTEMPTS
from hub.notifications.rules import Recipients
from tests.integration.notifications.authority import loopback_tls
from tests.integration.notifications.conftest import LOOPBACK
from tests.simulators.mail_server import running_mail_server

MESSAGE = Message(
    id="abc.1",
    type="test",
    title="Test",
    severity="error",
    subject="Grüße\u2028an alle",
    text="Zeile eins\n.\nSee https://hub.example.com/certificates/1.\n<b>not bold</b>\n",
    to="rita@example.com",
    at=datetime(2026, 11, 25, 12, tzinfo=UTC),
)


def notifier(server, *, now=None, **changes):
    values = {
        "host": "localhost",
        "port": server.port,
        "security": "none",
        "sender": "Certwright <hub@example.com>",
    }
    poster = Poster(LOOPBACK)
    clock = now or (lambda: datetime(2026, 11, 25, 12, tzinfo=UTC))
    tools = Tools(post=poster.post, dial=poster.dial, clock=clock)
    return EmailNotifier.open(EmailSettings(**(values | changes)), tools)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_mail_goes_through_tls(security):
    context, ca_pem = loopback_tls()
    async with running_mail_server(tls=context, security=security) as server:
        await notifier(server, security=security, ca_pem=ca_pem).send(MESSAGE)
        (mail,) = server.messages
        assert mail["Message-ID"] == "<abc.1@example.com>"
        assert mail["Subject"].splitlines() == [mail["Subject"]]
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail.get_body(("plain",)).get_content().splitlines()[:2] == ["Zeile eins", "."]
        html = mail.get_body(("html",)).get_content()
        assert '<a href="https://hub.example.com/certificates/1">' in html
        assert "&lt;b&gt;" in html


async def test_a_certificate_of_an_unknown_ca_is_refused():
    context, _ = loopback_tls()
    async with running_mail_server(tls=context, security="starttls") as server:
        with pytest.raises(NotDelivered, match=r"(?i)certificate") as caught:
            await notifier(server, security="starttls").send(MESSAGE)
        assert caught.value.unreachable
        assert server.messages == []


async def test_a_server_without_starttls_gets_no_mail_in_the_clear():
    async with running_mail_server() as server:
        with pytest.raises(NotDelivered):
            await notifier(server, security="starttls").send(MESSAGE)
        assert server.messages == []


async def test_signing_in_with_a_password():
    context, ca_pem = loopback_tls()
    async with running_mail_server(tls=context, security="starttls", needs_login=True) as server:
        server.passwords["hub"] = "right"
        options = {"security": "starttls", "ca_pem": ca_pem, "username": "hub"}
        await notifier(server, password=SecretStr("right"), **options).send(MESSAGE)
        assert len(server.messages) == 1
        with pytest.raises(NotDelivered) as caught:
            await notifier(server, password=SecretStr("wrong"), **options).send(MESSAGE)
        assert (caught.value.reason, caught.value.permanent) == ("SignInRefused", False)


class TokenEndpoint:
    def __init__(self):
        self.asked = []
        self.answer = {"access_token": "token-1", "expires_in": 3600, "token_type": "Bearer"}

    async def token(self, request):
        self.asked.append(dict(await request.post()))
        return web.json_response(self.answer)


@pytest.fixture
async def endpoint():
    found = TokenEndpoint()
    app = web.Application()
    app.router.add_post("/token", found.token)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    yield found
    await runner.cleanup()


async def test_signing_in_by_oauth_keeps_the_token_until_its_end(endpoint):
    context, ca_pem = loopback_tls()
    now = [datetime(2026, 11, 25, 12, tzinfo=UTC)]
    async with running_mail_server(tls=context, security="starttls", needs_login=True) as server:
        server.tokens = {"token-1", "token-2"}
        sender = notifier(
            server,
            now=lambda: now[0],
            security="starttls",
            ca_pem=ca_pem,
            username="hub@example.com",
            oauth_token_url=endpoint.url,
            oauth_client_id="client",
            oauth_client_secret=SecretStr("secret"),
            oauth_scope="https://outlook.office365.com/.default",
        )
        await sender.send(MESSAGE)
        await sender.send(MESSAGE)
        assert endpoint.asked == [
            {
                "grant_type": "client_credentials",
                "client_id": "client",
                "client_secret": "secret",
                "scope": "https://outlook.office365.com/.default",
            }
        ]
        now[0] = now[0].replace(hour=14)
        endpoint.answer["access_token"] = "token-2"
        await sender.send(MESSAGE)
        assert [token for _, token in server.logins] == ["token-1", "token-1", "token-2"]
        assert server.logins[0][0] == "hub@example.com"


async def test_a_token_that_is_refused_is_not_used_again(endpoint):
    context, ca_pem = loopback_tls()
    async with running_mail_server(tls=context, security="starttls", needs_login=True) as server:
        sender = notifier(
            server,
            security="starttls",
            ca_pem=ca_pem,
            username="hub@example.com",
            oauth_token_url=endpoint.url,
            oauth_client_id="client",
            oauth_client_secret=SecretStr("secret"),
        )
        with pytest.raises(NotDelivered):
            await sender.send(MESSAGE)
        server.tokens = {"token-1"}
        await sender.send(MESSAGE)
        assert len(endpoint.asked) == 2


# ---- with the queue


async def told(desk, type_="certificate_requested", count=1, **fields):
    await desk.rule(type_, console=False, **fields)
    kinds = {
        "certificate_requested": ("CertificateRequested", {}),
        "renewal_failed": ("RenewalFinished", {"renewal_state": "Failed"}),
    }
    kind, data = kinds[type_]
    for number in range(count):
        await desk.happen(kind, object_id=900 + number, organization_id=desk.world.organization_id, data=data)
    await desk.take_over()


async def test_refused_for_now_is_tried_again(desk):
    await told(desk)
    desk.mail.after_data.append("451 4.7.1 Greylisted, try again later")
    await desk.deliver()
    (row,) = await desk.rows()
    assert (row.state, row.reason, row.attempts) == ("Queued", "RefusedForNow", 1)
    assert "Greylisted" in row.message
    await desk.deliver()
    assert desk.mail.messages == []  # not before the delay is over
    desk.world.clock.forward(seconds=31)
    await desk.deliver()
    assert len(desk.mail.messages) == 1
    (row,) = await desk.rows()
    assert (row.state, row.reason, row.attempts) == ("Sent", "", 2)
    assert row.receipt.startswith("250")


async def test_refused_for_good_is_not_tried_again(desk):
    await told(desk)
    desk.mail.after_rcpt.append("550 5.1.1 No such user here")
    await desk.deliver()
    (row,) = await desk.rows()
    assert (row.state, row.reason) == ("Failed", "Refused")
    assert "No such user" in row.message
    desk.world.clock.forward(days=1)
    await desk.deliver()
    assert desk.mail.messages == []


async def test_one_refused_recipient_keeps_nobody_else_from_being_told(desk):
    await told(desk, recipients=Recipients(roles=("RAO", "MRAO")))
    desk.mail.after_rcpt.append("550 5.1.1 No such user here")
    await desk.deliver()
    assert sorted(await desk.states()) == ["Failed", "Sent"]


@pytest.mark.parametrize("how", ["cut after taking", "cut before taking"])
async def test_an_answer_that_gets_lost_leaves_an_ordinary_message_uncertain(desk, how):
    await told(desk)
    desk.mail.cuts.append(how)
    await desk.deliver()
    (row,) = await desk.rows()
    assert (row.state, row.reason) == ("Uncertain", "OutcomeUnknown")
    desk.world.clock.forward(days=1)
    await desk.deliver()
    assert len(desk.mail.messages) == (how == "cut after taking")
    # Somebody looks at it and wants it sent after all: a message of its own.
    await desk.service.resend(desk.who("rita"), row.id)
    await desk.deliver()
    assert await desk.states() == ["Sent"]
    assert len({mail["Message-ID"] for mail in desk.mail.messages}) == len(desk.mail.messages)


async def test_a_warning_whose_answer_gets_lost_is_sent_again_under_the_same_id(desk):
    await told(desk, "renewal_failed")
    desk.mail.cuts.append("cut after taking")
    await desk.deliver()
    desk.world.clock.forward(minutes=1)
    await desk.deliver()
    first, second = desk.mail.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert await desk.states() == ["Sent"]


async def test_a_mail_server_that_is_away_is_asked_once_for_all(desk):
    await told(desk, recipients=Recipients(roles=("RAO", "MRAO")), count=4)
    dialled = []
    mail = desk.service._mail
    real = mail._tools.dial

    async def refuse(host, port):
        dialled.append(port)
        raise NotDelivered("ConnectFailed", "nobody there", unreachable=True)

    object.__setattr__(mail._tools, "dial", refuse)
    await desk.deliver()
    assert len(dialled) == 1
    assert set(await desk.states()) == {"Queued"}
    assert sorted(row.attempts for row in await desk.rows()) == [0] * 7 + [1]
    object.__setattr__(mail._tools, "dial", real)
    desk.world.clock.forward(minutes=2)
    await desk.deliver()
    assert set(await desk.states()) == {"Sent"}


async def test_after_about_a_day_a_message_is_given_up(desk):
    await told(desk)
    desk.mail.after_data += ["451 4.3.0 Not now"] * 50
    start = desk.world.clock.now
    while "Queued" in await desk.states():
        await desk.deliver()
        (row,) = await desk.rows()
        desk.world.clock.now = max(desk.world.clock.now, row.due_at)
    assert row.state == "Failed"
    assert row.attempts == MAX_ATTEMPTS
    assert 12 <= (desk.world.clock.now - start).total_seconds() / 3600 <= 26


async def test_many_messages_at_once_go_out_as_one(desk):
    await told(desk, count=12)
    await desk.deliver()
    (mail,) = desk.mail.messages
    assert mail["Subject"] == "12 notifications: Certificate requested (12)"
    assert await desk.states() == ["Sent"] * 12


async def test_a_burst_that_is_refused_for_now_stays_one_message(desk):
    await told(desk, count=12)
    desk.mail.after_data.append("451 4.3.0 Not now")
    await desk.deliver()
    desk.world.clock.forward(minutes=1)
    await desk.deliver()
    assert len(desk.mail.messages) == 1
    assert await desk.states() == ["Sent"] * 12


async def test_a_value_with_line_ends_makes_no_header(desk):
    await desk.rule("import_finished", recipients=Recipients(roles=("MRAO",)), console=False)
    await desk.happen(
        "CertificateImportFinished",
        object_type="certificate_import",
        data={"name": "a.zip\r\nBcc: everybody@example.com\r\n\r\nGotcha", "status": "Failed"},
    )
    await desk.take_over()
    await desk.deliver()
    (mail,) = desk.mail.messages
    assert mail["Bcc"] is None
    assert desk.mail.envelopes[0].rcpt_tos == ["mona@example.com"]
    assert mail["Subject"] == "Import finished: a.zip Bcc: everybody@example.com Gotcha"
