"""Checks that generated files are what their sources generate today. Run by ``make check``.

Compares the committed gRPC code with a fresh one, and the committed OpenAPI document with what the routes
declare. Prints each difference and exits 1 when there is one.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.state_diagrams import TARGET, document

ROOT = Path(__file__).resolve().parent.parent
PROTO_DIR = Path("protos/certwright/agent/v1")
OPENAPI = Path("docs/openapi.json")
CONSOLE_TYPES = Path("hub/web/src/api/schema.d.ts")


def grpc_drift() -> list[str]:
    """Return the generated gRPC files that differ from a fresh generation."""
    sources = sorted(str(path.relative_to(ROOT)) for path in (ROOT / PROTO_DIR).glob("*.proto"))
    with tempfile.TemporaryDirectory() as scratch:
        outputs = [f"--{kind}_out={scratch}" for kind in ("python", "pyi", "grpc_python")]
        subprocess.run(
            [sys.executable, "-m", "grpc_tools.protoc", "-Iprotos", *outputs, *sources], cwd=ROOT, check=True
        )
        fresh = Path(scratch) / PROTO_DIR.relative_to("protos")
        return [
            f"{PROTO_DIR / path.name} is stale: run make protos"
            for path in sorted(fresh.iterdir())
            if _text(ROOT / PROTO_DIR / path.name) != _text(path)
        ]


def openapi_drift() -> list[str]:
    """Return a complaint when the committed OpenAPI document is not what the routes declare."""
    declared = subprocess.run(
        [sys.executable, "-m", "hub.cli.main", "hub", "openapi"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [] if _text(ROOT / OPENAPI) == declared else [f"{OPENAPI} is stale: run make openapi"]


def console_types_drift() -> list[str]:
    """Return a complaint when the console's types are not those of the committed OpenAPI document."""
    generator = ROOT / "hub/web/node_modules/.bin/openapi-typescript"
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "schema.d.ts"
        subprocess.run(
            ["sh", "installers/node.sh", ".venv", str(generator), str(OPENAPI), "-o", str(fresh)],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        return (
            []
            if _text(ROOT / CONSOLE_TYPES) == _text(fresh)
            else [f"{CONSOLE_TYPES} is stale: run make openapi"]
        )


def states_drift() -> list[str]:
    """Return a complaint when the drawn state diagrams are not those of the tables."""
    return [] if _text(TARGET) == document() else ["docs/states.md is stale: run make docs"]


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def main() -> int:
    """Print what is stale; return the exit code."""
    stale = [*grpc_drift(), *openapi_drift(), *console_types_drift(), *states_drift()]
    for complaint in stale:
        print(complaint)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
