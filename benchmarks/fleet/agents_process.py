"""Simulated agents: real gRPC over mutual TLS, one connection each, all in this process.

Takes orders as JSON lines. An agent accepts a command and reports its end at once; when each command came is
kept by the machine's monotonic clock, which the hub's process shares.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from certwright.agent.v1 import commands_pb2, control_pb2, control_pb2_grpc, enrollment_pb2

FACTS = enrollment_pb2.AgentFacts(
    kind="network",
    version="0.1.0",
    hostname="bench",
    platform="linux-x86_64",
    capabilities=["DeleteKey"],
    receiver_public_key=bytes(32),
)
RESULT = commands_pb2.CommandResult(key_deleted=commands_pb2.KeyDeleted(key_id="k"))


class Agents:
    """The simulated agents of this process."""

    def __init__(self, document: dict[str, Any], address: str) -> None:
        self.document, self.address = document, address
        self.received: dict[str, float] = {}
        self.committed = 0
        self.all_committed = asyncio.Event()
        self.wanted = 0
        self.failed = 0
        self.streams: list[asyncio.Task[None]] = []
        self.channels: list[grpc.aio.Channel] = []

    async def connect(self, first: int, last: int, at_once: int) -> dict[str, Any]:
        """Connect a slice of the agents and exchange Hellos."""
        gate = asyncio.Semaphore(at_once)
        started = time.monotonic()
        agents = self.document["agents"][first:last]
        await asyncio.gather(*(self._connect(agent, gate) for agent in agents))
        return {"seconds": time.monotonic() - started, "failed": self.failed}

    async def _connect(self, agent: dict[str, str], gate: asyncio.Semaphore) -> None:
        async with gate:
            credentials = grpc.ssl_channel_credentials(
                root_certificates=self.document["ca"].encode(),
                private_key=self.document["key"].encode(),
                certificate_chain=agent["certificate"].encode(),
            )
            channel = grpc.aio.secure_channel(
                self.address,
                credentials,
                options=[("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)],
            )
            self.channels.append(channel)
            call = control_pb2_grpc.ControlStub(channel).Connect()
            hello = control_pb2.AgentHello(facts=FACTS, command_credits=4)
            await call.write(control_pb2.AgentMessage(hello=hello))
            first = await call.read()
            if first is grpc.aio.EOF or first.WhichOneof("body") != "hello":
                self.failed += 1
                return
            self.streams.append(asyncio.create_task(self._serve(call)))

    async def _serve(self, call: Any) -> None:
        while (message := await call.read()) is not grpc.aio.EOF:
            kind = message.WhichOneof("body")
            if kind == "command":
                came = time.monotonic()
                envelope = commands_pb2.CommandEnvelope.FromString(message.command.envelope)
                self.received[envelope.command_id] = came
                accepted = control_pb2.CommandAccepted(command_id=envelope.command_id)
                await call.write(control_pb2.AgentMessage(accepted=accepted))
                done = control_pb2.CommandDone(command_id=envelope.command_id, result=RESULT)
                await call.write(control_pb2.AgentMessage(done=done))
            elif kind == "done_committed":
                self.committed += 1
                if self.committed >= self.wanted:
                    self.all_committed.set()

    async def expect(self, count: int) -> dict[str, Any]:
        """Forget what came, and say how many commands will."""
        self.received.clear()
        self.committed, self.wanted = 0, count
        self.all_committed.clear()
        return {}

    async def wait(self, timeout_s: float) -> dict[str, Any]:
        """Wait until the expected ends are acknowledged; tell when each command came."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.all_committed.wait()
        return {"at": time.monotonic(), "committed": self.committed, "received": self.received}


async def main() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))
    options = json.loads(sys.argv[1])
    agents = Agents(json.loads(Path(options["file"]).read_text()), options["address"])
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        if order["do"] == "stop":
            break
        work = getattr(agents, order.pop("do"))
        print(json.dumps(await work(**order)), flush=True)
    # Thousands of orderly goodbyes are not what is measured.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
