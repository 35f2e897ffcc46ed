"""Identity providers: their settings, who at them is an administrator here, and first sign-ins.

A person is known by the provider's lasting name for them (SAML NameID or attribute, OIDC ``sub``), never by a
user name or e-mail address that the provider sends: an account here is linked by its MRAO, or was made by a
template on the first sign-in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.administrators import Administrators, NewAdministrator, require_authority
from hub.access.delegation import HANDOVER_CHECKS, Deed, Handover, Rights
from hub.access.errors import HandoverRefused, NoSuchAdministrator
from hub.access.models import Administrator
from hub.access.privileges import EVERY_POWER, given_by_default
from hub.access.signin.errors import (
    IdentityTaken,
    LinkNeeded,
    NoSuchIdentity,
    NoSuchProvider,
    NoTemplateMatches,
    ProviderNameTaken,
)
from hub.access.signin.models import FederatedIdentity, IdentityProvider
from hub.access.signin.provider_settings import SAML, CommonSettings, OidcSettings, SamlSettings
from hub.access.signin.templates import Granted, Identity, granted, profile_of
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.http.principal import SYSTEM, Principal, RoleGrant
from pki.at_rest import KeyEncryptionKey
from pki.findings import all_findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An identity provider as it is stored."""

    id: int
    name: str
    label: str
    settings: SamlSettings | OidcSettings
    active: bool = True
    client_secret: str = field(default="", repr=False)

    @property
    def kind(self) -> str:
        """``saml`` or ``oidc``."""
        return SAML if isinstance(self.settings, SamlSettings) else "oidc"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProvider:
    """An identity provider to be stored."""

    name: str
    label: str
    settings: SamlSettings | OidcSettings
    client_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderChanges:
    """Changes of an identity provider; None stays as it is."""

    label: str | None = None
    active: bool | None = None
    settings: SamlSettings | OidcSettings | None = None
    client_secret: str | None = field(default=None, repr=False)


def at_rest_purpose(name: str) -> bytes:
    """Return what the secret of a provider is encrypted for."""
    return f"client secret of identity provider {name}".encode()


