"""The scan as the rest of the agent sees it: an asynchronous stream of batches.

Small scans run in a thread, large ones in a process a core (the engine is bound by Python's speed, and a
thread of its own would fight the agent's event loop for the interpreter). The queue between is bounded, and
so is everything before it: a reader that takes its time slows the scan down and loses nothing.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from agents.network.scanner.batch import Batch, Merger, Report
from agents.network.scanner.errors import BadCursor, WorkerDied
from agents.network.scanner.options import ScanOptions
from agents.network.scanner.targets import ScanSpec, TargetPlan
from agents.network.scanner.worker import WorkerTask, cancel_process, process_main, run_worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from agents.network.scanner.addresses import AddressSet

_QUEUED_REPORTS = 8
# Below this a process would take longer to start than the scan to run.
_PROCESS_TARGETS = 20_000
_STOP_S = 5.0


async def scan(
    spec: ScanSpec,
    *,
    options: ScanOptions | None = None,
    cursor: int = 0,
    cancelled: asyncio.Event,
    allowed: AddressSet | None = None,
) -> AsyncIterator[Batch]:
    """Scan everything from `cursor` on, in batches; the last one is `done` unless the scan was cancelled.

    At least about one batch a second comes, empty or not, so that progress can be shown. `allowed` is checked
    for every address right before it is connected to. A reader that stops early closes the generator
    (`contextlib.aclosing`), which ends the workers. Raises `TooManyTargets`, `BadCursor`, `WorkerDied`.
    """
    options = options or ScanOptions()
    total = TargetPlan(spec).total
    if not 0 <= cursor <= total:
        raise BadCursor(cursor, total)
    workers = _worker_count(options, total - cursor)
    merger = Merger(workers=max(workers, 1), start=cursor, total=total)
    inbox = _Inbox(asyncio.get_running_loop())
    crew: list[_Worker] = []
    try:
        for number in range(max(workers, 1)):
            task = WorkerTask(spec, options, cursor, number, max(workers, 1), allowed)
            crew.append(_ProcessWorker(task, inbox) if workers else _ThreadWorker(task, inbox))
        while not merger.done:
            reports = await inbox.take(cancelled)
            if not reports:
                return
            yield merger.merge(reports)
    finally:
        await _stop(crew, inbox)


def _worker_count(options: ScanOptions, targets: int) -> int:
    """How many processes; 0 for a thread."""
    if options.processes is not None:
        return options.processes
    return os.cpu_count() or 1 if targets > _PROCESS_TARGETS else 0


class _Inbox:
    """Where workers of any kind leave their reports: bounded, filled by threads, read by a coroutine."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._reports: queue.Queue[Report | BaseException] = queue.Queue(_QUEUED_REPORTS)
        self._filled = asyncio.Event()
        self._fault: BaseException | None = None
        self.closed = threading.Event()

    def offer(self, report: Report | BaseException) -> bool:
        """Leave a report unless the inbox is full."""
        try:
            self._reports.put_nowait(report)
        except queue.Full:
            return False
        self._wake()
        return True

    def put(self, report: Report | BaseException) -> None:
        """Leave a report, waiting for room; drops it when nobody reads any more."""
        while not self.closed.is_set():
            with suppress(queue.Full):
                self._reports.put(report, timeout=0.1)
                self._wake()
                return

    async def take(self, cancelled: asyncio.Event) -> list[Report]:
        """All reports there are, at least one; none once cancelled. Raises what a worker died of."""
        while not cancelled.is_set():
            self._filled.clear()
            reports: list[Report] = []
            with suppress(queue.Empty):
                while self._fault is None:
                    entry = self._reports.get_nowait()
                    if isinstance(entry, BaseException):
                        self._fault = entry
                        break
                    reports.append(entry)
            if reports:
                return reports
            if self._fault is not None:
                raise self._fault
            await _either(self._filled, cancelled)
        return []

    def _wake(self) -> None:
        with suppress(RuntimeError):  # the loop may be closed by now
            self._loop.call_soon_threadsafe(self._filled.set)


async def _either(first: asyncio.Event, second: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in (first, second)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


class _Worker(Protocol):
    def stop(self) -> None: ...

    def join(self, timeout_s: float) -> None: ...


class _ThreadWorker:
    """A worker in this process."""

    def __init__(self, task: WorkerTask, inbox: _Inbox) -> None:
        self._task = task
        self._inbox = inbox
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scan", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; it does so within a quarter of a second."""
        self._stopped.set()

    def join(self, timeout_s: float) -> None:
        """Wait for its end."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            run_worker(self._task, self._stopped.is_set, self._inbox.offer)
        except Exception as error:  # noqa: BLE001 - border of the thread: the reader gets it
            self._inbox.put(error)


class _ProcessWorker:
    """A worker process, and the thread that carries its reports over."""

    def __init__(self, task: WorkerTask, inbox: _Inbox) -> None:
        self._number = task.worker
        self._inbox = inbox
        # Never fork: the agent has threads, and gRPC does not survive it.
        context = multiprocessing.get_context("spawn")
        self._connection: Connection
        self._connection, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(
            target=process_main, args=(task, theirs), name=f"scan-{task.worker}", daemon=True
        )
        self._process.start()
        theirs.close()
        self._thread = threading.Thread(target=self._carry, name="scan-inbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end."""
        cancel_process(self._connection)

    def join(self, timeout_s: float) -> None:
        """Wait for its end, and end it if it doesn't."""
        self._process.join(timeout_s)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        self._thread.join(timeout_s)
        self._connection.close()

    def _carry(self) -> None:
        finished = False
        with suppress(EOFError, OSError):
            while not finished:
                report: Report = self._connection.recv()
                finished = report.done
                self._inbox.put(report)
        if not finished:
            self._process.join(_STOP_S)
            self._inbox.put(WorkerDied(self._number, self._process.exitcode))


async def _stop(crew: list[_Worker], inbox: _Inbox) -> None:
    inbox.closed.set()
    for worker in crew:
        worker.stop()
    for worker in crew:
        await asyncio.to_thread(worker.join, _STOP_S)
