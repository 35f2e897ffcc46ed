"""Organizations on a SQLite file, with a clock that stands still."""

from datetime import UTC, datetime

import pytest

import hub.access.models
import hub.issuers.models
import hub.profiles.models  # noqa: F401 - declares the tables
from hub.db.base import Base
from hub.db.uow import Database
from hub.http.principal import SYSTEM, Principal, Role, RoleGrant
from hub.organizations.service import OrganizationFields, OrganizationService


@pytest.fixture
async def db(tmp_path):
    database = Database.open(
        f"sqlite:///{tmp_path / 'hub.db'}", clock=lambda: datetime(2026, 11, 25, 12, tzinfo=UTC)
    )
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield database
    await database.close()


@pytest.fixture
def organizations(db):
    return OrganizationService(db)


@pytest.fixture
def make_organization(db, organizations):
    async def make(name="Example Ltd", **fields):
        async with db.write() as uow:
            return await organizations.create(uow, OrganizationFields(name=name, **fields), principal=SYSTEM)

    return make


@pytest.fixture
def rao():
    def make(*organization_ids):
        grants = tuple(RoleGrant(role=Role.RAO, organization_id=item) for item in organization_ids)
        return Principal(kind="administrator", id="2", name="rae", grants=grants)

    return make
