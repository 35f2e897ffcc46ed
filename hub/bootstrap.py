"""The first start: everything that a new hub needs before it can serve, in one transaction.

Order: folder and key-encryption key; schema; then together the agent CA, the first organization, the
built-in private CA, its profile, the first administrator and an API token. Whatever fails, the database holds
all of it or nothing, and ``hub init`` can be run again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from hub.access.models import Administrator
from hub.access.passwords import random_password
from hub.composition import Services, build_services
from hub.config import CONFIG_FILE, ConfigurationError, Settings, write_config
from hub.db.migrations.runner import upgrade
from hub.db.uow import Database, UnitOfWork
from hub.fleet.authority import create_authority
from hub.fleet.server_identity import server_identity
from hub.http.principal import SYSTEM, Role, RoleGrant
from hub.issuers.service import HierarchySpec
from hub.key_encryption import create_kek
from hub.organizations.service import OrganizationFields
from hub.profiles.service import ProfileFields

CA_FILE = "ca.pem"
CA_NAME = "Certwright private CA"
PROFILE_NAME = "Private TLS server"
_PERSISTED = ("database_url", "public_url", "customer_uri", "key_file", "key_source")


class AlreadyInitialized(ConfigurationError):
    """The hub has been initialized before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitOptions:
    """What somebody who sets up a hub may choose."""

    organization: str = "Default"
    username: str = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class InitResult:
    """What they are told, once."""

    username: str
    password: str = field(repr=False)
    api_token: str = field(repr=False)
    customer_uri: str
    ca_file: Path


async def initialize(settings: Settings, options: InitOptions) -> InitResult:
    """Set up a hub.

    Raises:
        AlreadyInitialized: it has been set up before; nothing was changed.
        ConfigurationError: folder or key can't be written.
    """
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{settings.data_dir}: {error.strerror}") from error
    kek = create_kek(settings)
    await upgrade(settings.database)
    db = Database.open(settings.database)
    try:
        await _refuse_second_time(db, settings)
        services = build_services(db, settings, kek=kek, authority=None, status_url=settings.status_base_url)
        hierarchy = await services.issuers.make_hierarchy(HierarchySpec(name=CA_NAME))
        async with db.write() as uow:
            authority = await create_authority(uow, kek)
            await server_identity(uow, authority, kek, names=settings.server_names)
            backend_id = await services.issuers.store_hierarchy(uow, hierarchy, principal=SYSTEM)
            await _first_organization(uow, services, options.organization, backend_id)
            await services.notifications.install_defaults(uow)
            result = await _first_administrator(uow, services, settings, options)
    finally:
        await db.close()
    result.ca_file.write_bytes(authority.ca_pem)
    result.ca_file.chmod(0o644)
    _persist(settings)
    return result


async def _refuse_second_time(db: Database, settings: Settings) -> None:
    async with db.read() as session:
        known = (await session.execute(select(Administrator.id).limit(1))).first()
    if known is not None:
        raise AlreadyInitialized(
            f"this hub is initialized already ({settings.data_dir}); start it with certwright hub serve"
        )


async def _first_organization(uow: UnitOfWork, services: Services, name: str, backend_id: int) -> None:
    organization = await services.organizations.create(uow, OrganizationFields(name=name), principal=SYSTEM)
    # The built-in CA is trusted by nobody outside, so its first organization may certify every name.
    await services.organizations.delegate_domain(
        uow, organization_id=organization.id, name="*", principal=SYSTEM
    )
    profile = ProfileFields(
        name=PROFILE_NAME,
        backend_id=backend_id,
        description="TLS servers, by the hub's own private CA.",
    )
    await services.profiles.create(uow, profile, principal=SYSTEM)


async def _first_administrator(
    uow: UnitOfWork, services: Services, settings: Settings, options: InitOptions
) -> InitResult:
    password = random_password()
    administrator_id = await services.access.administrators.create(
        uow,
        principal=SYSTEM,
        username=options.username,
        name=options.username,
        password=password,
        grants=[RoleGrant(role=Role.MRAO)],
    )
    token = await services.access.api_tokens.create(
        uow, principal=SYSTEM, administrator_id=administrator_id, name="hub init"
    )
    return InitResult(
        username=options.username.lower(),
        password=password,
        api_token=token.token,
        customer_uri=settings.customer_uri,
        ca_file=settings.data_dir / CA_FILE,
    )


def _persist(settings: Settings) -> None:
    """Keep what was chosen by flag or variable, so that the next command need not repeat it."""
    chosen = {name: str(value) for name in _PERSISTED if (value := getattr(settings, name)) != _default(name)}
    if chosen and not (settings.data_dir / CONFIG_FILE).exists():
        write_config(settings.data_dir, chosen)


def _default(name: str) -> object:
    return Settings.model_fields[name].default
