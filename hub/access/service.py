"""The access room: who may come in, as whom, and what they may do.

Other rooms use :mod:`hub.access.policy` and :mod:`hub.access.audit`; the web shell uses this object as its
:class:`~hub.http.authentication.Authenticator`.
"""

from __future__ import annotations

from hub.access.administrators import Administrators
from hub.access.api_tokens import ApiTokens
from hub.access.login_limits import AddressLimiter
from hub.access.passwords import Passwords
from hub.access.sessions import Sessions, SessionTimes
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
    ) -> None:
        passwords = passwords or Passwords()
        self.db = db
        self.administrators = Administrators(passwords)
        self.sessions = Sessions(db, passwords, times=times, addresses=addresses)
        self.api_tokens = ApiTokens(db)

    async def by_api_token(self, token: str) -> Principal:
        """Return whom an API token stands for; raises ``InvalidToken``."""
        return await self.api_tokens.principal(token)

    async def by_session(self, token: str) -> Principal:
        """Return who is signed in; raises ``SessionEnded``."""
        return await self.sessions.principal(token)
