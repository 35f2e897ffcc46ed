"""Things of every kind, made at a place: rows as the hub itself writes them, with an unmistakable name.

A new kind of object adds a maker and a line in :data:`KINDS`; a new route of it a line in
:mod:`tests.integration.access_policy.routes`.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.models import Administrator, ApiToken, RoleGrantRow, Session
from hub.access.signin.models import ClientCertificateBinding, FederatedIdentity, IdentityProvider, Passkey
from hub.discovery.models import DiscoveredEndpoint, DiscoveryTask, Scan, ScanFind
from hub.fleet.commands import DiscoverServers
from hub.fleet.models import Agent, EnrollmentToken, FleetCommand
from hub.fleet.wire import body_bytes
from hub.issuers.models import CaAuthority, CaBackendRow, CaCrossCertificate, CaSigningRequest
from hub.issuers.private_ca.ceremony import CaSpec, certify_root
from hub.issuers.private_ca.signer import SoftwareSigner
from hub.lifecycle.importing.models import CertificateImport, CertificateImportFile
from hub.lifecycle.models import Certificate, CertificateLocation, InstallItem, KeyTransfer
from hub.notifications.models import Notification, NotificationChannel, NotificationRule
from hub.organizations.dcv.models import DcvValidation, DcvWriter
from hub.organizations.models import CustomField, Department, Domain, Organization, Person
from hub.profiles.models import CompromisedKey, Profile
from hub.renewals.planning.models import CaQuota, MaintenanceWindow, RenewalFreeze
from pki.csrs import build_csr
from pki.keys import KeyType, generate_key, spki_sha256
from pki.names import SubjectFields
from pki.templates import Validity
from tests.integration.access_policy.callers import CALLERS
from tests.integration.access_policy.places import DIVIDED, EVERYBODY, INHERITED, PLACES, UNDIVIDED, Place

PREFIX = "zq"
"""Begins the name of every thing, so that one search finds all that the caller sees."""

# Apart, because the hub itself takes the number after the highest.
_numbers = itertools.count(80_000_000, 1000)
_NOW = datetime(2026, 6, 1, tzinfo=UTC)
_LATER = _NOW + timedelta(days=3650)


@dataclass(frozen=True)
class Thing:
    """An object that exists. ``params`` are what its routes' paths are filled with."""

    kind: str
    place: Place
    id: str
    marker: str
    params: Mapping[str, str]
    seen_by: frozenset[str]
    told_to: frozenset[str]