class IdentityProviders:
    """The rules for identity providers."""

    def __init__(self, administrators: Administrators, kek: KeyEncryptionKey) -> None:
        self._administrators = administrators
        self._kek = kek

    async def create(self, uow: UnitOfWork, new: NewProvider, *, principal: Principal) -> int:
        """Store a provider; return its id.

        Raises:
            ProviderNameTaken: the name is in use.
            HandoverRefused: a template gives what the principal doesn't have.
        """
        check_templates(new.settings, principal)
        known = select(IdentityProvider.id).where(IdentityProvider.name == new.name)
        if (await uow.session.execute(known)).first() is not None:
            raise ProviderNameTaken(field="name")
        row = IdentityProvider(
            name=new.name,
            kind=SAML if isinstance(new.settings, SamlSettings) else "oidc",
            label=new.label,
            settings=new.settings.model_dump(mode="json"),
            secret=self._wrapped(new.name, new.client_secret),
            created_at=uow.now,
        )
        uow.session.add(row)
        await uow.session.flush()
        await _note(uow, principal, "IdentityProviderCreated", row.id, {"name": new.name, "kind": row.kind})
        return row.id

    def _wrapped(self, name: str, secret: str) -> bytes | None:
        return self._kek.wrap(secret.encode(), at_rest_purpose(name)) if secret else None

    async def change(
        self, uow: UnitOfWork, provider_id: int, changes: ProviderChanges, *, principal: Principal
    ) -> None:
        """Change a provider.

        Raises:
            NoSuchProvider: there is none of this id and kind.
            HandoverRefused: a template gives what the principal doesn't have, or somebody who is linked has
                more than they.
        """
        row = await uow.session.get(IdentityProvider, provider_id, populate_existing=True)
        if row is None:
            raise NoSuchProvider
        before = _document(row)
        if changes.settings is not None or changes.client_secret is not None:
            await self._require_authority_over_linked(uow.session, provider_id, principal)
        if changes.label is not None:
            row.label = changes.label
        if changes.active is not None:
            row.active = changes.active
        if changes.settings is not None:
            if isinstance(changes.settings, SamlSettings) != (row.kind == SAML):
                raise NoSuchProvider("the identity provider is of the other kind")
            check_templates(changes.settings, principal)
            row.settings = changes.settings.model_dump(mode="json")
        if changes.client_secret is not None:
            row.secret = self._wrapped(row.name, changes.client_secret)
        await uow.session.flush()
        details = audit.changes(before, _document(row))
        await _note(uow, principal, "IdentityProviderChanged", row.id, details)

    async def _require_authority_over_linked(
        self, session: AsyncSession, provider_id: int, principal: Principal
    ) -> None:
        # Whoever sets the keys of a provider can be anybody whom it vouches for.
        linked = select(FederatedIdentity.administrator_id).where(
            FederatedIdentity.provider_id == provider_id
        )
        for administrator_id in set((await session.execute(linked)).scalars()):
            await require_authority(session, administrator_id, principal)

    async def remove(self, uow: UnitOfWork, provider_id: int, *, principal: Principal) -> None:
        """Delete a provider and its links; the administrators stay. Raises ``NoSuchProvider``."""
        gone = await uow.session.execute(
            delete(IdentityProvider)
            .where(IdentityProvider.id == provider_id)
            .returning(IdentityProvider.name)
        )
        name = gone.scalar_one_or_none()
        if name is None:
            raise NoSuchProvider
        await _note(uow, principal, "IdentityProviderDeleted", provider_id, {"name": name})

    async def active(self, session: AsyncSession) -> list[Provider]:
        """Return the providers that people may sign in with, by name."""
        statement = select(IdentityProvider).where(IdentityProvider.active).order_by(IdentityProvider.name)
        return [self._provider(row) for row in (await session.execute(statement)).scalars()]

    async def by_name(self, session: AsyncSession, name: str) -> Provider:
        """Return an active provider; raises ``NoSuchProvider``."""
        return await self._one(session, (IdentityProvider.name == name) & IdentityProvider.active)

    async def get(self, session: AsyncSession, provider_id: int) -> Provider:
        """Return a provider, active or not; raises ``NoSuchProvider``."""
        return await self._one(session, IdentityProvider.id == provider_id)

    async def _one(self, session: AsyncSession, which: Any) -> Provider:
        row = (await session.execute(select(IdentityProvider).where(which))).scalar_one_or_none()
        if row is None:
            raise NoSuchProvider
        return self._provider(row)

    def _provider(self, row: IdentityProvider) -> Provider:
        schema = SamlSettings if row.kind == SAML else OidcSettings
        secret = self._kek.unwrap(row.secret, at_rest_purpose(row.name)).decode() if row.secret else ""
        return Provider(
            id=row.id,
            name=row.name,
            label=row.label,
            settings=schema.model_validate(row.settings),
            active=row.active,
            client_secret=secret,
        )

    async def administrator_of(
        self, uow: UnitOfWork, provider: Provider, identity: Identity, *, remote: Principal
    ) -> int:
        """Return who ``identity`` is here; create the account if a template says so.

        Raises:
            NoTemplateMatches: nobody here, and no template gives a role or the user name is not usable.
            LinkNeeded: an account of the same user name is here, and not linked.
        """
        linked = await uow.session.execute(
            update(FederatedIdentity)
            .where(
                FederatedIdentity.provider_id == provider.id, FederatedIdentity.subject == identity.subject
            )
            .values(last_used_at=uow.now)
            .returning(FederatedIdentity.administrator_id)
        )
        administrator_id = linked.scalar_one_or_none()
        if administrator_id is not None:
            return administrator_id
        return await self._first_sign_in(uow, provider, identity, remote)

    async def _first_sign_in(
        self, uow: UnitOfWork, provider: Provider, identity: Identity, remote: Principal
    ) -> int:
        given = granted(identity, provider.settings)
        profile = profile_of(identity, provider.settings.mapping)
        if not given.grants:
            raise NoTemplateMatches
        if profile is None:
            raise NoTemplateMatches("the identity provider sent no user name that can be used here")
        taken = select(Administrator.id).where(Administrator.username == profile.username)
        if (await uow.session.execute(taken)).first() is not None:
            raise LinkNeeded
        wanted = NewAdministrator(
            username=profile.username,
            name=profile.name,
            email=profile.email,
            grants=given.grants,
            privileges=given.privileges,
            type="idp_user",
        )
        administrator_id = await self._administrators.add(uow, wanted, principal=SYSTEM)
        await self._link(uow, provider.id, identity.subject, administrator_id)
        details = {"provider": provider.name, "subject": identity.subject}
        await _note_link(uow, remote, "IdentityLinkedByTemplate", administrator_id, details)
        return administrator_id

    async def link(
        self, uow: UnitOfWork, provider_id: int, subject: str, administrator_id: int, *, principal: Principal
    ) -> int:
        """Have somebody at a provider be an administrator here; return the link's id.

        Raises:
            NoSuchProvider, NoSuchAdministrator: there is none of this id.
            IdentityTaken: they are linked already.
        """
        provider = await self.get(uow.session, provider_id)
        known = select(Administrator.id).where(Administrator.id == administrator_id)
        if (await uow.session.execute(known)).first() is None:
            raise NoSuchAdministrator(field="administrator_id")
        await require_authority(uow.session, administrator_id, principal)
        taken = select(FederatedIdentity.id).where(
            FederatedIdentity.provider_id == provider_id, FederatedIdentity.subject == subject
        )
        if (await uow.session.execute(taken)).first() is not None:
            raise IdentityTaken
        link_id = await self._link(uow, provider_id, subject, administrator_id)
        details = {"provider": provider.name, "subject": subject}
        await _note_link(uow, principal, "IdentityLinked", administrator_id, details)
        return link_id

    async def unlink(self, uow: UnitOfWork, provider_id: int, link_id: int, *, principal: Principal) -> None:
        """End a link; raises ``NoSuchIdentity``."""
        gone = await uow.session.execute(
            delete(FederatedIdentity)
            .where(FederatedIdentity.id == link_id, FederatedIdentity.provider_id == provider_id)
            .returning(FederatedIdentity.administrator_id, FederatedIdentity.subject)
        )
        row = gone.first()
        if row is None:
            raise NoSuchIdentity
        await _note_link(uow, principal, "IdentityUnlinked", row.administrator_id, {"subject": row.subject})

    async def _link(self, uow: UnitOfWork, provider_id: int, subject: str, administrator_id: int) -> int:
        row = FederatedIdentity(
            provider_id=provider_id,
            subject=subject,
            administrator_id=administrator_id,
            created_at=uow.now,
        )
        uow.session.add(row)
        await uow.session.flush()
        return row.id


