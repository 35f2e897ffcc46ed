"""Which services and routes a hub has: the one list of rooms, and the order in which they are built.

A new room adds its service to :class:`Services` and its routes to :func:`build_route_sets`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from hub.access.audit_checkpoints import Checkpoints
from hub.access.event_visibility import sees_event
from hub.access.passwords import Passwords
from hub.access.policy import PolicyAuthorizer
from hub.access.routes import access_routes
from hub.access.service import AccessService
from hub.access.sessions import SessionTimes
from hub.access.signin.recovery import Recovered, Recovery, recover
from hub.config import Settings
from hub.db.migrations.runner import schema_state
from hub.db.uow import Database
from hub.discovery.routes import DiscoveryRoutes
from hub.discovery.service import DiscoveryService
from hub.fleet.authority import Authority, load_authority
from hub.fleet.challenge_agents import FleetChallengeAgents
from hub.fleet.enrollment import Addresses
from hub.fleet.routes import fleet_routes
from hub.fleet.service import FleetService
from hub.fleet.settings import FleetSettings
from hub.http.events import EventRoutes
from hub.http.health import HealthRoutes
from hub.http.metrics import HttpMetrics
from hub.http.openapi import OpenApiRoutes
from hub.http.routing import RouteSet
from hub.issuers.acme.routes import AccountKeyRoutes
from hub.issuers.hierarchies.routes import PrivateCaRoutes
from hub.issuers.hierarchies.service import PrivateCaService
from hub.issuers.hierarchies.trust import TrustRoutes
from hub.issuers.ocsp.export import ExportReport
from hub.issuers.ocsp.routes import OcspRoutes
from hub.issuers.routes import IssuerRoutes, StatusRoutes
from hub.issuers.service import IssuerService
from hub.key_encryption import open_kek
from hub.lifecycle.key_access import KeyAccess
from hub.lifecycle.profile_uses import CertificatesOfProfiles
from hub.lifecycle.route_sets import certificate_routes
from hub.lifecycle.service import LifecycleService, Rooms
from hub.notifications.notice_routes import NoticeRoutes
from hub.notifications.routes import ChannelRoutes, NotificationRoutes, RuleRoutes, TemplateRoutes
from hub.notifications.service import NotificationService
from hub.organizations.custom_field_routes import CustomFieldRoutes
from hub.organizations.dcv.confirmation_page import ConfirmationRoutes
from hub.organizations.dcv.routes import DcvRoutes, DnsWriterRoutes
from hub.organizations.dcv.service import DcvService
from hub.organizations.domain_routes import DomainRoutes
from hub.organizations.person_routes import PersonRoutes
from hub.organizations.routes import OrganizationRoutes, SettingsRoutes
from hub.organizations.service import OrganizationService
from hub.profiles.key_routes import CompromisedKeyRoutes
from hub.profiles.routes import ProfileRoutes
from hub.profiles.service import ProfileService
from hub.renewals.planning.install_windows import PlannedInstallWindows
from hub.renewals.planning.routes import planning_routes
from hub.renewals.planning.service import PlanningService
from hub.renewals.routes import RenewalRoutes
from hub.renewals.service import RenewalRooms, RenewalService
from hub.service_options import dcv_tools, load_hsm, load_weak_keys, notification_options, sign_in_options
from pki.at_rest import KeyEncryptionKey, new_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The rooms' services over one database."""

    db: Database
    access: AccessService
    checkpoints: Checkpoints
    organizations: OrganizationService
    dcv: DcvService
    profiles: ProfileService
    issuers: IssuerService
    private_cas: PrivateCaService
    fleet: FleetService
    lifecycle: LifecycleService
    renewals: RenewalService
    discovery: DiscoveryService
    planning: PlanningService
    notifications: NotificationService