@dataclass(frozen=True)
class Making:
    """What a maker is given. ``organization`` and ``agent`` are of the place; the backend of the hub."""

    session: AsyncSession
    place: Place
    number: int
    marker: str
    agents: Mapping[int | None, str] = field(default_factory=dict)
    backend: int = 0

    @property
    def uuid(self) -> str:
        """An id for tables that have such."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.marker))

    @property
    def agent(self) -> str:
        """An agent that serves the place."""
        return self.agents[self.place.organization]

    async def add(self, *rows: Any) -> None:
        """Store rows in their order."""
        for row in rows:
            self.session.add(row)
            await self.session.flush()


Params = Mapping[str, Any]


async def _organization(at: Making) -> Params:
    # Grants name organizations, so there are only the two that were there before.
    return {"id": at.place.organization}


async def _department(at: Making) -> Params:
    return {"id": at.place.organization, "department_id": at.place.department}


async def _settings(at: Making) -> Params:
    return {**await _department(at), "type": "ssl"}


async def _agent(at: Making) -> Params:
    await at.add(agent_row(at.uuid, at.marker, at.place.organization))
    return {"id": at.uuid}


def agent_row(agent_id: str, name: str, organization_id: int | None) -> Agent:
    """Return an agent that enrolled and is away."""
    return Agent(
        id=agent_id,
        name=name,
        kind="network",
        organization_id=organization_id,
        receiver_public_key=b"k",
        identity_spki=b"s",
        certificate_sha256="0" * 64,
        certificate_serial="1",
        certificate_not_after=_LATER,
        enrolled_at=_NOW,
    )


async def _command(at: Making) -> Params:
    await at.add(
        FleetCommand(
            id=at.uuid,
            delivery_id=at.uuid,
            agent_id=at.agent,
            kind="discover_servers",
            body=body_bytes(DiscoverServers()),
            state="queued",
            subject_type="agent",
            subject_id=at.agent,
            organization_id=at.place.organization,
            requested_by=at.marker,
            created_at=_NOW,
            deadline=_LATER,
        )
    )
    return {"id": at.uuid}


async def _enrollment_token(at: Making) -> Params:
    await at.add(
        EnrollmentToken(
            id=at.uuid,
            secret_sha256="0" * 64,
            kinds=["network"],
            organization_id=at.place.organization,
            created_by=at.marker,
            created_at=_NOW,
            expires_at=_LATER,
        )
    )
    return {"id": at.uuid}


async def _certificate(at: Making) -> Params:
    await at.add(
        Certificate(
            id=at.number,
            type="ssl",
            status="Requested" if at.place.organization else "Unmanaged",
            common_name=f"{at.marker}.example",
            dns_names=[f"{at.marker}.example"],
            search_names=f"{at.marker}.example",
            organization_id=at.place.organization,
            department_id=at.place.department,
            requester=at.marker,
            comments=at.marker,
            created_at=_NOW,
            requested_at=_NOW,
        ),
        CertificateLocation(
            id=at.number,
            certificate_id=at.number,
            kind="custom",
            name=at.marker,
            first_seen=_NOW,
            last_seen=_NOW,
        ),
    )
    await at.add(
        InstallItem(
            id=at.number,
            certificate_id=at.number,
            agent_id=at.agent,
            server="web",
            node_id=at.marker,
            updated_at=_NOW,
        )
    )
    transfers = {
        kind: str(uuid.uuid5(uuid.NAMESPACE_URL, at.marker + kind)) for kind in ("download", "upload")
    }
    await at.add(
        *(
            KeyTransfer(
                id=transfer_id,
                kind=kind,
                certificate_id=at.number,
                agent_id=at.agent,
                certificate_sha256="0" * 64,
                state="Expired",
                requester_kind="administrator",
                requester_id="1",
                requested_by=at.marker,
                created_at=_NOW,
                expires_at=_NOW,
            )
            for kind, transfer_id in transfers.items()
        )
    )
    return {
        "id": at.number,
        "location_id": at.number,
        "item_id": at.number,
        "download_id": transfers["download"],
        "upload_id": transfers["upload"],
    }


async def _import(at: Making) -> Params:
    await at.add(
        CertificateImport(
            id=at.number,
            filename=f"{at.marker}.zip",
            organization_id=at.place.organization,
            department_id=at.place.department,
            administrator=at.marker,
            state="Finished",
            message="",
            created_at=_NOW,
            heartbeat_at=_NOW,
        ),
        CertificateImportFile(
            id=at.number,
            import_id=at.number,
            name=f"{at.marker}.pem",
            result="Failed",
            reason="FileDamaged",
            certificate_ids=[],
        ),
    )
    return {"id": at.number}


async def _domain(at: Making) -> Params:
    await at.add(
        Domain(
            id=at.number,
            organization_id=at.place.organization,
            department_id=at.place.department,
            name=f"{at.marker}.example",
            parent="example",
            certificate_types=["ssl", "client"],
            requested_by=at.marker,
            created_at=_NOW,
        )
    )
    return {"id": at.number}


async def _person(at: Making) -> Params:
    email = f"{at.marker}@{at.marker}.example"
    await at.add(
        Person(
            id=at.number,
            organization_id=at.place.organization,
            department_id=at.place.department,
            domain=f"{at.marker}.example",
            email=email,
            email_key=email,
            common_name=at.marker,
            first_name=at.marker,
            last_name=at.marker,
            created_at=_NOW,
            changed_at=_NOW,
        )
    )
    return {"id": at.number}


async def _validation(at: Making) -> Params:
    name = f"{at.marker}.example"
    await at.add(
        Domain(
            id=at.number,
            organization_id=at.place.organization,
            department_id=at.place.department,
            name=name,
            parent="example",
            certificate_types=["ssl", "client"],
            state="approved",
            created_at=_NOW,
        ),
        DcvValidation(
            id=at.number,
            organization_id=at.place.organization,
            domain=name,
            trust="public",
            state="not_started",
            evidence={},
            vantage_agent_ids=[],
            created_at=_NOW,
            created_by=at.marker,
        ),
    )
    return {"id": at.number}


async def _writer(at: Making) -> Params:
    await at.add(
        DcvWriter(
            id=at.number,
            uid=at.marker,
            name=at.marker,
            kind="acme_dns",
            organization_id=at.place.organization,
            settings={},
            created_at=_NOW,
        )
    )
    return {"id": at.number}


async def _freeze(at: Making) -> Params:
    starts, ends = _LATER, _LATER + timedelta(days=1)
    await at.add(
        RenewalFreeze(
            id=at.number,
            name=at.marker,
            organization_id=at.place.organization,
            department_id=at.place.department,
            starts=f"{starts:%Y-%m-%dT%H:%M}",
            ends=f"{ends:%Y-%m-%dT%H:%M}",
            time_zone="UTC",
            starts_at=starts,
            ends_at=ends,
            created_at=_NOW,
            updated_at=_NOW,
        )
    )
    return {"id": at.number}


async def _window(at: Making) -> Params:
    await at.add(
        MaintenanceWindow(
            id=at.number,
            name=at.marker,
            organization_id=at.place.organization,
            department_id=at.place.department,
            weekdays=[5],
            opens=0,
            closes=60,
            time_zone="UTC",
            created_at=_NOW,
            updated_at=_NOW,
        )
    )
    return {"id": at.number}


async def _quota(at: Making) -> Params:
    await at.add(
        CaQuota(
            id=at.number,
            backend_id=at.backend,
            # Of each CA there is one of a period, and the things of the walk are many.
            period=f"{at.number // 1000 % 10_000_000:x}",
            limit=1,
            note=at.marker,
            created_at=_NOW,
            updated_at=_NOW,
        )
    )
    return {"id": at.number}


async def _custom_field(at: Making) -> Params:
    await at.add(
        CustomField(
            id=at.number,
            certificate_type="client",
            name=at.marker,
            label="A field",
            kind="text",
            created_at=_NOW,
        )
    )
    return {"id": at.number}


async def _profile(at: Making) -> Params:
    await at.add(profile_row(at.number, at.marker, at.backend, [at.place.organization]))
    return {"id": at.number}


def profile_row(number: int, name: str, backend_id: int, organization_ids: list[Any] | None) -> Profile:
    """Return a profile of the private CA that issues at once."""
    return Profile(
        id=number,
        name=name,
        description=name,
        trust="private",
        backend_id=backend_id,
        terms_days=[30],
        key_types=["EC-P256"],
        san_rule="multi",
        max_names=10,
        auto_approve=True,
        key_usage=[],
        extended_key_usage=["serverAuth"],
        subject_policy={},
        organization_ids=organization_ids,
        created_at=_NOW,
    )


async def _compromised_key(at: Making) -> Params:
    key = f"{at.number:064x}"
    await at.add(CompromisedKey(spki_sha256=key, source=at.marker, added_by="mrao", added_at=_NOW))
    return {"spki_sha256": key}


async def _administrator(at: Making) -> Params:
    role = "MRAO" if at.place.organization is None else "DRAO" if at.place.department else "RAO"
    types = ["ssl"] if at.place.organization else []
    await at.add(
        administrator_row(at.number, at.marker),
        RoleGrantRow(
            administrator_id=at.number,
            role=role,
            organization_id=at.place.organization,
            department_id=at.place.department,
            certificate_types=types,
            types_key=",".join(types) or "client,code_signing,device,ssl",
        ),
    )
    return {"id": at.number}


def administrator_row(number: int, name: str, **more: Any) -> Administrator:
    """Return an administrator without a password."""
    return Administrator(
        id=number,
        username=name,
        name=name,
        email=f"{name}@example.com",
        password_hash="",
        created_at=_NOW,
        **more,
    )


async def _task(at: Making) -> Params:
    await at.add(
        DiscoveryTask(
            id=at.number,
            name=at.marker,
            agent_id=at.agent,
            organization_id=at.place.organization,
            department_id=at.place.department,
            ranges=[{"target": "192.0.2.1", "ports": ["443"]}],
            created_by=at.marker,
            created_at=_NOW,
            updated_at=_NOW,
        )
    )
    return {"id": at.number}


async def _scan(at: Making) -> Params:
    await _task(at)
    await at.add(
        Scan(
            id=at.number,
            task_id=at.number,
            agent_id=at.agent,
            organization_id=at.place.organization,
            department_id=at.place.department,
            ranges=[],
            state="Successful",
            message=at.marker,
            requested_by=at.marker,
            started_at=_NOW,
            finished_at=_NOW,
        ),
        endpoint_row(at),
        ScanFind(scan_id=at.number, endpoint_id=at.number, status="certificate", seen_at=_NOW),
    )
    return {"id": at.number}


def endpoint_row(at: Making) -> DiscoveredEndpoint:
    """Return a port that a scan found."""
    return DiscoveredEndpoint(
        id=at.number,
        agent_id=at.agent,
        organization_id=at.place.organization,
        department_id=at.place.department,
        address="192.0.2.1",
        port=443,
        server_name=at.marker,
        hostname=at.marker,
        status="certificate",
        first_seen=_NOW,
        last_seen=_NOW,
        changed_at=_NOW,
        last_scan_id=at.number,
    )


async def _endpoint(at: Making) -> Params:
    await at.add(endpoint_row(at))
    return {"id": at.number}


async def _notification_rule(at: Making) -> Params:
    await at.add(
        NotificationRule(
            id=at.number,
            name=at.marker,
            type="certificate_issued",
            organization_id=at.place.organization,
            department_id=at.place.department,
            recipients={"requester": True},
            digest={"every": "none"},
            created_at=_NOW,
            changed_at=_NOW,
        )
    )
    return {"id": at.number}


async def _notification_channel(at: Making) -> Params:
    await at.add(
        NotificationChannel(
            id=at.number,
            uid=f"{at.number:032d}",
            name=at.marker,
            kind="pigeon",
            organization_id=at.place.organization,
            department_id=at.place.department,
            settings={},
            created_at=_NOW,
            changed_at=_NOW,
        )
    )
    return {"id": at.number}


async def _notification(at: Making) -> Params:
    await at.add(_sent(at, "email", None))
    return {"id": at.number}


async def _notice(at: Making) -> Params:
    await at.add(_sent(at, "console", _owner(at)))
    return {"id": at.number}


def _sent(at: Making, channel_kind: str, administrator_id: int | None) -> Notification:
    """Return a message; one's own notices are kept with what was sent."""
    return Notification(
        id=at.number,
        dedupe_key=f"{at.number:064d}",
        type="certificate_issued",
        object_type="certificate",
        object_id=str(at.number),
        organization_id=at.place.organization,
        department_id=at.place.department,
        certificate_type="ssl",
        channel_kind=channel_kind,
        administrator_id=administrator_id,
        recipient="" if administrator_id else f"{at.marker}@example.com",
        subject=at.marker,
        body=at.marker,
        data={},
        state="Sent",
        due_at=_NOW,
        created_at=_NOW,
    )


