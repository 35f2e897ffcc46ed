"""The hub under measurement: one process that takes orders as JSON lines and answers in the same way."""

from __future__ import annotations

import asyncio
import cProfile
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import structlog

from hub.db.listen import listen
from hub.db.tables import all_tables
from hub.db.uow import Database
from hub.fleet.authority import load_authority
from hub.fleet.commands import DeleteKey
from hub.fleet.server import FleetServer
from hub.fleet.server_identity import server_identity
from hub.fleet.service import FleetService, NewCommand
from hub.fleet.settings import FleetSettings
from pki.at_rest import KeyEncryptionKey

PAGE = os.sysconf("SC_PAGE_SIZE")


def rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


class HubUnderMeasurement:
    """Takes the orders."""

    def __init__(self, db: Database, service: FleetService, server: FleetServer) -> None:
        self.db, self.service, self.server = db, service, server
        self._profile: cProfile.Profile | None = None

    async def status(self) -> dict[str, Any]:
        """Return connections, memory and CPU."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "connected": len(self.server.directory),
            "rss": rss_bytes(),
            "cpu": usage.ru_utime + usage.ru_stime,
            "now": time.monotonic(),
        }

    async def enqueue(self, agent_ids: list[str]) -> dict[str, Any]:
        """Queue a command for each of these agents, in one transaction."""
        started = time.monotonic()
        order = NewCommand(
            body=DeleteKey(key_id="k"),
            deadline_s=3600,
            subject_type="benchmark",
            subject_id="1",
            organization_id=None,
            requested_by="benchmark",
        )
        async with self.db.write() as uow:
            ids = await self.service.enqueue_many(uow, order, agent_ids=agent_ids)
        return {"ids": ids, "started": started, "committed": time.monotonic()}

    async def profile(self, *, into: str) -> dict[str, Any]:
        """Start a profile, or end it and write it ``into`` a file."""
        if self._profile is None:
            self._profile = cProfile.Profile()
            self._profile.enable()
        else:
            self._profile.disable()
            self._profile.dump_stats(into)
        return {}


async def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))
    options = json.loads(sys.argv[1])
    all_tables()
    db = Database.open(options["url"])
    kek = KeyEncryptionKey(bytes.fromhex(options["kek"]))
    authority = await load_authority(db, kek)
    async with db.write() as uow:
        identity = await server_identity(uow, authority, kek, names=["127.0.0.1"])
    service = FleetService(db, authority=authority, settings=FleetSettings())

    async def organization_name(_organization_id: int) -> str:
        return ""

    server = FleetServer(service, authority, identity, organization_name=organization_name)
    await server.start(control="127.0.0.1:0", enrollment="127.0.0.1:0")
    listening = None if db.is_sqlite else asyncio.create_task(listen(options["url"], db.notifier))
    hub = HubUnderMeasurement(db, service, server)
    print(json.dumps({"control": server.addresses.control}), flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        if order["do"] == "stop":
            break
        work = getattr(hub, order.pop("do"))
        print(json.dumps(await work(**order)), flush=True)
    await server.stop(grace_s=0.5)
    if listening:
        listening.cancel()
    await db.close()


if __name__ == "__main__":
    asyncio.run(main())
