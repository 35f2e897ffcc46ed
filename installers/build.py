"""Builds the agent package: PyInstaller freezes the agent, nfpm packs it with its units and scripts.

``python -m installers.build [deb|rpm]`` writes ``dist/certwright-agent_VERSION_ARCH.deb``.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from string import Template

ROOT = Path(__file__).resolve().parent.parent
DEBIAN_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def freeze(build_dir: Path) -> Path:
    """Freeze the agent into a folder below ``build_dir`` and return that folder."""
    subprocess.run(
        [
            *(sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN"),
            *("--distpath", str(build_dir), "--workpath", str(build_dir / "work")),
            str(ROOT / "installers/agent/agent.spec"),
        ],
        cwd=ROOT,
        check=True,
    )
    return build_dir / "certwright-agent"


def pack(packager: str, build_dir: Path, target_dir: Path) -> Path:
    """Pack the frozen agent as ``packager`` ("deb" or "rpm"); return the package's path."""
    machine = platform.machine()
    arch = DEBIAN_ARCHITECTURES.get(machine, machine)
    package_version = version("certwright")
    target_dir.mkdir(parents=True, exist_ok=True)
    target = target_dir / f"certwright-agent_{package_version}_{arch}.{packager}"
    # nfpm expands variables in a few places only, and not in the contents' sources.
    description = Template((ROOT / "installers/agent/nfpm.yaml").read_text()).substitute(
        CERTWRIGHT_ARCH=arch,
        CERTWRIGHT_VERSION=package_version,
        CERTWRIGHT_BUILD=build_dir,
        # What was linked here runs with this C library or a newer one: build on the oldest system to support.
        CERTWRIGHT_GLIBC=platform.libc_ver()[1],
    )
    expanded = build_dir / "nfpm.yaml"
    expanded.write_text(description)
    nfpm = Path(sys.executable).with_name("nfpm")
    subprocess.run(
        [str(nfpm), "package", "--config", str(expanded), "--packager", packager, "--target", str(target)],
        cwd=ROOT,
        check=True,
        stdout=sys.stderr,
    )
    return target


def main(arguments: list[str] | None = None) -> int:
    """Build one package and print its path."""
    parser = argparse.ArgumentParser(prog="python -m installers.build", description=__doc__)
    parser.add_argument("packager", nargs="?", choices=("deb", "rpm"), default="deb")
    parser.add_argument("--build-dir", type=Path, default=ROOT / "build/agent")
    parser.add_argument("--target-dir", type=Path, default=ROOT / "dist")
    options = parser.parse_args(arguments)
    # What is packed keeps its modes, and the agent's own user has to read it.
    os.umask(0o022)
    freeze(options.build_dir.resolve())
    print(pack(options.packager, options.build_dir.resolve(), options.target_dir.resolve()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
