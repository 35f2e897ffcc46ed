"""Admin REST of the access room: sessions, API tokens, administrators, the audit log."""

from __future__ import annotations

from typing import Any

from hub.access.models import Administrator, ApiToken, AuditEntry
from hub.access.policy import ACTIONS, authorize, scope
from hub.access.schemas import (
    AdministratorChange,
    AdministratorIn,
    AdministratorRow,
    ApiTokenCreated,
    ApiTokenIn,
    ApiTokenRow,
    AuditRow,
    Created,
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
from hub.http.routing import PUBLIC, Answer, RouteSet, StreamedResponse, delete, get, patch, post

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

AUDIT = Listing(
    AuditRow,
    (
        Column("sequence", AuditEntry.sequence, "Number", kind="int", nullable=False),
        Column("at", AuditEntry.at, "Time", kind="time", nullable=False),
        Column("actor_kind", AuditEntry.actor_kind, "Actor's kind", sortable=False),
        Column("actor_id", AuditEntry.actor_id, "Actor's ID", sortable=False),
        Column("actor_name", AuditEntry.actor_name, "Actor", sortable=False, searchable=True),
        Column("action", AuditEntry.action, "Action", sortable=False, searchable=True),
        Column("object_type", AuditEntry.object_type, "Object's kind", sortable=False),
        Column("object_id", AuditEntry.object_id, "Object's ID", sortable=False, searchable=True),
        Column("organization_id", AuditEntry.organization_id, "Organization", kind="int", sortable=False),
        Column("details", AuditEntry.details, "Details", sortable=False, filterable=False),
        Column("sha256", AuditEntry.sha256, "SHA-256", sortable=False),
    ),
    select_from=AuditEntry,
    id_column=AuditEntry.sequence,
    default_sort="-sequence",
)

ADMINISTRATORS = Listing(
    AdministratorRow,
    (
        Column("id", Administrator.id, "ID", kind="int", nullable=False),
        Column("username", Administrator.username, "User name", nullable=False, searchable=True),
        Column("name", Administrator.name, "Name", nullable=False, searchable=True),
        Column("email", Administrator.email, "E-mail", nullable=False, searchable=True),
        Column("active", Administrator.active, "Active", kind="bool", nullable=False),
        Column("created_at", Administrator.created_at, "Created", kind="time", nullable=False),
        Column("last_login_at", Administrator.last_login_at, "Last sign-in", kind="time"),
    ),
    select_from=Administrator,
    id_column=Administrator.id,
    default_sort="username",
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


class AdministratorRoutes(RouteSet):
    """Administrators and their roles."""

    prefix = "/administrators"
    tag = "administrators"

    def __init__(self, access: AccessService) -> None:
        self._db = access.db
        self._administrators = access.administrators
        self._listing = ListEndpoint(access.db, ADMINISTRATORS)

    @get(
        "",
        action="administrators.view",
        summary="List administrators",
        query=ListQuery,
        returns=Page[AdministratorRow],
        listing=ADMINISTRATORS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[AdministratorRow] | StreamedResponse:
        """List all administrators."""
        return await self._listing(call)

    @post(
        "",
        action="administrators.edit",
        summary="Create an administrator",
        body=AdministratorIn,
        returns=Created,
        status=201,
    )
    async def create(self, call: Call[AdministratorIn, None]) -> Created:
        """Create an administrator."""
        async with self._db.write() as uow:
            administrator_id = await self._administrators.create(
                uow,
                principal=call.principal,
                username=call.body.username,
                name=call.body.name,
                email=call.body.email,
                password=call.body.password.get_secret_value(),
                grants=[grant.to_grant() for grant in call.body.grants],
            )
        return Created(id=administrator_id)

    @patch(
        "/{id:int}", action="administrators.edit", summary="Change an administrator", body=AdministratorChange
    )
    async def change(self, call: Call[AdministratorChange, None]) -> None:
        """Switch an administrator on or off, or replace their roles."""
        grants = call.body.grants
        async with self._db.write() as uow:
            await self._administrators.change(
                uow,
                call.int_path("id"),
                principal=call.principal,
                active=call.body.active,
                grants=None if grants is None else [grant.to_grant() for grant in grants],
            )


class AuditRoutes(RouteSet):
    """The audit log."""

    prefix = "/audit"
    tag = "audit"

    def __init__(self, access: AccessService) -> None:
        self._listing = ListEndpoint(
            access.db, AUDIT, scope=lambda who: scope(who, AuditEntry.organization_id), filename="audit.csv"
        )

    @get(
        "",
        action="audit.view",
        summary="List the audit log",
        query=ListQuery,
        returns=Page[AuditRow],
        listing=AUDIT,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[AuditRow] | StreamedResponse:
        """List entries, newest first."""
        return await self._listing(call)


def access_routes(access: AccessService) -> list[RouteSet]:
    """Return all routes of this room."""
    return [SessionRoutes(access), ApiTokenRoutes(access), AdministratorRoutes(access), AuditRoutes(access)]