async def _backend(at: Making) -> Params:
    return {"id": at.backend}


async def _private_ca(at: Making) -> Params:
    backend = CaBackendRow(
        id=at.number,
        uid=uuid.uuid5(uuid.NAMESPACE_URL, at.marker).hex,
        name=at.marker,
        kind="private_ca",
        settings={"crl_lifetime_hours": 168, "crl_refresh_hours": 24},
        status="active",
        created_at=_NOW,
    )
    signer = SoftwareSigner(generate_key(KeyType.EC_P256))
    spec = CaSpec(
        subject=SubjectFields(common_name=at.marker),
        key_type=KeyType.EC_P256,
        validity=Validity(_NOW, _LATER),
        random=at.number.to_bytes(16, "big"),
    )
    authority = CaAuthority(
        id=at.number,
        backend_id=at.number,
        role="root",
        slug=at.marker,
        certificate=certify_root(spec, signer),
        key_sha256=spki_sha256(signer.public_key),
        not_before=_NOW,
        not_after=_LATER,
        created_at=_NOW,
    )
    cross = CaCrossCertificate(
        id=at.number,
        authority_id=at.number,
        issuer_id=at.number,
        kind="new_with_old",
        certificate=authority.certificate,
        created_at=_NOW,
    )
    await at.add(backend, authority, cross)
    return {"id": at.number, "cross": at.number}


