"""A program on the hub's host as a CA: for CAs that nobody has written a backend for.

The program is called with one argument, the verb (``order``, ``poll``, ``revoke`` or ``test``), is handed a
JSON document on its standard input and answers with one on its standard output; see docs/ca-backends.md.
Only programs in the folder that the host's administrator named can be called: whoever may configure backends
in the console may not thereby choose what is executed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import stat
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from hub.db.errors import BackendRefused, Unavailable
from hub.issuers.contract import (
    BackendContext,
    CertificateOrder,
    Intent,
    Issued,
    Pending,
    Refused,
    SubmitOutcome,
)
from hub.issuers.errors import NotOrdered
from hub.issuers.upstream.chains import chain_of
from pki.encodings import csr_pem

MAX_OUTPUT = 1024 * 1024
_MAX_ERROR_TEXT = 500
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
_RETRY_S = 60
_END_S = 5.0
# A program that can't even be started will not be there a second later.
_MISSING_RETRY_S = 300
PROTOCOL_VERSION = 1


class ProgramSettings(BaseModel):
    """Which program, and what it is told besides the order."""

    model_config = ConfigDict(extra="forbid")

    program: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        description="Name of a file in the folder of CA programs on the hub's host.",
    )
    parameters: dict[str, str] = Field(
        default={}, max_length=50, description="Handed to the program with each order."
    )
    secret: SecretStr = Field(default=SecretStr(""), description="Handed over as well, and never shown.")
    timeout_s: int = Field(default=30, ge=1, le=50, description="After this the program is killed.")
    revokes: bool = Field(default=True, description="Whether the program knows the verb revoke.")


class Reply(BaseModel):
    """What a program answers."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["issued", "pending", "refused", "unavailable", "ok"]
    chain: str = ""
    order: str = Field(default="", max_length=4000)
    order_number: str = Field(default="", max_length=100)
    reason: str = Field(default="ProgramRefused", pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    message: str = Field(default="", max_length=4000)
    invalid: bool = True
    retry_after_s: int = Field(default=_RETRY_S, ge=0, le=86_400)


class ProgramBackend:
    """Orders through a program. Implements CaBackend and CanRevoke."""

    kind = "exec"
    display_name = "Program on the hub's host"
    settings_model: type[BaseModel] = ProgramSettings

    def __init__(self, settings: ProgramSettings, *, folder: Path | None) -> None:
        self._settings = settings
        self._folder = folder

    @classmethod
    def open(cls, settings: BaseModel, context: BackendContext) -> Self:
        """Return the backend; nothing is started yet."""
        if not isinstance(settings, ProgramSettings):
            raise TypeError("these are not the settings of a program")
        return cls(settings, folder=context.programs)

    async def prepare(self, order: CertificateOrder) -> Intent:
        """Fix the idempotency key that the program is given."""
        return Intent(serial_hex=None, document={"phase": "new", "key": order.order_id})

    async def submit(self, order: CertificateOrder, intent: Intent) -> SubmitOutcome:
        """Have the program order, or ask it what became of the order.

        Raises:
            NotOrdered: the program is not there.
            Unavailable: it failed, or says that its CA can't be asked now.
        """
        document = intent.document
        if document["phase"] == "new":
            try:
                self._path()
            except Unavailable as fault:
                raise NotOrdered(fault.message, retry_after_s=fault.retry_after_s) from fault
            return Pending(
                order_number="",
                retry_after_s=0,
                document={**document, "phase": "ordering"},
                waits_for="the program is called",
            )
        known = document["phase"] == "ordered"
        reply = await self._call("poll" if known else "order", self._told(order, document))
        return _outcome(reply, order, document)

    async def test(self) -> None:
        """Call the program with the verb ``test``.

        Raises:
            Unavailable: it is not there, or failed.
            BackendRefused: it says that something is wrong.
        """
        _expect_ok(await self._call("test", {}))

    async def revoke(self, serial_hex: str, *, reason: str, at: datetime) -> None:
        """Have the program revoke.

        Raises:
            Unavailable: it failed, or says that its CA can't be asked now.
            BackendRefused: it says no, or does not know how.
        """
        if not self._settings.revokes:
            raise BackendRefused(f"the program does not revoke: revoke {serial_hex} at the CA")
        _expect_ok(await self._call("revoke", {"serial": serial_hex, "reason": reason, "at": at.isoformat()}))

    def _told(self, order: CertificateOrder, document: Mapping[str, str]) -> dict[str, Any]:
        return {
            "idempotency_key": document["key"],
            "order": document.get("order", ""),
            "csr": csr_pem(order.csr).decode(),
            "subject": order.subject,
            "dns_names": list(order.dns_names),
            "ip_addresses": list(order.ip_addresses),
            "emails": list(order.emails),
            "term_days": order.term_days,
            "not_after": order.not_after.isoformat() if order.not_after else None,
            "key_usage": list(order.key_usage),
            "extended_key_usage": list(order.extended_key_usage),
        }

    def _path(self) -> Path:
        if self._folder is None:
            raise Unavailable(
                "this hub has no folder of CA programs (ca_programs_dir)", retry_after_s=_MISSING_RETRY_S
            )
        path = self._folder / self._settings.program
        try:
            resolved = path.resolve(strict=True)
            mode = resolved.stat().st_mode
        except OSError as fault:
            raise Unavailable(f"there is no program {path}", retry_after_s=_MISSING_RETRY_S) from fault
        if resolved.parent != self._folder.resolve():
            raise Unavailable(f"{path} leads out of its folder", retry_after_s=_MISSING_RETRY_S)
        if not stat.S_ISREG(mode) or not os.access(resolved, os.X_OK) or mode & stat.S_IWOTH:
            raise Unavailable(
                f"{path} has to be an executable file that not everybody may write to",
                retry_after_s=_MISSING_RETRY_S,
            )
        return resolved

    async def _call(self, verb: str, document: Mapping[str, Any]) -> Reply:
        told = {
            "version": PROTOCOL_VERSION,
            "verb": verb,
            "parameters": self._settings.parameters,
            "secret": self._settings.secret.get_secret_value(),
            **document,
        }
        code, output, errors = await _run(
            self._path(), verb, json.dumps(told).encode(), self._settings.timeout_s
        )
        if code != 0:
            text = " ".join(errors.decode("utf-8", "replace").split())[:_MAX_ERROR_TEXT]
            raise Unavailable(f"the program ended with {code}: {text}", retry_after_s=_RETRY_S)
        try:
            return Reply.model_validate_json(output)
        except ValidationError as fault:
            first = fault.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise Unavailable(
                f"the program's answer can't be read: {where} {first['msg']}", retry_after_s=_RETRY_S
            ) from fault


async def _run(path: Path, verb: str, given: bytes, timeout_s: float) -> tuple[int, bytes, bytes]:
    try:
        process = await asyncio.create_subprocess_exec(
            str(path),
            verb,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
    except OSError as fault:
        raise Unavailable(f"{path} can't be started: {fault}", retry_after_s=_MISSING_RETRY_S) from fault
    try:
        async with asyncio.timeout(timeout_s):
            output, errors, _written = await asyncio.gather(
                _bounded(process.stdout), _bounded(process.stderr), _write(process.stdin, given)
            )
            code = await process.wait()
    except TimeoutError as fault:
        message = f"the program did not end within {timeout_s:.0f} s"
        raise Unavailable(message, retry_after_s=_RETRY_S) from fault
    finally:
        await _end(process)
    if len(output) > MAX_OUTPUT:
        raise Unavailable(f"the program says more than {MAX_OUTPUT} bytes", retry_after_s=_RETRY_S)
    return code, output, errors


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill a program and what it started; its pipes are emptied, else its end would never be seen."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_END_S):
            await asyncio.gather(_bounded(process.stdout), _bounded(process.stderr), process.wait())


async def _write(stream: asyncio.StreamWriter | None, given: bytes) -> None:
    # A program may answer without having read everything.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        if stream is not None:
            stream.write(given)
            await stream.drain()
            stream.close()


async def _bounded(stream: asyncio.StreamReader | None) -> bytes:
    """Return what a program says; beyond the limit it is read on, so that the program ends, and dropped."""
    data = bytearray()
    while stream is not None and (chunk := await stream.read(65_536)):
        if len(data) <= MAX_OUTPUT:
            data += chunk
    return bytes(data)


def _outcome(reply: Reply, order: CertificateOrder, document: Mapping[str, str]) -> SubmitOutcome:
    match reply.status:
        case "issued":
            chain = chain_of(order.csr, reply.chain.encode())
            return Issued(chain=chain, order_number=reply.order_number)
        case "pending":
            following = {**document, "phase": "ordered", "order": reply.order or document.get("order", "")}
            return Pending(
                order_number=reply.order_number,
                retry_after_s=max(1, reply.retry_after_s),
                document=following,
                waits_for=reply.message,
            )
        case "refused":
            return Refused(reason=reply.reason, message=reply.message, invalid=reply.invalid)
        case "unavailable":
            raise Unavailable(reply.message or "the CA can't be asked now", retry_after_s=reply.retry_after_s)
        case _:
            raise Unavailable("the program answers ok to an order", retry_after_s=_RETRY_S)


def _expect_ok(reply: Reply) -> None:
    if reply.status == "ok":
        return
    if reply.status == "unavailable":
        raise Unavailable(reply.message or "the CA can't be asked now", retry_after_s=reply.retry_after_s)
    raise BackendRefused(reply.message or f"the program answers {reply.status}")
