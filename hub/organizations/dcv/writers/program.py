"""A program on the hub's host that changes records: for providers that nothing else here knows.

Only programs that whoever owns the host has put into one folder can be named, so that an administrator of the
hub can't run anything else. The program is called with ``publish`` or ``withdraw`` as its only argument and
gets ``{"name", "type", "value"}`` as JSON on its standard input; 0 means done, and what it wrote to standard
error is shown otherwise. Both must be repeatable.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from hub.organizations.dcv.contract import DnsRecord, JsonPoster
from hub.organizations.dcv.errors import WriterFailed

FOLDER_VARIABLE = "CERTWRIGHT_DNS_PROGRAMS"
DEFAULT_FOLDER = "/etc/certwright/dns-programs"
_MAX_TEXT = 500


class ProgramSettings(BaseModel):
    """Which program."""

    model_config = ConfigDict(extra="forbid")

    program: str = Field(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$",
        description=f"Name of a file in {DEFAULT_FOLDER} on the hub's host.",
    )
    timeout_s: int = Field(default=60, ge=1, le=600)


class ProgramWriter:
    """Runs the program once a record."""

    kind = "program"
    display_name = "Program on the hub's host"
    settings_model: type[BaseModel] = ProgramSettings

    def __init__(self, settings: ProgramSettings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder

    @classmethod
    def open(cls, settings: BaseModel, fetch: JsonPoster) -> Self:
        """Return a writer with these settings."""
        del fetch
        if not isinstance(settings, ProgramSettings):
            raise TypeError("these are not the settings of a program")
        return cls(settings, Path(os.environ.get(FOLDER_VARIABLE) or DEFAULT_FOLDER))

    async def publish(self, record: DnsRecord) -> None:
        """Have the record added."""
        await self._run("publish", record)

    async def withdraw(self, record: DnsRecord) -> None:
        """Have the record deleted."""
        await self._run("withdraw", record)

    async def _run(self, action: str, record: DnsRecord) -> None:
        path = await asyncio.to_thread(self._trusted)
        try:
            process = await asyncio.create_subprocess_exec(
                path,
                action,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                # Nothing of the hub's own environment, which may hold secrets.
                env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )
        except OSError as fault:
            raise WriterFailed("ProgramFailed", f"{path.name}: {fault.strerror or fault}") from fault
        document = {"name": record.name, "type": record.type, "value": record.value}
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                _, text = await process.communicate(json.dumps(document).encode() + b"\n")
        except TimeoutError as fault:
            raise WriterFailed(
                "ProgramTimedOut", f"{path.name} took more than {self._settings.timeout_s} s"
            ) from fault
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                await process.wait()
        if process.returncode != 0:
            said = text.decode("utf-8", "replace").strip()[-_MAX_TEXT:]
            raise WriterFailed("ProgramFailed", f"{path.name} ended with {process.returncode}: {said}")

    def _trusted(self) -> Path:
        path = self._folder / self._settings.program
        try:
            modes = [item.stat().st_mode for item in (self._folder, path)]
        except OSError as fault:
            raise WriterFailed("ProgramNotFound", f"{path}: {fault.strerror or fault}") from fault
        if not stat.S_ISREG(modes[1]):
            raise WriterFailed("ProgramNotFound", f"{path} is not a file")
        if any(mode & stat.S_IWOTH for mode in modes):
            raise WriterFailed("ProgramNotTrusted", f"everybody on this host may change {path}")
        return path
