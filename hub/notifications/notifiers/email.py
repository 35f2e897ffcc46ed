"""Mail through an SMTP server (RFC 5321): STARTTLS or TLS, password or OAuth 2.0 (XOAUTH2).

One message a connection, to one recipient: nobody sees others' addresses, and one who is refused keeps nobody
else from being told. A message whose end was sent but not acknowledged may have been taken (RFC 1047): its
outcome is unknown. The Message-ID stays the same when it is sent again.
"""

from __future__ import annotations

import contextlib
import json
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from ipaddress import ip_address
from socket import socket
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlencode

import aiosmtplib
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from hub.notifications.errors import NotDelivered, OutcomeUnknown
from hub.notifications.notifiers.contract import Message, Receipt, Tools
from hub.notifications.posting import judged, tls_context
from hub.notifications.templating import to_html

_TIMEOUT_S = 20.0
_TOKEN_MARGIN = timedelta(seconds=60)


class EmailSettings(BaseModel):
    """A mail server, and how to sign in there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1, max_length=255, title="Server")
    port: int = Field(default=587, ge=1, le=65535, title="Port")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", title="Encryption", description="`tls`: from the first byte, as on port 465."
    )
    sender: str = Field(
        min_length=3, max_length=320, title="Sender", description="The address mail comes from."
    )
    username: str = Field(default="", max_length=320, title="User name")
    password: SecretStr = Field(default=SecretStr(""), title="Password")
    oauth_token_url: str = Field(
        default="",
        max_length=1000,
        title="OAuth token address",
        description="Signs in by OAuth 2.0 with client credentials instead of a password.",
    )
    oauth_client_id: str = Field(default="", max_length=300, title="OAuth client ID")
    oauth_client_secret: SecretStr = Field(default=SecretStr(""), title="OAuth client secret")
    oauth_scope: str = Field(default="", max_length=500, title="OAuth scope")
    ca_pem: str = Field(
        default="",
        max_length=50_000,
        title="CA certificates",
        description="PEM of CAs to trust beside the system's.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.oauth_token_url and not (self.oauth_client_id and self.username):
            raise ValueError("OAuth needs a user name (the mailbox) and a client ID")
        return self


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    until: datetime


class EmailNotifier:
    """Sends one message a connection."""

    kind: ClassVar[str] = "email"
    display_name: ClassVar[str] = "E-mail"
    settings_model: ClassVar[type[BaseModel]] = EmailSettings
    addressed: ClassVar[bool] = True
    told_apart: ClassVar[bool] = False

    def __init__(self, settings: EmailSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools
        self._token: _Token | None = None

    @classmethod
    def open(cls, settings: Any, tools: Tools) -> Self:
        """Return a notifier with these settings."""
        return cls(settings, tools)

    async def send(self, message: Message) -> Receipt:
        """Hand one message to the mail server."""
        content = _mail(message, self._settings.sender).as_bytes(policy=SMTP_POLICY)
        client = await self._connected()
        try:
            sender = _bare(self._settings.sender)
            await _told(client.mail(sender))
            await _told(client.rcpt(message.to))
            return await _content(client, content)
        finally:
            await _leave(client)

    async def check(self) -> Receipt:
        """Sign in at the mail server, and leave again."""
        client = await self._connected()
        await _leave(client)
        return Receipt("the mail server lets the hub in")

    async def _connected(self) -> aiosmtplib.SMTP:
        settings = self._settings
        connection = await self._tools.dial(settings.host, settings.port)
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            sock=connection,
            port=None,
            timeout=_TIMEOUT_S,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=tls_context(settings.ca_pem),
        )
        try:
            await client.connect()
            if settings.username:
                await self._sign_in(client, connection)
        except aiosmtplib.SMTPAuthenticationError as error:
            client.close()
            self._token = None
            raise NotDelivered("SignInRefused", _said(error), unreachable=True) from error
        except (aiosmtplib.SMTPException, ssl.SSLError, OSError, ValueError) as error:
            client.close()
            connection.close()
            said = f"{settings.host}:{settings.port}: {_said(error)}"
            raise NotDelivered("ConnectFailed", said, unreachable=True) from error
        except BaseException:
            client.close()
            connection.close()
            raise
        return client

    async def _sign_in(self, client: aiosmtplib.SMTP, connection: socket) -> None:
        settings = self._settings
        if settings.security == "none" and not ip_address(connection.getpeername()[0]).is_loopback:
            raise NotDelivered(
                "EncryptionNeeded", "a password is not sent without encryption", unreachable=True
            )
        if settings.oauth_token_url:
            await client.auth_xoauth2(settings.username, await self._access_token())
        else:
            await client.login(settings.username, settings.password.get_secret_value())

    async def _access_token(self) -> str:
        """Return an access token by client credentials (RFC 6749, 4.4), kept until shortly before its end."""
        now = self._tools.clock()
        if self._token is not None and self._token.until > now:
            return self._token.text
        settings = self._settings
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.oauth_client_id,
            "client_secret": settings.oauth_client_secret.get_secret_value(),
            **({"scope": settings.oauth_scope} if settings.oauth_scope else {}),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            answer = await self._tools.post(
                settings.oauth_token_url, urlencode(form).encode(), headers=headers, ca_pem=settings.ca_pem
            )
            document = json.loads(judged(answer).text)
            text, lifetime = str(document["access_token"]), float(document.get("expires_in", 300))
        except (NotDelivered, OutcomeUnknown) as error:
            raise NotDelivered("TokenRefused", str(error), unreachable=True) from error
        except (ValueError, KeyError, TypeError) as error:
            raise NotDelivered(
                "TokenRefused", "the token endpoint's answer holds no token", unreachable=True
            ) from error
        self._token = _Token(text, now + timedelta(seconds=lifetime) - _TOKEN_MARGIN)
        return text


def _mail(message: Message, sender: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = message.to
    # Subjects are one line already; a header that can't be written would hold up everybody's mail.
    mail["Subject"] = " ".join(message.subject.splitlines())
    mail["Date"] = format_datetime(message.at)
    domain = _bare(sender).rpartition("@")[2] or "localhost"
    mail["Message-ID"] = f"<{message.id}@{domain}>"
    # Out-of-office answers to these help nobody (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    if message.severity == "error":
        mail["Importance"] = "high"
    mail.set_content(message.text)
    mail.add_alternative(to_html(message.text), subtype="html")
    return mail


def _bare(sender: str) -> str:
    """Return the address of ``Name <address>``."""
    return sender.rpartition("<")[2].removesuffix(">").strip()


async def _told(step: Any) -> None:
    """Await a step before the content: whatever goes wrong, nothing was taken."""
    try:
        await step
    except aiosmtplib.SMTPResponseException as error:
        raise _refused(error) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise NotDelivered("ConnectionLost", _said(error), unreachable=True) from error


async def _content(client: aiosmtplib.SMTP, content: bytes) -> Receipt:
    try:
        answer = await client.data(content)
    except aiosmtplib.SMTPResponseException as error:
        raise _refused(error) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        # The last dot may have got through, and its answer not.
        raise OutcomeUnknown(
            f"the mail server did not say whether it took the message: {_said(error)}"
        ) from error
    return Receipt(f"{answer.code} {answer.message}")


def _refused(error: aiosmtplib.SMTPResponseException) -> NotDelivered:
    permanent = 500 <= error.code < 600
    reason = "Refused" if permanent else "RefusedForNow"
    return NotDelivered(reason, f"{error.code} {error.message}", permanent=permanent)


async def _leave(client: aiosmtplib.SMTP) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        await client.quit(timeout=5.0)
    client.close()


def _said(error: Exception) -> str:
    return str(error)[:500] or type(error).__name__
