"""Databases to migrate: SQLite in a file, and PostgreSQL in a private server."""

from __future__ import annotations

import secrets

import asyncpg
import pytest

from tests.integration.issuers.private_postgres import running_postgres


@pytest.fixture(scope="session")
def postgres_folder():
    with running_postgres() as folder:
        yield folder


@pytest.fixture
async def postgres_url(postgres_folder):
    name = f"t{secrets.token_hex(6)}"
    connection = await asyncpg.connect(host=str(postgres_folder), user="certwright", database="postgres")
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return f"postgresql://certwright@/{name}?host={postgres_folder}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/hub.db"
    return request.getfixturevalue("postgres_url")
