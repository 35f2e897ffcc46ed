"""Mails with a link, and who opens it: Baseline Requirements 3.2.2.4.4 and 3.2.2.4.14.

Each mail's random value is made when it is sent and only its hash is kept. Looking at the link changes
nothing, since mail scanners look at every link; only the button behind it confirms. A value works once, for
its own attempt, for 30 days.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.organizations.dcv.assets import lock_challenge, prove, read_validation
from hub.organizations.dcv.contract import Mail, Proof, Sight
from hub.organizations.dcv.errors import ConfirmationRefused, MailNotSent
from hub.organizations.dcv.models import DcvMail
from hub.organizations.dcv.records import ChallengeRecord, DcvTools, MailRecord, ValidationRecord
from hub.organizations.dcv.registry import method_named
from hub.organizations.dcv.states import ChallengeState
from pki.findings import Finding

_SENDING_S = 60.0
_MAIL_ID = re.compile(r"[0-9a-f]{32}\Z")
_MAIL_COLUMNS = tuple(getattr(DcvMail, name) for name in MailRecord.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What a link is for."""

    domain: str
    recipient: str
    requested_by: str


class Mails:
    """Sends links and takes their confirmation."""

    def __init__(self, db: Database, tools: DcvTools) -> None:
        self._db = db
        self._tools = tools

    async def address(self, uow: UnitOfWork, challenge_id: int, recipients: tuple[str, ...]) -> None:
        """Write down to whom an attempt's mails go."""
        rows = [
            {"id": secrets.token_hex(16), "challenge_id": challenge_id, "recipient": recipient}
            | {"value_sha256": "", "problem": ""}
            for recipient in recipients
        ]
        await uow.session.execute(insert(DcvMail), rows)

    async def list(self, session: AsyncSession, challenge_id: int) -> tuple[MailRecord, ...]:
        """Return an attempt's mails."""
        statement = select(*_MAIL_COLUMNS).where(DcvMail.challenge_id == challenge_id)
        rows = await session.execute(statement.order_by(DcvMail.recipient))
        return tuple(MailRecord(**row._asdict()) for row in rows)

    async def send_all(self, held: ChallengeRecord, validation: ValidationRecord) -> Finding | None:
        """Send what was not sent yet; a finding says why none could be, or that some are left for later."""
        async with self._db.read() as session:
            mails = await self.list(session, held.id)
        sent = [mail for mail in mails if mail.sent_at is not None]
        problems: list[str] = []
        end = asyncio.get_running_loop().time() + _SENDING_S
        for mail in mails:
            if mail.sent_at is None:
                if asyncio.get_running_loop().time() > end:
                    # Well before others may take the attempt over and send these, too.
                    return Finding("MailsLeft", "the mail server is slow; the other mails are sent later")
                problem = await self._send(mail, held, validation)
                problems += [problem] if problem else []
                sent += [mail] if not problem else []
        return None if sent else Finding("MailNotSent", f"no mail could be sent: {problems[0]}")

    async def _send(self, mail: MailRecord, held: ChallengeRecord, validation: ValidationRecord) -> str:
        if self._tools.mailer is None:
            return "the hub has no mail server"
        value = secrets.token_urlsafe(32)
        # The hash first: a mail that went out must be good, a hash without a mail harms nobody.
        await self._note(mail.id, value_sha256=_digest(value))
        link = f"{self._tools.options.base_url}/dcv/confirm/{mail.id}/{value}"
        try:
            await self._tools.mailer.send(_message(mail.recipient, link, held, validation))
        except MailNotSent as error:
            await self._note(mail.id, problem=str(error), value_sha256="")
            return str(error)
        await self._note(mail.id, problem="", sent_at=self._db.clock())
        return ""

    async def _note(self, mail_id: str, **values: object) -> None:
        async with self._db.write() as uow:
            await uow.session.execute(update(DcvMail).where(DcvMail.id == mail_id).values(**values))

    async def read(self, session: AsyncSession, mail_id: str, value: str) -> Confirmation:
        """Return what a link is for, changing nothing; raise ConfirmationRefused."""
        mail, challenge = await self._valid(session, mail_id, value)
        validation = await read_validation(session, challenge.validation_id)
        return Confirmation(
            domain=validation.domain, recipient=mail.recipient, requested_by=challenge.started_by
        )

    async def confirm(self, uow: UnitOfWork, mail_id: str, value: str, *, remote: str) -> Confirmation:
        """Take a confirmation, once; raise ConfirmationRefused."""
        confirmation = await self.read(uow.session, mail_id, value)
        mail, challenge = await self._valid(uow.session, mail_id, value)
        changed = await uow.session.execute(
            update(DcvMail)
            .where(DcvMail.id == mail_id, DcvMail.confirmed_at.is_(None))
            .values(confirmed_at=uow.now)
            .returning(DcvMail.id)
        )
        sight = Sight(values=(mail.recipient,), trail=(f"confirmed from {remote}",), seen_at=uow.now)
        proved = changed.one_or_none() is not None and await prove(
            uow,
            challenge,
            method_named(self._tools.methods, challenge.method).facts,
            proof=Proof(seen=mail.recipient, sight=sight),
            principal=Principal(kind="anonymous", id="", name=mail.recipient),
        )
        if not proved:
            raise ConfirmationRefused
        return confirmation

    async def _valid(
        self, session: AsyncSession, mail_id: str, value: str
    ) -> tuple[MailRecord, ChallengeRecord]:
        if not _MAIL_ID.match(mail_id):
            raise ConfirmationRefused
        row = (
            await session.execute(
                select(*_MAIL_COLUMNS, DcvMail.value_sha256, DcvMail.challenge_id).where(
                    DcvMail.id == mail_id
                )
            )
        ).one_or_none()
        # Compared also where there is no such mail: the time it takes must tell nothing.
        expected = row.value_sha256 if row is not None and row.value_sha256 else "-" * 64
        if not hmac.compare_digest(_digest(value), expected) or row is None or row.confirmed_at is not None:
            raise ConfirmationRefused
        challenge = await lock_challenge(session, row.challenge_id)
        if (
            challenge is None
            or challenge.state != ChallengeState.OPEN
            or challenge.expires_at <= self._db.clock()
        ):
            raise ConfirmationRefused
        values = row._asdict()
        return MailRecord(**{name: values[name] for name in MailRecord.__dataclass_fields__}), challenge


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def _message(recipient: str, link: str, held: ChallengeRecord, validation: ValidationRecord) -> Mail:
    text = (
        f"Somebody who manages certificates asks you to confirm that they may have certificates for the"
        f" domain\n\n    {validation.domain}\n\nand for names below it. The request was made by"
        f" {held.started_by} on {held.started_at:%Y-%m-%d %H:%M} UTC.\n\nIf that is right, open this address"
        f" and confirm:\n\n{link}\n\nIt works until {held.expires_at:%Y-%m-%d %H:%M} UTC, once. If you don't"
        " know about this, do nothing: without you nothing is confirmed.\n"
    )
    return Mail(to=recipient, subject=f"Confirm control of {validation.domain}", text=text)
