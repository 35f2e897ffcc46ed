"""One worker of a scan: an engine, a collector, and an outbox that may be full.

Runs in a thread of the agent or as a process of its own. A full outbox holds the engine back from beginning
new targets; those under way are finished and kept, which is bounded by the concurrency.
"""

from __future__ import annotations

import queue
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agents.network.scanner.batch import Collector, Report
from agents.network.scanner.engine import Engine
from agents.network.scanner.targets import ScanSpec, TargetPlan

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from agents.network.scanner.addresses import AddressSet
    from agents.network.scanner.options import ScanOptions

REPORT_ENDPOINTS = 500
REPORT_INTERVAL_S = 1.0
_FULL_WAIT_S = 0.05
_OUTBOX_REPORTS = 4
_CANCEL = b"cancel"
_MOST_SOCKETS = 1 << 15
# Windows' select() takes 512 sockets.
_SELECT_LIMIT = 500


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """What a worker needs to know; it is sent to processes, so it holds plain data only."""

    spec: ScanSpec
    options: ScanOptions
    cursor: int
    worker: int
    workers: int
    allowed: AddressSet | None


def share_of(options: ScanOptions, workers: int) -> ScanOptions:
    """One worker's part of the limits of a scan."""
    concurrency = max(1, min(options.concurrency // workers, socket_limit()))
    return replace(options, rate=options.rate / workers, concurrency=concurrency)


def socket_limit() -> int:
    """How many sockets a scan may hold open: half of what the process may, the agent needs files as well."""
    if sys.platform == "win32":
        return _SELECT_LIMIT
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_SOCKETS if soft == resource.RLIM_INFINITY else min(soft // 2, _MOST_SOCKETS)


def run_worker(task: WorkerTask, cancelled: Callable[[], bool], offer: Callable[[Report], bool]) -> None:
    """Work through a share until it is done or `cancelled()`; `offer` says False while the outbox is full."""
    engine = Engine(
        TargetPlan(task.spec),
        share_of(task.options, task.workers),
        first=task.cursor + task.worker,
        stride=task.workers,
        allowed=task.allowed,
    )
    collector = Collector(task.worker)
    due = time.monotonic() + REPORT_INTERVAL_S
    full = False
    try:
        while not cancelled():
            collector.add(engine.step(accepting=not full, max_wait_s=_FULL_WAIT_S if full else 0.25))
            done = engine.done
            if done or collector.size >= REPORT_ENDPOINTS or time.monotonic() >= due:
                full = not offer(collector.report(cursor=engine.cursor, finished=engine.finished, done=done))
                if not full:
                    collector.clear()
                    due = time.monotonic() + REPORT_INTERVAL_S
                    if done:
                        return
    finally:
        engine.close()


def process_main(task: WorkerTask, connection: Connection) -> None:
    """The whole life of a worker process: reports go out, a cancel or the parent's death comes in."""
    # Ctrl-C goes to the whole group; the parent decides what becomes of the scan and tells us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    outbox: queue.Queue[Report | None] = queue.Queue(_OUTBOX_REPORTS)
    gone = threading.Event()

    def send() -> None:
        while (report := outbox.get()) is not None:
            try:
                connection.send(report)
            except OSError:
                gone.set()
                return

    def offer(report: Report) -> bool:
        with suppress(queue.Full):
            outbox.put_nowait(report)
            return True
        return False

    sender = threading.Thread(target=send, name="scan-outbox", daemon=True)
    sender.start()
    # Readable means a cancel, or the end of the pipe because the parent is no more.
    run_worker(task, lambda: gone.is_set() or connection.poll(0), offer)
    while sender.is_alive():
        with suppress(queue.Full):
            outbox.put(None, timeout=0.1)
            break
    sender.join()
    connection.close()


def cancel_process(connection: Connection) -> None:
    """Ask a worker process to stop."""
    with suppress(OSError):
        connection.send_bytes(_CANCEL)
