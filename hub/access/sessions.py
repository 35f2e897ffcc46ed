"""Console sessions: opening one, time-outs, new tokens at each step-up, lists and revocation.

A session token is 256 random bits; the database holds its SHA-256. Each sign-in makes a new one, so a token
planted in a browser beforehand is worth nothing. A session ends after a while without requests, after a fixed
time in any case, and with every change of the password. Only :mod:`hub.access.signin` opens sessions, once
all factors are shown.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.administrators import load_grants
from hub.access.errors import SessionEnded
from hub.access.models import Administrator, Session
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Origin, Principal

_TOUCH_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTimes:
    """How long sessions last: without requests, and at most."""

    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What somebody who signs in with a password sends, and from where."""

    username: str
    password: str
    remote: str
    user_agent: str = ""
    # The token that the browser already had; that session ends.
    previous_token: str | None = None

    @property
    def origin(self) -> Origin:
        """From where."""
        return Origin(remote=self.remote, user_agent=self.user_agent)


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

    def __init__(self, db: Database, *, times: SessionTimes | None = None) -> None:
        self._db = db
        self._times = times or SessionTimes()

    async def open(
        self,
        uow: UnitOfWork,
        administrator_id: int,
        *,
        methods: list[str],
        origin: Origin,
        previous_token: str | None = None,
    ) -> OpenSession:
        """Open a session for somebody who has shown all factors.

        Raises:
            SessionEnded: the administrator was switched off meanwhile.
        """
        signed_in = await uow.session.execute(
            update(Administrator)
            .where(Administrator.id == administrator_id, Administrator.active)
            .values(last_login_at=uow.now)
            .returning(Administrator.id)
        )
        if signed_in.first() is None:
            raise SessionEnded("the account was switched off")
        ended = Session.expires_at < uow.now
        if previous_token is not None:
            ended |= Session.token_sha256 == token_sha256(previous_token)
        await uow.session.execute(delete(Session).where(ended))
        token, session_id = secrets.token_urlsafe(32), secrets.token_hex(16)
        expires_at = uow.now + self._times.absolute
        uow.session.add(
            Session(
                token_sha256=token_sha256(token),
                id=session_id,
                administrator_id=administrator_id,
                methods=methods,
                created_at=uow.now,
                last_seen_at=uow.now,
                expires_at=expires_at,
                remote=origin.remote[:45],
                user_agent=origin.user_agent[:200],
            )
        )
        await uow.session.flush()
        loaded = await _load(uow.session, token_sha256(token))
        principal = replace(loaded.principal, origin=origin)
        await note(uow, principal, "SignedIn", {"methods": ", ".join(methods)})
        return OpenSession(token=token, principal=principal, expires_at=expires_at)

    async def principal(self, token: str) -> Principal:
        """Return who is signed in with ``token``, and keep the session alive.

        Raises:
            SessionEnded: there is no such session, or it timed out.
        """
        key = token_sha256(token)
        async with self._db.read() as session:
            found = await _load(session, key)
        now = self._db.clock()
        if now >= found.expires_at or now >= found.last_seen_at + self._times.idle:
            raise SessionEnded
        if now - found.last_seen_at >= _TOUCH_AFTER:
            async with self._db.write() as uow:
                await uow.session.execute(
                    update(Session).where(Session.token_sha256 == key).values(last_seen_at=uow.now)
                )
        return found.principal

    async def step_up(self, uow: UnitOfWork, token: str, principal: Principal, *, method: str) -> str:
        """Mark a session as stronger by ``method`` and return its new token; the old one is void.

        Raises:
            SessionEnded: it ended meanwhile, or somebody else stepped it up.
        """
        renewed = secrets.token_urlsafe(32)
        changed = await uow.session.execute(
            update(Session)
            .where(Session.token_sha256 == token_sha256(token))
            .values(token_sha256=token_sha256(renewed), methods=sorted({*principal.methods, method}))
            .returning(Session.id)
        )
        if changed.first() is None:
            raise SessionEnded
        await note(uow, principal, "SessionSteppedUp", {"method": method})
        return renewed

    async def sign_out(self, token: str, principal: Principal) -> None:
        """End the session of ``token``."""
        async with self._db.write() as uow:
            await uow.session.execute(delete(Session).where(Session.token_sha256 == token_sha256(token)))
            await note(uow, principal, "SignedOut", {})

    async def end(
        self, uow: UnitOfWork, which: ColumnElement[bool], *, principal: Principal, reason: str
    ) -> list[str]:
        """End the sessions that ``which`` selects; return their ids."""
        ended = await uow.session.execute(
            delete(Session).where(which).returning(Session.id, Session.administrator_id)
        )
        rows = ended.all()
        for row in rows:
            await audit.record(
                uow,
                principal=principal,
                action="SessionRevoked",
                object_type="administrator",
                object_id=str(row.administrator_id),
                organization_id=None,
                details={"session": row.id, "reason": reason},
            )
        return [row.id for row in rows]


@dataclass(frozen=True, slots=True)
class _Loaded:
    principal: Principal
    last_seen_at: datetime
    expires_at: datetime


async def _load(session: AsyncSession, key: str) -> _Loaded:
    statement = (
        select(
            Session.id,
            Session.administrator_id,
            Session.methods,
            Session.last_seen_at,
            Session.expires_at,
            Administrator.name,
            Administrator.privileges,
            Administrator.must_change_password,
        )
        .join(Administrator, Administrator.id == Session.administrator_id)
        .where(Session.token_sha256 == key, Administrator.active)
    )
    row = (await session.execute(statement)).first()
    if row is None:
        raise SessionEnded
    principal = Principal(
        kind="administrator",
        id=str(row.administrator_id),
        name=row.name,
        grants=await load_grants(session, row.administrator_id),
        privileges=frozenset(row.privileges),
        # Who signed in elsewhere has no password here to change.
        must_change_password=row.must_change_password and "password" in row.methods,
        session_id=row.id,
        methods=frozenset(row.methods),
    )
    return _Loaded(principal, row.last_seen_at, row.expires_at)


async def note(uow: UnitOfWork, principal: Principal, action: str, details: dict[str, str]) -> None:
    """Record what somebody did to their own account."""
    await audit.record(
        uow,
        principal=principal,
        action=action,
        object_type="administrator",
        object_id=principal.id,
        organization_id=None,
        details=details,
    )
