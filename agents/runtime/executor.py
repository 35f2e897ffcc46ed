"""Runs handlers: so many at once, within their deadlines, cancellable, and each to exactly one outcome.

This is the agent's one place with ``except Exception``: whatever a handler dies of becomes a typed
failure. The journal comes first everywhere: before acting (running) and before telling (done). When the
agent stops, what is running is left as running in the journal, for the next start to resume or recover.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from agents.runtime.commands import Command, CommandFailure, NetworkFinds, Outcome
from agents.runtime.errors import AgentError
from agents.runtime.handlers import Handler, Recoverable, Resumable, ResumePoint
from agents.runtime.journal import CommandState, Entry, Journal
from agents.runtime.milestones import Milestones
from agents.runtime.uplink import StreamUplink
from agents.runtime.wire import encode_done, encode_finds

PROGRESS_INTERVAL_S = 0.5
_MESSAGE_CHARS = 4000
_CANCELLED = CommandFailure(reason="Cancelled", message="given up as asked")


@dataclass(slots=True)
class _Job:
    command: Command
    entry: Entry
    task: asyncio.Task[None] | None = None
    entered: bool = False
    """The task has begun: before that, cancelling it would leave no outcome."""
    acting: bool = False
    """The handler has been called."""
    ending: bool = False
    """There is an outcome; it must be written down undisturbed."""
    cancelled: bool = False


@dataclass(slots=True)
class RunningCommand:
    """The context a handler gets."""

    command_id: str
    journal: Journal = field(repr=False)
    uplink: StreamUplink = field(repr=False)
    _next_progress: float = 0.0

    def progress(self, share: float, message: str) -> None:
        """Tell how far it is, twice a second at most."""
        now = time.monotonic()
        if now >= self._next_progress:
            self._next_progress = now + PROGRESS_INTERVAL_S
            self.uplink.progress(self.command_id, share, message)

    async def emit(self, finds: NetworkFinds, *, memo: str = "") -> None:
        """Journal a batch and send it; wait first while the hub is behind."""
        await self.uplink.room_for_batch(self.command_id)
        body = encode_finds(finds)
        sequence = await self.journal.add_batch(self.command_id, finds=body, cursor=finds.cursor, memo=memo)
        self.uplink.batch(self.command_id, sequence, body)


class Executor:
    """The commands that were accepted and have no end yet."""

    def __init__(
        self,
        handlers: Mapping[str, Handler[Any]],
        *,
        journal: Journal,
        uplink: StreamUplink,
        milestones: Milestones,
        concurrency: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._handlers = handlers
        self._journal = journal
        self._uplink = uplink
        self._milestones = milestones
        self._slots = asyncio.Semaphore(concurrency)
        self._now = now
        self._jobs: dict[str, _Job] = {}

    @property
    def command_ids(self) -> tuple[str, ...]:
        """Ids of all commands accepted and not finished."""
        return tuple(self._jobs)

    def has_handler(self, kind: str) -> bool:
        """Whether this agent carries out such commands."""
        return kind in self._handlers

    def start(self, command: Command, entry: Entry) -> None:
        """Run an accepted command, or take up one that was running when the agent stopped."""
        if command.command_id in self._jobs:
            return
        job = _Job(command, entry)
        self._jobs[command.command_id] = job
        job.task = asyncio.create_task(self._see_through(job), name=f"command {command.command_id}")

    def cancel(self, command_id: str) -> bool:
        """Give a command up; False when it is not here (any more)."""
        job = self._jobs.get(command_id)
        if job is None:
            return False
        # A second cancel would break off what the first one makes the handler undo.
        if not job.cancelled and not job.ending:
            job.cancelled = True
            if job.task is not None and job.entered:
                job.task.cancel()
        return True

    async def stop(self, *, grace_s: float) -> None:
        """Let what runs come to its end for a while, then leave the rest to the next start."""
        await asyncio.sleep(0)  # let what was started in this very moment begin
        jobs = [job for job in self._jobs.values() if job.task is not None]
        tasks = [job.task for job in jobs if job.task is not None]
        for job in jobs:
            if self._goes_on_later(job):
                _interrupt(job)
        if tasks:
            await asyncio.wait(tasks, timeout=grace_s)
            for job in jobs:
                _interrupt(job)
            await asyncio.gather(*tasks, return_exceptions=True)

    def _goes_on_later(self, job: _Job) -> bool:
        return not job.acting or isinstance(self._handlers.get(job.command.kind), Resumable)

    # ---- one command

    async def _see_through(self, job: _Job) -> None:
        command_id = job.command.command_id
        job.entered = True
        try:
            outcome = _CANCELLED if job.cancelled else await self._outcome(job)
            job.ending = True
            await self._finish(command_id, outcome)
        except asyncio.CancelledError:
            # Only a stopping agent gets here: a cancelled command has an outcome.
            self._milestones.record("command_handed_back", command_id=command_id, kind=job.command.kind)
            raise
        finally:
            del self._jobs[command_id]

    async def _finish(self, command_id: str, outcome: Outcome) -> None:
        done = encode_done(command_id, outcome)
        try:
            await self._journal.finish(command_id, done=done, now=self._now())
        except AgentError as fault:
            # A full disk must not keep the answer back; after a restart it would be another one.
            self._milestones.record("journal_failed", level="error", reason=fault.code, message=str(fault))
        self._uplink.done(command_id, done)
        failure = outcome if isinstance(outcome, CommandFailure) else None
        self._milestones.record(
            "command_finished",
            command_id=command_id,
            result=type(outcome).__name__,
            reason=failure.reason if failure else "",
            message=failure.message if failure else "",
        )

    async def _outcome(self, job: _Job) -> Outcome:
        left_s = (job.command.deadline - self._now()).total_seconds()
        expiry = asyncio.timeout(max(left_s, 0))
        try:
            async with expiry, self._slots:
                return await self._act(job)
        except TimeoutError as fault:
            if expiry.expired():
                return CommandFailure(reason="Expired", message="the deadline passed before it was done")
            return self._failure_of(fault, job)
        except asyncio.CancelledError:
            if not job.cancelled:
                raise
            # Taken back, or the awaits that write the end down would be cancelled too.
            task = asyncio.current_task()
            while task is not None and task.cancelling():
                task.uncancel()
            return _CANCELLED
        except Exception as fault:  # noqa: BLE001 - the border where failures become answers
            return self._failure_of(fault, job)

    async def _act(self, job: _Job) -> Outcome:
        handler = self._handlers[job.command.kind]
        context = RunningCommand(job.command.command_id, self._journal, self._uplink)
        body: Any = job.command.body
        job.acting = True
        if job.entry.state is not CommandState.RUNNING:
            await self._journal.begin(job.command.command_id)
            self._milestones.record(
                "command_started", command_id=job.command.command_id, kind=job.command.kind
            )
            return await handler.run(body, context)
        self._milestones.record("command_taken_up", command_id=job.command.command_id, kind=job.command.kind)
        if isinstance(handler, Resumable):
            return await handler.resume(body, context, ResumePoint(job.entry.cursor, job.entry.memo))
        if isinstance(handler, Recoverable):
            return await handler.recover(body, context)
        return CommandFailure(
            reason="AgentRestarted",
            message="the agent was restarted while the command ran; nothing is known of its effect",
            retryable=True,
        )

    def _failure_of(self, fault: BaseException, job: _Job) -> CommandFailure:
        code = getattr(fault, "code", None)
        if isinstance(code, str) and code:
            words = getattr(fault, "words", "")
            message = f"{fault}\n{words}" if words else str(fault)
            retryable = getattr(fault, "retryable", False) is True
            return CommandFailure(reason=code, message=message[:_MESSAGE_CHARS], retryable=retryable)
        self._milestones.record(
            "handler_died",
            level="error",
            command_id=job.command.command_id,
            kind=job.command.kind,
            exc_info=fault,
        )
        return CommandFailure(
            reason="Internal", message=f"the agent failed: {type(fault).__name__}", retryable=False
        )


def _interrupt(job: _Job) -> None:
    if job.task is not None and not job.ending and not job.task.done():
        job.task.cancel()
