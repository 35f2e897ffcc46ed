"""The access room: who may come in, as whom, and what they may do.

Other rooms use :mod:`hub.access.policy` and :mod:`hub.access.audit`; the web shell uses this object as its
:class:`~hub.http.authentication.Authenticator`.
"""

from __future__ import annotations

import asyncio

from hub.access.administrators import Administrators
from hub.access.api_tokens import ApiTokens
from hub.access.login_limits import AddressLimiter
from hub.access.passwords import Passwords
from hub.access.sessions import Sessions, SessionTimes
from hub.access.signin.service import SignInOptions, SignInService
from hub.db.uow import Database
from hub.http.principal import Principal


class AccessService:
    """Administrators, sessions and API tokens over one database."""

    def __init__(
        self,
        db: Database,
        *,
        passwords: Passwords | None = None,
        times: SessionTimes | None = None,
        addresses: AddressLimiter | None = None,
        options: SignInOptions | None = None,
    ) -> None:
        passwords = passwords or Passwords()
        self.db = db
        self.administrators = Administrators(passwords)
        self.sessions = Sessions(db, times=times)
        self.signin = SignInService(
            db, self.sessions, passwords, options or SignInOptions(), addresses=addresses
        )
        self.api_tokens = ApiTokens(db)
        self._token_lookups: dict[str, asyncio.Task[Principal]] = {}

    async def by_api_token(self, token: str) -> Principal:
        """Return whom an API token stands for; raises ``InvalidToken``.

        Requests that come while a look-up of the same token is under way share it: nothing is remembered
        beyond it, so a revoked token is refused at once.
        """
        lookup = self._token_lookups.get(token)
        if lookup is None:
            lookup = asyncio.create_task(self.api_tokens.principal(token))
            self._token_lookups[token] = lookup
            lookup.add_done_callback(lambda done: self._forget_lookup(token, done))
        # One caller that goes away must not end the look-up of the others.
        return await asyncio.shield(lookup)

    def _forget_lookup(self, token: str, done: asyncio.Task[Principal]) -> None:
        self._token_lookups.pop(token, None)
        if not done.cancelled():
            # Looked at here, for when everybody who waited has gone away.
            done.exception()

    async def by_session(self, token: str) -> Principal:
        """Return who is signed in; raises ``SessionEnded``."""
        return await self.sessions.principal(token)

    async def admit(self, principal: Principal, address: str) -> None:
        """Hold a caller to the access rules; raises ``AddressNotAllowed``."""
        await self.signin.rules.admit(principal, address)