def check_templates(settings: CommonSettings, principal: Principal) -> None:
    """Hold templates to roles and privileges of whoever writes them.

    Raises:
        HandoverRefused: a template gives more, or a role has the wrong shape.
    """
    for template in settings.templates:
        grants = []
        for item in template.grants:
            organizations: list[int | None] = [item.organization_id]
            if item.organization_attribute:
                organizations = list(settings.organization_aliases.values()) or [0]
            grants += [
                RoleGrant(
                    role=item.role,
                    organization_id=organization_id,
                    department_id=item.department_id,
                    certificate_types=frozenset(item.certificate_types),
                )
                for organization_id in organizations
            ]
        _check(Granted(grants=tuple(grants), privileges=_chosen(template.privileges)), principal)


def _chosen(privileges: list[str] | None) -> frozenset[str] | None:
    return None if privileges is None else frozenset(privileges)


def _check(given: Granted, principal: Principal) -> None:
    own = EVERY_POWER if principal.kind == "system" else principal.privileges
    privileges = given.privileges
    if privileges is None:
        privileges = given_by_default(given.grants, within=own)
    rights = Rights(given.grants, privileges)
    findings = all_findings(HANDOVER_CHECKS, Handover(principal=principal, deed=Deed.CREATE, after=rights))
    if findings:
        raise HandoverRefused(findings)


def _document(row: IdentityProvider) -> dict[str, Any]:
    return {"label": row.label, "active": row.active, **row.settings}


async def _note(
    uow: UnitOfWork, principal: Principal, action: str, provider_id: int, details: dict[str, Any]
) -> None:
    uow.emit(Event(kind=action, object_type="identity_provider", object_id=str(provider_id)))
    await audit.record(
        uow,
        principal=principal,
        action=action,
        object_type="identity_provider",
        object_id=str(provider_id),
        organization_id=None,
        details=details,
    )


async def _note_link(
    uow: UnitOfWork, principal: Principal, action: str, administrator_id: int, details: dict[str, Any]
) -> None:
    await audit.record(
        uow,
        principal=principal,
        action=action,
        object_type="administrator",
        object_id=str(administrator_id),
        organization_id=None,
        details=details,
    )
