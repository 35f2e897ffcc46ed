"""Running a server's own program: argument lists only, a time limit, bounded output, a small environment.

Output goes through a pipe that is read until the process ends, not until the pipe closes: a daemon that the
program starts may keep the other end open for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from agents.network.servers.errors import CommandNotRunnableError, CommandTimedOutError

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS_LIMIT = 4096
"""Bytes of a server's words that a report carries."""
_SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LAST_WORDS_S = 0.05


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended and what it printed."""

    arguments: tuple[str, ...]
    exit_code: int
    output: str
    errors: str
    truncated: bool

    @property
    def words(self) -> str:
        """The end of what was printed on both streams, short enough for a report."""
        return last_words(f"{self.output}\n{self.errors}")


def last_words(text: str, limit: int = WORDS_LIMIT) -> str:
    """The last `limit` characters of a text, without surrounding blanks."""
    stripped = text.strip()
    return stripped if len(stripped) <= limit else "..." + stripped[-limit:]


class _Output:
    """A pipe whose content is collected up to a limit; the rest is read and thrown away."""

    def __init__(self, limit: int) -> None:
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._limit = limit
        self._data = bytearray()
        self._closed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.truncated = False

    def __enter__(self) -> Self:
        self._loop.add_reader(self._reading, self._read)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.remove_reader(self._reading)
        os.close(self._reading)

    @property
    def text(self) -> str:
        """What was collected."""
        return self._data.decode("utf-8", "replace")

    def close_writing(self) -> None:
        """Leave the writing end to the child."""
        os.close(self.writing)

    async def last_words(self) -> None:
        """Wait for the end of the pipe, but not for a daemon that keeps it open."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._closed.wait()

    def _read(self) -> None:
        piece = os.read(self._reading, 65536)
        if not piece:
            self._loop.remove_reader(self._reading)
            self._closed.set()
        room = self._limit - len(self._data)
        self._data += piece[:room]
        self.truncated |= len(piece) > room


async def run(
    arguments: Sequence[str],
    *,
    timeout_s: float,
    environment: Sequence[tuple[str, str]] = (),
    limit: int = 1 << 20,
) -> CommandResult:
    """Run a command to its end; each of its streams is kept up to `limit` bytes.

    Raises CommandNotRunnableError when it can't be started and CommandTimedOutError when it was killed after
    `timeout_s` seconds, together with everything it had started in its process group.
    """
    with _Output(limit) as output, _Output(limit) as errors:
        process = await _start(arguments, environment, output, errors)
        exit_code = await _end(process, timeout_s)
        await output.last_words()
        await errors.last_words()
    result = CommandResult(
        tuple(arguments), exit_code or 0, output.text, errors.text, output.truncated or errors.truncated
    )
    if exit_code is None:
        message = f"{arguments[0]} did not end within {timeout_s:g} s and was killed"
        raise CommandTimedOutError(message, words=result.words)
    return result


async def _start(
    arguments: Sequence[str], environment: Sequence[tuple[str, str]], output: _Output, errors: _Output
) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output.writing,
            stderr=errors.writing,
            env={"PATH": _SEARCH_PATH, "LANG": "C.UTF-8", **dict(environment)},
            start_new_session=True,
        )
    except OSError as error:
        raise CommandNotRunnableError(f"{arguments[0]} can't be run: {error.strerror}") from error
    finally:
        output.close_writing()
        errors.close_writing()


async def _end(process: asyncio.subprocess.Process, timeout_s: float) -> int | None:
    """The exit code, or None when the process had to be killed."""
    try:
        async with asyncio.timeout(timeout_s):
            return await process.wait()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
