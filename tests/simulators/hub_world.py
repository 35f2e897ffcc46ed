"""A hub's rooms on a real database, with a real private CA, and a fleet in memory.

``reopen`` drops everything that the hub held in memory and opens the database again, as after SIGKILL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from hub.access.privileges import EVERY_POWER
from hub.db.tables import all_tables
from hub.db.uow import Database
from hub.http.principal import SYSTEM, Principal, Role, RoleGrant
from hub.issuers.private_ca.hsm import Hsm
from hub.issuers.service import HierarchySpec, IssuerService
from hub.lifecycle.models import Certificate
from hub.lifecycle.requests import EnrollmentRequest, Method
from hub.lifecycle.service import LifecycleService, Rooms
from hub.organizations.records import OrganizationFields
from hub.organizations.service import OrganizationService
from hub.profiles.service import ProfileFields, ProfileService, SanRule
from pki.at_rest import KeyEncryptionKey
from pki.csrs import build_csr
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields
from tests.simulators.fleet_double import FleetDouble, FleetState

ADMIN = Principal(
    kind="administrator",
    id="1",
    name="alice",
    grants=(RoleGrant(role=Role.MRAO),),
    privileges=EVERY_POWER,
)
KEK = KeyEncryptionKey(bytes(range(32)))


def rao(organization_id: int, name: str = "rita") -> Principal:
    grant = RoleGrant(role=Role.RAO, organization_id=organization_id, certificate_types=frozenset({"ssl"}))
    return Principal(kind="administrator", id="2", name=name, grants=(grant,))


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 25, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        # Each transaction has a time of its own, as in life.
        self.now += timedelta(milliseconds=1)
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@dataclass
class World:
    url: str
    clock: Clock = field(default_factory=Clock)
    fleet_state: FleetState = field(default_factory=FleetState)
    hsm: Hsm | None = None
    db: Database = field(init=False)
    organizations: OrganizationService = field(init=False)
    profiles: ProfileService = field(init=False)
    issuers: IssuerService = field(init=False)
    fleet: FleetDouble = field(init=False)
    lifecycle: LifecycleService = field(init=False)
    organization_id: int = 0
    other_organization_id: int = 0
    backend_id: int = 0
    profile_id: int = 0
    manual_profile_id: int = 0

    def open(self) -> None:
        self.db = Database.open(self.url, clock=self.clock)
        self.organizations = OrganizationService(self.db)
        self.profiles = ProfileService(self.db)
        self.issuers = IssuerService(self.db, KEK, public_url="http://hub.example.com", hsm=self.hsm)
        self.fleet = FleetDouble(self.db, self.fleet_state)
        rooms = Rooms(
            organizations=self.organizations,
            profiles=self.profiles,
            issuers=self.issuers,
            fleet=self.fleet,
        )
        self.lifecycle = LifecycleService(self.db, rooms)

    async def reopen(self) -> None:
        await self.db.close()
        self.open()

    async def create(self) -> None:
        async with self.db.engine.begin() as connection:
            await connection.run_sync(all_tables().drop_all)
            await connection.run_sync(all_tables().create_all)
        async with self.db.write() as uow:
            for name in ("Example Ltd", "Other Ltd"):
                record = await self.organizations.create(
                    uow,
                    OrganizationFields(name=name, locality="Berlin", state="Berlin", country="DE"),
                    principal=SYSTEM,
                )
                if name == "Example Ltd":
                    self.organization_id = record.id
                else:
                    self.other_organization_id = record.id
            for organization_id, domain in (
                (self.organization_id, "*.example.com"),
                (self.organization_id, "example.com"),
                (self.other_organization_id, "*.other.example"),
            ):
                await self.organizations.domains.delegate(
                    uow, organization_id=organization_id, name=domain, principal=SYSTEM
                )
            self.backend_id = await self.issuers.create_private_hierarchy(
                uow, HierarchySpec(name="Private CA"), principal=SYSTEM
            )
            self.profile_id = await self._profile(uow, "Servers", auto_approve=True)
            self.manual_profile_id = await self._profile(uow, "Servers, approved by hand")

    async def _profile(self, uow: Any, name: str, **fields: Any) -> int:
        values = {"backend_id": self.backend_id, "san_rule": SanRule.MULTI, **fields}
        return (await self.profiles.create(uow, ProfileFields(name=name, **values), principal=SYSTEM)).id

    # ---- shortcuts

    def request(self, **changes: Any) -> EnrollmentRequest:
        values = {
            "method": Method.CSR,
            "organization_id": self.organization_id,
            "profile_id": self.profile_id,
            "term_days": 90,
            "common_name": "www.example.com",
            "names": ("www.example.com",),
        } | changes
        if values["method"] is Method.CSR and "csr" not in values:
            values["csr"] = csr(values["common_name"])
        if values["method"] is not Method.CSR and "key_type" not in values:
            values["key_type"] = "EC-P256"
        return EnrollmentRequest(**values)

    async def run(self) -> int:
        """Do the steps that are due, once."""
        return await self.lifecycle.worker().run_due()

    async def settle(self) -> None:
        """Let hub and agents work until nobody has anything to do."""
        for _ in range(50):
            done = await self.run()
            done += await self.fleet.work()
            if not done:
                return
        raise AssertionError("hub and agents never come to rest")

    async def certificate(self, certificate_id: int) -> Certificate:
        async with self.db.read() as session:
            row = await session.get(Certificate, certificate_id)
            assert row is not None
            return row

    async def rows(self, statement: Any) -> list[Any]:
        async with self.db.read() as session:
            return list((await session.execute(statement)).all())

    async def events(self) -> list[tuple[str, str]]:
        from hub.db.outbox import OutboxEvent

        rows = await self.rows(select(OutboxEvent.kind, OutboxEvent.object_id).order_by(OutboxEvent.id))
        return [(kind, object_id) for kind, object_id in rows]


def csr(
    common_name: str = "www.example.com",
    names: tuple[str, ...] = (),
    *,
    key_type: KeyType = KeyType.EC_P256,
) -> bytes:
    """A signing request over a fresh key."""
    return build_csr(generate_key(key_type), SubjectFields(common_name=common_name), names or (common_name,))
