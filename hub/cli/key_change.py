"""``certwright hub rekey``: another key-encryption key, while the hub stands still."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from typing import Any

from hub.cli.options import add_settings, settings_of


def add_to(commands: Any) -> None:
    """Add the command to ``certwright hub``."""
    rekey = commands.add_parser(
        "rekey",
        help="encrypt all secrets in the database under another key; stop the hub first",
        description="Encrypt all secrets in the database under another key, in one transaction. Stop every"
        " hub of this database first. Backups made before need the old key: keep it as long as them.",
    )
    add_settings(rekey, "database_url", "key_file", "key_source")
    rekey.add_argument(
        "--new-key-source",
        default="",
        metavar="SOURCE",
        help="where the new key comes from (see key_source); default: a new file in the place of the old",
    )
    rekey.set_defaults(command=_rekey)


def _rekey(parsed: argparse.Namespace) -> int:
    from hub.config import ConfigurationError
    from hub.key_encryption import create_kek, open_kek
    from hub.secret_sources import SecretReader

    settings = settings_of(parsed)
    if settings.running:
        raise ConfigurationError("the hub of this data directory is running; stop it first")
    old = open_kek(settings, SecretReader())
    # Kept aside until the database is changed: whichever moment a crash comes, the right key is somewhere.
    folder = settings.data_dir / "rekey"
    folder.mkdir(mode=0o700, exist_ok=True)
    aside = settings.model_copy(
        update={"data_dir": folder, "key_file": "", "key_source": parsed.new_key_source}
    )
    new = create_kek(aside, SecretReader())
    changed = asyncio.run(_run(settings.database, old, new))
    for path, fresh in ((settings.key_path, aside.key_path), (settings.salt_path, aside.salt_path)):
        if path.exists():
            path.replace(f"{path}.old")
        if fresh.exists():
            shutil.move(fresh, path)
    folder.rmdir()
    sys.stdout.write(f"{changed} secrets are now under key {new.key_id}, not {old.key_id}\n")
    if parsed.new_key_source != settings.key_source:
        sys.stdout.write(
            f'Set key_source = "{parsed.new_key_source}" in config.toml before the next start.\n'
        )
    return 0


async def _run(database: str, old: Any, new: Any) -> int:
    from hub.db.uow import Database
    from hub.rekey import rekey

    db = Database.open(database)
    try:
        return await rekey(db, old=old, new=new)
    finally:
        await db.close()
