"""Writes a migration from the difference between the models and the migrations that exist.

``python -m hub.db.migrations.revise "add certificate notes"``. Read the result before committing it:
renamed columns look like one dropped and one added, and data is not carried over.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hub.db.companions import is_modelled
from hub.db.engine import open_engine
from hub.db.migrations.runner import alembic_config, needed_revision, upgrade
from hub.db.tables import all_tables


def differences(connection: Connection) -> list[object]:
    """Return what the models have and the migrated database has not, or the other way round."""
    options = {"compare_type": True, "include_name": is_modelled}
    migration = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(migration, all_tables()))


async def revise(message: str) -> Path | None:
    """Write the migration; return its path, or None when nothing differs."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/scratch.db"
        if needed_revision() is not None:
            await upgrade(url)
        engine = open_engine(url, pool_size=1)
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(_write, message)
        finally:
            await engine.dispose()


def _write(connection: Connection, message: str) -> Path | None:
    if not differences(connection):
        return None
    config = alembic_config()
    config.attributes["connection"] = connection
    count = len(list(ScriptDirectory.from_config(config).walk_revisions()))
    script = command.revision(config, message, autogenerate=True, rev_id=f"{count + 1:04d}")
    if script is None or isinstance(script, list):
        raise RuntimeError("Alembic wrote no single migration")
    return Path(script.path)


def main(arguments: list[str]) -> int:
    """Write a migration; return the exit code."""
    if len(arguments) != 1 or not arguments[0].strip():
        sys.stderr.write('usage: python -m hub.db.migrations.revise "what changes"\n')
        return 2
    path = asyncio.run(revise(arguments[0]))
    if path is None:
        sys.stdout.write("the migrations already describe the models\n")
        return 0
    for action in ("check", "format"):
        fix = ["--fix"] if action == "check" else []
        subprocess.run([sys.executable, "-m", "ruff", action, "--quiet", *fix, str(path)], check=False)
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
