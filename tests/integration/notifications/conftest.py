"""A hub's rooms with people in them, a mail server, and the jobs of notifications stepped by hand."""

from __future__ import annotations

import contextlib
import ipaddress
import uuid
from dataclasses import dataclass, field

import asyncpg
import pytest
from sqlalchemy import select

from hub.access.models import Administrator, RoleGrantRow
from hub.access.privileges import EVERY_POWER
from hub.db.outbox import Event
from hub.http.principal import Principal, Role, RoleGrant
from hub.notifications.models import Notification
from hub.notifications.notifiers.email import EmailSettings
from hub.notifications.notifiers.registry import installed_notifiers
from hub.notifications.rules import Recipients, RuleFields
from hub.notifications.service import NotificationOptions, NotificationService
from hub.organizations.models import Department
from pki.at_rest import KeyEncryptionKey
from tests.integration.issuers.private_postgres import running_postgres
from tests.simulators.hub_world import ADMIN, World
from tests.simulators.mail_server import running_mail_server

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
KEK = KeyEncryptionKey(bytes(range(32)))
BASE_URL = "https://hub.example.com"


@dataclass
class Desk:
    """The room under test. People: mona (MRAO), rita (RAO), dora (DRAO of Web), otto (RAO of the other)."""

    world: World
    mail: object
    kinds: dict = field(default_factory=lambda: dict(installed_notifiers()))
    department_id: int = 0
    service: NotificationService = field(init=False)

    def open(self, **changes):
        options = {
            "base_url": BASE_URL,
            "kinds": self.kinds,
            "smtp": None if self.mail is None else self.smtp(),
            "allowed_networks": LOOPBACK,
        }
        self.service = NotificationService(self.world.db, KEK, NotificationOptions(**(options | changes)))

    def smtp(self, **changes):
        values = {
            "host": "127.0.0.1",
            "port": self.mail.port,
            "security": "none",
            "sender": "Certwright <hub@example.com>",
        }
        return EmailSettings(**(values | changes))

    @property
    def db(self):
        return self.world.db

    async def populate(self):
        organization, other = self.world.organization_id, self.world.other_organization_id
        async with self.db.write() as uow:
            department = Department(organization_id=organization, name="Web", created_at=uow.now)
            uow.session.add(department)
            await uow.session.flush()
            self.department_id = department.id
            for number, name, role, place in (
                (1, "mona", "MRAO", (None, None)),
                (2, "rita", "RAO", (organization, None)),
                (3, "dora", "DRAO", (organization, department.id)),
                (4, "otto", "RAO", (other, None)),
            ):
                uow.session.add(
                    Administrator(
                        id=number,
                        username=name,
                        name=name.title(),
                        email=f"{name}@example.com",
                        password_hash="",
                        created_at=uow.now,
                    )
                )
                await uow.session.flush()
                types = [] if role == "MRAO" else ["ssl"]
                uow.session.add(
                    RoleGrantRow(
                        administrator_id=number,
                        role=role,
                        organization_id=place[0],
                        department_id=place[1],
                        certificate_types=types,
                        types_key=",".join(types),
                    )
                )
        # Takes up its place in the outbox.
        await self.service.intake().run_all()

    async def rule(self, type_, *, principal=ADMIN, recipients=None, **fields):
        chosen = RuleFields(
            name=type_, type=type_, recipients=recipients or Recipients(roles=("RAO",)), **fields
        )
        return await self.service.create_rule(principal, chosen)

    async def happen(self, kind, object_type="certificate", object_id="1", **fields):
        async with self.db.write() as uow:
            uow.emit(Event(kind=kind, object_type=object_type, object_id=str(object_id), **fields))

    async def take_over(self):
        return await self.service.intake().run_all()

    async def deliver(self):
        return await self.service.delivery().run_once()

    async def rows(self, *conditions, mail_only=True):
        async with self.db.read() as session:
            statement = select(Notification).where(*conditions).order_by(Notification.id)
            if mail_only:
                statement = statement.where(Notification.channel_kind != "console")
            return list(await session.scalars(statement))

    async def states(self, **options):
        return [row.state for row in await self.rows(**options)]

    def who(self, name):
        organization = self.world.organization_id
        grants = {
            "mona": RoleGrant(role=Role.MRAO),
            "rita": RoleGrant(
                role=Role.RAO, organization_id=organization, certificate_types=frozenset({"ssl"})
            ),
            "dora": RoleGrant(
                role=Role.DRAO,
                organization_id=organization,
                department_id=self.department_id,
                certificate_types=frozenset({"ssl"}),
            ),
            "otto": RoleGrant(
                role=Role.RAO,
                organization_id=self.world.other_organization_id,
                certificate_types=frozenset({"ssl"}),
            ),
        }
        number = list(grants).index(name) + 1
        return Principal(
            kind="administrator",
            id=str(number),
            name=name,
            grants=(grants[name],),
            privileges=EVERY_POWER if name == "mona" else frozenset(),
        )


@pytest.fixture(scope="session")
def postgres():
    with running_postgres() as socket_folder:
        yield socket_folder


async def new_database(folder) -> str:
    name = f"hub_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(host=str(folder), user="certwright", database="postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"postgresql://certwright@/{name}?host={folder}"


@contextlib.asynccontextmanager
async def open_world(url):
    world = World(url)
    async with contextlib.AsyncExitStack() as stack:
        world.open()
        stack.push_async_callback(world.db.close)
        await world.create()
        yield world
        await world.lifecycle.close()


@pytest.fixture
async def mail():
    async with running_mail_server() as server:
        yield server


@pytest.fixture
async def desk(tmp_path, mail):
    async with open_world(f"sqlite:///{tmp_path / 'hub.db'}") as world:
        found = Desk(world, mail)
        found.open()
        await found.populate()
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
async def any_desk(request, tmp_path, mail):
    """A desk on either database, where the database decides what happens."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'hub.db'}"
    else:
        url = await new_database(request.getfixturevalue("postgres"))
    async with open_world(url) as world:
        found = Desk(world, mail)
        found.open()
        await found.populate()
        yield found
