"""Hub processes of a benchmark: set up in a folder of their own, serving over TLS, stopped at the end."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

HUB = [sys.executable, "-m", "hub.cli.main", "hub"]
SAMPLED_HUB = [sys.executable, "-m", "benchmarks.issuance.sampled_hub"]
ANY_PORT = ["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--enroll", "127.0.0.1:0"]
_START_S = 60


@dataclass(frozen=True, slots=True)
class RunningHub:
    """Hub processes on one database, and how to reach them. The first one can be sampled."""

    urls: tuple[str, ...]
    token: str
    trust: ssl.SSLContext
    processes: tuple[psutil.Process, ...]
    shares_file: Path

    @property
    def url(self) -> str:
        """The address of the first process."""
        return self.urls[0]

    @property
    def process(self) -> psutil.Process:
        """The first process."""
        return self.processes[0]


@asynccontextmanager
async def running_hub(database_url: str | None, *, processes: int = 1) -> AsyncIterator[RunningHub]:
    """Set up a hub in a fresh folder, serve it by so many processes, and stop them."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--database-url", database_url] if database_url else []
        made = subprocess.run(
            [*HUB, "init", "--data-dir", folder, "--json", *options],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        shares_file = Path(folder) / "shares.json"
        started: list[asyncio.subprocess.Process] = []
        try:
            urls = []
            for number in range(processes):
                # Only the first writes its shares.
                file = shares_file if number == 0 else shares_file.with_suffix(f".{number}")
                process, url = await _serve(folder, file)
                started.append(process)
                urls.append(url)
            yield RunningHub(
                urls=tuple(urls),
                token=json.loads(made.stdout)["api_token"],
                trust=ssl.create_default_context(cafile=str(Path(folder) / "ca.pem")),
                processes=tuple(psutil.Process(process.pid) for process in started),
                shares_file=shares_file,
            )
        finally:
            for process in started:
                if process.returncode is None:
                    process.terminate()
                await process.wait()


async def _serve(folder: str, shares_file: Path) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        *SAMPLED_HUB,
        str(shares_file),
        "hub",
        "serve",
        "--data-dir",
        folder,
        *ANY_PORT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    if process.stdout is None:
        raise RuntimeError("the hub's output can't be read")
    line = (await asyncio.wait_for(process.stdout.readline(), _START_S)).decode()
    addresses = dict(word.split("=", 1) for word in line.split()[1:])
    return process, addresses["http"]


def cpu_s(process: psutil.Process, *, children: bool) -> float:
    """Return the CPU seconds of a process, with its present children's if wanted."""
    total = 0.0
    for item in [process, *(process.children(recursive=True) if children else [])]:
        try:
            times = item.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        # Of PostgreSQL's backends that have ended.
        total += (times.children_user + times.children_system) if children else 0.0
    return total
