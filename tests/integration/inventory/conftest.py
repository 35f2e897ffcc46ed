"""A hub's tables on SQLite and on PostgreSQL, with rows of certificates written straight into them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import insert

from hub.db.tables import all_tables
from hub.db.uow import Database
from hub.http.principal import Principal, Role, RoleGrant
from hub.lifecycle.facts import name_columns
from hub.lifecycle.models import Certificate
from tests.integration.issuers.private_postgres import running_postgres

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MRAO = Principal(kind="administrator", id="1", name="m", grants=(RoleGrant(role=Role.MRAO),))
SSL = frozenset({"ssl"})


def rao(*organizations: int) -> Principal:
    grants = tuple(
        RoleGrant(role=Role.RAO, organization_id=number, certificate_types=SSL) for number in organizations
    )
    return Principal(kind="administrator", id="2", name="r", grants=grants)


def drao(organization: int, department: int) -> RoleGrant:
    return RoleGrant(
        role=Role.DRAO, organization_id=organization, department_id=department, certificate_types=SSL
    )


@pytest.fixture(scope="session")
def postgres():
    with running_postgres() as folder:
        yield folder


async def _url(kind, request, tmp_path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.db'}"
    folder, name = request.getfixturevalue("postgres"), f"hub_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(host=str(folder), user="certwright", database="postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"postgresql://certwright@/{name}?host={folder}"


@pytest.fixture
def new_url(request, tmp_path):
    return lambda kind: _url(kind, request, tmp_path)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
async def db(request, new_url):
    database = Database.open(await new_url(request.param), clock=lambda: NOW)
    async with database.engine.begin() as connection:
        await connection.run_sync(all_tables().create_all)
    await _owners(database)
    yield database
    await database.close()


async def _owners(db) -> None:
    """Three organizations with two departments each: 1, 2 of the first, 3, 4 of the second, and so on."""
    tables = all_tables().tables
    values = {"street": "", "locality": "", "state": "", "postal_code": "", "country": "", "status": "active"}
    async with db.write() as uow:
        for number in (1, 2, 3):
            await uow.session.execute(
                insert(tables["organizations"]).values(
                    id=number,
                    public_id=f"{number:016x}",
                    name=f"organization {number}",
                    key_recovery=[],
                    created_at=NOW,
                    **values,
                )
            )
        for number in range(1, 7):
            await uow.session.execute(
                insert(tables["departments"]).values(
                    id=number,
                    organization_id=(number + 1) // 2,
                    name=f"department {number}",
                    key_recovery=[],
                    created_at=NOW,
                    **values,
                )
            )


def row(name="a.example.com", *, names=(), **columns):
    """Return the columns of a certificate."""
    return {
        "status": "Issued",
        "created_at": NOW,
        "not_after": NOW + timedelta(days=30),
        "organization_id": None,
        "department_id": None,
        **name_columns(name, (name, *names), ()),
        **columns,
    }


async def add(db, rows) -> list[int]:
    """Insert rows one by one, as columns may differ; return their ids."""
    async with db.write() as uow:
        return [
            (
                await uow.session.execute(insert(Certificate).values(**item).returning(Certificate.id))
            ).scalar_one()
            for item in rows
        ]
