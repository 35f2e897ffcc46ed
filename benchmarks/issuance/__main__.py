"""How many durable certificates a second REST gives, and what bounds it: ``python -m benchmarks.issuance``.

A real hub process (its own folder, TLS on, fsync on) with the built-in EC CA; this process is the client.
Each request brings its own CSR to an auto-approving profile and is answered when the certificate is
committed. The aim is 1,000 certificates for each second of CPU; the ratio is computed from the hub's CPU
time, because the wall rate also depends on how busy the rest of the machine is. What the database spends is
shown beside it. Then the same hub is sampled under a smaller load of each kind, which tells where its CPU
time goes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
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
# Enough for some 500 samples at the cheapest load.
SAMPLED = 1000
# On a machine that is busy with other things a load ends here, so that the whole run ends.
LOAD_S = 6.0
WARMING_S = 3.0
SMALLEST_SHARE = 0.005
HUB = [sys.executable, "-m", "hub.cli.main", "hub"]
SAMPLED_HUB = [sys.executable, "-m", "benchmarks.issuance.sampled_hub"]
_BUSY = 0.85
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
    # Of all cores, by whatever runs on the machine.
    machine_busy: float
    # Seconds of the hub's CPU by area, of the sampled load.
    areas: dict[str, float] = field(default_factory=dict)

    @property
    def a_second(self) -> float:
        """Certificates a second of wall time."""
        return self.certificates / self.wall_s

    @property
    def a_core(self) -> float:
        """Certificates a second of the hub's CPU time."""
        return self.certificates / self.hub_cpu_s

    @property
    def shares(self) -> list[tuple[str, float]]:
        """The parts of the hub's CPU time by area, the largest first."""
        total = sum(self.areas.values())
        parts = [(area, seconds / total) for area, seconds in self.areas.items()] if total else []
        return sorted(parts, key=lambda part: -part[1])

    @property
    def bound(self) -> str:
        """What the run waited for, as far as was measured."""
        most = f", most of it {self.shares[0][0]}" if self.shares else ""
        if self.hub_cpu_s / self.wall_s > _BUSY:
            return f"the hub's CPU{most}"
        if self.database_cpu_s / self.wall_s > _BUSY:
            return "the database's CPU"
        if self.machine_busy > _BUSY:
            return "the machine's cores, which client, database and others share"
        return "unknown: neither hub, database nor cores were busy (disk and round trips are not measured)"


@dataclass(frozen=True, slots=True)
class RunningHub:
    """A hub process and how to reach it."""

    url: str
    token: str
    trust: ssl.SSLContext
    process: psutil.Process
    shares_file: Path


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
        shares_file = Path(folder) / "shares.json"
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
        try:
            assert process.stdout is not None
            line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
            addresses = dict(word.split("=", 1) for word in line.split()[1:])
            yield RunningHub(
                url=addresses["http"],
                token=token,
                trust=ssl.create_default_context(cafile=str(Path(folder) / "ca.pem")),
                process=psutil.Process(process.pid),
                shares_file=shares_file,
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


async def send(
    session: aiohttp.ClientSession, bodies: Sequence[dict[str, Any]], clients: int, *, limit_s: float
) -> list[float]:
    """Send bodies, ``clients`` at a time, until the time is up; return the latencies in seconds."""
    latencies: list[float] = []
    waiting = iter(bodies)
    end = time.perf_counter() + limit_s

    async def client() -> None:
        for body in waiting:
            started = time.perf_counter()
            if started > end:
                return
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
            await send(session, make_bodies(200, 10**6), 16, limit_s=WARMING_S)
            server = psutil.Process(server_pid) if server_pid else None
            for clients in arguments.clients:
                count = arguments.count if clients >= 16 else max(arguments.count // 10, 100)
                load = Load(session=session, clients=clients, count=count, start=clients * 10**7)
                measured = await run_load(database, hub, load, server)
                sample = replace(load, count=min(count, SAMPLED), start=load.start + count)
                results.append(replace(measured, areas=await sampled(hub, sample)))
    return results


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """So many requests by so many clients."""

    session: aiohttp.ClientSession
    clients: int
    count: int
    start: int

    async def send(self, bodies: Sequence[dict[str, Any]]) -> list[float]:
        """Send them until the time is up; return the latencies in seconds, in order of size."""
        return sorted(await send(self.session, bodies, self.clients, limit_s=LOAD_S))


async def run_load(database: str, hub: RunningHub, load: Load, server: psutil.Process | None) -> Measured:
    """Measure one load, unsampled."""
    bodies = make_bodies(load.count, load.start)
    before = cpu_s(hub.process, children=False), cpu_s(server, children=True) if server else 0.0
    psutil.cpu_percent()
    started = time.perf_counter()
    latencies = await load.send(bodies)
    count = len(latencies)
    wall = time.perf_counter() - started
    return Measured(
        database=database,
        clients=load.clients,
        certificates=count,
        wall_s=wall,
        machine_busy=psutil.cpu_percent() / 100,
        hub_cpu_s=cpu_s(hub.process, children=False) - before[0],
        database_cpu_s=(cpu_s(server, children=True) - before[1]) if server else 0.0,
        p50_ms=latencies[count // 2] * 1e3,
        p99_ms=latencies[int(count * 0.99)] * 1e3,
    )


async def sampled(hub: RunningHub, load: Load) -> dict[str, float]:
    """Run a load while the hub counts its seconds of CPU by area; return them."""
    bodies = make_bodies(load.count, load.start)
    hub.shares_file.unlink(missing_ok=True)
    hub.process.send_signal(signal.SIGUSR1)
    await load.send(bodies)
    hub.process.send_signal(signal.SIGUSR2)
    async with asyncio.timeout(10):
        while not hub.shares_file.exists():
            await asyncio.sleep(0.02)
    seconds: dict[str, float] = json.loads(hub.shares_file.read_text())["seconds"]
    return seconds


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
    )
    print("Where the hub's CPU went, sampled in this run:")
    for run in results:
        parts = ", ".join(f"{area} {share:.0%}" for area, share in run.shares if share >= SMALLEST_SHARE)
        print(f"  {run.database}, {run.clients} clients: {parts or 'unknown'}")


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
    parser.add_argument("--count", type=int, default=2000, help="certificates a load, at most")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--postgresql-url", help="an empty database; without it a private server is started")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
