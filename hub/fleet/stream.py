"""One agent's control stream on the hub.

One loop (:meth:`AgentStream.serve`) owns the stream's state; the reader and the rest of the hub post to its
inbox. Whatever an agent reports is committed before it is acknowledged; whatever goes wrong ends the stream
with a status, and the agent comes back and repeats what was not acknowledged.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

import grpc
import grpc.aio
import structlog

from hub import __version__
from hub.db.clock import Clock
from hub.fleet.authority import IDENTITY_LIFETIME, renew_after
from hub.fleet.commands import CommandFailure
from hub.fleet.directory import ProgressBoard, StreamDirectory
from hub.fleet.dispatch import Dispatcher
from hub.fleet.errors import StreamViolation
from hub.fleet.identities import RenewalRequest, requested_key
from hub.fleet.inbox import Inbox
from hub.fleet.inventory import InventoryReport
from hub.fleet.ledger import Ledger
from hub.fleet.messages import (
    Accepted,
    AgentHello,
    Batch,
    BatchCommitted,
    CancelCommand,
    Configure,
    Deliver,
    Done,
    DoneCommitted,
    Heartbeat,
    HubHello,
    IdentityIssued,
    IdentityRequest,
    Inventory,
    Progress,
    RenewIdentity,
    ToAgent,
    ToHub,
)
from hub.fleet.presence import Admission, CloseStream, OpenStream
from hub.fleet.reports import AcceptReport, BatchNotTaken, BatchReport, DoneReport, GiveUp
from hub.fleet.settings import FleetSettings
from hub.fleet.stream_session import StreamSession
from hub.fleet.wire import CommandSigner, encode_to_agent

CAPABILITIES = ("heartbeat",)
_ASK_AGAIN = timedelta(minutes=10)
_BATCH_TRIES = 3
_BATCH_PAUSE_S = 0.2
_opened_numbers = itertools.count(1)
_log = structlog.get_logger(__name__)


class Wire(Protocol):
    """The part of a gRPC server call that a stream uses."""

    async def read(self) -> Any:
        """Return the next message, or ``grpc.aio.EOF``."""
        ...

    async def write(self, message: bytes) -> None:
        """Send a serialized message."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamDesk:
    """What all streams of this process share."""

    replica: str
    settings: FleetSettings
    ledger: Ledger
    directory: StreamDirectory
    dispatcher: Dispatcher
    progress: ProgressBoard
    signer: CommandSigner = field(repr=False)
    ca_der: bytes = field(repr=False)
    clock: Clock
    seen: set[str]
    """Agents heard of since signs of life were written last."""


