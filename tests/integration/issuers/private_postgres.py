"""A private PostgreSQL on a Unix socket: no port, no system service, gone with the tests."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path


@contextlib.contextmanager
def running_postgres():
    """Yield the directory of the server's socket; the superuser is ``certwright`` without password."""
    programs = _programs()
    # Not pytest's own folder: the server runs as another user, who could not enter it.
    folder = Path(tempfile.mkdtemp(prefix="certwright-postgres-"))
    user = "postgres" if os.geteuid() == 0 else None
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)

    def run(program, *arguments):
        subprocess.run(
            [programs / program, "-D", folder / "data", *arguments],
            user=user,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    try:
        run("initdb", "-A", "trust", "-U", "certwright", "-N", "-E", "UTF8", "--locale=C.UTF-8")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c synchronous_commit=off"
        run("pg_ctl", "-o", options, "-l", folder / "log", "-w", "start")
        try:
            yield folder
        finally:
            run("pg_ctl", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _programs():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise RuntimeError("these tests need PostgreSQL: apt-get install postgresql")
    return found[-1].parent if found else Path(on_path).resolve().parent
