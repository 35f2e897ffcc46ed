"""Profiles on a SQLite file, with one CA backend that they may name."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

import hub.access.models
import hub.organizations.models  # noqa: F401 - declares the tables
from hub.db.base import Base
from hub.db.uow import Database
from hub.http.principal import SYSTEM
from hub.issuers.models import CaBackendRow
from hub.profiles.service import ProfileFields, ProfileRecord, ProfileService

_NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
async def db(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path / 'hub.db'}", clock=lambda: _NOW)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with database.write() as uow:
        await uow.session.execute(
            insert(CaBackendRow).values(
                id=1, uid="u", name="CA", kind="private_ca", settings={}, status="active", created_at=_NOW
            )
        )
    yield database
    await database.close()


@pytest.fixture
def profiles(db):
    return ProfileService(db)


@pytest.fixture
def create(db, profiles):
    async def make(**fields):
        async with db.write() as uow:
            values = ProfileFields(**{"name": "Servers", "backend_id": 1} | fields)
            return await profiles.create(uow, values, principal=SYSTEM)

    return make


@pytest.fixture
def profile():
    def make(**fields):
        return ProfileRecord(**{"id": 1, "name": "Servers", "backend_id": 1} | fields)

    return make
