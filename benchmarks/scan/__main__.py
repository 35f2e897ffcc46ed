"""`python -m benchmarks.scan`: processor time a target, ours against nmap, on loopback only.

Both are measured without their start-up: ours from inside the process (its own time and its children's),
nmap's as the difference between a run over all targets and a run over one. Processor time is compared, not
rate, because both share this machine with the servers they scan. What is measured is the agent's part:
connect, hello, chain, SHA-256, de-duplication and batches; what the hub does with them is measured elsewhere.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from agents.network.scanner.observation import Status
from agents.network.scanner.options import ScanOptions
from agents.network.scanner.service import scan
from agents.network.scanner.targets import ScanSpec
from benchmarks.scan.farm import NGINX, Farm, Grid, farm

ROUNDS = 3
SERVERS = Grid(blocks=4)
# The address space of a sweep costs nothing: no server has to listen there.
SWEEP = Grid(blocks=80)


class Case(NamedTuple):
    """What to scan, what must come out, and how many times less than nmap it should cost."""

    kind: str
    grid: Grid
    status: Status
    aim: float


CASES = (
    Case("ec", SERVERS, Status.OK, 20.0),
    Case("rsa", SERVERS, Status.OK, 14.0),
    Case("tls13", SERVERS, Status.OK, 8.0),
    Case("closed", SWEEP, Status.CLOSED, 1.4),
)


class Measured(NamedTuple):
    """One scan of all targets of a case."""

    cpu_us: float
    """Processor microseconds a target."""
    kernel_us: float
    """Those of them that the kernel used."""
    server_us: float
    """The servers' processor microseconds a target."""
    rate: float
    """Targets a second."""


def _used_s() -> tuple[float, float]:
    """Processor seconds of this process and its ended children, in user mode and in the kernel."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime for usage in usages), sum(usage.ru_stime for usage in usages)


def measure_ours(servers: Farm, case: Case, processes: int) -> Measured:
    """The best of a few rounds of the whole scan service."""
    spec = ScanSpec.parse(case.grid.ranges, str(servers.ports[case.kind]))
    options = ScanOptions(rate=1_000_000, concurrency=256, processes=processes)

    async def once() -> None:
        async for batch in scan(spec, options=options, cancelled=asyncio.Event()):
            counts = batch.counts
        if counts != {case.status: case.grid.count}:
            raise SystemExit(f"{case.kind}: expected {case.grid.count} {case.status}, got {counts}")

    rounds = []
    for _ in range(ROUNDS):
        server, before, started = servers.server_cpu_s(), _used_s(), time.monotonic()
        asyncio.run(once())
        after, took = _used_s(), time.monotonic() - started
        user, kernel = after[0] - before[0], after[1] - before[1]
        server = servers.server_cpu_s() - server
        scale = 1e6 / case.grid.count
        rounds.append(
            Measured((user + kernel) * scale, kernel * scale, server * scale, case.grid.count / took)
        )
    return min(rounds)


def _run_nmap(case: Case, targets: str, port: int) -> tuple[float, float]:
    """Processor seconds and seconds of one run."""
    how = ["-sT"] if case.status is Status.CLOSED else ["--script", "ssl-cert"]
    command = ["nmap", "-Pn", "-n", "-T4", "-p", str(port), *how, targets]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"nmap failed with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - started


def measure_nmap(servers: Farm, case: Case) -> Measured:
    """Nmap over all targets, less nmap over one."""
    port = servers.ports[case.kind]
    start_cpu, start_took = _run_nmap(case, case.grid.addresses()[0], port)
    server = servers.server_cpu_s()
    cpu, took = _run_nmap(case, case.grid.nmap, port)
    scale = 1e6 / (case.grid.count - 1)
    server = (servers.server_cpu_s() - server) * scale
    return Measured((cpu - start_cpu) * scale, 0.0, server, 1e6 / scale / max(took - start_took, 1e-9))


def main() -> None:
    """Print the table."""
    if not Path(NGINX).exists():
        raise SystemExit("needs nginx (Debian: apt-get install nginx-light)")
    with_nmap = shutil.which("nmap") is not None
    if not with_nmap:
        print("nmap is not installed (Debian: apt-get install nmap): no ratios")
    print("processor microseconds a target, start-up left out; limit: kernel + servers")
    print(f"{'case':<8}{'targets':>8}{'ours':>6}{'kernel':>8}{'server':>8}{'ours/s':>9}", end="")
    print(f"{'nmap':>8}{'nmap/s':>9}{'ratio':>8}{'aim':>7}")
    with tempfile.TemporaryDirectory() as folder, farm(Path(folder), SERVERS) as servers:
        for case in CASES:
            ours = measure_ours(servers, case, 0)
            print(f"{case.kind:<8}{case.grid.count:>8}{ours.cpu_us:>6.0f}{ours.kernel_us:>8.0f}", end="")
            print(f"{ours.server_us:>8.0f}{ours.rate:>9.0f}", end="", flush=True)
            if with_nmap:
                nmap = measure_nmap(servers, case)
                ratio = nmap.cpu_us / ours.cpu_us
                print(f"{nmap.cpu_us:>8.0f}{nmap.rate:>9.0f}{ratio:>7.1f}x{case.aim:>6.1f}x", end="")
            print(flush=True)
        both = measure_ours(servers, CASES[-1], 2)
        print(f"closed, two processes with their start: {both.rate:.0f}/s")


if __name__ == "__main__":
    main()