async def _ca_request(at: Making) -> Params:
    key = generate_key(KeyType.EC_P256)
    await at.add(
        CaSigningRequest(
            id=at.number,
            name=at.marker,
            csr=build_csr(key, SubjectFields(common_name=at.marker)),
            key_sha256=spki_sha256(key.public_key()),
            signature_algorithm="ecdsa-with-SHA256",
            created_at=_NOW,
        )
    )
    return {"id": at.number}


async def _provider(at: Making) -> Params:
    await at.add(
        IdentityProvider(
            id=at.number,
            name=at.marker,
            kind="oidc",
            label=at.marker,
            settings=OIDC_SETTINGS,
            created_at=_NOW,
        ),
        FederatedIdentity(
            id=at.number,
            provider_id=at.number,
            subject=at.marker,
            administrator_id=CALLERS["mrao"].id,
            created_at=_NOW,
        ),
    )
    return {"id": at.number, "link_id": at.number}


OIDC_SETTINGS = {"issuer": "https://provider.example", "client_id": "hub"}


async def _saml_provider(at: Making) -> Params:
    await at.add(
        IdentityProvider(
            id=at.number, name=at.marker, kind="saml", label=at.marker, settings={}, created_at=_NOW
        )
    )
    return {"id": at.number}


async def _binding(at: Making) -> Params:
    await at.add(
        ClientCertificateBinding(
            id=at.number,
            administrator_id=CALLERS["mrao"].id,
            issuer="CN=ca",
            subject=f"CN={at.marker}",
            created_at=_NOW,
        )
    )
    return {"id": at.number}


