"""``certwright``: the command line of the hub. Exit codes: 0 done, 1 failed, 2 usage."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from hub import __version__
from hub.cli import agent_tokens, audit_commands, hub_commands, key_commands
from hub.config import ConfigurationError
from hub.db.errors import HubError

Command = Callable[[argparse.Namespace], int]


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="certwright",
        description="Certificate lifecycle manager: the hub.",
        epilog="Settings come from flags, then CERTWRIGHT_* variables, then DIR/config.toml.",
    )
    parser.add_argument("--version", action="version", version=f"certwright {__version__}")
    groups = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    hub_commands.add_to(groups)
    agent_tokens.add_to(groups)
    audit_commands.add_to(groups)
    key_commands.add_to(groups)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    parsed = build_parser().parse_args(arguments)
    command: Command = parsed.command
    # Database, key and backups are nobody else's.
    os.umask(0o077)
    try:
        return command(parsed)
    except (ConfigurationError, HubError, OSError) as error:
        sys.stderr.write(f"certwright: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 1


if __name__ == "__main__":
    sys.exit(main())
