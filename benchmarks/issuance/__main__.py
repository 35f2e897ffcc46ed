"""How many durable certificates a second REST gives, and what bounds it: ``python -m benchmarks.issuance``.

A real hub process (its own folder, TLS on, fsync on) with the built-in EC CA; this process is the client.
Each request brings its own CSR to an auto-approving profile and is answered when the certificate is
committed. The aim is 1,000 certificates for each second of CPU; the ratio is computed from the hub's CPU
time, because the wall rate also depends on how busy the rest of the machine is. What the database spends is
shown beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from benchmarks.issuance.private_postgres import running_postgres
from pki.csrs import build_csr
from pki.encodings import csr_pem
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields

AIM_A_CORE = 1000
HUB = [sys.executable, "-m", "hub.cli.main", "hub"]
ANY_PORT = ["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--enroll", "127.0.0.1:0"]


@dataclass(frozen=True, slots=True)
class Measured:
    """One run."""

    database: str
    clients: int
    certificates: int
    wall_s: float
    hub_cpu_s: float
    database_cpu_s: float
    p50_ms: float
    p99_ms: float

    @property
    def a_second(self) -> float:
        """Certificates a second of wall time."""
        return self.certificates / self.wall_s

    @property
    def a_core(self) -> float:
        """Certificates a second of the hub's CPU time."""
        return self.certificates / self.hub_cpu_s

    @property
    def bound(self) -> str:
        """What the run waited for."""
        busy = self.hub_cpu_s / self.wall_s
        if busy > 0.85:
            return "the hub's one event loop"
        if self.clients < 16:
            return "two commits and their round trips, one after the other"
        return "the commit's disk, and other work on the machine"


@dataclass(frozen=True, slots=True)
class RunningHub:
    """A hub process and how to reach it."""

    url: str
    token: str
    trust: ssl.SSLContext
    process: psutil.Process


