"""The first factor that most have: user name and password, checked slowly and guarded against guessing."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from sqlalchemy import delete, select, update

from hub.access import audit
from hub.access.errors import WeakPassword, WrongCredentials
from hub.access.login_limits import AddressLimiter, FailureBudget, begin_attempt, forget_failures
from hub.access.models import Administrator, Session
from hub.access.passwords import MAX_LENGTH, Passwords, check_password
from hub.access.sessions import SignIn, note, token_sha256
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import ANONYMOUS, Origin, Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A password that fitted; ``hashes`` are the one it fitted and the one to store."""

    administrator_id: int
    hashes: tuple[str, str]


class PasswordCheck:
    """Checks and changes passwords."""

    def __init__(
        self, db: Database, passwords: Passwords, *, addresses: AddressLimiter, budget: FailureBudget
    ) -> None:
        self._db = db
        self._passwords = passwords
        self._addresses = addresses
        self._budget = budget

    def slow_down(self, remote: str) -> None:
        """Count an attempt of an address, of whatever kind.

        Raises:
            TooManyLogins: it, or everybody together, has to wait.
        """
        self._budget.check(remote, now_s=time.monotonic())
        self._addresses.take(remote, now_s=time.monotonic())

    async def verify(self, attempt: SignIn) -> Verified:
        """Return whose password this is.

        Raises:
            TooManyLogins: the address or the user name has to wait.
            WrongCredentials: said alike, and as slowly, for an unknown name, a wrong password and an
                administrator who is switched off.
        """
        self.slow_down(attempt.remote)
        username = attempt.username.lower()
        async with self._db.write() as uow:
            await begin_attempt(uow, username)
        async with self._db.read() as session:
            found = select(Administrator.id, Administrator.password_hash, Administrator.active).where(
                Administrator.username == username
            )
            row = (await session.execute(found)).first()
        usable = row is not None and row.active and len(attempt.password) <= MAX_LENGTH
        stored = row.password_hash if row is not None and usable else None
        fits = await self._passwords.verify(stored, attempt.password[:MAX_LENGTH])
        if row is None or not fits:
            await self.refused(None if row is None else row.id, attempt.origin, "password")
            raise WrongCredentials
        rehashed = (
            await self._passwords.hash(attempt.password)
            if self._passwords.needs_rehash(row.password_hash)
            else row.password_hash
        )
        return Verified(administrator_id=row.id, hashes=(row.password_hash, rehashed))

    async def confirm(self, uow: UnitOfWork, verified: Verified, username: str) -> None:
        """Hold it to be the password still.

        Raises:
            WrongCredentials: it was changed, or the account switched off, since it was verified.
        """
        old, new = verified.hashes
        still = await uow.session.execute(
            update(Administrator)
            .where(
                Administrator.id == verified.administrator_id,
                Administrator.active,
                Administrator.password_hash == old,
            )
            .values(password_hash=new)
            .returning(Administrator.id)
        )
        if still.first() is None:
            raise WrongCredentials
        await forget_failures(uow, username.lower())

    async def refused(
        self, administrator_id: int | None, origin: Origin, method: str, *, code: str = WrongCredentials.code
    ) -> None:
        """Count and record a factor that was refused."""
        self._budget.failed(now_s=time.monotonic())
        # Unknown names are not written down: they may be passwords.
        if administrator_id is None:
            return
        async with self._db.write() as uow:
            await audit.record(
                uow,
                principal=replace(ANONYMOUS, origin=origin),
                action="SignInRefused",
                object_type="administrator",
                object_id=str(administrator_id),
                organization_id=None,
                details={"method": method, "reason": code},
            )

    async def new_hash(self, administrator_id: int, new: str) -> str:
        """Return the hash of a new password that is not the old one.

        Raises:
            WeakPassword: it breaks a rule, or is the old one.
        """
        async with self._db.read() as session:
            found = select(Administrator.username, Administrator.password_hash).where(
                Administrator.id == administrator_id
            )
            row = (await session.execute(found)).one()
        check_password(new, username=row.username)
        if await self._passwords.verify(row.password_hash, new):
            raise WeakPassword("choose another password than the old one", field="new_password")
        return await self._passwords.hash(new)

    async def store(
        self, uow: UnitOfWork, principal: Principal, new_hash: str, *, kept_session: str | None
    ) -> None:
        """Set a password; all sessions of the administrator end but the one of token ``kept_session``."""
        administrator_id = int(principal.id)
        await uow.session.execute(
            update(Administrator)
            .where(Administrator.id == administrator_id)
            .values(password_hash=new_hash, must_change_password=False)
        )
        others = Session.administrator_id == administrator_id
        if kept_session is not None:
            others &= Session.token_sha256 != token_sha256(kept_session)
        await uow.session.execute(delete(Session).where(others))
        await note(uow, principal, "PasswordChanged", {})

    async def change(self, principal: Principal, *, current: str, new: str, token: str | None) -> None:
        """Set a new password in a session; all other sessions of the administrator end.

        Raises:
            WrongCredentials: ``current`` is not the password.
            TooManyLogins: it was guessed at too often.
            WeakPassword: the new one breaks a rule.
        """
        async with self._db.read() as session:
            found = select(Administrator.username, Administrator.password_hash).where(
                Administrator.id == int(principal.id)
            )
            row = (await session.execute(found)).one()
        async with self._db.write() as uow:
            await begin_attempt(uow, row.username)
        if not await self._passwords.verify(row.password_hash, current[:MAX_LENGTH]):
            raise WrongCredentials("the current password is wrong", field="current_password")
        new_hash = await self.new_hash(int(principal.id), new)
        async with self._db.write() as uow:
            await forget_failures(uow, row.username)
            await self.store(uow, principal, new_hash, kept_session=token)