def build_services(
    db: Database,
    settings: Settings,
    *,
    kek: KeyEncryptionKey,
    authority: Authority | None,
    status_url: str,
    base_url: str | None = None,
    asks_at: str = "",
) -> Services:
    """Build all services.

    ``status_url`` is where CRLs and CA certificates are published, ``base_url`` where people reach the hub
    (None: as the settings say), ``asks_at`` the address that asks for client certificates if it is another.
    """
    times = SessionTimes(
        idle=timedelta(minutes=settings.session_idle_minutes),
        absolute=timedelta(hours=settings.session_hours),
    )
    organizations = OrganizationService(db)
    profiles = ProfileService(db, weak_keys=load_weak_keys(settings), uses=CertificatesOfProfiles())
    issuers = IssuerService(
        db, kek, public_url=status_url, hsm=load_hsm(settings), programs=settings.ca_programs
    )
    heartbeats = FleetSettings(
        heartbeat_interval_s=settings.agent_heartbeat_s, heartbeat_timeout_s=settings.agent_silence_s
    )
    fleet = FleetService(db, authority=authority, settings=heartbeats)
    rooms = Rooms(organizations=organizations, profiles=profiles, issuers=issuers, fleet=fleet)
    lifecycle = LifecycleService(db, rooms, key_access=KeyAccess(requires=settings.key_access_requires))
    planning = PlanningService(db)
    lifecycle.limit_installs(PlannedInstallWindows())
    renewals = RenewalService(
        db,
        lifecycle,
        RenewalRooms(profiles=profiles, issuers=issuers, fleet=fleet, calendar=planning.calendar),
    )
    planning.replan_by(renewals)
    dcv = DcvService(db, organizations, dcv_tools(db, settings, kek, fleet=fleet, base_url=base_url))
    issuers.prove_by(dns=dcv.opener, agents=FleetChallengeAgents(db, fleet))
    return Services(
        db=db,
        access=AccessService(
            db, times=times, options=sign_in_options(settings, kek, base_url=base_url, asks_at=asks_at)
        ),
        checkpoints=Checkpoints(db, kek, folder=settings.data_dir),
        organizations=organizations,
        dcv=dcv,
        profiles=profiles,
        issuers=issuers,
        private_cas=PrivateCaService(db, kek, issuers),
        fleet=fleet,
        lifecycle=lifecycle,
        renewals=renewals,
        discovery=DiscoveryService(db, fleet, lifecycle),
        planning=planning,
        notifications=NotificationService(db, kek, notification_options(settings, base_url=base_url)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteParts:
    """What routes need beside services."""

    addresses: Addresses
    metrics: HttpMetrics
    base_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """All routes, and those of them that are told to stop or may be served in the clear."""

    all: tuple[RouteSet, ...]
    events: EventRoutes
    status: tuple[RouteSet, ...]


def build_route_sets(services: Services, parts: RouteParts) -> Routes:
    """Build the routes of all rooms."""
    db = services.db
    events = EventRoutes(db, visible=sees_event)
    status = (
        StatusRoutes(db, services.issuers),
        OcspRoutes(services.issuers.ocsp),
        TrustRoutes(db, services.profiles),
    )
    rooms: list[RouteSet] = [
        *access_routes(services.access),
        OrganizationRoutes(db, services.organizations),
        SettingsRoutes(db, services.organizations),
        DcvRoutes(services.dcv),
        DnsWriterRoutes(services.dcv),
        ConfirmationRoutes(services.dcv),
        DomainRoutes(db, services.organizations),
        PersonRoutes(db, services.organizations),
        CustomFieldRoutes(db, services.organizations),
        ProfileRoutes(db, services.profiles),
        CompromisedKeyRoutes(db, services.profiles),
        IssuerRoutes(db, services.issuers),
        AccountKeyRoutes(db, services.issuers),
        PrivateCaRoutes(services.private_cas),
        *certificate_routes(services.lifecycle),
        RenewalRoutes(services.renewals),
        *fleet_routes(services.fleet, parts.addresses, base_url=parts.base_url),
        DiscoveryRoutes(services.discovery),
        *planning_routes(services.planning),
        NotificationRoutes(services.notifications),
        RuleRoutes(services.notifications),
        TemplateRoutes(services.notifications),
        ChannelRoutes(services.notifications),
        NoticeRoutes(services.notifications),
        events,
    ]
    health = HealthRoutes(
        checks={"database": lambda: _database(db), "schema": lambda: _schema(db)},
        metrics=parts.metrics,
        authenticator=services.access,
        authorizer=PolicyAuthorizer(),
    )
    return Routes(all=(*rooms, *status, health, OpenApiRoutes(rooms)), events=events, status=status)


async def _database(db: Database) -> str | None:
    try:
        await db.check()
    except Exception as error:  # noqa: BLE001 - whatever the driver raises, the answer is the same
        return type(error).__name__
    return None


async def _schema(db: Database) -> str | None:
    state = await schema_state(db)
    return None if state.is_current else f"is {state.current}, must be {state.needed}"


def describe_api(settings: Settings) -> list[RouteSet]:
    """Return the routes for their description only: nothing is opened or connected to."""
    db = Database.open("sqlite:///never-opened.db")
    services = build_services(
        db, settings, kek=KeyEncryptionKey(new_key()), authority=None, status_url="https://hub.example"
    )
    parts = RouteParts(addresses=Addresses(), metrics=HttpMetrics(), base_url="https://hub.example")
    return list(build_route_sets(services, parts).all)


async def enrollment_token(
    settings: Settings, *, kinds: list[str], organization: str | None, lifetime_s: int
) -> str:
    """Create an enrollment token for the hub of these settings, running or not; return its text.

    Raises:
        ConfigurationError: the key can't be read.
        HubError: an unknown kind or organization, or a hub that was never initialized.
    """
    kek = open_kek(settings)
    db = Database.open(settings.database)
    try:
        authority = await load_authority(db, kek)
        services = build_services(
            db, settings, kek=kek, authority=authority, status_url=settings.status_base_url
        )
        async with db.write() as uow:
            organization_id = None
            if organization is not None:
                organization_id = (await services.organizations.by_name(uow.session, organization)).id
            contents = await services.fleet.create_token(
                uow,
                kinds=kinds,
                organization_id=organization_id,
                lifetime_s=lifetime_s,
                enroll_address=settings.enroll_address,
                http_url=settings.base_url,
                created_by="command line",
            )
    finally:
        await db.close()
    return contents.text()


async def export_status(settings: Settings, folder: Path, *, hash_names: tuple[str, ...]) -> ExportReport:
    """Write what the private CAs publish as files for a web server; the hub may run or not.

    Raises:
        ConfigurationError: the key can't be read.
        HubError: a CA's key can't be opened with it.
    """
    kek = open_kek(settings)
    db = Database.open(settings.database)
    try:
        issuers = IssuerService(
            db,
            kek,
            public_url=settings.status_base_url,
            hsm=load_hsm(settings),
            programs=settings.ca_programs,
        )
        return await issuers.export_status(folder, hash_names=hash_names)
    finally:
        await db.close()


async def recover_administrator(settings: Settings, wanted: Recovery) -> Recovered:
    """Let an MRAO in again; the hub may run or not. Raises ``NoSuchAdministrator``."""
    db = Database.open(settings.database)
    try:
        async with db.write() as uow:
            return await recover(uow, wanted, Passwords())
    finally:
        await db.close()
