"""``certwright hub recover-admin``: lets an MRAO in again who is locked out."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Any

from hub.cli.options import add_settings, settings_of


def add_to(commands: Any) -> None:
    """Add the command to those of ``certwright hub``."""
    recover = commands.add_parser(
        "recover-admin",
        help="give an MRAO a new password when nobody can sign in",
        description="Gives an MRAO a new random password, to be changed at the next sign-in, switches the "
        "account on and unlocks it. The audit log says so.",
    )
    add_settings(recover, "database_url")
    recover.add_argument("--username", metavar="NAME", help="which MRAO (default: the oldest active one)")
    recover.add_argument(
        "--reset-factors", action="store_true", help="remove authenticator app, passkeys and recovery codes"
    )
    recover.add_argument(
        "--lift-access-rules", action="store_true", help="remove all access rules of networks"
    )
    recover.add_argument("--json", action="store_true", help="print the credentials as JSON")
    recover.set_defaults(command=_recover)


def _recover(parsed: argparse.Namespace) -> int:
    from hub.access.signin.recovery import Recovery
    from hub.composition import recover_administrator

    wanted = Recovery(
        username=parsed.username,
        reset_factors=parsed.reset_factors,
        lift_access_rules=parsed.lift_access_rules,
    )
    recovered = asyncio.run(recover_administrator(settings_of(parsed), wanted))
    if parsed.json:
        document = {"username": recovered.username, "password": recovered.password}
        sys.stdout.write(json.dumps(document) + "\n")
        return 0
    sys.stdout.write(
        f"  user name   {recovered.username}\n"
        f"  password    {recovered.password}\n\n"
        "The password is not shown again and has to be changed at the next sign-in.\n"
    )
    return 0
