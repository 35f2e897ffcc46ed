"""How many durable certificates a second REST gives, and what bounds it: ``python -m benchmarks.issuance``.

A real hub process (its own folder, TLS on, fsync on) with the built-in EC CA; this process is the client.
Each request brings its own CSR to an auto-approving profile and is answered when the certificate is
committed. The aim is 1,000 certificates for each second of CPU; the ratio is computed from the hub's CPU
time, because the wall rate also depends on how busy the rest of the machine is. What the database spends is
shown beside it. Then the same hub is sampled under a smaller load of each kind, which tells where its CPU
time goes. Beside EC on SQLite and PostgreSQL: an RSA issuer, two hub processes on one PostgreSQL, the raw
sign rate as the limit, and peer CAs in the same run (:mod:`benchmarks.issuance.peers`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import psutil

from benchmarks.issuance.hubs import RunningHub, cpu_s, running_hub
from benchmarks.issuance.peers import Peer, measure_peers
from benchmarks.issuance.private_postgres import running_postgres
from pki import algorithms
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
EC, RSA = "EC-P256", "RSA-2048"
# Of the further set-ups: another issuer, two processes.
FURTHER_CLIENTS = 64
SIGNED = {EC: 2000, RSA: 200}
_BUSY = 0.85


@dataclass(frozen=True, slots=True)
class Measured:
    """One run."""

    database: str
    issuer: str
    processes: int
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
        if self.hub_cpu_s / self.wall_s / self.processes > _BUSY:
            return f"the hub's CPU{most}"
        if self.database_cpu_s / self.wall_s > _BUSY:
            return "the database's CPU"
        if self.machine_busy > _BUSY:
            return "the machine's cores, which client, database and others share"
        return "unknown: neither hub, database nor cores were busy (disk and round trips are not measured)"


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
    session: aiohttp.ClientSession,
    urls: Sequence[str],
    bodies: Sequence[dict[str, Any]],
    *,
    clients: int,
    limit_s: float,
) -> list[float]:
    """Send bodies, ``clients`` at a time, until the time is up; return the latencies in seconds."""
    latencies: list[float] = []
    waiting = iter(bodies)
    end = time.perf_counter() + limit_s

    async def client(number: int) -> None:
        url = f"{urls[number % len(urls)]}/api/v1/certificates"
        for body in waiting:
            started = time.perf_counter()
            if started > end:
                return
            async with session.post(url, json=body) as answer:
                result = await answer.json()
                if answer.status != 201 or result["status"] != "Issued":
                    raise RuntimeError(f"{answer.status}: {result}")
            latencies.append(time.perf_counter() - started)

    await asyncio.gather(*(client(number) for number in range(clients)))
    return latencies


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A hub to be measured. ``server_pid``: of the database's server, where it has one."""

    database: str
    url: str | None
    server_pid: int | None
    issuer: str = EC
    processes: int = 1


