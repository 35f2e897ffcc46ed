"""Handing mail to an SMTP server, with the standard library in a thread."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Literal

from hub.organizations.dcv.contract import Mail
from hub.organizations.dcv.errors import MailNotSent

_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """A mail server. ``security``: "starttls" on a plain port, "tls" from the first byte, or "none"."""

    host: str
    port: int
    sender: str
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)


class SmtpMailer:
    """Sends one message a connection."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings

    async def send(self, mail: Mail) -> None:
        """Hand a message to the mail server. Raises MailNotSent."""
        message = EmailMessage()
        message["From"] = self._settings.sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Message-ID"] = make_msgid(domain=self._settings.sender.rpartition("@")[2] or None)
        # Out-of-office answers to these help nobody (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        try:
            await asyncio.to_thread(self._hand_over, message)
        except (OSError, smtplib.SMTPException) as error:
            raise MailNotSent(str(error)[:500] or type(error).__name__) from error

    def _hand_over(self, message: EmailMessage) -> None:
        settings = self._settings
        with self._connect() as server:
            if settings.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.username:
                server.login(settings.username, settings.password)
            server.send_message(message)

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        if settings.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(settings.host, settings.port, timeout=_TIMEOUT_S, context=context)
        return smtplib.SMTP(settings.host, settings.port, timeout=_TIMEOUT_S)
