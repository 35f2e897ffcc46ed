"""One control stream over gRPC: reads, writes and lets time pass; what it means is the session's business."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import grpc
import grpc.aio
from certwright.agent.v1 import control_pb2, control_pb2_grpc

from agents.runtime import wire
from agents.runtime.errors import SessionViolation
from agents.runtime.messages import ToAgent, ToHubHello
from agents.runtime.reconnect import Ending
from agents.runtime.session import Session
from agents.runtime.session_states import SessionState
from agents.runtime.uplink import StreamUplink

_ENDINGS = {
    grpc.StatusCode.PERMISSION_DENIED: Ending.REMOVED,
    grpc.StatusCode.UNAUTHENTICATED: Ending.NOT_ADMITTED,
}

_Call = grpc.aio.StreamStreamCall[control_pb2.AgentMessage, control_pb2.HubMessage]


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How a stream ended."""

    ending: Ending
    message: str
    opened: bool
    """Whether both sides had said hello."""


class Connection:
    """Carries one session over one channel."""

    def __init__(
        self,
        uplink: StreamUplink,
        *,
        on_message: Callable[[ToAgent], Awaitable[None]],
        running: Callable[[], int],
    ) -> None:
        self._uplink = uplink
        self._on_message = on_message
        self._running = running

    async def run(self, channel: grpc.aio.Channel, hello: ToHubHello) -> StreamEnd:
        """Hold the stream until it ends, whoever ends it."""
        session = Session(hello, self._uplink.outgoing, now=time.monotonic())
        self._uplink.attach(session)
        stub = control_pb2_grpc.ControlStub(channel)  # type: ignore[no-untyped-call]  # generated code
        call: _Call = stub.Connect()
        tasks = [
            asyncio.create_task(self._read(call, session)),
            asyncio.create_task(self._write(call, session)),
            asyncio.create_task(self._let_time_pass(session)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            session.end("ended")
            self._uplink.detach(session)
            call.cancel()
            for task in tasks:
                task.cancel()
            faults = await asyncio.gather(*tasks, return_exceptions=True)
        return _ending(session, faults)

    async def _read(self, call: _Call, session: Session) -> None:
        while True:
            message = await call.read()
            if not isinstance(message, control_pb2.HubMessage):  # grpc.aio.EOF
                await _raise_status(call)
                return
            for event in session.receive(wire.from_hub(message), now=time.monotonic()):
                await self._on_message(event)
            self._uplink.wake.set()

    async def _write(self, call: _Call, session: Session) -> None:
        while session.state is not SessionState.CLOSED:
            self._uplink.wake.clear()
            for message in session.data_to_send():
                await call.write(wire.to_hub(message))
            await self._uplink.wake.wait()

    async def _let_time_pass(self, session: Session) -> None:
        # Its own task: with the network cut, a write may hang in flow control for ever.
        while session.state is not SessionState.CLOSED:
            await asyncio.sleep(max(0.01, min(session.next_tick() - time.monotonic(), 1.0)))
            session.tick(now=time.monotonic(), wall=datetime.now(UTC), running=self._running())
            self._uplink.wake.set()


async def _raise_status(call: _Call) -> None:
    code = await call.code()
    if code is not grpc.StatusCode.OK:
        raise grpc.aio.AioRpcError(
            code, await call.initial_metadata(), await call.trailing_metadata(), await call.details()
        )


def _ending(session: Session, faults: list[BaseException | None]) -> StreamEnd:
    opened = session.hub is not None
    for fault in faults:
        if isinstance(fault, SessionViolation):
            return StreamEnd(Ending.VIOLATION, str(fault), opened)
        if isinstance(fault, grpc.aio.AioRpcError):
            ending = _ENDINGS.get(fault.code(), Ending.CUT)
            return StreamEnd(ending, f"{fault.code().name}: {fault.details() or ''}".rstrip(": "), opened)
        if isinstance(fault, Exception) and not isinstance(fault, asyncio.InvalidStateError):
            raise fault
    return StreamEnd(Ending.CUT, session.closed_because, opened)
