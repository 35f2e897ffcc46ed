"""``certwright audit``: verify, export, checkpoint, archive. All work beside a running hub."""

from __future__ import annotations

import argparse
import asyncio
import csv
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.cli.options import add_settings, settings_of

if TYPE_CHECKING:
    from hub.access.audit_chain import Verification
    from hub.config import Settings
    from hub.db.uow import Database


def add_to(groups: Any) -> None:
    """Add the commands to the command line."""
    group = groups.add_parser("audit", help="check, export and archive the audit log")
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)

    verify = commands.add_parser("verify", help="find changes, gaps and cuts in the audit log")
    add_verify_arguments(verify)

    export = commands.add_parser("export", help="write the audit log as JSON lines or CSV")
    add_settings(export, "database_url")
    export.add_argument("--format", choices=("jsonl", "csv"), default="jsonl")
    export.add_argument("file", metavar="FILE", help="file to write; must not exist; - for standard output")
    export.set_defaults(command=_export)

    checkpoint = commands.add_parser("checkpoint", help="sign the end of the log now; print all checkpoints")
    add_settings(checkpoint, "database_url", "key_file", "key_source")
    checkpoint.set_defaults(command=_checkpoint)

    archive = commands.add_parser("archive", help="move old entries into a signed file")
    add_settings(archive, "database_url", "key_file", "key_source")
    archive.add_argument("--before", required=True, metavar="DATE", type=_date, help="YYYY-MM-DD, UTC")
    archive.add_argument("file", metavar="FILE", help="file to write; must not exist")
    archive.set_defaults(command=_archive)


def add_verify_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``audit verify``, and the command itself."""
    add_settings(parser, "database_url")
    parser.add_argument(
        "--checkpoints",
        metavar="FILE",
        help="checkpoints kept elsewhere; only they show that the end was cut off",
    )
    parser.add_argument(
        "--archive", action="append", default=[], metavar="FILE", help="archive to check along; repeatable"
    )
    parser.set_defaults(command=_verify)


def _date(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-01-31") from None


def _verify(parsed: argparse.Namespace) -> int:
    kept = Path(parsed.checkpoints).read_text().splitlines() if parsed.checkpoints else []
    found = asyncio.run(_verification(parsed, kept))
    if found.whole:
        sys.stdout.write(f"{found.entries} entries, the chain is whole\n")
        return 0
    for fault in found.faults:
        sys.stderr.write(f"certwright: entry {fault.sequence}: {fault.message} ({fault.reason})\n")
    sys.stderr.write(f"certwright: the audit log was changed; {found.entries} entries were read\n")
    return 1


async def _verification(parsed: argparse.Namespace, kept: list[str]) -> Verification:
    from hub.access.audit_archives import ArchiveFile
    from hub.access.audit_checkpoints import parse_lines
    from hub.access.audit_verification import verify

    archives = [ArchiveFile.open(Path(name)) for name in parsed.archive]
    async with _opened(settings_of(parsed)) as db, db.read() as session:
        return await verify(session, kept=parse_lines(kept), archives=archives)


def _export(parsed: argparse.Namespace) -> int:
    if parsed.file == "-":
        asyncio.run(_write_entries(parsed, sys.stdout))
        return 0
    with Path(parsed.file).open("x", newline="") as file:
        asyncio.run(_write_entries(parsed, file))
    return 0


async def _write_entries(parsed: argparse.Namespace, file: Any) -> None:
    from hub.access.audit_export import CSV_COLUMNS, csv_rows, json_lines

    async with _opened(settings_of(parsed)) as db:
        if parsed.format == "jsonl":
            async for lines in json_lines(db, []):
                file.write(lines)
            return
        writer = csv.writer(file)
        writer.writerow(CSV_COLUMNS)
        async for rows in csv_rows(db):
            writer.writerows(rows)


def _checkpoint(parsed: argparse.Namespace) -> int:
    from hub.logs import configure_logging

    settings = settings_of(parsed)
    # Standard output is for the checkpoints alone.
    configure_logging(level=settings.log_level, style=settings.log_format)
    for line in asyncio.run(_checkpoint_lines(settings)):
        sys.stdout.write(line)
    return 0


async def _checkpoint_lines(settings: Settings) -> list[str]:
    from hub.access.audit_checkpoints import Checkpoints, stored_checkpoints
    from hub.key_encryption import open_kek

    kek = open_kek(settings)
    async with _opened(settings) as db:
        await Checkpoints(db, kek, folder=settings.data_dir).make()
        async with db.read() as session:
            return [item.line() for item in await stored_checkpoints(session)]


def _archive(parsed: argparse.Namespace) -> int:
    count = asyncio.run(_archived(parsed))
    sys.stdout.write(f"{count} entries are in {parsed.file} now; keep it, verification can ask for it\n")
    return 0


async def _archived(parsed: argparse.Namespace) -> int:
    from hub.access.audit_archives import Archives
    from hub.http.principal import SYSTEM
    from hub.key_encryption import open_kek

    settings = settings_of(parsed)
    kek = open_kek(settings)
    async with _opened(settings) as db:
        return await Archives(db, kek).archive(parsed.before, Path(parsed.file), principal=SYSTEM)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Database]:
    from hub.db.uow import Database

    db = Database.open(settings.database)
    try:
        yield db
    finally:
        await db.close()