def _owner(at: Making) -> int:
    return CALLERS[OWNERS[at.place.name]].id


async def _api_token(at: Making) -> Params:
    await at.add(
        ApiToken(
            id=at.number,
            administrator_id=_owner(at),
            name=at.marker,
            token_sha256=f"{at.number:064d}",
            hint="cwk_",
            scopes=["*"],
            created_at=_NOW,
        )
    )
    return {"id": at.number}


async def _session(at: Making) -> Params:
    await at.add(
        Session(
            id=at.uuid.replace("-", ""),
            token_sha256=f"{at.number:064d}",
            administrator_id=_owner(at),
            methods=["password"],
            created_at=_NOW,
            last_seen_at=_NOW,
            expires_at=_LATER,
            remote="192.0.2.1",
            user_agent=at.marker,
        )
    )
    return {"id": at.uuid.replace("-", "")}


async def _passkey(at: Making) -> Params:
    await at.add(
        Passkey(
            id=at.number,
            administrator_id=_owner(at),
            credential_id=at.marker.encode(),
            public_key=b"",
            sign_count=0,
            name=at.marker,
            transports=[],
            aaguid="",
            backed_up=False,
            created_at=_NOW,
        )
    )
    return {"id": at.number}


OWNERS = {"in": "rao_in", "in/dept": "drao_in", "out": "rao_out", "hub": "mrao"}
"""Whose things of one's own are, by the place that stands for them."""

_OWN = {place: {owner} for place, owner in OWNERS.items()}
_MASTERS = {"hub": {"mrao"}}


@dataclass(frozen=True)
class Kind:
    """A kind of object. ``without`` are callers whose role is for nothing of this kind."""

    make: Callable[[Making], Awaitable[Params]]
    model: type[Any]
    seen: Mapping[str, set[str]]
    without: frozenset[str] = frozenset()
    scoped: bool = False
    # Others who are told of it elsewhere: in other lists, in events.
    also: frozenset[str] = frozenset()
    # Of the columns that routes call ``id`` when there are several.
    key: str = "id"

    @property
    def places(self) -> tuple[str, ...]:
        """Where there are such objects."""
        return tuple(self.seen)

    def seen_by(self, place: str) -> frozenset[str]:
        """Return who sees an object at this place."""
        narrow = {"narrow"} if self.scoped else set()
        return frozenset((self.seen[place] | narrow) - self.without)


_NO_CLIENT = frozenset({"rao_client"})
_OFFICERS = frozenset({"drao_in", "drao_out"})


def _only(seen: Mapping[str, set[str]], *places: str) -> dict[str, set[str]]:
    return {place: seen[place] for place in places}


_IN_DEPARTMENTS = ("in/dept", "in/sibling", "out/dept")
_ORGANIZED = tuple(place for place in PLACES if place != "hub")

