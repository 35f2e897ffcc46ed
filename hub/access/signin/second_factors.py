"""Setting up and removing second factors: in a session or, where the role needs one, while signing in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.administrators import load_grants
from hub.access.delegation import HANDOVER_CHECKS, Deed, Handover, Rights
from hub.access.errors import HandoverRefused, NoSuchAdministrator
from hub.access.models import Administrator
from hub.access.sessions import note
from hub.access.signin import recovery_codes
from hub.access.signin.errors import FactorRequired, NoTotp
from hub.access.signin.flow import Flow
from hub.access.signin.models import Passkey, RecoveryCode, TotpSecret
from hub.access.signin.passkeys import REGISTER, Owner, Passkeys, take_challenge
from hub.access.signin.sign_in_policy import second_factor_roles
from hub.access.signin.totp import Totp, TotpEnrolment
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from pki.findings import all_findings


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasskey:
    """What the browser made, under which name, and whose challenge it answers."""

    credential: dict[str, Any] = field(repr=False)
    name: str
    owner: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorState:
    """What somebody has set up."""

    factors: tuple[str, ...]
    recovery_codes_left: int
    required: bool


class SecondFactors:
    """The rules for one's own second factors."""

    def __init__(self, db: Database, *, totp: Totp, passkeys: Passkeys, flow: Flow) -> None:
        self._db = db
        self._totp = totp
        self._passkeys = passkeys
        self._flow = flow

    async def state(self, session: AsyncSession, principal: Principal) -> FactorState:
        """Return what ``principal`` has."""
        return FactorState(
            factors=await self._flow.factors_of(session, int(principal.id)),
            recovery_codes_left=await recovery_codes.left(session, int(principal.id)),
            required=await self._is_required(session, principal),
        )

    async def begin_totp(self, uow: UnitOfWork, administrator_id: int) -> TotpEnrolment:
        """Make the secret of an authenticator app; raises ``TotpInUse``."""
        return await self._totp.begin(
            uow, administrator_id, username=await _username(uow.session, administrator_id)
        )

    async def confirm_totp(self, uow: UnitOfWork, principal: Principal, code: str) -> list[str]:
        """Have the app count; return recovery codes if these are the first.

        Raises:
            NoTotp, WrongCode, CodeAlreadyUsed: the app has not shown that it works.
        """
        await self._totp.confirm(uow, int(principal.id), code)
        await note(uow, principal, "TotpEnrolled", {})
        return await self._first_codes(uow, int(principal.id))

    async def remove_totp(self, uow: UnitOfWork, principal: Principal, code: str) -> None:
        """Remove the app, for one of its codes or a recovery code.

        Raises:
            WrongCode, CodeAlreadyUsed, NoTotp: the code is wrong, or there is no app.
            FactorRequired: it is the last factor and the role needs one.
        """
        await self.check_code(uow, int(principal.id), code)
        if not await self._totp.remove(uow, int(principal.id)):
            raise NoTotp
        await self._after_removal(uow, principal)
        await note(uow, principal, "TotpRemoved", {})

    async def check_code(self, uow: UnitOfWork, administrator_id: int, code: str) -> str:
        """Take a code of the app or a recovery code; return which it was.

        Raises:
            WrongCode, CodeAlreadyUsed, NoTotp: it is neither.
        """
        digits = code.replace(" ", "")
        if digits.isdigit():
            await self._totp.check(uow, administrator_id, digits)
            return "totp"
        await recovery_codes.use(uow, administrator_id, code)
        return "recovery_code"

    async def renew_codes(self, uow: UnitOfWork, principal: Principal) -> list[str]:
        """Make new recovery codes; the old ones are void.

        Raises:
            NoTotp: there is no second factor that they could stand in for.
        """
        if not await self._flow.factors_of(uow.session, int(principal.id)):
            raise NoTotp("set up an authenticator app or a passkey first")
        await note(uow, principal, "RecoveryCodesRenewed", {})
        return await recovery_codes.renew(uow, int(principal.id))

    async def passkey_options(self, uow: UnitOfWork, administrator_id: int, *, owner: str) -> dict[str, Any]:
        """Return what the browser needs to make a passkey."""
        username = await _username(uow.session, administrator_id)
        return await self._passkeys.registration_options(
            uow, administrator_id, username=username, owner=owner
        )

    async def take_challenge(self, new: NewPasskey) -> bytes:
        """Take the challenge that the passkey answers, whatever comes of it; raises ``PasskeyRefused``."""
        async with self._db.write() as uow:
            return await take_challenge(uow, Owner(new.owner, REGISTER))

    async def add_passkey(
        self, uow: UnitOfWork, principal: Principal, new: NewPasskey, *, challenge: bytes
    ) -> tuple[int, list[str]]:
        """Store a passkey; return its id, and recovery codes if it is the first factor.

        Raises:
            PasskeyRefused, PasskeyTaken: it does not fit, or is registered already.
        """
        passkey_id = await self._passkeys.register(
            uow, int(principal.id), credential=new.credential, challenge=challenge, name=new.name
        )
        await note(uow, principal, "PasskeyRegistered", {"name": new.name})
        return passkey_id, await self._first_codes(uow, int(principal.id))

    async def remove_passkey(self, uow: UnitOfWork, principal: Principal, passkey_id: int) -> None:
        """Remove a passkey.

        Raises:
            NoSuchPasskey: there is none of this id.
            FactorRequired: it is the last factor and the role needs one.
        """
        name = await self._passkeys.remove(uow, int(principal.id), passkey_id)
        await self._after_removal(uow, principal)
        await note(uow, principal, "PasskeyRemoved", {"name": name})

    async def reset(self, uow: UnitOfWork, administrator_id: int, *, principal: Principal) -> None:
        """Remove all second factors of an administrator who has lost them.

        Raises:
            NoSuchAdministrator: there is none of this id.
            HandoverRefused: they hold more than the principal.
        """
        statement = select(Administrator.privileges).where(Administrator.id == administrator_id)
        privileges = (await uow.session.execute(statement)).scalar_one_or_none()
        if privileges is None:
            raise NoSuchAdministrator
        held = Rights(await load_grants(uow.session, administrator_id), frozenset(privileges))
        given = Handover(
            principal=principal,
            deed=Deed.EDIT,
            before=held,
            after=held,
            own=principal.id == str(administrator_id),
        )
        findings = all_findings(HANDOVER_CHECKS, given)
        if findings:
            raise HandoverRefused(findings)
        await remove_all(uow, administrator_id)
        await audit.record(
            uow,
            principal=principal,
            action="SecondFactorsReset",
            object_type="administrator",
            object_id=str(administrator_id),
            organization_id=None,
        )

    async def _after_removal(self, uow: UnitOfWork, principal: Principal) -> None:
        if await self._flow.factors_of(uow.session, int(principal.id)):
            return
        if await self._is_required(uow.session, principal):
            raise FactorRequired
        await recovery_codes.remove(uow, int(principal.id))

    async def _first_codes(self, uow: UnitOfWork, administrator_id: int) -> list[str]:
        if await recovery_codes.left(uow.session, administrator_id):
            return []
        return await recovery_codes.renew(uow, administrator_id)

    async def _is_required(self, session: AsyncSession, principal: Principal) -> bool:
        required = await second_factor_roles(session)
        return any(grant.role in required for grant in principal.grants)


async def _username(session: AsyncSession, administrator_id: int) -> str:
    statement = select(Administrator.username).where(Administrator.id == administrator_id)
    return (await session.execute(statement)).scalar_one()


async def remove_all(uow: UnitOfWork, administrator_id: int) -> None:
    """Delete app, passkeys and recovery codes of an administrator."""
    for table in (TotpSecret, Passkey, RecoveryCode):
        await uow.session.execute(delete(table).where(table.administrator_id == administrator_id))
