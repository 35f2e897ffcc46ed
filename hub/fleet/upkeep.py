"""What one hub process does for its streams while time passes: signs of life, progress, notices, cuts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from hub.db.errors import HubError
from hub.db.notify import Notice, Subscription
from hub.db.uow import Database
from hub.fleet.directory import CUT_REMOVED, CUT_SILENT, SUPERSEDED, OpenedStream
from hub.fleet.enqueueing import EVERYBODY
from hub.fleet.presence import ACTIVE, Standing, disconnect, reclaim, sessions_of, standings, touch
from hub.fleet.reports import ProgressReport
from hub.fleet.statuses import status_of
from hub.fleet.stream import StreamDesk

# As many notices as a subscription holds: with so many, older ones may have been dropped.
_MAYBE_LOST = 1024
_log = structlog.get_logger(__name__)


class Upkeep:
    """The periodic and the notice-driven work of one process."""

    def __init__(self, db: Database, desk: StreamDesk) -> None:
        self._db = db
        self._desk = desk
        self._unheld: set[str] = set()

    async def run(self) -> None:
        """Work until cancelled."""
        settings = self._desk.settings
        async with (
            self._db.notifier.subscribe("commands") as commands,
            self._db.notifier.subscribe("agents") as agents,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(_every(settings.progress_s, self.write_progress))
            tasks.create_task(_every(1.0, self.cut_silent))
            tasks.create_task(_every(settings.flush_s, self.compare_with_database))
            tasks.create_task(self._on_commands(commands))
            tasks.create_task(self._on_agents(agents))

    async def _on_commands(self, subscription: Subscription) -> None:
        while True:
            named, everybody = await _next_notices(subscription)
            for agent_id in named:
                if self._desk.directory.get(agent_id):
                    self._desk.dispatcher.wake(agent_id)
            if everybody:
                self._desk.dispatcher.wake_all()

    async def _on_agents(self, subscription: Subscription) -> None:
        while True:
            named, everybody = await _next_notices(subscription)
            await self.check_standing(self._desk.directory.agent_ids() if everybody else named)

    async def check_standing(self, agent_ids: Iterable[str]) -> None:
        """Cut streams whose agents were removed or connected elsewhere; pass new names on.

        A stream whose agent's row names no session takes it back.
        """
        streams = {each: stream for each in agent_ids if (stream := self._desk.directory.get(each))}
        if not streams:
            return
        try:
            async with self._db.read() as session:
                found = await standings(session, streams)
            given_up = [
                (agent_id, streams[agent_id].session_id)
                for agent_id, standing in found.items()
                if standing.status == ACTIVE and standing.session_id is None
            ]
            if given_up:
                async with self._db.write() as uow:
                    await reclaim(uow, given_up, replica=self._desk.replica)
        except (SQLAlchemyError, OSError) as error:
            _log.warning("standing_unknown", error=str(error))
            return
        for agent_id, stream in streams.items():
            _judge(stream, found.get(agent_id))

    async def write_progress(self) -> None:
        """Write the latest progress of each command."""
        reports = self._desk.progress.take()
        if reports:
            await asyncio.gather(*(self._write_one(report) for report in reports))

    async def _write_one(self, report: ProgressReport) -> None:
        try:
            await self._desk.ledger.submit(report)
        except HubError as error:
            # A report of progress has no answer: a refusal ends the stream, anything else is made up for by
            # the next report.
            stream = self._desk.directory.get(report.agent_id)
            code, details = status_of(error)
            if stream is not None and error.code == "report_refused":
                stream.cut(code, details)

    async def cut_silent(self) -> None:
        """End streams from which nothing came for too long."""
        limit = asyncio.get_running_loop().time() - self._desk.settings.heartbeat_timeout_s
        for stream in self._desk.directory:
            if stream.heard_at < limit:
                stream.cut(*CUT_SILENT)

    async def compare_with_database(self) -> None:
        """Write signs of life, and mend what lost notices and failed writes left behind."""
        seen = set(self._desk.seen)
        self._desk.seen.difference_update(seen)
        here = list(self._desk.directory)
        if seen:
            async with self._db.write() as uow:
                await touch(uow, seen)
        async with self._db.read() as session:
            believed = await sessions_of(session, self._desk.replica)
        strangers = [stream.agent_id for stream in here if stream.session_id not in believed]
        await self.check_standing(strangers)
        held = {stream.session_id for stream in self._desk.directory}
        unheld = believed - held
        # A stream that is just being opened is in the database first: only what is unheld twice is gone.
        gone = unheld & self._unheld
        self._unheld = unheld
        if gone:
            async with self._db.write() as uow:
                await disconnect(uow, gone)


async def _next_notices(subscription: Subscription) -> tuple[list[str], bool]:
    """Wait for notices; return the agents that they name, and whether all have to be looked at."""
    first = await subscription.get()
    notices: list[Notice] = [first] if first else []
    notices += subscription.drain()
    named = list(dict.fromkeys(notice.payload for notice in notices))
    return named, len(notices) >= _MAYBE_LOST or EVERYBODY in named


def _judge(stream: OpenedStream, standing: Standing | None) -> None:
    if standing is None or standing.status != ACTIVE:
        stream.cut(*CUT_REMOVED)
    elif standing.session_id not in {None, stream.session_id}:
        stream.cut(*SUPERSEDED)
    elif standing.name != stream.name:
        stream.configure(standing.name)


async def _every(interval_s: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(interval_s)
        try:
            await work()
        except Exception:  # noqa: BLE001 - border: job runner
            _log.exception("upkeep_failed", work=getattr(work, "__name__", ""))