KINDS: dict[str, Kind] = {
    "administrator": Kind(_administrator, Administrator, DIVIDED, without=_NO_CLIENT),
    "agent": Kind(_agent, Agent, {**UNDIVIDED, "hub": EVERYBODY}),
    "api_token": Kind(_api_token, ApiToken, _OWN, also=frozenset({"mrao"})),
    "backend": Kind(_backend, Profile, {"hub": EVERYBODY}),
    "private_ca": Kind(_private_ca, CaAuthority, {"hub": EVERYBODY}),
    "ca_request": Kind(_ca_request, CaSigningRequest, {"hub": EVERYBODY}),
    "binding": Kind(_binding, ClientCertificateBinding, _MASTERS),
    "certificate": Kind(_certificate, Certificate, DIVIDED, without=_NO_CLIENT, scoped=True),
    "import": Kind(_import, CertificateImport, _only(DIVIDED, *_ORGANIZED), without=_NO_CLIENT, scoped=True),
    "command": Kind(_command, FleetCommand, UNDIVIDED, without=_NO_CLIENT | _OFFICERS),
    "compromised_key": Kind(_compromised_key, CompromisedKey, _MASTERS, key="spki_sha256"),
    "custom_field": Kind(_custom_field, CustomField, {"hub": EVERYBODY}),
    "department": Kind(_department, Department, _only(DIVIDED, *_IN_DEPARTMENTS), key="department_id"),
    "department_settings": Kind(_settings, Department, _only(DIVIDED, *_IN_DEPARTMENTS), key="department_id"),
    "domain": Kind(_domain, Domain, _only(INHERITED, *_ORGANIZED)),
    "endpoint": Kind(_endpoint, DiscoveredEndpoint, DIVIDED, without=_NO_CLIENT),
    "enrollment_token": Kind(_enrollment_token, EnrollmentToken, UNDIVIDED, without=_OFFICERS),
    "notice": Kind(_notice, Notification, _OWN, also=frozenset({"mrao", "rao_in"})),
    "notification": Kind(_notification, Notification, DIVIDED, without=_NO_CLIENT),
    "notification_channel": Kind(_notification_channel, NotificationChannel, DIVIDED),
    "notification_rule": Kind(_notification_rule, NotificationRule, DIVIDED),
    "organization": Kind(_organization, Organization, _only(UNDIVIDED, "in", "out")),
    "organization_settings": Kind(_settings, Organization, _only(UNDIVIDED, "in", "out")),
    "passkey": Kind(_passkey, Passkey, _OWN),
    "person": Kind(_person, Person, _only(DIVIDED, *_ORGANIZED)),
    "profile": Kind(_profile, Profile, _only(UNDIVIDED, "in", "out")),
    "provider": Kind(_provider, IdentityProvider, _MASTERS),
    "freeze": Kind(_freeze, RenewalFreeze, {**INHERITED, "hub": EVERYBODY}),
    "window": Kind(_window, MaintenanceWindow, {**INHERITED, "hub": EVERYBODY}),
    "quota": Kind(_quota, CaQuota, {"hub": EVERYBODY}),
    "saml_provider": Kind(_saml_provider, IdentityProvider, _MASTERS),
    "scan": Kind(_scan, Scan, DIVIDED, without=_NO_CLIENT),
    "session": Kind(_session, Session, {place: {owner, "mrao"} for place, owner in OWNERS.items()}),
    "own_session": Kind(_session, Session, _OWN, also=frozenset({"mrao"})),
    "task": Kind(_task, DiscoveryTask, DIVIDED, without=_NO_CLIENT),
    "validation": Kind(_validation, DcvValidation, _only(INHERITED, *_ORGANIZED)),
    "writer": Kind(_writer, DcvWriter, {**UNDIVIDED, "hub": EVERYBODY}),
}


async def make(
    session: AsyncSession, kind: str, place: str, *, agents: Mapping[int | None, str], backend: int
) -> Thing:
    """Make a new thing of ``kind`` at ``place``."""
    number = next(_numbers)
    at = Making(
        session=session,
        place=PLACES[place],
        number=number,
        marker=f"{PREFIX}{kind.replace('_', '')}{number}",
        agents=agents,
        backend=backend,
    )
    params = {name: str(value) for name, value in (await KINDS[kind].make(at)).items()}
    seen_by = KINDS[kind].seen_by(place)
    return Thing(
        kind=kind,
        place=at.place,
        id=params[KINDS[kind].key],
        marker=at.marker,
        params=params,
        seen_by=seen_by,
        told_to=seen_by | KINDS[kind].also,
    )
