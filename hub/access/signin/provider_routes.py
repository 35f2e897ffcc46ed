"""Identity providers: setting them up, and who at them is which administrator."""

from __future__ import annotations

from hub.access.models import Administrator
from hub.access.service import AccessService
from hub.access.signin.errors import MetadataRefused
from hub.access.signin.identity_providers import NewProvider, Provider, ProviderChanges
from hub.access.signin.models import FederatedIdentity, IdentityProvider
from hub.access.signin.provider_settings import SamlSettings
from hub.access.signin.saml.metadata import read_metadata
from hub.access.signin.schemas import (
    CreatedId,
    LinkIn,
    LinkRow,
    OidcProviderChange,
    OidcProviderIn,
    ProviderOut,
    ProviderRow,
    SamlProviderChange,
    SamlProviderIn,
)
from hub.http.calls import Call
from hub.http.listing import Column, ListEndpoint, Listing, ListQuery, Page
from hub.http.routing import RouteSet, StreamedResponse, delete, get, patch, post

PROVIDERS = Listing(
    ProviderRow,
    (
        Column("id", IdentityProvider.id, "ID", kind="int", nullable=False),
        Column("name", IdentityProvider.name, "Name", nullable=False, searchable=True),
        Column("label", IdentityProvider.label, "Label", nullable=False, searchable=True),
        Column("kind", IdentityProvider.kind, "Kind", kind="enum", choices=("saml", "oidc")),
        Column("active", IdentityProvider.active, "Active", kind="bool", nullable=False),
        Column("created_at", IdentityProvider.created_at, "Created", kind="time", nullable=False),
    ),
    select_from=IdentityProvider,
    id_column=IdentityProvider.id,
    default_sort="name",
    search_min_length=1,
)

LINKS = Listing(
    LinkRow,
    (
        Column("id", FederatedIdentity.id, "ID", kind="int", nullable=False),
        Column("subject", FederatedIdentity.subject, "Name at the provider", nullable=False, searchable=True),
        Column(
            "administrator_id",
            FederatedIdentity.administrator_id,
            "Administrator",
            kind="int",
            nullable=False,
        ),
        Column("username", Administrator.username, "User name", nullable=False, searchable=True),
        Column("created_at", FederatedIdentity.created_at, "Linked", kind="time", nullable=False),
        Column("last_used_at", FederatedIdentity.last_used_at, "Last used", kind="time"),
    ),
    select_from=FederatedIdentity.__table__.join(
        Administrator.__table__, Administrator.id == FederatedIdentity.administrator_id
    ),
    id_column=FederatedIdentity.id,
    default_sort="-id",
    search_min_length=1,
)


