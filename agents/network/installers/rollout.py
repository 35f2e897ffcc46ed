"""Installing one certificate on one node, so that the server is never left broken.

The order, and why:
 1. check what is there: a configuration that is broken already is refused, since any reload would end badly;
 2. plan and judge: key, names, validity, shared files, local path policy; nothing has been touched yet;
 3. shake hands: a port that can't be verified before can't be verified after;
 4. checkpoint, then stage beside the old files; a full disk ends here and the old state was never left;
 5. place, check again, reload; each is announced in the checkpoint before it is done;
 6. verify by complete handshakes on every address, since a passed check proves nothing;
 7. commit: only now are the old files removed.
Anything else rolls back: old files, reload or start, and the same handshakes for the old certificate.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agents.network.installers.checkpoint import Checkpoint, CheckpointStore, Phase
from agents.network.installers.contract import HasErrorLog, InstallOutcome, Plan, Status, Step
from agents.network.installers.errors import (
    CancelledError,
    InstallError,
    InterruptedInstallError,
    RefusedError,
    TargetNotWritableError,
    VerificationFailedError,
)
from agents.network.installers.server_lock import server_lock
from agents.network.servers.daemon import boot_id
from agents.network.servers.errors import ServerError
from agents.network.servers.process import last_words
from agents.network.verify import PortClosedError, await_served, mismatches

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from agents.network.installers.contract import InstallRequest, ServerInstaller
    from agents.network.servers.model import Port, ServerDefinition
    from agents.network.verify import Mismatch

_TRANSACTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an install waits, in seconds."""

    lock_s: float = 60.0
    verify_s: float = 30.0
    roll_back_s: float = 60.0
    recover_s: float = 2.0
    """For an interrupted install to show that it had succeeded."""


def _unheard(step: Step, detail: str) -> None:
    """Nobody listens to the steps."""


