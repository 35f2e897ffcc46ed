"""``certwright hub export-status``: what the private CAs publish, as files for any web server or CDN."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from hub.cli.options import add_settings, settings_of


def add_to(commands: Any) -> None:
    """Add the command to those of ``certwright hub``."""
    export = commands.add_parser(
        "export-status",
        help="write CRLs and OCSP answers as files for a web server",
        description="Writes CRLs, CA certificates and an OCSP answer for every certificate that has not"
        " ended, under the paths that certificates name. The hub may run. status.json says until"
        " when the files are good: run this again well before.",
    )
    add_settings(export, "database_url", "key_file", "key_source", "public_url", "status_http")
    export.add_argument("--to", metavar="DIR", required=True, help="folder to fill; made if missing")
    export.add_argument(
        "--sha256", action="store_true", help="also answer requests that name the CA by SHA-256 (few do)"
    )
    export.set_defaults(command=_export)


def _export(parsed: argparse.Namespace) -> int:
    from hub.composition import export_status

    # Another program serves these files.
    os.umask(0o022)
    hash_names = ("sha1", "sha256") if parsed.sha256 else ("sha1",)
    report = asyncio.run(export_status(settings_of(parsed), Path(parsed.to), hash_names=hash_names))
    ends = "never" if report.next_update is None else f"{report.next_update:%Y-%m-%d %H:%M} UTC"
    sys.stdout.write(
        f"{report.crls} CRLs, {report.answers} OCSP answers, {report.removed} files removed;"
        f" good until {ends}\n"
    )
    return 0
