"""Runs the hub so that it can be asked where its CPU time goes: the product's code has no hooks for that.

``python -m benchmarks.issuance.sampled_hub FILE ARGUMENTS...`` is the hub's usual command line. SIGUSR1
starts counting, SIGUSR2 stops and writes seconds of CPU by area to FILE; until then nothing is slowed down.

Samples come by SIGPROF, which follows CPU time and not the clock. Each counts for as much as the main thread
really spent since the one before, less what the garbage collector took, which is measured by its callbacks.
The other threads' CPU is the kernel's count, by what the thread is for. A sample belongs to the innermost
frame that has an area; code that serves everybody (``asyncio``, ``contextlib``, ``re``...) has none.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType
from typing import Any

from hub.cli.main import main as hub_main

_INTERVAL_S = 0.002
_THREADS = "SQLite threads"
EVENT_LOOP = "event loop"
# The first whose word is in the file's name; what comes first is more telling.
_AREAS = (
    ("/cryptography/", "crypto"),
    ("/pki/", "crypto"),
    ("/pydantic", "pydantic"),
    ("/json/", "JSON"),
    ("/structlog/", "logging"),
    ("/logging/", "logging"),
    ("/hub/logs.py", "logging"),
    ("/aiosqlite/", "database driver"),
    ("/asyncpg/", "database driver"),
    ("/hub/db/sqlite_driver.py", "database driver"),
    ("/dialects/postgresql/asyncpg.py", "database driver"),
    ("/dialects/sqlite/aiosqlite.py", "database driver"),
    ("/sqlalchemy/", "SQLAlchemy"),
    ("/aiohttp/", "HTTP and TLS"),
    ("/asyncio/sslproto.py", "HTTP and TLS"),
    ("/ssl.py", "HTTP and TLS"),
    ("/hub/http/", "HTTP and TLS"),
    ("/multidict/", "HTTP and TLS"),
    ("/yarl/", "HTTP and TLS"),
    ("/grpc/", "gRPC"),
    # Around everything: the loop itself has no other frame.
    ("/hub/cli/", EVENT_LOOP),
    ("/hub/", "the hub's own code"),
)


class Sampler:
    """Counts seconds of CPU by area."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._areas: dict[str, str | None] = {}
        self._collector_s = 0.0
        self._collector_started = 0.0
        self._main_at = self._process_at = 0.0
        self._threads_at: dict[int, float] = {}

    def start(self, *_: object) -> None:
        """Begin anew; a signal handler."""
        self._seconds.clear()
        self._collector_s = 0.0
        self._main_at, self._process_at = time.thread_time(), time.process_time()
        self._threads_at = {number: spent for number, _name, spent in _other_threads()}
        gc.callbacks.append(self._collected)
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, _INTERVAL_S, _INTERVAL_S)

    def stop(self, _number: int, frame: FrameType | None) -> None:
        """Write what was counted; a signal handler."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        gc.callbacks.remove(self._collected)
        self._sample(0, frame)
        for number, name, spent in _other_threads():
            area = _THREADS if "_connection_worker_thread" in name else "other threads"
            self._seconds[area] += spent - self._threads_at.get(number, 0.0)
        document = {
            "process_s": time.process_time() - self._process_at,
            "seconds": dict(self._seconds),
        }
        unfinished = self._out.with_suffix(".tmp")
        unfinished.write_text(json.dumps(document))
        unfinished.replace(self._out)

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        now = time.thread_time()
        spent = now - self._main_at
        self._main_at = now
        collected, self._collector_s = min(self._collector_s, spent), 0.0
        self._seconds["garbage collection"] += collected
        self._seconds[self._area_of(frame)] += spent - collected

    def _collected(self, phase: str, _info: dict[str, Any]) -> None:
        if phase == "start":
            self._collector_started = time.thread_time()
        elif threading.current_thread() is threading.main_thread():
            self._collector_s += time.thread_time() - self._collector_started

    def _area_of(self, frame: FrameType | None) -> str:
        while frame is not None:
            name = frame.f_code.co_filename
            if name not in self._areas:
                self._areas[name] = next((area for word, area in _AREAS if word in name), None)
            area = self._areas[name]
            if area is not None:
                return area
            frame = frame.f_back
        return EVENT_LOOP


def _other_threads() -> list[tuple[int, str, float]]:
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    ticks = os.sysconf("SC_CLK_TCK")
    found = []
    for path in Path("/proc/self/task").iterdir():
        number = int(path.name)
        if number == os.getpid():
            continue
        fields = (path / "stat").read_text().rpartition(")")[2].split()
        found.append((number, names.get(number, ""), (int(fields[11]) + int(fields[12])) / ticks))
    return found


def main(arguments: list[str]) -> int:
    """Run the hub's command line with a sampler at hand."""
    sampler = Sampler(Path(arguments[0]))
    signal.signal(signal.SIGUSR1, sampler.start)
    signal.signal(signal.SIGUSR2, sampler.stop)
    return hub_main(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
