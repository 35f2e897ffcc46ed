"""A private PostgreSQL that is as durable as one in production: fsync and synchronous commits are on."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running_postgres() -> Iterator[tuple[str, int]]:
    """Yield the URL of an empty database and the process id of its server.

    Raises:
        RuntimeError: PostgreSQL is not installed.
    """
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="certwright-bench-"))
    user = "postgres" if os.geteuid() == 0 else None
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(programs / program), "-D", str(folder / "data"), *arguments],
            user=user,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    try:
        run("initdb", "-A", "trust", "-U", "certwright", "-E", "UTF8", "--locale=C.UTF-8")
        run(
            "pg_ctl",
            "-o",
            f"-k {folder} -c listen_addresses=''",
            "-l",
            str(folder / "log"),
            "-w",
            "start",
        )
        try:
            pid = int((folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
            yield f"postgresql://certwright@/postgres?host={folder}", pid
        finally:
            run("pg_ctl", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent if found else Path(str(on_path)).resolve().parent