@asynccontextmanager
async def running_hub(database_url: str | None) -> AsyncIterator[RunningHub]:
    """Set up a hub in a fresh folder, serve it, and stop it."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--database-url", database_url] if database_url else []
        made = subprocess.run(
            [*HUB, "init", "--data-dir", folder, "--json", *options],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        token = json.loads(made.stdout)["api_token"]
        process = await asyncio.create_subprocess_exec(
            *HUB,
            "serve",
            "--data-dir",
            folder,
            *ANY_PORT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            assert process.stdout is not None
            line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
            addresses = dict(word.split("=", 1) for word in line.split()[1:])
            yield RunningHub(
                url=addresses["http"],
                token=token,
                trust=ssl.create_default_context(cafile=str(Path(folder) / "ca.pem")),
                process=psutil.Process(process.pid),
            )
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def make_bodies(count: int, start: int) -> list[dict[str, Any]]:
    """Return requests with a CSR of their own each; the keys are few, as making them is not measured."""
    keys = [generate_key(KeyType.EC_P256) for _ in range(16)]
    bodies = []
    for number in range(start, start + count):
        name = f"host{number}.bench.example.com"
        csr = build_csr(keys[number % 16], SubjectFields(common_name=name), [name])
        bodies.append(
            {
                "method": "csr",
                "organization_id": 1,
                "profile_id": 1,
                "term_days": 90,
                "common_name": name,
                "csr": csr_pem(csr).decode(),
            }
        )
    return bodies


async def send(session: aiohttp.ClientSession, bodies: Sequence[dict[str, Any]], clients: int) -> list[float]:
    """Send all bodies with ``clients`` requests under way; return the latencies in seconds."""
    latencies: list[float] = []
    waiting = iter(bodies)

    async def client() -> None:
        for body in waiting:
            started = time.perf_counter()
            async with session.post("/api/v1/certificates", json=body) as answer:
                result = await answer.json()
                if answer.status != 201 or result["status"] != "Issued":
                    raise RuntimeError(f"{answer.status}: {result}")
            latencies.append(time.perf_counter() - started)

    await asyncio.gather(*(client() for _ in range(clients)))
    return latencies


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


async def measure(
    database: str, *, url: str | None, server_pid: int | None, arguments: argparse.Namespace
) -> list[Measured]:
    """Run all loads against one database."""
    results = []
    async with running_hub(url) as hub:
        connector = aiohttp.TCPConnector(ssl=hub.trust, limit=0)
        headers = {"Authorization": f"Bearer {hub.token}"}
        async with aiohttp.ClientSession(hub.url, connector=connector, headers=headers) as session:
            async with session.patch("/api/v1/profiles/1", json={"auto_approve": True}) as answer:
                answer.raise_for_status()
            await send(session, make_bodies(200, 10**6), 16)
            server = psutil.Process(server_pid) if server_pid else None
            for clients in arguments.clients:
                count = arguments.count if clients >= 16 else max(arguments.count // 10, 100)
                bodies = make_bodies(count, clients * 10**7)
                before = cpu_s(hub.process, children=False), cpu_s(server, children=True) if server else 0.0
                started = time.perf_counter()
                latencies = sorted(await send(session, bodies, clients))
                wall = time.perf_counter() - started
                spent = cpu_s(hub.process, children=False) - before[0]
                database_spent = (cpu_s(server, children=True) - before[1]) if server else 0.0
                results.append(
                    Measured(
                        database=database,
                        clients=clients,
                        certificates=count,
                        wall_s=wall,
                        hub_cpu_s=spent,
                        database_cpu_s=database_spent,
                        p50_ms=latencies[count // 2] * 1e3,
                        p99_ms=latencies[int(count * 0.99)] * 1e3,
                    )
                )
    return results


def show(results: Sequence[Measured]) -> None:
    """Print the table."""
    header = (
        f"{'database':<11} {'clients':>7} {'certs/s':>8} {'p50 ms':>7} {'p99 ms':>7} {'hub us':>7} "
        f"{'db us':>6} {'a core':>7} {'of aim':>7}  bound by"
    )
    print(header)
    print("-" * len(header))
    for run in results:
        print(
            f"{run.database:<11} {run.clients:>7} {run.a_second:>8.0f} {run.p50_ms:>7.1f} {run.p99_ms:>7.1f} "
            f"{run.hub_cpu_s / run.certificates * 1e6:>7.0f} "
            f"{run.database_cpu_s / run.certificates * 1e6:>6.0f} "
            f"{run.a_core:>7.0f} {run.a_core / AIM_A_CORE:>6.2f}x  {run.bound}"
        )
    print(
        f"\nAim: {AIM_A_CORE} durable certificates a second of the hub's CPU (REST, TLS, EC P-256, own CSR)."
        "\nWhere the hub's CPU goes (a profile at 64 clients): CSR and certificate (read, compose, sign)"
        "\n27 %, SQL with events and audit 28 %, HTTP, TLS and event loop 20 %, the lifecycle's own code 8 %,"
        "\nlog lines 5 %, JSON columns 3 %."
        "\nNext: fewer and shorter statements (the row's 90 columns are bound twice), then a second replica."
    )


async def run(arguments: argparse.Namespace) -> None:
    """Measure the databases that were asked for."""
    results = []
    if "sqlite" in arguments.databases:
        results += await measure("SQLite", url=None, server_pid=None, arguments=arguments)
    if "postgresql" in arguments.databases:
        own = (
            nullcontext((arguments.postgresql_url, None)) if arguments.postgresql_url else running_postgres()
        )
        with own as (url, server_pid):
            results += await measure("PostgreSQL", url=url, server_pid=server_pid, arguments=arguments)
    show(results)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.issuance", description=__doc__)
    parser.add_argument("--count", type=int, default=3000, help="certificates a run")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16, 64, 128])
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--postgresql-url", help="an empty database; without it a private server is started")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
