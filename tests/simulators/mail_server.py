"""A real SMTP server (aiosmtpd) on loopback whose behaviour a test chooses."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult


@dataclass
class MailServer:
    """``answers`` are given to the messages (or recipients) to come, one each; afterwards all are taken."""

    port: int = 0
    messages: list[Any] = field(default_factory=list)
    envelopes: list[Any] = field(default_factory=list)
    after_data: list[str] = field(default_factory=list)
    after_rcpt: list[str] = field(default_factory=list)
    # "cut": the connection ends after the last dot, with the message taken or not; "hang": no answer comes.
    cuts: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    passwords: dict[str, str] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    connections: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if self.after_rcpt:
            return self.after_rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.after_data:
            return self.after_data.pop(0)
        how = self.cuts.pop(0) if self.cuts else ""
        if how in {"", "cut after taking", "hang after taking"}:
            self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
            self.envelopes.append(envelope)
        self.arrived.set()
        if how.startswith("cut"):
            server.transport.abort()
        if how.startswith("hang"):
            await self.go_on.wait()
        return "250 Message accepted for delivery"

    def authenticate(self, server, session, envelope, mechanism, auth_data):
        name, password = auth_data.login.decode(), auth_data.password.decode()
        self.logins.append((name, password))
        return AuthResult(success=self.passwords.get(name) == password, handled=False)


class _Server(SMTP):
    def __init__(self, mail: MailServer, *args: Any, **options: Any) -> None:
        self._mail = mail
        super().__init__(mail, *args, **options)

    def connection_made(self, transport):
        self._mail.connections += 1
        super().connection_made(transport)

    async def auth_XOAUTH2(self, _server, args):
        """https://developers.google.com/workspace/gmail/imap/xoauth2-protocol."""
        text = base64.b64decode(args[1]).decode()
        user, bearer = text.split("\x01")[:2]
        name, token = user.removeprefix("user="), bearer.removeprefix("auth=Bearer ")
        self._mail.logins.append((name, token))
        return AuthResult(success=token in self._mail.tokens, handled=False, auth_data=name)


@contextlib.asynccontextmanager
async def running_mail_server(
    *, tls: ssl.SSLContext | None = None, security: str = "none", needs_login: bool = False
):
    """Run a server for the length of a ``with`` block; ``security`` as in the hub's settings."""
    mail = MailServer()
    loop = asyncio.get_running_loop()
    starttls = tls if security == "starttls" else None

    def protocol() -> SMTP:
        return _Server(
            mail,
            loop=loop,
            hostname="mail.example.com",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=mail.authenticate,
            auth_required=needs_login,
            auth_require_tls=needs_login,
            enable_SMTPUTF8=True,
        )

    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls if security == "tls" else None)
    mail.port = server.sockets[0].getsockname()[1]
    try:
        yield mail
    finally:
        mail.go_on.set()
        server.close()
        await server.wait_closed()
