"""The scan as the agent uses it: batches, cursor, back-pressure, cancel, with workers of both kinds."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import time
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest

from agents.network.scanner.addresses import AddressSet
from agents.network.scanner.engine import Engine
from agents.network.scanner.errors import BadCursor, WorkerDied
from agents.network.scanner.observation import Status
from agents.network.scanner.service import scan
from agents.network.scanner.targets import ScanSpec, TargetPlan
from agents.network.scanner.worker import WorkerTask, run_worker
from tests.integration.scanner.farm import FAST, free_port, hostile_server, nginx_server, openssl_server
from tests.integration.scanner.test_hostile_servers import never_answers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agents.network.scanner.batch import Batch, Report
    from agents.network.scanner.observation import Observation
    from tests.integration.scanner.farm import Chain

WORKERS = pytest.mark.parametrize("processes", [0, 2])
THREAD = replace(FAST, processes=0)


@pytest.fixture
def farm(chains: dict[str, Chain], tmp_path: Path) -> Iterator[int]:
    """nginx on 100 addresses, 127.0.9.1 to 127.0.9.100, in turns with two certificates; gives the port."""
    port = free_port()
    blocks = []
    for last in range(1, 101):
        chain = chains["ec" if last % 2 else "rsa"]
        blocks.append(
            f"server {{ listen 127.0.9.{last}:{port} ssl; ssl_certificate {chain.full};"
            f" ssl_certificate_key {chain.key}; }}"
        )
    blocks.append(f"server {{ listen 127.0.0.1:{port}; }}")
    with nginx_server(tmp_path, "\n".join(blocks), port):
        yield port


def farm_spec(port: int) -> ScanSpec:
    return ScanSpec.parse(["127.0.9.1-100"], f"{port},{port + 1 if port < 65535 else port - 1}")


def until_idle(process: psutil.Process) -> None:
    """Wait until a process has used next to no processor time for a tenth of a second."""
    while process.cpu_percent(interval=0.1) > 10:
        pass


def worker_processes() -> list[psutil.Process]:
    """This process's scan workers."""
    return [child for child in psutil.Process().children() if "spawn_main" in " ".join(_command(child))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        # Children of other tests that have ended meanwhile.
        return []


def endpoints(batches: list[Batch]) -> list[tuple[str, int]]:
    return [(seen.address, seen.port) for batch in batches for seen in batch.endpoints]


@WORKERS
async def test_everything_comes_once_and_in_the_end_it_is_done(
    farm: int, chains: dict[str, Chain], processes: int
) -> None:
    options = replace(FAST, processes=processes)
    batches = [batch async for batch in scan(farm_spec(farm), options=options, cancelled=asyncio.Event())]
    found = [seen for batch in batches for seen in batch.endpoints]
    assert sorted(seen.address for seen in found) == sorted(f"127.0.9.{last}" for last in range(1, 101))
    assert {seen.status for seen in found} == {Status.OK}
    # Four certificates, each with its bytes exactly once, and before or with the endpoint that shows it.
    certificates = [entry for batch in batches for entry in batch.certificates]
    assert len(certificates) == 4
    assert {entry.fingerprint.hex() for entry in certificates} == {
        *chains["ec"].sha256,
        *chains["rsa"].sha256,
    }
    for entry in certificates:
        assert hashlib.sha256(entry.der).digest() == entry.fingerprint
    known: set[bytes] = set()
    for batch in batches:
        known |= {entry.fingerprint for entry in batch.certificates}
        assert {digest for seen in batch.endpoints for digest in seen.fingerprints} <= known
    for seen in found:
        kind = "ec" if int(seen.address.rpartition(".")[2]) % 2 else "rsa"
        assert tuple(digest.hex() for digest in seen.fingerprints) == chains[kind].sha256
    last = batches[-1]
    assert last.done
    assert [batch.done for batch in batches[:-1]] == [False] * (len(batches) - 1)
    assert (last.cursor, last.finished, last.total, last.progress) == (200, 200, 200, 1.0)
    assert last.counts == {Status.OK: 100, Status.CLOSED: 100}


@WORKERS
async def test_a_scan_resumed_from_the_last_batch_loses_nothing(farm: int, processes: int) -> None:
    spec, cancelled = farm_spec(farm), asyncio.Event()
    # Slow enough that there is more than one batch.
    options = replace(FAST, processes=processes, rate=100)
    first: list[Batch] = []
    async with aclosing(scan(spec, options=options, cancelled=cancelled)) as stream:
        async for batch in stream:
            first.append(batch)
            if batch.cursor:
                break
    cursor = first[-1].cursor
    assert 0 < cursor < 200
    second = [
        batch
        async for batch in scan(spec, options=replace(options, rate=1e5), cursor=cursor, cancelled=cancelled)
    ]
    assert second[0].finished >= cursor
    assert second[-1].finished == 200
    assert {address for address, _ in endpoints(first + second)} == {
        f"127.0.9.{last}" for last in range(1, 101)
    }
    # What was finished is not done again.
    assert len(endpoints(second)) <= 200 - cursor


def test_a_full_outbox_delays_and_loses_nothing(farm: int) -> None:
    reports: list[Report] = []
    refusals = iter([False] * 20)

    def offer(report: Report) -> bool:
        taken = next(refusals, True)
        if taken:
            reports.append(report)
        return taken

    task = WorkerTask(farm_spec(farm), replace(FAST, concurrency=8), 0, 0, 1, None)
    run_worker(task, lambda: False, offer)
    assert next(refusals, None) is None
    found = [(seen.address, seen.port) for report in reports for seen in report.endpoints]
    assert sorted(found) == sorted((f"127.0.9.{last}", farm) for last in range(1, 101))
    assert reports[-1].done


def test_a_worker_that_is_held_back_begins_nothing_and_finishes_what_it_has(farm: int) -> None:
    engine = Engine(TargetPlan(farm_spec(farm)), replace(FAST, concurrency=8, rate=1e6))
    seen = engine.step()
    held: list[Observation] = []
    while engine.finished < 8 or held:
        held = engine.step(accepting=False, max_wait_s=0.05)
        seen += held
    # Some more may have begun in the first step in place of ports that turned out closed at once.
    begun = len(seen)
    assert 8 <= begun < 200
    assert engine.step(accepting=False, max_wait_s=0.05) == []
    seen += engine.run()
    assert len({(entry.address, entry.port) for entry in seen}) == len(seen) == 200


async def test_a_reader_that_comes_back_late_finds_everything(farm: int) -> None:
    stream = scan(farm_spec(farm), options=replace(THREAD, concurrency=4), cancelled=asyncio.Event())
    batches = [await anext(stream)]
    # Nobody reads until the worker has nothing left to do, or is held up by the full queue.
    await asyncio.to_thread(until_idle, psutil.Process())
    batches += [batch async for batch in stream]
    assert sorted(endpoints(batches)) == sorted((f"127.0.9.{last}", farm) for last in range(1, 101))


@WORKERS
async def test_cancel_takes_less_than_a_second(processes: int) -> None:
    with hostile_server(never_answers) as port:
        spec = ScanSpec.parse(["127.0.0.1"], str(port))
        cancelled = asyncio.Event()
        options = replace(FAST, processes=processes, hello_timeout_s=60.0)
        batches = []
        stopped = 0.0
        async for batch in scan(spec, options=options, cancelled=cancelled):
            # The first report comes after a second without finds: the scan is under way.
            batches.append(batch)
            cancelled.set()
            stopped = time.monotonic()
        took = time.monotonic() - stopped
    assert batches
    assert not batches[-1].done
    assert batches[-1].cursor == 0
    assert took < 1.0


async def test_progress_is_told_while_nothing_is_found() -> None:
    with hostile_server(never_answers) as port:
        spec = ScanSpec.parse(["127.0.0.1"], f"{port},{free_port()}")
        options = replace(THREAD, hello_timeout_s=1.5)
        batches = [batch async for batch in scan(spec, options=options, cancelled=asyncio.Event())]
    assert batches[0].progress == 0.5
    assert not batches[0].endpoints
    assert batches[-1].endpoints[0].reason == "HelloTimedOut"
    assert batches[-1].done


async def test_a_killed_worker_process_is_told_with_its_exit_code() -> None:
    with hostile_server(never_answers) as port:
        spec = ScanSpec.parse(["127.0.0.1"], str(port))
        options = replace(FAST, processes=2, hello_timeout_s=60.0)
        stream = scan(spec, options=options, cancelled=asyncio.Event())
        await anext(stream)
        for worker in worker_processes():
            worker.kill()
        with pytest.raises(WorkerDied) as caught:
            await anext(stream)
    assert caught.value.exit_code == -signal.SIGKILL
    assert caught.value.retryable


async def test_no_worker_outlives_a_scan_that_is_dropped() -> None:
    with hostile_server(never_answers) as port:
        spec = ScanSpec.parse(["127.0.0.1"], str(port))
        options = replace(FAST, processes=1, hello_timeout_s=60.0)
        async with aclosing(scan(spec, options=options, cancelled=asyncio.Event())) as stream:
            async for _ in stream:
                workers = worker_processes()
                break
    assert len(workers) == 1
    assert not any(worker.is_running() for worker in workers)


@WORKERS
async def test_addresses_outside_the_policy_are_reported_and_not_touched(
    chains: dict[str, Chain], processes: int
) -> None:
    with openssl_server(chains["ec"], "-tls1_2") as port:
        spec = ScanSpec.parse(["127.0.0.1", "127.0.0.2"], str(port))
        batches = [
            batch
            async for batch in scan(
                spec,
                options=replace(FAST, processes=processes),
                cancelled=asyncio.Event(),
                allowed=AddressSet.of_networks(["127.0.0.2/32"]),
            )
        ]
    assert batches[-1].counts == {Status.NOT_ALLOWED: 1, Status.CLOSED: 1}


async def test_host_names_are_looked_up_by_the_system(chains: dict[str, Chain]) -> None:
    with openssl_server(chains["ec"], "-tls1_2") as port:
        spec = ScanSpec.parse(["localhost"], str(port))
        batches = [batch async for batch in scan(spec, options=THREAD, cancelled=asyncio.Event())]
    found = {seen.address: seen for batch in batches for seen in batch.endpoints}
    assert found["127.0.0.1"].name == "localhost"
    assert found["127.0.0.1"].status is Status.OK


async def test_a_scan_of_nothing_is_done_at_once() -> None:
    batches = [batch async for batch in scan(ScanSpec(()), options=THREAD, cancelled=asyncio.Event())]
    assert [(batch.done, batch.progress) for batch in batches] == [(True, 1.0)]


async def test_a_cursor_from_another_scan_is_refused() -> None:
    with pytest.raises(BadCursor):
        async for _ in scan(ScanSpec.parse(["127.0.0.1"], "443"), cursor=7, cancelled=asyncio.Event()):
            pass
