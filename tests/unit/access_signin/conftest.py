"""The access room over a database of its own, with a clock that tests turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from hub.access.passwords import Passwords
from hub.access.privileges import EVERY_POWER
from hub.access.service import AccessService
from hub.access.sessions import SignIn
from hub.access.signin.flow import Browser
from hub.access.signin.service import SignInOptions
from hub.db.tables import all_tables
from hub.db.uow import Database
from hub.http.principal import SYSTEM, Origin, Principal, Role, RoleGrant

PASSWORD = "correct horse battery staple"
REMOTE = "192.0.2.1"


class Clock:
    def __init__(self):
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self):
        return self.now

    def forward(self, **delta):
        self.now += timedelta(**delta)


class Room:
    """The access service and short ways to use it."""

    def __init__(self, db, clock, access):
        self.db, self.clock, self.access, self.signin = db, clock, access, access.signin

    async def add(self, username, role=Role.MRAO, **more):
        grants = [RoleGrant(role=role)]
        async with self.db.write() as uow:
            return await self.access.administrators.create(
                uow,
                principal=SYSTEM,
                username=username,
                name=username.title(),
                password=PASSWORD,
                grants=grants,
                **more,
            )

    def principal(self, administrator_id=1):
        return Principal(
            kind="administrator",
            id=str(administrator_id),
            name="Alice",
            grants=(RoleGrant(role=Role.MRAO),),
            privileges=EVERY_POWER,
            origin=Origin(remote=REMOTE),
        )

    def browser(self, remote=REMOTE):
        return Browser(origin=Origin(remote=remote))

    async def password(self, username="alice", password=PASSWORD, remote=REMOTE, **more):
        return await self.signin.by_password(
            SignIn(username=username, password=password, remote=remote, **more)
        )

    async def write(self, act):
        async with self.db.write() as uow:
            return await act(uow)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def room(tmp_path, clock):
    db = Database.open(f"sqlite:///{tmp_path}/hub.db", clock=clock)
    async with db.engine.begin() as connection:
        await connection.run_sync(all_tables().create_all)
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    access = AccessService(db, passwords=passwords, options=SignInOptions(base_url="https://hub.example"))
    found = Room(db, clock, access)
    await found.add("alice")
    yield found
    await db.close()