class IdentityProviderRoutes(RouteSet):
    """Identity providers."""

    prefix = "/identity-providers"
    tag = "identity providers"

    def __init__(self, access: AccessService) -> None:
        self._db = access.db
        self._providers = access.signin.providers
        self._federation = access.signin.federation
        self._listing = ListEndpoint(access.db, PROVIDERS)
        self._links = ListEndpoint(access.db, LINKS)

    @get(
        "",
        action="identity_providers.view",
        summary="List identity providers",
        query=ListQuery,
        returns=Page[ProviderRow],
        listing=PROVIDERS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[ProviderRow] | StreamedResponse:
        """List all providers."""
        return await self._listing(call)

    @get("/{id:int}", action="identity_providers.view", summary="Show a provider", returns=ProviderOut)
    async def show(self, call: Call[None, None]) -> ProviderOut:
        """Return settings, and what to tell the provider's administrator."""
        async with self._db.read() as session:
            return self._out(await self._providers.get(session, call.int_path("id")))

    def _out(self, provider: Provider) -> ProviderOut:
        service = self._federation.service_provider(provider.name)
        saml = isinstance(provider.settings, SamlSettings)
        return ProviderOut.model_validate(
            {
                "id": provider.id,
                "name": provider.name,
                "label": provider.label,
                "kind": provider.kind,
                "active": provider.active,
                "settings": provider.settings,
                "entity_id": service.entity_id if saml else "",
                "acs_url": service.acs_url if saml else "",
                "redirect_uri": "" if saml else self._federation.redirect_uri(provider.name),
            }
        )

    @post(
        "/saml",
        action="identity_providers.edit",
        summary="Add a SAML identity provider",
        body=SamlProviderIn,
        returns=CreatedId,
        status=201,
    )
    async def add_saml(self, call: Call[SamlProviderIn, None]) -> CreatedId:
        """Store a provider, from its metadata and settings."""
        settings = _with_metadata(call.body.settings, call.body.metadata_xml)
        new = NewProvider(name=call.body.name, label=call.body.label, settings=settings)
        async with self._db.write() as uow:
            return CreatedId(id=await self._providers.create(uow, new, principal=call.principal))

    @post(
        "/oidc",
        action="identity_providers.edit",
        summary="Add an OpenID provider",
        body=OidcProviderIn,
        returns=CreatedId,
        status=201,
    )
    async def add_oidc(self, call: Call[OidcProviderIn, None]) -> CreatedId:
        """Store a provider; its discovery document is read at the first sign-in."""
        new = NewProvider(
            name=call.body.name,
            label=call.body.label,
            settings=call.body.settings,
            client_secret=call.body.client_secret.get_secret_value(),
        )
        async with self._db.write() as uow:
            return CreatedId(id=await self._providers.create(uow, new, principal=call.principal))

    @patch(
        "/{id:int}/saml",
        action="identity_providers.edit",
        summary="Change a SAML provider",
        body=SamlProviderChange,
    )
    async def change_saml(self, call: Call[SamlProviderChange, None]) -> None:
        """Change settings, or take new metadata."""
        provider_id, body = call.int_path("id"), call.body
        async with self._db.write() as uow:
            settings = body.settings
            if body.metadata_xml is not None and settings is None:
                stored = (await self._providers.get(uow.session, provider_id)).settings
                settings = stored if isinstance(stored, SamlSettings) else SamlSettings()
            if settings is not None:
                settings = _with_metadata(settings, body.metadata_xml or "")
            changes = ProviderChanges(label=body.label, active=body.active, settings=settings)
            await self._providers.change(uow, provider_id, changes, principal=call.principal)

    @patch(
        "/{id:int}/oidc",
        action="identity_providers.edit",
        summary="Change an OpenID provider",
        body=OidcProviderChange,
    )
    async def change_oidc(self, call: Call[OidcProviderChange, None]) -> None:
        """Change settings or the client secret."""
        body = call.body
        changes = ProviderChanges(
            label=body.label,
            active=body.active,
            settings=body.settings,
            client_secret=None if body.client_secret is None else body.client_secret.get_secret_value(),
        )
        async with self._db.write() as uow:
            await self._providers.change(uow, call.int_path("id"), changes, principal=call.principal)

    @delete("/{id:int}", action="identity_providers.edit", summary="Delete an identity provider")
    async def remove(self, call: Call[None, None]) -> None:
        """Delete a provider and its links; the administrators stay."""
        async with self._db.write() as uow:
            await self._providers.remove(uow, call.int_path("id"), principal=call.principal)

    @get(
        "/{id:int}/links",
        action="identity_providers.view",
        summary="List who at a provider is which administrator",
        query=ListQuery,
        returns=Page[LinkRow],
        listing=LINKS,
    )
    async def list_links(self, call: Call[None, ListQuery]) -> Page[LinkRow] | StreamedResponse:
        """List the links of a provider."""
        return await self._links(call, where=FederatedIdentity.provider_id == call.int_path("id"))

    @post(
        "/{id:int}/links",
        action="identity_providers.edit",
        summary="Link somebody at a provider to an administrator",
        body=LinkIn,
        returns=CreatedId,
        status=201,
    )
    async def link(self, call: Call[LinkIn, None]) -> CreatedId:
        """Link an account that is here already."""
        async with self._db.write() as uow:
            link_id = await self._providers.link(
                uow,
                call.int_path("id"),
                call.body.subject,
                call.body.administrator_id,
                principal=call.principal,
            )
        return CreatedId(id=link_id)

    @delete("/{id:int}/links/{link_id:int}", action="identity_providers.edit", summary="End a link")
    async def unlink(self, call: Call[None, None]) -> None:
        """End a link; the administrator stays."""
        async with self._db.write() as uow:
            await self._providers.unlink(
                uow, call.int_path("id"), call.int_path("link_id"), principal=call.principal
            )


def _with_metadata(settings: SamlSettings, metadata_xml: str) -> SamlSettings:
    if metadata_xml:
        found = read_metadata(metadata_xml.encode())
        settings = settings.model_copy(
            update={
                "entity_id": found.entity_id,
                "sso_url": found.sso_url,
                "certificates": list(found.certificates),
            }
        )
    if not (settings.entity_id and settings.sso_url and settings.certificates):
        raise MetadataRefused(
            "upload the provider's metadata, or give entity_id, sso_url and certificates",
            field="metadata_xml",
        )
    return settings
