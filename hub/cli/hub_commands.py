"""``certwright hub``: init, serve, migrate, backup, restore, openapi."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import signal
import sys
from typing import Any

from hub.cli import audit_commands, key_change, recovery, status_export
from hub.cli.options import add_settings, settings_of

SERVE_SETTINGS = (
    "database_url",
    "key_file",
    "key_source",
    "http",
    "grpc",
    "enroll",
    "status_http",
    "insecure_http",
    "tls_certificate",
    "tls_key",
    "client_certificate_ca",
    "client_certificate_crl",
    "client_cert_http",
    "agent_host",
    "public_url",
    "log_level",
    "log_format",
)


def add_to(groups: Any) -> None:
    """Add the commands to the command line."""
    hub = groups.add_parser("hub", help="set up and run a hub", description="Set up and run a hub.")
    commands = hub.add_subparsers(title="commands", metavar="COMMAND", required=True)

    init = commands.add_parser("init", help="create database, CAs and the first administrator")
    add_settings(init, "database_url", "key_file", "key_source", "public_url", "status_http", "customer_uri")
    init.add_argument(
        "--organization", default="Default", metavar="NAME", help="name of the first organization"
    )
    init.add_argument("--admin", default="admin", metavar="USERNAME", help="user name of the first MRAO")
    init.add_argument("--json", action="store_true", help="print the credentials as JSON")
    init.set_defaults(command=_init)

    serve = commands.add_parser("serve", help="run a hub until SIGTERM")
    add_settings(serve, *SERVE_SETTINGS)
    serve.set_defaults(command=_serve)

    migrate = commands.add_parser("migrate", help="bring the database to this program's schema")
    add_settings(migrate, "database_url")
    migrate.set_defaults(command=_migrate)

    backup = commands.add_parser("backup", help="copy the SQLite database, while the hub runs")
    add_settings(backup, "database_url")
    backup.add_argument("file", metavar="FILE", help="file to write; must not exist")
    backup.set_defaults(command=_backup)

    restore = commands.add_parser("restore", help="put a backup in the place of the SQLite database")
    add_settings(restore, "database_url")
    restore.add_argument("file", metavar="FILE", help="file that hub backup wrote")
    restore.set_defaults(command=_restore)

    verify = commands.add_parser("verify-audit", help="the same as certwright audit verify")
    audit_commands.add_verify_arguments(verify)

    recovery.add_to(commands)
    key_change.add_to(commands)
    status_export.add_to(commands)

    openapi = commands.add_parser("openapi", help="print the description of the API")
    openapi.set_defaults(command=_openapi)


def _init(parsed: argparse.Namespace) -> int:
    from hub.bootstrap import InitOptions, initialize

    settings = settings_of(parsed)
    options = InitOptions(organization=parsed.organization, username=parsed.admin)
    result = asyncio.run(initialize(settings, options))
    if parsed.json:
        document = {
            "admin": {"username": result.username, "password": result.password},
            "api_token": result.api_token,
            "customer_uri": result.customer_uri,
        }
        sys.stdout.write(json.dumps(document) + "\n")
        return 0
    sys.stdout.write(
        f"Hub initialized in {settings.data_dir}.\n\n"
        f"  user name   {result.username}\n"
        f"  password    {result.password}\n"
        f"  API token   {result.api_token}\n\n"
        f"They are not shown again. Keep a copy of {_kept(settings)}: without it the CA keys in the\n"
        f"database can't be used. Browsers should trust {result.ca_file} to open the console.\n\n"
        f"Next: certwright hub serve --data-dir {settings.data_dir}\n"
    )
    return 0


def _kept(settings: Any) -> str:
    """Say what unlocks the database."""
    if not settings.key_source:
        return str(settings.key_path)
    salt = f" and {settings.salt_path}" if settings.key_source.startswith("passphrase:") else ""
    return f"what {settings.key_source} gives{salt}"


def _serve(parsed: argparse.Namespace) -> int:
    from hub.logs import configure_logging

    settings = settings_of(parsed)
    configure_logging(level=settings.log_level, style=settings.log_format)
    return asyncio.run(_serve_until_told(settings))


async def _serve_until_told(settings: Any) -> int:
    from hub.app import running_hub

    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    async with running_hub(settings) as listening:
        # What is there now stays: without this each full collection walks over all modules again, which
        # takes a tenth of a second and everybody waits.
        gc.collect()
        gc.freeze()
        sys.stdout.write(listening.line() + "\n")
        sys.stdout.flush()
        await told.wait()
    return 0


def _migrate(parsed: argparse.Namespace) -> int:
    from hub.db.migrations.runner import upgrade

    before = asyncio.run(upgrade(settings_of(parsed).database))
    if before.is_current:
        sys.stdout.write(f"the schema is current ({before.needed})\n")
    else:
        sys.stdout.write(f"the schema went from {before.current or 'nothing'} to {before.needed}\n")
    return 0


def _backup(parsed: argparse.Namespace) -> int:
    from hub.db import backup

    return backup.exit_code(lambda: backup.write(settings_of(parsed).database, parsed.file))


def _restore(parsed: argparse.Namespace) -> int:
    from hub.db import backup

    return backup.exit_code(lambda: backup.restore(settings_of(parsed).database, parsed.file))


def _openapi(_parsed: argparse.Namespace) -> int:
    from hub.composition import describe_api
    from hub.config import load_settings
    from hub.http.openapi import openapi_text

    settings = load_settings(flags={"data_dir": "."}, environment={})
    sys.stdout.write(openapi_text(describe_api(settings)))
    return 0