class StreamCut(Exception):
    """The hub ends a stream with a status."""

    def __init__(self, code: grpc.StatusCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class AgentStream:
    """A control stream from Hello to its end."""

    __slots__ = (
        "_admission",
        "_cancelled",
        "_cut",
        "_desk",
        "_inbox",
        "_next_ask",
        "_session",
        "_task",
        "_wire",
        "_writing",
        "agent_id",
        "certificate_sha256",
        "heard_at",
        "name",
        "opened_number",
        "session_id",
    )

    def __init__(self, desk: StreamDesk, wire: Wire, *, agent_id: str, certificate_sha256: str) -> None:
        self.agent_id = agent_id
        self.certificate_sha256 = certificate_sha256
        self.session_id = str(uuid.uuid4())
        self.name = ""
        self.opened_number = 0
        self.heard_at = asyncio.get_running_loop().time()
        self._desk = desk
        self._wire = wire
        self._session = StreamSession()
        self._inbox: Inbox[ToHub | ToAgent | StreamViolation] = Inbox()
        self._cut: StreamCut | None = None
        self._task: asyncio.Task[Any] | None = None
        self._writing = False
        self._admission: Admission | None = None
        self._cancelled: set[str] = set()
        self._next_ask = desk.clock()

    # ---- asked by the rest of the hub

    @property
    def room(self) -> int:
        """How many commands may be sent now."""
        return self._session.room

    def deliver(self, command: Deliver) -> None:
        """Send a command that has been recorded as dispatched."""
        self._session.sent(command.delivery_id)
        self._inbox.post(command)

    def cancel(self, delivery_id: str) -> None:
        """Ask the agent to give a command up, once."""
        if delivery_id not in self._cancelled:
            self._cancelled.add(delivery_id)
            self._inbox.post(CancelCommand(delivery_id))

    def configure(self, name: str) -> None:
        """Tell the agent its display name."""
        self.name = name
        self._inbox.post(Configure(name))

    def cut(self, code: grpc.StatusCode, reason: str) -> None:
        """End the stream at once."""
        if self._cut is None:
            self._cut = StreamCut(code, reason)
            self._inbox.end()
            if self._writing and self._task is not None:
                # The agent doesn't read: nothing else would end the wait.
                self._task.cancel()

    # ---- the loop

    async def serve(self) -> None:
        """Run the stream to its end.

        Raises:
            StreamCut: the hub ends it.
            HubError: what the agent sent was refused.
        """
        self._task = asyncio.current_task()
        reader = asyncio.create_task(self._read())
        try:
            hello = await self._hello()
            self._admission = await self._desk.ledger.submit(
                OpenStream(self.session_id, self._desk.replica, self.agent_id, self.certificate_sha256, hello)
            )
            try:
                await self._run(self._admission)
            finally:
                self._desk.directory.discard(self)
                self._desk.ledger.post(CloseStream(self.session_id, self.agent_id))
        except asyncio.CancelledError:
            if self._cut is None or self._task is None:
                raise
            self._task.uncancel()
            raise self._cut from None
        finally:
            reader.cancel()

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while (message := await self._wire.read()) is not grpc.aio.EOF:
                self.heard_at = loop.time()
                await self._inbox.put(message)
        finally:
            self._inbox.end()

    async def _hello(self) -> AgentHello:
        try:
            async with asyncio.timeout(self._desk.settings.hello_timeout_s):
                message = await self._inbox.get()
        except TimeoutError:
            raise StreamCut(grpc.StatusCode.DEADLINE_EXCEEDED, "HelloMissed: no Hello came") from None
        if isinstance(message, StreamViolation):
            raise message
        if not isinstance(message, AgentHello):
            raise StreamViolation(f"{type(message).__name__} before Hello")
        self._session.receive(message)
        return message

    async def _run(self, admission: Admission) -> None:
        settings = self._desk.settings
        self._session.resume(admission.running)
        self.name = admission.name
        self.opened_number = next(_opened_numbers)
        self._desk.directory.add(self)
        await self._send(
            HubHello(
                version=__version__,
                heartbeat_interval_s=settings.heartbeat_interval_s,
                heartbeat_timeout_s=settings.heartbeat_timeout_s,
                now=self._desk.clock(),
                capabilities=CAPABILITIES,
            )
        )
        for delivery_id in admission.give_up:
            self.cancel(delivery_id)
        await self._ask_to_renew(admission)
        self._desk.dispatcher.wake(self.agent_id)
        while (item := await self._inbox.get()) is not None and self._cut is None:
            await self._take(item)
        if self._cut is not None:
            raise self._cut

    async def _take(self, item: ToHub | ToAgent | StreamViolation) -> None:
        if isinstance(item, StreamViolation):
            raise item
        if isinstance(item, Heartbeat):
            self._session.receive(item)
            await self._heartbeat(item)
        elif isinstance(item, ToHub):
            self._session.receive(item)
            await self._report(item)
        else:
            await self._send(item)

    async def _heartbeat(self, heartbeat: Heartbeat) -> None:
        self._desk.seen.add(self.agent_id)
        await self._send(heartbeat)
        if self._admission is not None:
            await self._ask_to_renew(self._admission)

    async def _report(self, message: ToHub) -> None:
        match message:
            case Accepted(delivery_id):
                await self._accepted(delivery_id)
            case Progress():
                self._desk.progress.note(self.agent_id, message)
            case Batch():
                await self._batch(message)
            case Done():
                await self._done(message)
            case IdentityRequest(csr):
                await self._renew(csr)
            case Inventory(inventory):
                await self._desk.ledger.submit(InventoryReport(self.agent_id, inventory))

    async def _accepted(self, delivery_id: str) -> None:
        give_up = await self._desk.ledger.submit(AcceptReport(self.agent_id, delivery_id))
        if give_up:
            self.cancel(delivery_id)

    async def _done(self, done: Done) -> None:
        self._desk.progress.forget(self.agent_id, done.delivery_id)
        await self._desk.ledger.submit(DoneReport(self.agent_id, done))
        self._session.ended(done.delivery_id)
        self._cancelled.discard(done.delivery_id)
        self._desk.dispatcher.credit_back(self.agent_id)
        await self._send(DoneCommitted(done.delivery_id))

    async def _batch(self, batch: Batch) -> None:
        # Batches build on one another, so a later one must not pass an earlier one: try again here, a few
        # times, then give the whole command up.
        for attempt in range(_BATCH_TRIES):
            try:
                await self._desk.ledger.submit(BatchReport(self.agent_id, batch))
            except BatchNotTaken:
                await asyncio.sleep(_BATCH_PAUSE_S * 2**attempt)
            else:
                break
        else:
            failure = CommandFailure(
                reason="ResultNotStored", message=f"the hub could not store batch {batch.sequence}"
            )
            await self._desk.ledger.submit(GiveUp(self.agent_id, batch.delivery_id, failure))
            self.cancel(batch.delivery_id)
        await self._send(BatchCommitted(batch.delivery_id, batch.sequence))

    async def _renew(self, csr: bytes) -> None:
        spki = requested_key(csr)
        issued = await self._desk.ledger.submit(RenewalRequest(self.agent_id, spki))
        await self._send(IdentityIssued(issued.certificate, self._desk.ca_der))
        self._next_ask = renew_after(issued.not_after, IDENTITY_LIFETIME)

    async def _ask_to_renew(self, admission: Admission) -> None:
        now = self._desk.clock()
        if now >= max(self._next_ask, renew_after(admission.certificate_not_after, IDENTITY_LIFETIME)):
            self._next_ask = now + _ASK_AGAIN
            await self._send(RenewIdentity())

    async def _send(self, message: ToAgent) -> None:
        self._writing = True
        try:
            await self._wire.write(encode_to_agent(message, self._desk.signer))
        finally:
            self._writing = False
