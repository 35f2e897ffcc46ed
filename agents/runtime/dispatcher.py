"""From a message of the hub to the executor: authenticate, look into the journal, ask the policy, accept.

A command id that the journal knows is answered from it. What can't be authenticated is answered but not
journalled: whoever is not the hub must not be able to use up the hub's command ids.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agents.runtime.commands import CommandFailure
from agents.runtime.errors import PolicyMalformed, StateDirectoryUnusable
from agents.runtime.executor import Executor
from agents.runtime.journal import CommandState, Entry, Journal
from agents.runtime.messages import (
    ToAgent,
    ToAgentBatchCommitted,
    ToAgentCancel,
    ToAgentCommand,
    ToAgentDoneCommitted,
)
from agents.runtime.milestones import Milestones
from agents.runtime.policy import REFUSED, Policy, PolicyCheck, PolicyQuestion
from agents.runtime.uplink import StreamUplink
from agents.runtime.verification import TIMELINESS, Candidate, Refused, Trust, authenticate
from agents.runtime.wire import decode_envelope, encode_done
from pki.findings import Finding, first_finding


@dataclass(frozen=True, slots=True)
class LocalPolicy:
    """Where the policy is read from, and the checks of this kind of agent."""

    load: Callable[[], Policy]
    checks: tuple[PolicyCheck, ...]


class Dispatcher:
    """Takes the hub's messages about commands."""

    def __init__(
        self,
        *,
        journal: Journal,
        uplink: StreamUplink,
        executor: Executor,
        policy: LocalPolicy,
        trust: Trust,
        milestones: Milestones,
    ) -> None:
        self._journal = journal
        self._uplink = uplink
        self._executor = executor
        self._policy = policy
        self._trust = trust
        self._milestones = milestones
        self.clock_offset = timedelta()
        """How far the hub's clock is ahead of ours, as its Hello said."""

    async def take(self, message: ToAgent) -> None:
        """Act on one message. What the disk refuses to note is noted by the hub, which sends it again."""
        try:
            await self._take(message)
        except StateDirectoryUnusable as fault:
            self._milestones.record("journal_failed", level="error", reason=fault.code, message=str(fault))
            if isinstance(message, ToAgentCommand):
                command_id = decode_envelope(message.envelope).command_id
                self._answer(command_id, Finding(fault.code, str(fault)), retryable=True)

    async def _take(self, message: ToAgent) -> None:
        match message:
            case ToAgentCommand():
                await self._command(message)
            case ToAgentCancel(command_id):
                await self._cancel(command_id)
            case ToAgentBatchCommitted(command_id, sequence):
                await self._journal.batch_committed(command_id, sequence)
                await self._uplink.committed()
            case ToAgentDoneCommitted(command_id):
                await self._journal.done_committed(command_id)
                await self._uplink.committed()
                self._milestones.record("result_committed", command_id=command_id)
            case _:
                pass

    async def resume(self) -> None:
        """Take up what the journal says was left: open commands, and results that the hub has not got."""
        unfinished = await self._journal.unfinished()
        for command_id, sequence, finds in unfinished.batches:
            self._uplink.batch(command_id, sequence, finds)
        for command_id, done in unfinished.dones:
            self._uplink.done(command_id, done)
        for entry in unfinished.entries:
            candidate = Candidate(_NOTHING_SIGNED, decode_envelope(entry.envelope), self._trust, _now())
            if entry.state is CommandState.RECEIVED:
                await self._decide(candidate, entry)
            else:
                self._executor.start(candidate.command, entry)

    # ---- commands

    async def _command(self, signed: ToAgentCommand) -> None:
        verdict = authenticate(signed, self._trust, now=_now(), clock_offset=self.clock_offset)
        if isinstance(verdict, Refused):
            self._milestones.record(
                "command_rejected",
                level="warning",
                command_id=verdict.command_id,
                reason=verdict.finding.reason,
                message=verdict.finding.message,
            )
            self._answer(verdict.command_id, verdict.finding)
            return
        command = verdict.command
        known = await self._journal.receive(
            command.command_id, envelope=signed.envelope, deadline=command.deadline, now=_now()
        )
        if known is not None:
            await self._repeat(known, verdict)
        else:
            await self._decide(verdict, Entry(command.command_id, CommandState.RECEIVED, signed.envelope))

    async def _repeat(self, known: Entry, candidate: Candidate) -> None:
        self._milestones.record("command_repeated", command_id=known.command_id, state=known.state.value)
        if known.done is not None:
            for sequence, finds in await self._journal.batches(known.command_id):
                self._uplink.batch(known.command_id, sequence, finds)
            self._uplink.done(known.command_id, known.done)
        elif known.state is CommandState.RECEIVED:
            # A disk that refused left it undecided.
            await self._decide(candidate, known)
        else:
            self._uplink.accepted(known.command_id)

    async def _decide(self, candidate: Candidate, entry: Entry) -> None:
        """Accept a received command, or refuse it for good."""
        finding = first_finding(TIMELINESS, candidate) or self._refusal(candidate)
        command_id = entry.command_id
        if finding is not None:
            self._milestones.record(
                "command_refused",
                level="warning",
                command_id=command_id,
                kind=candidate.command.kind,
                reason=finding.reason,
                message=finding.message,
            )
            failure = CommandFailure(reason=finding.reason, message=finding.message)
            done = encode_done(command_id, failure)
            await self._journal.finish(command_id, done=done, now=_now())
            self._uplink.done(command_id, done)
            return
        await self._journal.accept(command_id)
        self._uplink.accepted(command_id)
        self._milestones.record("command_accepted", command_id=command_id, kind=candidate.command.kind)
        self._executor.start(candidate.command, entry)

    def _refusal(self, candidate: Candidate) -> Finding | None:
        command = candidate.command
        if not self._executor.has_handler(command.kind):
            return Finding("CommandUnknown", f"this kind of agent does not carry out {command.kind}")
        try:
            policy = self._policy.load()
        except PolicyMalformed as fault:
            return Finding(REFUSED, f"the local policy can't be read, so nothing is allowed: {fault}")
        return first_finding(self._policy.checks, PolicyQuestion(command, policy))

    def _answer(self, command_id: str, finding: Finding, *, retryable: bool = False) -> None:
        if not command_id:
            return
        failure = CommandFailure(reason=finding.reason, message=finding.message, retryable=retryable)
        self._uplink.reply_once(command_id, encode_done(command_id, failure))

    async def _cancel(self, command_id: str) -> None:
        self._milestones.record("cancel_asked", command_id=command_id)
        if self._executor.cancel(command_id):
            return
        known = await self._journal.entry(command_id)
        if known is not None and known.done is not None:
            self._uplink.done(command_id, known.done)
        elif known is None:
            self._answer(command_id, Finding("Cancelled", "the command is not here"))


_NOTHING_SIGNED = ToAgentCommand(b"", b"", b"")


def _now() -> datetime:
    return datetime.now(UTC)
