"""Console sessions: signing in and out, time-outs, changing one's password.

A session token is 256 random bits; the database holds its SHA-256. Each sign-in makes a new one, so a token
planted in a browser beforehand is worth nothing. A session ends after a while without requests, after a fixed
time in any case, and with every change of the password.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from hub.access import audit
from hub.access.administrators import load_grants
from hub.access.errors import SessionEnded, WrongCredentials
from hub.access.login_limits import AddressLimiter, begin_attempt, forget_failures
from hub.access.models import Administrator, Session
from hub.access.passwords import MAX_LENGTH, Passwords, check_password
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import ANONYMOUS, Principal

_TOUCH_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTimes:
    """How long sessions last: without requests, and at most."""

    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What somebody who signs in sends, and from where."""

    username: str
    password: str
    remote: str
    user_agent: str = ""
    # The token that the browser already had; that session ends.
    previous_token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A session just opened; ``token`` goes into the browser's cookie and nowhere else."""

    token: str
    principal: Principal
    expires_at: datetime


def token_sha256(token: str) -> str:
    """Return what is stored of a session or API token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class Sessions:
    """The rules for console sessions."""

    def __init__(
        self,
        db: Database,
        passwords: Passwords,
        *,
        times: SessionTimes | None = None,
        addresses: AddressLimiter | None = None,
    ) -> None:
        self._db = db
        self._passwords = passwords
        self._times = times or SessionTimes()
        self._addresses = addresses or AddressLimiter()

    async def sign_in(self, attempt: SignIn) -> OpenSession:
        """Open a session.

        Raises:
            TooManyLogins: the address or the user name has to wait.
            WrongCredentials: said alike, and as slowly, for an unknown name, a wrong password and an
                administrator who is switched off.
        """
        self._addresses.take(attempt.remote, now_s=time.monotonic())
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
            await self._refused(None if row is None else row.id, attempt)
            raise WrongCredentials
        rehashed = (
            await self._passwords.hash(attempt.password)
            if self._passwords.needs_rehash(row.password_hash)
            else row.password_hash
        )
        return await self._open(row.id, row.password_hash, rehashed, attempt)

    async def _open(
        self, administrator_id: int, verified_hash: str, new_hash: str, attempt: SignIn
    ) -> OpenSession:
        token = secrets.token_urlsafe(32)
        async with self._db.write() as uow:
            # Switched off, or given another password, since it was verified: not signed in.
            signed_in = await uow.session.execute(
                update(Administrator)
                .where(
                    Administrator.id == administrator_id,
                    Administrator.active,
                    Administrator.password_hash == verified_hash,
                )
                .values(last_login_at=uow.now, password_hash=new_hash)
                .returning(Administrator.name)
            )
            name = signed_in.scalar_one_or_none()
            if name is None:
                raise WrongCredentials
            await forget_failures(uow, attempt.username.lower())
            ended = Session.expires_at < uow.now
            if attempt.previous_token is not None:
                ended |= Session.token_sha256 == token_sha256(attempt.previous_token)
            await uow.session.execute(delete(Session).where(ended))
            expires_at = uow.now + self._times.absolute
            uow.session.add(
                Session(
                    token_sha256=token_sha256(token),
                    administrator_id=administrator_id,
                    created_at=uow.now,
                    last_seen_at=uow.now,
                    expires_at=expires_at,
                    remote=attempt.remote[:45],
                    user_agent=attempt.user_agent[:200],
                )
            )
            principal = Principal(
                kind="administrator",
                id=str(administrator_id),
                name=name,
                grants=await load_grants(uow.session, administrator_id),
            )
            await _note(uow, principal, "SignedIn", attempt.remote)
        return OpenSession(token=token, principal=principal, expires_at=expires_at)

    async def _refused(self, administrator_id: int | None, attempt: SignIn) -> None:
        # Unknown names are not written down: they may be passwords.
        if administrator_id is None:
            return
        async with self._db.write() as uow:
            await audit.record(
                uow,
                principal=ANONYMOUS,
                action="SignInRefused",
                object_type="administrator",
                object_id=str(administrator_id),
                organization_id=None,
                details={"remote": attempt.remote},
            )

    async def principal(self, token: str) -> Principal:
        """Return who is signed in with ``token``, and keep the session alive.

        Raises:
            SessionEnded: there is no such session, or it timed out.
        """
        key = token_sha256(token)
        async with self._db.read() as session:
            statement = (
                select(Session.administrator_id, Session.last_seen_at, Session.expires_at, Administrator.name)
                .join(Administrator, Administrator.id == Session.administrator_id)
                .where(Session.token_sha256 == key, Administrator.active)
            )
            row = (await session.execute(statement)).first()
            now = self._db.clock()
            if row is None or now >= row.expires_at or now >= row.last_seen_at + self._times.idle:
                raise SessionEnded
            grants = await load_grants(session, row.administrator_id)
        if now - row.last_seen_at >= _TOUCH_AFTER:
            async with self._db.write() as uow:
                await uow.session.execute(
                    update(Session).where(Session.token_sha256 == key).values(last_seen_at=uow.now)
                )
        return Principal(kind="administrator", id=str(row.administrator_id), name=row.name, grants=grants)

    async def sign_out(self, token: str, principal: Principal) -> None:
        """End the session of ``token``."""
        async with self._db.write() as uow:
            await uow.session.execute(delete(Session).where(Session.token_sha256 == token_sha256(token)))
            await _note(uow, principal, "SignedOut", None)

    async def change_password(
        self, principal: Principal, *, current: str, new: str, token: str | None
    ) -> None:
        """Set a new password; all other sessions of the administrator end.

        Raises:
            WrongCredentials: ``current`` is not the password.
            TooManyLogins: it was guessed at too often.
            WeakPassword: the new one breaks a rule.
        """
        administrator_id = int(principal.id)
        async with self._db.read() as session:
            found = select(Administrator.username, Administrator.password_hash).where(
                Administrator.id == administrator_id
            )
            row = (await session.execute(found)).one()
        async with self._db.write() as uow:
            await begin_attempt(uow, row.username)
        if not await self._passwords.verify(row.password_hash, current[:MAX_LENGTH]):
            raise WrongCredentials("the current password is wrong", field="current_password")
        check_password(new, username=row.username)
        new_hash = await self._passwords.hash(new)
        async with self._db.write() as uow:
            await forget_failures(uow, row.username)
            await uow.session.execute(
                update(Administrator)
                .where(Administrator.id == administrator_id)
                .values(password_hash=new_hash)
            )
            others = Session.administrator_id == administrator_id
            if token is not None:
                others &= Session.token_sha256 != token_sha256(token)
            await uow.session.execute(delete(Session).where(others))
            await _note(uow, principal, "PasswordChanged", None)


async def _note(uow: UnitOfWork, principal: Principal, action: str, remote: str | None) -> None:
    await audit.record(
        uow,
        principal=principal,
        action=action,
        object_type="administrator",
        object_id=principal.id,
        organization_id=None,
        details={} if remote is None else {"remote": remote},
    )
