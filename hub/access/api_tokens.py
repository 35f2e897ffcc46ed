"""API tokens: ``cwk_`` and 256 random bits, of which the database holds the SHA-256.

The prefix lets secret scanners find a token that was published by mistake. A token acts as its administrator
and is limited to its scopes; it ends when it expires, is revoked, or its administrator is switched off.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from hub.access import audit
from hub.access.administrators import load_grants
from hub.access.errors import InvalidToken, NoSuchToken
from hub.access.models import Administrator, ApiToken
from hub.access.policy import ACTIONS, authorize
from hub.access.sessions import token_sha256
from hub.access.sign_in_strength import may_name
from hub.db.errors import Forbidden, Malformed
from hub.db.outbox import Event
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal

PREFIX = "cwk_"
_TOUCH_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token just made; ``token`` is shown once."""

    id: int
    token: str


def check_scopes(scopes: Sequence[str], *, principal: Principal) -> None:
    """Hold scopes to known actions, and to what whoever makes the token may do.

    A token acts with its administrator's roles of the moment, so ``*`` is never more than they have. An
    action that is named and that they may not do is refused here, or it would be theirs the day they get the
    role.

    Raises:
        Malformed: there is no such action.
        Forbidden: they reach further than the principal, which may be a token itself.
    """
    within = principal.scopes
    rooms = {action.partition(".")[0] for action in ACTIONS}
    known = {"*", *ACTIONS, *(f"{room}.*" for room in rooms)}
    for item in scopes:
        if item not in known:
            raise Malformed(f"there is no action {item[:64]!r}", field="scopes")
        room = item.partition(".")[0]
        if within.isdisjoint({"*", item, f"{room}.*"}):
            raise Forbidden("a token can't make one that may do more", field="scopes")
        if item in ACTIONS and not authorize(principal, item).allowed:
            raise Forbidden(f"you may not do {item} yourself", field="scopes")
        if not may_name(principal, item):
            raise Forbidden(f"a token for {item} takes a second factor to make", field="scopes")


class ApiTokens:
    """The rules for API tokens."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def create(
        self,
        uow: UnitOfWork,
        *,
        principal: Principal,
        administrator_id: int,
        name: str,
        scopes: Sequence[str] = ("*",),
        expires_at: datetime | None = None,
    ) -> NewToken:
        """Make a token for an administrator.

        Raises:
            Malformed: an unknown scope, or a time that is past.
            Forbidden: ``principal`` is itself a token, and a narrower one.
        """
        check_scopes(scopes, principal=principal)
        if expires_at is not None and expires_at <= uow.now:
            raise Malformed("the time is past", field="expires_at")
        token = PREFIX + secrets.token_urlsafe(32)
        row = ApiToken(
            administrator_id=administrator_id,
            name=name,
            token_sha256=token_sha256(token),
            hint=token[: len(PREFIX) + 4],
            scopes=list(scopes),
            created_at=uow.now,
            expires_at=expires_at,
        )
        uow.session.add(row)
        await uow.session.flush()
        await _note(uow, principal, "ApiTokenCreated", row.id)
        return NewToken(id=row.id, token=token)

    async def revoke(self, uow: UnitOfWork, token_id: int, *, principal: Principal) -> None:
        """End a token of the principal's own.

        Raises:
            NoSuchToken: it is somebody else's, or ended already.
        """
        revoked = await uow.session.execute(
            update(ApiToken)
            .where(
                ApiToken.id == token_id,
                ApiToken.administrator_id == int(principal.id),
                ApiToken.revoked_at.is_(None),
            )
            .values(revoked_at=uow.now)
            .returning(ApiToken.id)
        )
        if revoked.first() is None:
            raise NoSuchToken
        await _note(uow, principal, "ApiTokenRevoked", token_id)

    async def principal(self, token: str) -> Principal:
        """Return whom ``token`` stands for.

        Raises:
            InvalidToken: unknown, expired, revoked, or its administrator is switched off.
        """
        if not token.startswith(PREFIX):
            raise InvalidToken
        async with self._db.read() as session:
            statement = (
                select(
                    ApiToken.id,
                    ApiToken.administrator_id,
                    ApiToken.scopes,
                    ApiToken.expires_at,
                    ApiToken.last_used_at,
                    Administrator.name,
                    Administrator.privileges,
                )
                .join(Administrator, Administrator.id == ApiToken.administrator_id)
                .where(
                    ApiToken.token_sha256 == token_sha256(token),
                    ApiToken.revoked_at.is_(None),
                    Administrator.active,
                )
            )
            row = (await session.execute(statement)).first()
            now = self._db.clock()
            if row is None or (row.expires_at is not None and now >= row.expires_at):
                raise InvalidToken
            grants = await load_grants(session, row.administrator_id)
        if row.last_used_at is None or now - row.last_used_at >= _TOUCH_AFTER:
            await self._touch(row.id)
        return Principal(
            kind="api_token",
            id=str(row.administrator_id),
            name=row.name,
            grants=grants,
            privileges=frozenset(row.privileges),
            scopes=frozenset(row.scopes),
        )

    async def _touch(self, token_id: int) -> None:
        async with self._db.write() as uow:
            await uow.session.execute(
                update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=uow.now)
            )


async def _note(uow: UnitOfWork, principal: Principal, action: str, token_id: int) -> None:
    uow.emit(Event(kind=action, object_type="api_token", object_id=str(token_id)))
    await audit.record(
        uow,
        principal=principal,
        action=action,
        object_type="api_token",
        object_id=str(token_id),
        organization_id=None,
    )
