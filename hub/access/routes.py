"""Admin REST of the access room: sessions, API tokens, administrators, the audit log."""

from __future__ import annotations

from hub.access.administrator_routes import AdministratorRoutes, ProfileRoutes, SettingsRoutes
from hub.access.audit_routes import AuditRoutes
from hub.access.models import ApiToken
from hub.access.schemas import ApiTokenCreated, ApiTokenIn, ApiTokenRow
from hub.access.service import AccessService
from hub.access.signin.federation_routes import FederationRoutes
from hub.access.signin.profile_routes import AllSessionRoutes, FactorRoutes
from hub.access.signin.provider_routes import IdentityProviderRoutes
from hub.access.signin.rule_routes import (
    AccessRuleRoutes,
    CertificateBindingRoutes,
    FactorResetRoutes,
    SignInPolicyRoutes,
)
from hub.access.signin.session_routes import SessionRoutes
from hub.http.calls import Call
from hub.http.listing import Column, ListEndpoint, Listing, ListQuery, Page
from hub.http.routing import RouteSet, StreamedResponse, delete, get, post

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
        FederationRoutes(access),
        FactorRoutes(access),
        AllSessionRoutes(access),
        AccessRuleRoutes(access),
        SignInPolicyRoutes(access),
        CertificateBindingRoutes(access),
        FactorResetRoutes(access),
        IdentityProviderRoutes(access),
        ApiTokenRoutes(access),
        AdministratorRoutes(access),
        ProfileRoutes(access),
        SettingsRoutes(access),
        AuditRoutes(access),
    ]
