"""Admin REST of the access room: sessions, API tokens, administrators, the audit log."""

from __future__ import annotations

from typing import Any

from hub.access.administrator_routes import AdministratorRoutes, ProfileRoutes, SettingsRoutes
from hub.access.audit_routes import AuditRoutes
from hub.access.models import ApiToken
from hub.access.policy import ACTIONS, authorize
from hub.access.schemas import (
    ApiTokenCreated,
    ApiTokenIn,
    ApiTokenRow,
    PasswordIn,
    SessionOut,
    SignInIn,
)
from hub.access.service import AccessService
from hub.access.sessions import SignIn
from hub.db.errors import Unauthenticated
from hub.http.authentication import csrf_token
from hub.http.calls import Call
from hub.http.listing import Column, ListEndpoint, Listing, ListQuery, Page
from hub.http.principal import Principal
from hub.http.routing import PUBLIC, Answer, RouteSet, StreamedResponse, delete, get, post

API_TOKENS = Listing(
    ApiTokenRow,
    (
        Column("id", ApiToken.id, "ID", kind="int", nullable=False),
        Column("name", ApiToken.name, "Name", nullable=False, searchable=True),
        Column("hint", ApiToken.hint, "Token", sortable=False),
        Column("scopes", ApiToken.scopes, "Scopes", sortable=False, filterable=False),
        Column("created_at", ApiToken.created_at, "Created", kind="time", nullable=False),
        Column("expires_at", ApiToken.expires_at, "Expires", kind="time"),
        Column("last_used_at", ApiToken.last_used_at, "Last used", kind="time"),
        Column("revoked_at", ApiToken.revoked_at, "Revoked", kind="time"),
    ),
    select_from=ApiToken,
    id_column=ApiToken.id,
    default_sort="-id",
    search_min_length=1,
)


def _describe(principal: Principal, session_token: str | None) -> SessionOut:
    return SessionOut.of(
        principal,
        actions=[action for action in sorted(ACTIONS) if authorize(principal, action).allowed],
        csrf_token=csrf_token(session_token) if session_token is not None else None,
    )


class SessionRoutes(RouteSet):
    """Signing in and out of the console."""

    prefix = "/session"
    tag = "session"

    def __init__(self, access: AccessService) -> None:
        self._sessions = access.sessions

    @post("", action=PUBLIC, summary="Sign in", body=SignInIn, returns=SessionOut)
    async def sign_in(self, call: Call[SignInIn, None]) -> Answer:
        """Open a session and set its cookie."""
        opened = await self._sessions.sign_in(
            SignIn(
                username=call.body.username,
                password=call.body.password.get_secret_value(),
                remote=call.remote,
                user_agent=call.headers.get("User-Agent", ""),
                previous_token=call.session_token,
            )
        )
        return Answer(value=_describe(opened.principal, opened.token), start_session=opened.token)

    @get("", action="session.view", summary="Who is signed in", returns=SessionOut)
    async def show(self, call: Call[None, None]) -> SessionOut:
        """Describe the caller."""
        return _describe(call.principal, _session_of(call))

    @delete("", action="session.edit", summary="Sign out")
    async def sign_out(self, call: Call[None, None]) -> Answer:
        """End the session and drop its cookie."""
        token = _session_of(call)
        if token is not None:
            await self._sessions.sign_out(token, call.principal)
        return Answer(end_session=True)

    @post("/password", action="session.edit", summary="Change the own password", body=PasswordIn)
    async def change_password(self, call: Call[PasswordIn, None]) -> None:
        """Set a new password; other sessions end."""
        token = _session_of(call)
        if token is None:
            raise Unauthenticated("a password is changed in a console session, not with an API token")
        await self._sessions.change_password(
            call.principal,
            current=call.body.current_password.get_secret_value(),
            new=call.body.new_password.get_secret_value(),
            token=token,
        )


def _session_of(call: Call[Any, Any]) -> str | None:
    # A bearer token wins over a cookie that came along.
    return call.session_token if call.principal.kind == "administrator" else None


class ApiTokenRoutes(RouteSet):
    """The caller's own API tokens."""

    prefix = "/api-tokens"
    tag = "api tokens"

    def __init__(self, access: AccessService) -> None:
        self._db = access.db
        self._tokens = access.api_tokens
        self._listing = ListEndpoint(access.db, API_TOKENS)

    @get(
        "",
        action="api_tokens.view",
        summary="List own API tokens",
        query=ListQuery,
        returns=Page[ApiTokenRow],
        listing=API_TOKENS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[ApiTokenRow] | StreamedResponse:
        """List the caller's tokens."""
        return await self._listing(call, where=ApiToken.administrator_id == int(call.principal.id))

    @post(
        "",
        action="api_tokens.edit",
        summary="Make an API token",
        body=ApiTokenIn,
        returns=ApiTokenCreated,
        status=201,
    )
    async def create(self, call: Call[ApiTokenIn, None]) -> ApiTokenCreated:
        """Make a token; it is shown this once."""
        async with self._db.write() as uow:
            made = await self._tokens.create(
                uow,
                principal=call.principal,
                administrator_id=int(call.principal.id),
                name=call.body.name,
                scopes=call.body.scopes,
                expires_at=call.body.expires_at,
            )
        return ApiTokenCreated(id=made.id, token=made.token)

    @delete("/{id:int}", action="api_tokens.edit", summary="Revoke an API token")
    async def revoke(self, call: Call[None, None]) -> None:
        """End a token."""
        async with self._db.write() as uow:
            await self._tokens.revoke(uow, call.int_path("id"), principal=call.principal)


def access_routes(access: AccessService) -> list[RouteSet]:
    """Return all routes of this room."""
    return [
        SessionRoutes(access),
        ApiTokenRoutes(access),
        AdministratorRoutes(access),
        ProfileRoutes(access),
        SettingsRoutes(access),
        AuditRoutes(access),
    ]
