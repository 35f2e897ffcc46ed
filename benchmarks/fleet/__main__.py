"""Simulated agents against one hub process: a table of what they cost, beside a bare server and the aims.

``python -m benchmarks.fleet [--agents 5000] [--database-url URL] [--processes 2] [--profile FILE]``

The limit is measured in the same run: a bare grpc.aio server (:mod:`benchmarks.fleet.bare_process`) with
the same agents and messages and nothing behind them. On the hub every command is a row: queued, dispatched,
accepted and ended in committed transactions, with its events, and signed. Rates depend on what else the
machine does: compare the CPU rows, and the ratio, which comes from paired runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fleet import population
from pki.at_rest import KeyEncryptionKey

LATENCY_SAMPLES = 200
_LINE_LIMIT = 64 * 1024 * 1024


@dataclass
class Worker:
    """A process that takes orders as JSON lines and answers in the same way."""

    process: asyncio.subprocess.Process

    @classmethod
    async def start(cls, module: str, options: dict[str, Any]) -> Worker:
        """Start a module with its options as the one argument."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            json.dumps(options),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_LIMIT,
        )
        return cls(process)

    async def line(self) -> dict[str, Any]:
        """Return the next answer."""
        assert self.process.stdout
        line = await self.process.stdout.readline()
        if not line:
            raise RuntimeError("a process of the benchmark has died; its error stands above")
        return json.loads(line)

    async def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Give an order and return its answer."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
        await self.process.stdin.drain()
        return await self.line()

    async def stop(self) -> None:
        """End the process."""
        if self.process.returncode is None:
            assert self.process.stdin
            self.process.stdin.write(b'{"do": "stop"}\n')
            try:
                async with asyncio.timeout(20):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
                await self.process.wait()


@dataclass(kw_only=True)
class Figures:
    """What was measured of one server."""

    connects_per_s: float
    connect_cpu_us: float
    stream_kib: float
    latency_p50_ms: float
    latency_p99_ms: float
    queued_s: float
    at_all_agents_s: float
    acknowledged_s: float
    command_cpu_us: float
    idle_cpu_percent: float


