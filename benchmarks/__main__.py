"""Runs every benchmark, each in a process of its own: ``python -m benchmarks [NAME ...]``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def names() -> list[str]:
    """Return the benchmarks: the folders here that can be run."""
    return sorted(path.parent.name for path in HERE.glob("*/__main__.py"))


def main(arguments: list[str]) -> int:
    """Run the named benchmarks, or all; return 1 when one failed."""
    unknown = set(arguments) - set(names())
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; there are: {', '.join(names())}", file=sys.stderr)
        return 2
    failed = []
    for name in arguments or names():
        print(f"\n== {name}", flush=True)
        if subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"], cwd=HERE.parent, check=False
        ).returncode:
            failed.append(name)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
