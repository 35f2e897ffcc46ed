"""``certwright agent-token create``: a one-time token with which an agent enrolls."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Any

from hub.cli.options import add_settings, settings_of

_HOUR_S = 3600


def add_to(groups: Any) -> None:
    """Add the commands to the command line."""
    parser = groups.add_parser("agent-token", help="enrollment tokens of agents")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    create = commands.add_parser("create", help="create a one-time enrollment token")
    add_settings(create, "database_url", "key_file", "key_source")
    create.add_argument(
        "--kind", required=True, metavar="KINDS", help="network, pks or msad; several by commas"
    )
    create.add_argument("--organization", metavar="NAME", help="organization that the agent will belong to")
    create.add_argument("--hours", type=int, default=24, metavar="N", help="how long it is good (default 24)")
    create.add_argument("--json", action="store_true", help="print the token as JSON")
    create.set_defaults(command=_create)


def _create(parsed: argparse.Namespace) -> int:
    token = asyncio.run(_make(parsed))
    sys.stdout.write((json.dumps({"token": token}) if parsed.json else token) + "\n")
    return 0


async def _make(parsed: argparse.Namespace) -> str:
    from hub.composition import enrollment_token

    return await enrollment_token(
        settings_of(parsed),
        kinds=[kind.strip() for kind in parsed.kind.split(",")],
        organization=parsed.organization,
        lifetime_s=parsed.hours * _HOUR_S,
    )
