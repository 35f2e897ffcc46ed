"""How long a hub takes from its start to its first answer."""

from __future__ import annotations

import asyncio
import time

from benchmarks.inventory.stores import HUB, Store

_ANY_PORT = ["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--enroll", "127.0.0.1:0"]
_PATIENCE_S = 120.0


async def seconds_to_ready(store: Store) -> float:
    """Start a hub on the store, wait until it says that it is ready, and stop it."""
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *HUB,
        "serve",
        "--data-dir",
        str(store.folder),
        *_ANY_PORT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        if process.stdout is None or not await asyncio.wait_for(process.stdout.readline(), _PATIENCE_S):
            raise RuntimeError("the hub did not start")
        return time.perf_counter() - started
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
