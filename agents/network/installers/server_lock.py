"""One install at a time on a server.

The lock is `flock` on the server's own main configuration file: it holds between tasks, between processes and
between agents with different state folders, leaves no file behind, and ends with the process that held it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agents.network.installers.errors import RefusedError, ServerBusyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_RETRY_S = 0.05


@asynccontextmanager
async def server_lock(config: Path, *, timeout_s: float) -> AsyncIterator[None]:
    """Hold the server's lock; raises ServerBusyError when somebody else keeps it for `timeout_s` seconds."""
    try:
        descriptor = os.open(config, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise RefusedError("ConfigurationMissing", f"{config}: {error.strerror}") from error
    try:
        await _acquire(descriptor, config, timeout_s)
        yield
    finally:
        os.close(descriptor)


async def _acquire(descriptor: int, config: Path, timeout_s: float) -> None:
    end = asyncio.get_running_loop().time() + timeout_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if asyncio.get_running_loop().time() >= end:
                raise ServerBusyError(f"another install works on the server of {config}") from error
            await asyncio.sleep(_RETRY_S)
        else:
            return
