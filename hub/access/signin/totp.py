"""Codes of an authenticator app (TOTP, RFC 6238): setting one up, and checking a code once.

The secret is encrypted under the hub's key. A code counts for its time step and the ones beside it; a step
that was used, and all before it, are never taken again (RFC 6238, 5.2).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime

import pyotp
import segno
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.signin.errors import CodeAlreadyUsed, NoTotp, TotpInUse, WrongCode
from hub.access.signin.models import TotpSecret
from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from pki.at_rest import KeyEncryptionKey

STEP_S = 30
_DRIFT_STEPS = 1
_SECRET_CHARACTERS = 32
_ISSUER = "Certwright"


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpEnrolment:
    """What the app is told, shown once: as text, as an address, and as a QR code in SVG."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    qr_svg: str = field(repr=False)


def matching_step(secret: str, code: str, *, at: datetime) -> int | None:
    """Return the time step within the drift window whose code this is, or None."""
    code = code.replace(" ", "")
    current = int(at.timestamp()) // STEP_S
    totp = pyotp.TOTP(secret)
    found = None
    for step in range(current - _DRIFT_STEPS, current + _DRIFT_STEPS + 1):
        # All are compared, so that the time taken tells nothing.
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode("utf-8", "replace")):
            found = step
    return found


def at_rest_purpose(administrator_id: int) -> bytes:
    """Return what the secret of an administrator is encrypted for."""
    return f"totp of administrator {administrator_id}".encode()


class Totp:
    """The rules for authenticator apps."""

    def __init__(self, kek: KeyEncryptionKey) -> None:
        self._kek = kek

    async def begin(self, uow: UnitOfWork, administrator_id: int, *, username: str) -> TotpEnrolment:
        """Make a secret that counts once a code has confirmed it; an unconfirmed one is replaced.

        Raises:
            TotpInUse: there is a confirmed one.
        """
        if await self.is_confirmed(uow.session, administrator_id):
            raise TotpInUse
        secret = pyotp.random_base32(_SECRET_CHARACTERS)
        values = {
            "secret": self._kek.wrap(secret.encode(), at_rest_purpose(administrator_id)),
            "confirmed_at": None,
            "last_step": 0,
            "created_at": uow.now,
        }
        statement = insert_for(uow.session, TotpSecret).values(administrator_id=administrator_id, **values)
        await uow.session.execute(
            statement.on_conflict_do_update(index_elements=["administrator_id"], set_=values)
        )
        uri = pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=_ISSUER)
        svg = segno.make(uri, micro=False).svg_inline(scale=4)
        return TotpEnrolment(secret=secret, uri=uri, qr_svg=svg)

    async def confirm(self, uow: UnitOfWork, administrator_id: int, code: str) -> None:
        """Have the app count from now on, after it has shown a code.

        Raises:
            NoTotp: none is being set up.
            WrongCode, CodeAlreadyUsed: the code is wrong.
        """
        await self._use(uow, administrator_id, code, confirmed=False)
        await uow.session.execute(
            update(TotpSecret)
            .where(TotpSecret.administrator_id == administrator_id)
            .values(confirmed_at=uow.now)
        )

    async def check(self, uow: UnitOfWork, administrator_id: int, code: str) -> None:
        """Take a code of a confirmed app, once.

        Raises:
            NoTotp: there is no app.
            WrongCode: it is not the code of now.
            CodeAlreadyUsed: it was taken before.
        """
        await self._use(uow, administrator_id, code, confirmed=True)

    async def remove(self, uow: UnitOfWork, administrator_id: int) -> bool:
        """Forget the app; return whether there was one."""
        gone = await uow.session.execute(
            delete(TotpSecret)
            .where(TotpSecret.administrator_id == administrator_id)
            .returning(TotpSecret.administrator_id)
        )
        return gone.first() is not None

    async def is_confirmed(self, session: AsyncSession, administrator_id: int) -> bool:
        """Whether there is an app whose codes are asked for."""
        statement = select(TotpSecret.administrator_id).where(
            TotpSecret.administrator_id == administrator_id, TotpSecret.confirmed_at.is_not(None)
        )
        return (await session.execute(statement)).first() is not None

    async def _use(self, uow: UnitOfWork, administrator_id: int, code: str, *, confirmed: bool) -> None:
        state = TotpSecret.confirmed_at.is_not(None) if confirmed else TotpSecret.confirmed_at.is_(None)
        mine = (TotpSecret.administrator_id == administrator_id) & state
        row = (await uow.session.execute(select(TotpSecret.secret).where(mine))).first()
        if row is None:
            raise NoTotp
        secret = self._kek.unwrap(row.secret, at_rest_purpose(administrator_id)).decode()
        step = matching_step(secret, code, at=uow.now)
        if step is None:
            raise WrongCode(field="code")
        taken = await uow.session.execute(
            update(TotpSecret)
            .where(mine, TotpSecret.last_step < step)
            .values(last_step=step)
            .returning(TotpSecret.administrator_id)
        )
        if taken.first() is None:
            raise CodeAlreadyUsed(field="code")
