"""The limit, measured beside the hub: a bare grpc.aio server that speaks the same messages and keeps nothing.

No database, no signatures, no queue: what it costs is gRPC, TLS and Python's event loop. It takes the same
orders as the hub's process.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from certwright.agent.v1 import commands_pb2, control_pb2, control_pb2_grpc

from benchmarks.fleet.hub_process import rss_bytes

HELLO = control_pb2.HubMessage(hello=control_pb2.HubHello(version="bare"))


class Bare(control_pb2_grpc.ControlServicer):
    """Says Hello, sends what it is told to, acknowledges ends."""

    def __init__(self) -> None:
        self.streams: dict[str, Any] = {}

    async def Connect(self, _requests: Any, context: Any) -> None:  # noqa: N802 - gRPC's name
        """Serve one agent."""
        agent_id = context.auth_context()["x509_common_name"][0].decode()
        await context.read()
        self.streams[agent_id] = context
        await context.write(HELLO)
        while (message := await context.read()) is not grpc.aio.EOF:
            if message.WhichOneof("body") == "done":
                done = control_pb2.DoneCommitted(command_id=message.done.command_id)
                await context.write(control_pb2.HubMessage(done_committed=done))

    async def status(self) -> dict[str, Any]:
        """Return connections, memory and CPU."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "connected": len(self.streams),
            "rss": rss_bytes(),
            "cpu": usage.ru_utime + usage.ru_stime,
            "now": time.monotonic(),
        }

    async def enqueue(self, agent_ids: list[str]) -> dict[str, Any]:
        """Send a command to each of these agents."""
        started = time.monotonic()
        ids = [str(uuid.uuid4()) for _ in agent_ids]
        await asyncio.gather(
            *(self._send(agent_id, each) for agent_id, each in zip(agent_ids, ids, strict=True))
        )
        return {"ids": ids, "started": started, "committed": started}

    async def _send(self, agent_id: str, command_id: str) -> None:
        envelope = commands_pb2.CommandEnvelope(command_id=command_id, agent_id=agent_id)
        signed = commands_pb2.SignedCommand(
            envelope=envelope.SerializeToString(), signature=bytes(64), signer_certificate=bytes(500)
        )
        await self.streams[agent_id].write(control_pb2.HubMessage(command=signed))

    async def profile(self, *, into: str) -> dict[str, Any]:  # noqa: ARG002 - the same orders as the hub's
        """Do nothing."""
        return {}


async def main() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))
    options = json.loads(sys.argv[1])
    tls = json.loads(Path(options["tls"]).read_text())
    server = grpc.aio.server(options=[tuple(each) for each in options.get("channel", [])])
    bare = Bare()
    control_pb2_grpc.add_ControlServicer_to_server(bare, server)
    credentials = grpc.ssl_server_credentials(
        [(tls["key"].encode(), tls["certificate"].encode())],
        root_certificates=tls["ca"].encode(),
        require_client_auth=True,
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    print(json.dumps({"control": f"127.0.0.1:{port}"}), flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        if order["do"] == "stop":
            break
        work = getattr(bare, order.pop("do"))
        print(json.dumps(await work(**order)), flush=True)
    await server.stop(0.5)


if __name__ == "__main__":
    asyncio.run(main())