class Run:
    """One server, and the processes that simulate its agents."""

    def __init__(self, server: Worker, workers: list[Worker], ids: list[str]) -> None:
        self.server, self.workers, self.ids = server, workers, ids
        self.share = -(-len(ids) // len(workers))

    def slice_of(self, place: int) -> list[str]:
        """Return the ids of the agents that the process at ``place`` simulates."""
        return self.ids[place * self.share : (place + 1) * self.share]

    async def figures(self, options: argparse.Namespace) -> Figures:
        """Connect all, send commands to one after the other, then one to each at once."""
        connected = await self._connect(options.at_once)
        latency = sorted([await self._one_command(place) for place in range(LATENCY_SAMPLES)])
        before = await self.server.ask("status")
        await asyncio.sleep(3)
        after = await self.server.ask("status")
        if options.profile:
            await self.server.ask("profile", into="")
        fan_out = await self._fan_out()
        if options.profile:
            await self.server.ask("profile", into=options.profile)
        return Figures(
            **connected,
            **fan_out,
            latency_p50_ms=statistics.median(latency),
            latency_p99_ms=latency[int(len(latency) * 0.99) - 1],
            idle_cpu_percent=(after["cpu"] - before["cpu"]) / (after["now"] - before["now"]) * 100,
        )

    async def _connect(self, at_once: int) -> dict[str, float]:
        await asyncio.gather(*(each.ask("connect", first=0, last=0, at_once=1) for each in self.workers))
        before, started = await self.server.ask("status"), time.monotonic()
        answers = await asyncio.gather(
            *(
                each.ask("connect", first=place * self.share, last=(place + 1) * self.share, at_once=at_once)
                for place, each in enumerate(self.workers)
            )
        )
        seconds, after = time.monotonic() - started, await self.server.ask("status")
        failed, count = sum(answer["failed"] for answer in answers), len(self.ids)
        if failed or after["connected"] != count:
            raise RuntimeError(f"{failed} streams failed, {after['connected']} of {count} are connected")
        return {
            "connects_per_s": count / seconds,
            "connect_cpu_us": (after["cpu"] - before["cpu"]) / count * 1e6,
            "stream_kib": (after["rss"] - before["rss"]) / count / 1024,
        }

    async def _one_command(self, number: int) -> float:
        chosen = (number * 7919) % len(self.ids)
        worker = self.workers[chosen // self.share]
        await worker.ask("expect", count=1)
        queued = await self.server.ask("enqueue", agent_ids=[self.ids[chosen]])
        answer = await worker.ask("wait", timeout_s=10)
        return (answer["received"][queued["ids"][0]] - queued["started"]) * 1e3

    async def _fan_out(self) -> dict[str, float]:
        for place, worker in enumerate(self.workers):
            await worker.ask("expect", count=len(self.slice_of(place)))
        before = await self.server.ask("status")
        waiting = [asyncio.create_task(worker.ask("wait", timeout_s=90)) for worker in self.workers]
        queued = await self.server.ask("enqueue", agent_ids=self.ids)
        answers = await asyncio.gather(*waiting)
        after = await self.server.ask("status")
        committed = sum(answer["committed"] for answer in answers)
        if committed != len(self.ids):
            raise RuntimeError(f"{committed} of {len(self.ids)} commands were acknowledged")
        received = max(at for answer in answers for at in answer["received"].values())
        return {
            "queued_s": queued["committed"] - queued["started"],
            "at_all_agents_s": received - queued["started"],
            "acknowledged_s": max(answer["at"] for answer in answers) - queued["started"],
            "command_cpu_us": (after["cpu"] - before["cpu"]) / len(self.ids) * 1e6,
        }


async def measure(
    options: argparse.Namespace, folder: Path, *, module: str, server: dict[str, Any]
) -> Figures:
    """Start a server and its agents, and measure."""
    ids = [agent["id"] for agent in json.loads((folder / "agents.json").read_text())["agents"]]
    serving = await Worker.start(module, server)
    workers: list[Worker] = []
    try:
        address = (await serving.line())["control"]
        agents = {"file": str(folder / "agents.json"), "address": address}
        workers += [
            await Worker.start("benchmarks.fleet.agents_process", agents) for _ in range(options.processes)
        ]
        return await Run(serving, workers, ids).figures(options)
    finally:
        for worker in (*workers, serving):
            await worker.stop()


async def run(options: argparse.Namespace, folder: Path) -> tuple[Figures, Figures]:
    url = options.database_url or f"sqlite:///{folder / 'hub.db'}"
    kek = secrets.token_bytes(32)
    _say(f"making {options.agents} agents ...")
    await population.create(url, KeyEncryptionKey(kek), options.agents, folder)
    _say("bare server ...")
    bare_options = argparse.Namespace(**{**vars(options), "profile": ""})
    bare = await measure(
        bare_options,
        folder,
        module="benchmarks.fleet.bare_process",
        server={"tls": str(folder / "tls.json"), "channel": [("grpc.so_reuseport", 0)]},
    )
    _say("hub ...")
    hub = await measure(
        options, folder, module="benchmarks.fleet.hub_process", server={"url": url, "kek": kek.hex()}
    )
    return hub, bare


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# Name, field, unit, whether more is better, limit measured once on a quiet machine, aim for 10,000 agents.
ROWS = (
    ("connects a second", "connects_per_s", "/s", True, "724-789", "167"),
    ("server CPU a connect", "connect_cpu_us", "us", False, "1000", ""),
    ("memory a stream (RSS)", "stream_kib", "KiB", False, "88", "60"),
    ("one command when idle, median", "latency_p50_ms", "ms", False, "", ""),
    ("one command when idle, p99", "latency_p99_ms", "ms", False, "0.8", "250 under load"),
    ("to all: queued", "queued_s", "s", False, "", ""),
    ("to all: at the last agent", "at_all_agents_s", "s", False, "", ""),
    ("to all: last one acknowledged", "acknowledged_s", "s", False, "0.9 (5000)", "2 (10000)"),
    ("server CPU a command, in all", "command_cpu_us", "us", False, "170", ""),
    ("server CPU when idle", "idle_cpu_percent", "%", False, "", ""),
)


def report(hub: Figures, bare: Figures, title: str) -> str:
    """Return the table."""
    lines = [
        title,
        f"{'':30}{'hub':>11}{'bare gRPC':>12}{'ratio':>7}   {'measured before':<16}{'aim':<16}",
    ]
    for name, field, unit, more_is_better, before, aim in ROWS:
        ours, limit = getattr(hub, field), getattr(bare, field)
        ratio = (ours / limit if more_is_better else limit / ours) if ours and limit else None
        shown = "" if ratio is None or field in {"queued_s", "idle_cpu_percent"} else f"{ratio:.2f}"
        lines.append(
            f"{name:30}{_figure(ours, unit):>11}{_figure(limit, unit):>12}{shown:>7}   {before:<16}{aim:<16}"
        )
    lines += [
        "ratio: 1 would be as good as gRPC without database, queue and signatures.",
        "bound by: TLS and gRPC core (connects, memory); Python's event loop, then SQLAlchemy (commands).",
    ]
    return "\n".join(lines)


def _figure(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--agents", type=int, default=5000)
    parser.add_argument("--database-url", default="", help="default: SQLite in a temporary folder")
    parser.add_argument("--processes", type=int, default=2, help="processes that simulate agents")
    parser.add_argument("--at-once", type=int, default=32, help="handshakes under way in each process")
    parser.add_argument(
        "--profile", default="", help="write a cProfile of the hub during the fan-out to this file"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="certwright-fleet-") as folder:
        hub, bare = asyncio.run(run(options, Path(folder)))
    database = "PostgreSQL" if options.database_url else "SQLite (WAL, synchronous=FULL)"
    print(report(hub, bare, f"{options.agents} agents over mutual TLS, one process, {database}"))


if __name__ == "__main__":
    main()
