"""A database with the tables of access, and a clock that tests turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

import hub.access.models
import hub.organizations.models  # noqa: F401 - role grants point to its tables
from hub.access.passwords import Passwords
from hub.access.service import AccessService
from hub.db.base import Base
from hub.db.uow import Database
from hub.http.principal import SYSTEM, Role, RoleGrant

PASSWORD = "correct horse battery staple"
MRAO = RoleGrant(role=Role.MRAO)
TABLES = ("organizations", "departments", "administrators", "role_grants", "sessions", "api_tokens")
TABLES += ("login_failures", "audit_log", "audit_head", "events", "settings")
TABLES += ("pending_sign_ins", "totp_secrets", "recovery_codes", "passkeys", "webauthn_challenges")
TABLES += ("client_certificate_bindings", "identity_providers", "federated_identities", "seen_assertions")
TABLES += ("access_rules",)
TABLES += ("audit_keys", "audit_checkpoints", "audit_archives")


class Clock:
    def __init__(self):
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self):
        return self.now

    def forward(self, **delta):
        self.now += timedelta(**delta)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def db(tmp_path, clock):
    database = Database.open(f"sqlite:///{tmp_path}/hub.db", clock=clock)
    async with database.engine.begin() as connection:
        tables = [Base.metadata.tables[name] for name in TABLES]
        await connection.run_sync(Base.metadata.create_all, tables=tables)
    yield database
    await database.close()


@pytest.fixture
def passwords():
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
async def access(db, passwords):
    service = AccessService(db, passwords=passwords)
    async with db.write() as uow:
        await service.administrators.create(
            uow, principal=SYSTEM, username="Alice", name="Alice A.", password=PASSWORD, grants=[MRAO]
        )
    return service