class Rollout:
    """Walks installers through their steps; one object an agent."""

    def __init__(
        self,
        state_dir: Path,
        installers: Mapping[str, ServerInstaller],
        allowed_path: Callable[[Path], bool],
        *,
        limits: Limits = Limits(),
        on_step: Callable[[Step, str], None] = _unheard,
    ) -> None:
        self._store = CheckpointStore(state_dir)
        self._installers = installers
        self._allowed_path = allowed_path
        self._limits = limits
        self._on_step = on_step

    async def install(self, request: InstallRequest) -> InstallOutcome:
        """Install, or roll back and say why; never raises for what a server or a disk does.

        A cancelled caller waits until the install has stopped at its next step and has been rolled back.
        """
        cancelled = asyncio.Event()
        work = asyncio.create_task(self._install(request, cancelled))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            cancelled.set()
            await asyncio.wait({work})
            raise

    async def plan(self, request: InstallRequest) -> Plan:
        """The dry run: what an install would write and run; raises ServerError when it would be refused."""
        installer = self._installer(request.server)
        await installer.check(request.server)
        plan = await installer.plan(request, await installer.discover(request.server))
        self._refuse_foreign_paths(plan)
        return plan

    async def recover(self) -> tuple[InstallOutcome, ...]:
        """Finish or undo what an earlier process left; to be awaited before the first install."""
        outcomes = []
        for transaction in self._store.names():
            try:
                checkpoint = self._store.read(transaction)
                async with server_lock(checkpoint.plan.server.config, timeout_s=self._limits.lock_s):
                    outcomes.append(await self._recover(checkpoint))
            except ServerError as error:
                outcomes.append(_failed(transaction, Status.ROLL_BACK_FAILED, error))
        return tuple(outcomes)

    async def _install(self, request: InstallRequest, cancelled: asyncio.Event) -> InstallOutcome:
        try:
            if not _TRANSACTION.fullmatch(request.transaction):
                raise RefusedError("TransactionMalformed", "the transaction's name can't be a file name")
            self._on_step(Step.LOCK, request.server.name)
            async with server_lock(request.server.config, timeout_s=self._limits.lock_s):
                await self._recover_server(request.server)
                return await self._locked(request, cancelled)
        except ServerError as error:
            return _failed(request.transaction, Status.REFUSED, error)

    async def _locked(self, request: InstallRequest, cancelled: asyncio.Event) -> InstallOutcome:
        installer = self._installer(request.server)
        self._on_step(Step.INSPECT, request.server.name)
        plan = await self.plan(request)
        self._on_step(Step.PLAN, plan.node.id)
        wrong = await mismatches(plan.endpoints, plan.expected)
        _refuse_unverifiable(plan, wrong)
        in_place = await installer.is_installed(plan, request.material)
        if in_place and not wrong:
            return _succeeded(plan, Status.ALREADY_INSTALLED)
        if in_place and _is_deferred(plan):
            return _succeeded(plan, Status.RESTART_REQUIRED)
        self._on_step(Step.CHECKPOINT, plan.transaction)
        checkpoint = Checkpoint(plan, Phase.PREPARED, boot_id())
        self._record(checkpoint)
        return await self._forward(request, _Progress(checkpoint, cancelled))

    async def _forward(self, request: InstallRequest, progress: _Progress) -> InstallOutcome:
        """From the checkpoint on there are two ways out: committed, or rolled back."""
        installer, plan = self._installer(request.server), progress.checkpoint.plan
        try:
            self._begin(Step.STAGE, progress)
            await installer.stage(plan, request.material)
            self._begin(Step.PLACE, progress, Phase.PLACING)
            await installer.place(plan)
            self._begin(Step.CHECK, progress)
            await installer.check(plan.server)
            if _is_deferred(plan):
                self._begin(Step.DEFER, progress)
                return await self._commit(progress.checkpoint)
            self._begin(Step.ACTIVATE, progress, Phase.ACTIVATING)
            await installer.activate(plan.server)
            self._begin(Step.VERIFY, progress)
            await self._verify(plan)
        except ServerError as error:
            return await self._roll_back(progress.checkpoint, error)
        return await self._commit(progress.checkpoint)

    def _begin(self, step: Step, progress: _Progress, phase: Phase | None = None) -> None:
        """Announce a step, durably where it changes what a killed agent would have to undo."""
        if progress.cancelled.is_set():
            raise CancelledError(f"cancelled before {step}")
        if phase:
            further = replace(progress.checkpoint, phase=phase)
            self._record(further)
            progress.checkpoint = further
        self._on_step(step, progress.checkpoint.plan.node.id)

    def _record(self, checkpoint: Checkpoint) -> None:
        try:
            self._store.write(checkpoint)
        except OSError as error:
            raise TargetNotWritableError.from_os_error(error) from error

    async def _verify(self, plan: Plan) -> None:
        wrong = await await_served(plan.endpoints, plan.expected, deadline_s=self._limits.verify_s)
        if wrong:
            raise VerificationFailedError(
                "; ".join(f"{each.reason}: {each.message}" for each in wrong),
                words=await self._recent_words(plan.server),
            )

    async def _recent_words(self, server: ServerDefinition) -> str:
        installer = self._installer(server)
        try:
            return (
                last_words(await installer.recent_words(server)) if isinstance(installer, HasErrorLog) else ""
            )
        except ServerError:
            return ""

    async def _commit(self, checkpoint: Checkpoint) -> InstallOutcome:
        """Served, or waiting for a restart: what fails now is only tidiness, done by the next recovery."""
        plan = checkpoint.plan
        done = Status.RESTART_REQUIRED if _is_deferred(plan) else Status.INSTALLED
        self._on_step(Step.COMMIT, plan.node.id)
        try:
            self._record(replace(checkpoint, phase=Phase.VERIFIED))
            await self._installer(plan.server).commit(plan)
            self._store.remove(plan.transaction)
        except InstallError as error:
            return _succeeded(plan, done, note=f"old files are still there: {error}")
        return _succeeded(plan, done)

    async def _roll_back(self, checkpoint: Checkpoint, cause: ServerError) -> InstallOutcome:
        plan = checkpoint.plan
        self._on_step(Step.ROLL_BACK, plan.node.id)
        try:
            await self._installer(plan.server).roll_back(plan)
            if checkpoint.boot != boot_id() and await self._is_down(plan):
                cause = InterruptedInstallError(f"{cause}; the server is down since the machine was started")
            elif checkpoint.phase is Phase.ACTIVATING or await self._disturbed(plan):
                await self._serve_previous(plan)
            self._store.remove(plan.transaction)
        except (ServerError, OSError) as error:
            failed = _failed(plan.transaction, Status.ROLL_BACK_FAILED, cause)
            return replace(failed, message=f"{cause}; and the roll back failed: {error}")
        touched = checkpoint.phase is not Phase.PREPARED
        return _failed(plan.transaction, Status.ROLLED_BACK if touched else Status.REFUSED, cause, plan)

    async def _disturbed(self, plan: Plan) -> bool:
        """Whether the running server saw the new files although we had not reloaded it, or is gone."""
        wrong = await mismatches(plan.endpoints, plan.expected)
        return len(wrong) < len(plan.endpoints) or any(each.reason == PortClosedError.code for each in wrong)

    async def _is_down(self, plan: Plan) -> bool:
        """Whether nobody listens at all. After a machine's start that is the init system's business."""
        wrong = await mismatches(plan.endpoints, plan.previous)
        return len(wrong) == len(plan.endpoints) and all(
            each.reason == PortClosedError.code for each in wrong
        )

    async def _serve_previous(self, plan: Plan) -> None:
        """Reload with the old files; start the server if it died. Only what is served counts in the end."""
        installer = self._installer(plan.server)
        loop = asyncio.get_running_loop()
        end = loop.time() + self._limits.roll_back_s
        trouble = await _attempt(installer.activate, plan.server)
        while True:
            left = end - loop.time()
            wrong = await await_served(plan.endpoints, plan.previous, deadline_s=max(0.1, min(2.0, left)))
            if not wrong:
                return
            if loop.time() >= end:
                break
            if any(each.reason == PortClosedError.code for each in wrong):
                trouble = await _attempt(installer.start, plan.server)
        message = "; ".join(each.message for each in wrong)
        raise VerificationFailedError(f"{message}; {trouble}" if trouble else message)

    async def _recover(self, checkpoint: Checkpoint) -> InstallOutcome:
        """What one checkpoint asks for: finish when the new certificate is in place and served, else undo."""
        plan = checkpoint.plan
        if checkpoint.phase is Phase.VERIFIED:
            return await self._commit(checkpoint)
        if checkpoint.phase is Phase.ACTIVATING and await self._is_on_disk(plan):
            wrong = await await_served(plan.endpoints, plan.expected, deadline_s=self._limits.recover_s)
            if not wrong:
                return await self._commit(checkpoint)
        return await self._roll_back(
            checkpoint, InterruptedInstallError("the agent was stopped in the middle of the install")
        )

    async def _is_on_disk(self, plan: Plan) -> bool:
        """Whether the configuration still means the new certificate: an undoing may have begun already."""
        try:
            node = (await self._installer(plan.server).discover(plan.server)).node(plan.node.id)
        except ServerError:
            return False
        return node is not None and node.fingerprint == plan.expected.fingerprint

    async def _recover_server(self, server: ServerDefinition) -> None:
        """Settle older checkpoints of this server: undone later, they would bring back outdated files."""
        for transaction in self._store.names():
            checkpoint = self._store.read(transaction)
            if checkpoint.plan.server.config == server.config:
                outcome = await self._recover(checkpoint)
                if outcome.status is Status.ROLL_BACK_FAILED:
                    raise RefusedError("RecoveryNeeded", outcome.message, words=outcome.words)

    def _installer(self, server: ServerDefinition) -> ServerInstaller:
        found = self._installers.get(server.kind)
        if found is None:
            raise RefusedError("UnknownServerKind", f"no plug-in for {server.kind}")
        return found

    def _refuse_foreign_paths(self, plan: Plan) -> None:
        """The agent's local policy decides where it writes, whatever the hub asks for."""
        for change in plan.changes:
            for path in (change.configured, change.target):
                if not self._allowed_path(path):
                    raise RefusedError("PathNotAllowed", f"the local policy does not allow writing {path}")


