"""The migrations: they make what the models say, once, whole, and guard the audit log."""

from __future__ import annotations

import shutil

import pytest
from alembic.util.exc import CommandError
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError

from hub.access import audit
from hub.access.audit_chain import Verification
from hub.access.audit_verification import verify
from hub.access.models import AuditEntry
from hub.db.migrations import runner
from hub.db.migrations.revise import differences
from hub.db.migrations.runner import BrokenReferences, schema_state, upgrade
from hub.db.uow import Database
from hub.http.principal import SYSTEM


async def test_an_empty_database_gets_what_the_models_say(url):
    db = Database.open(url)
    try:
        assert not (await schema_state(db)).is_current
        before = await upgrade(url)
        assert (before.current, before.is_current) == (None, False)
        assert (await schema_state(db)).is_current
        assert (await upgrade(url)).is_current
        async with db.engine.connect() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await db.close()


async def test_the_audit_log_can_not_be_changed(url):
    await upgrade(url)
    db = Database.open(url)
    try:
        async with db.write() as uow:
            await audit.record(
                uow, principal=SYSTEM, action="A", object_type="t", object_id="1", organization_id=None
            )
        for statement in (update(AuditEntry).values(action="B"), delete(AuditEntry)):
            with pytest.raises(DBAPIError, match="never changed"):
                async with db.write() as uow:
                    await uow.session.execute(statement)
        async with db.read() as session:
            assert await verify(session) == Verification(1)
    finally:
        await db.close()


async def test_a_database_of_a_newer_release_is_refused(url):
    await upgrade(url)
    db = Database.open(url)
    try:
        async with db.write() as uow:
            await uow.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        assert not (await schema_state(db)).is_current
        with pytest.raises(CommandError):
            await upgrade(url)
    finally:
        await db.close()


async def test_a_migration_that_breaks_references_leaves_everything_as_it_was(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/hub.db"
    folder = tmp_path / "migrations"
    shutil.copytree(runner.FOLDER, folder)
    await upgrade(url)
    newest = runner.needed_revision()
    (folder / "versions" / "9000_broken.py").write_text(
        f"""from alembic import op
revision = "9000"
down_revision = "{newest}"
def upgrade():
    op.execute("CREATE TABLE extra (id INTEGER PRIMARY KEY)")
    op.execute(
        "INSERT INTO departments"
        " (organization_id, name, street, locality, state, postal_code, country, status, key_recovery,"
        " created_at)"
        " VALUES (99, 'x', '', '', '', '', '', 'active', '[]', '2026-01-01')"
    )
"""
    )
    monkeypatch.setattr(runner, "FOLDER", folder)
    with pytest.raises(BrokenReferences, match="departments"):
        await upgrade(url)
    db = Database.open(url)
    try:
        async with db.read() as session:
            names = set(await session.scalars(text("SELECT name FROM sqlite_master")))
            assert "extra" not in names
            assert (await session.scalar(text("SELECT version_num FROM alembic_version"))) == newest
    finally:
        await db.close()
