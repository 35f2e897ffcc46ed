"""Who calls: the ports through which the shell asks the access room, and the checks on a credential's way in.

A bearer token comes in a header that no other site can make a browser send; a cookie does not, so unsafe
requests with a cookie must also carry the session's CSRF token in ``X-CSRF-Token``. The CSRF token is a MAC
of the session token, so there is nothing more to store.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Protocol, runtime_checkable

from aiohttp import web

from hub.db.errors import Forbidden, Unauthenticated
from hub.http.principal import ANONYMOUS, Principal
from hub.http.routing import PUBLIC, BoundRoute

CSRF_HEADER = "X-CSRF-Token"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class CsrfRefused(Forbidden):
    """The request carries a session cookie without its X-CSRF-Token header."""

    code = "csrf_refused"


class Authenticator(Protocol):
    """Turns credentials into a principal; both methods raise :class:`Unauthenticated`."""

    async def by_api_token(self, token: str) -> Principal:
        """Return whom a bearer token stands for."""

    async def by_session(self, token: str) -> Principal:
        """Return who signed in with this session."""


@runtime_checkable
class AddressGuard(Protocol):
    """What an authenticator may also do: say from where its principals may come."""

    async def admit(self, principal: Principal, address: str) -> None:
        """Do nothing, or raise :class:`~hub.db.errors.Forbidden`."""


class Authorizer(Protocol):
    """Decides whether a principal may do an action at all; rooms check the organization."""

    def refusal(self, principal: Principal, action: str) -> str | None:
        """Return why not, or None when allowed. Unknown actions are refused."""


def csrf_token(session_token: str) -> str:
    """Return the CSRF token that belongs to a session."""
    return hmac.new(session_token.encode(), b"certwright csrf", hashlib.sha256).hexdigest()


def session_cookie_name(*, secure: bool) -> str:
    """Return the cookie's name; ``__Host-`` has browsers refuse it from subdomains and plain HTTP."""
    return "__Host-certwright_session" if secure else "certwright_session"


def pending_cookie_name(*, secure: bool) -> str:
    """Return the name of the cookie of a sign-in that is under way."""
    return "__Host-certwright_sign_in" if secure else "certwright_sign_in"


async def authenticate(
    request: web.Request, route: BoundRoute, authenticator: Authenticator, *, cookie_name: str
) -> Principal:
    """Return the caller of ``route``; anybody is ANONYMOUS on public ones.

    Raises:
        Unauthenticated: no credential, or not a valid one.
        CsrfRefused: a session without its second token.
    """
    if route.spec.action == PUBLIC:
        return ANONYMOUS
    authorization = request.headers.get("Authorization")
    if authorization is not None:
        return await authenticator.by_api_token(bearer_token(authorization))
    session_token = request.cookies.get(cookie_name) if route.in_api else None
    if session_token is None:
        raise Unauthenticated
    principal = await authenticator.by_session(session_token)
    if request.method not in _SAFE_METHODS:
        _check_csrf(request, session_token)
    return principal


def bearer_token(authorization: str) -> str:
    """Return the token of an ``Authorization: Bearer`` header.

    Raises:
        Unauthenticated: the header holds something else.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("send Authorization: Bearer TOKEN")
    return token.strip()


def _check_csrf(request: web.Request, session_token: str) -> None:
    sent = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(sent.encode("utf-8", "replace"), csrf_token(session_token).encode()):
        raise CsrfRefused