@dataclass(slots=True)
class _Progress:
    """A running install: its last durable checkpoint, and whether somebody wants it to stop."""

    checkpoint: Checkpoint
    cancelled: asyncio.Event


def _is_deferred(plan: Plan) -> bool:
    """Whether the owner of the server wants no reload: then a restart, asked for, takes the files up."""
    return plan.server.activation == "restart"


def _refuse_unverifiable(plan: Plan, wrong: Sequence[Mismatch]) -> None:
    """Without a complete handshake before, one after would prove nothing."""
    if not plan.endpoints:
        raise RefusedError("NodeNotReachable", f"{plan.node.source} has no address to verify")
    for each in wrong:
        if each.reason not in {"OtherCertificateServed", "ChainDiffers"}:
            raise RefusedError("NodeNotReachable", each.message)


async def _attempt(action: Callable[[ServerDefinition], Awaitable[None]], server: ServerDefinition) -> str:
    """Try, and keep the trouble as words: handshakes decide whether it mattered."""
    try:
        await action(server)
    except ServerError as error:
        return f"{error} {error.words}".strip()
    return ""


def _succeeded(plan: Plan, status: Status, note: str = "") -> InstallOutcome:
    previous = plan.previous.fingerprint
    served = previous if status is Status.RESTART_REQUIRED else plan.expected.fingerprint
    return InstallOutcome(
        plan.transaction, status, served, previous, message=note, ports=_ports(plan, served)
    )


def _ports(plan: Plan, served: str) -> tuple[Port, ...]:
    return tuple(replace(port, served=served) for port in plan.node.tls_ports)


def _failed(transaction: str, status: Status, cause: ServerError, plan: Plan | None = None) -> InstallOutcome:
    previous = plan.previous.fingerprint if plan else ""
    return InstallOutcome(
        transaction,
        status,
        previous,
        previous,
        reason=cause.code,
        message=str(cause),
        words=cause.words,
        ports=_ports(plan, previous) if plan else (),
    )