async def measure(setup: Setup, *, clients: Sequence[int], most: int) -> list[Measured]:
    """Run a load for each number of clients against one set-up."""
    results = []
    async with running_hub(setup.url, processes=setup.processes) as hub:
        connector = aiohttp.TCPConnector(ssl=hub.trust, limit=0)
        headers = {"Authorization": f"Bearer {hub.token}"}
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            await configure(session, hub, setup.issuer)
            bodies = make_bodies(200, 10**6)
            await send(session, hub.urls, bodies, clients=16, limit_s=WARMING_S)
            for number in clients:
                count = most if number >= 16 else max(most // 10, 100)
                load = Load(session=session, hub=hub, clients=number, count=count, start=number * 10**7)
                measured = await run_load(setup, load)
                sample = replace(load, count=min(count, SAMPLED), start=load.start + count)
                results.append(replace(measured, areas=await sampled(sample)))
    return results


async def configure(session: aiohttp.ClientSession, hub: RunningHub, issuer: str) -> None:
    """Let the first profile approve by itself, and issue from a CA of the wanted key type."""
    profile: dict[str, Any] = {"auto_approve": True}
    if issuer != EC:
        body = {"name": issuer, "key_type": issuer}
        async with session.post(f"{hub.url}/api/v1/ca-backends/private", json=body) as answer:
            answer.raise_for_status()
            profile["backend_id"] = (await answer.json())["id"]
    async with session.patch(f"{hub.url}/api/v1/profiles/1", json=profile) as answer:
        answer.raise_for_status()


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """So many requests by so many clients."""

    session: aiohttp.ClientSession
    hub: RunningHub
    clients: int
    count: int
    start: int

    async def send(self, bodies: Sequence[dict[str, Any]]) -> list[float]:
        """Send them until the time is up; return the latencies in seconds, in order of size."""
        found = await send(self.session, self.hub.urls, bodies, clients=self.clients, limit_s=LOAD_S)
        return sorted(found)

    def cpu_s(self) -> float:
        """Return the seconds of CPU that the hub's processes have used."""
        return sum(cpu_s(process, children=False) for process in self.hub.processes)


async def run_load(setup: Setup, load: Load) -> Measured:
    """Measure one load, unsampled."""
    server = psutil.Process(setup.server_pid) if setup.server_pid else None
    bodies = make_bodies(load.count, load.start)
    before = load.cpu_s(), cpu_s(server, children=True) if server else 0.0
    psutil.cpu_percent()
    started = time.perf_counter()
    latencies = await load.send(bodies)
    count = len(latencies)
    wall = time.perf_counter() - started
    return Measured(
        database=setup.database,
        issuer=setup.issuer,
        processes=setup.processes,
        clients=load.clients,
        certificates=count,
        wall_s=wall,
        machine_busy=psutil.cpu_percent() / 100,
        hub_cpu_s=load.cpu_s() - before[0],
        database_cpu_s=(cpu_s(server, children=True) - before[1]) if server else 0.0,
        p50_ms=latencies[count // 2] * 1e3,
        p99_ms=latencies[int(count * 0.99)] * 1e3,
    )


async def sampled(load: Load) -> dict[str, float]:
    """Run a load while the hub's first process counts its seconds of CPU by area; return them."""
    hub = load.hub
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


def sign_cost_s(key_type: str) -> float:
    """Return the seconds of CPU of one bare signature: what nobody can be cheaper than."""
    key = generate_key(KeyType(key_type))
    algorithm = algorithms.default_signature_algorithm(key.public_key())
    message = bytes(700)
    started = time.thread_time()
    for _ in range(SIGNED[key_type]):
        algorithms.sign(key, algorithm, message)
    return (time.thread_time() - started) / SIGNED[key_type]


def show(results: Sequence[Measured]) -> None:
    """Print the table."""
    header = (
        f"{'database':<11} {'issuer':<8} {'hubs':>4} {'clients':>7} {'certs/s':>8} {'p50 ms':>7} "
        f"{'p99 ms':>7} {'hub us':>7} {'db us':>6} {'a core':>7} {'of aim':>7} {'of limit':>8}  bound by"
    )
    limits = {issuer: sign_cost_s(issuer) for issuer in {run.issuer for run in results}}
    print(header)
    print("-" * len(header))
    for run in results:
        print(
            f"{run.database:<11} {run.issuer:<8} {run.processes:>4} {run.clients:>7} {run.a_second:>8.0f} "
            f"{run.p50_ms:>7.1f} {run.p99_ms:>7.1f} "
            f"{run.hub_cpu_s / run.certificates * 1e6:>7.0f} "
            f"{run.database_cpu_s / run.certificates * 1e6:>6.0f} "
            f"{run.a_core:>7.0f} {run.a_core / AIM_A_CORE:>6.2f}x {limits[run.issuer] * run.a_core:>7.1%}"
            f"  {run.bound}"
        )
    print(f"\nAim: {AIM_A_CORE} durable certificates a second of the hub's CPU (REST, TLS, own CSR).")
    for issuer, cost in sorted(limits.items()):
        print(f"Limit: {1 / cost:,.0f} bare {issuer} signatures a second of CPU.")
    print("Where the hub's CPU went, sampled in this run:")
    for run in results:
        parts = ", ".join(f"{area} {share:.0%}" for area, share in run.shares if share >= SMALLEST_SHARE)
        name = f"{run.database}, {run.issuer}, {run.processes} hubs, {run.clients} clients"
        print(f"  {name}: {parts or 'unknown'}")


def show_peers(peers: Sequence[Peer], missing: Sequence[str], results: Sequence[Measured]) -> None:
    """Print what the peers did, and the hub's best run with an EC issuer and one process beside it."""
    ours = [run for run in results if run.issuer == EC and run.processes == 1]
    print(f"\n{'peer (EC P-256)':<32} {'certs/s':>8} {'cpu us':>7} {'a core':>7}  the hub by CPU")
    for peer in peers:
        best: dict[str, float] = {}
        for run in ours:
            best[run.database] = max(best.get(run.database, 0.0), run.a_core / peer.a_core)
        ratios = ", ".join(f"{name} {ratio:.2f}x" for name, ratio in best.items())
        print(
            f"{peer.name:<32} {peer.certificates / peer.wall_s:>8.0f} {1e6 / peer.a_core:>7.0f} "
            f"{peer.a_core:>7.0f}  {ratios}"
        )
    for text in missing:
        print(text)


async def run(arguments: argparse.Namespace) -> None:
    """Measure the databases that were asked for, then the peers."""
    results = []
    if "sqlite" in arguments.databases:
        setup = Setup(database="SQLite", url=None, server_pid=None)
        results += await measure(setup, clients=arguments.clients, most=arguments.count)
    if "postgresql" in arguments.databases:
        for issuer, processes in ((EC, 1), (RSA, 1), (EC, 2)):
            if arguments.postgresql_url and (issuer, processes) != (EC, 1):
                # These need an empty database of their own.
                continue
            given = nullcontext((arguments.postgresql_url, None)) if arguments.postgresql_url else None
            clients = arguments.clients if (issuer, processes) == (EC, 1) else [FURTHER_CLIENTS]
            with given or running_postgres() as (url, server_pid):
                setup = Setup(
                    database="PostgreSQL",
                    url=url,
                    server_pid=server_pid,
                    issuer=issuer,
                    processes=processes,
                )
                results += await measure(setup, clients=clients, most=arguments.count)
    peers, missing = await measure_peers(arguments.count, limit_s=LOAD_S) if arguments.peers else ([], [])
    show(results)
    show_peers(peers, missing, results)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.issuance", description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="certificates a load, at most")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--postgresql-url", help="an empty database; without it a private server is started")
    parser.add_argument(
        "--peers", action=argparse.BooleanOptionalAction, default=True, help="also measure other CAs"
    )
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
