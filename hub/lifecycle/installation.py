"""Installing on server nodes: send the command, take the outcomes, say how the whole of it ended.

The agent verifies by handshake before it answers "installed", and puts the old certificate back where it
could not; an outcome is therefore a fact about what the port serves.
"""

from __future__ import annotations

from sqlalchemy import delete, select, update

from hub.db.uow import Database, UnitOfWork
from hub.fleet.commands import (
    CertificateInstalled,
    FinishedCommand,
    InstallCertificate,
    InstallOutcome,
    InstallTarget,
)
from hub.http.principal import SYSTEM
from hub.lifecycle import dispatch, step_queue
from hub.lifecycle.install_timing import MAX_MISSED, Timing, count_missed, timing_of
from hub.lifecycle.install_windows import AlwaysOpen, InstallWindows
from hub.lifecycle.item_updates import see_places, update_items
from hub.lifecycle.models import CertificateLocation, InstallItem, LifecycleStep
from hub.lifecycle.orders import OrderRow, read_order
from hub.lifecycle.ports import Rooms
from hub.lifecycle.requests import BY_ITSELF
from hub.lifecycle.states import (
    INSTALL,
    CertificateStatus,
    InstallEvent,
    InstallState,
    ItemEvent,
    ItemStatus,
)
from hub.lifecycle.step_queue import NewStep, Step
from hub.lifecycle.transitions import Change, head_of, install_transition

KIND = "InstallCertificate"
RESTART_KIND = "RestartServer"
_UNDER_WAY_KINDS = ("StoreCertificate", "ExportKey", KIND, RESTART_KIND)
_UNDER_WAY_STEPS = (step_queue.EXPORT_KEY, step_queue.DELIVER, step_queue.INSTALL)
_ITEM_EVENTS = {
    "installed": ItemEvent.INSTALL,
    "already_installed": ItemEvent.INSTALL,
    "restart_required": ItemEvent.DEPLOY,
}
_GONE = frozenset({"NodeUnknown", "ServerUnknown", "NodeNotFound", "ServerNotFound"})
_AGENT_GONE = frozenset({"AgentRemoved", "AgentNotFound"})
_NOT_IN_TIME = "Expired"
# Marks a step that is due when its window opens.
_WAITING = {"waits_for": "window"}
_LIVE = frozenset({CertificateStatus.ISSUED, CertificateStatus.DOWNLOADED})


class InstallSteps:
    """Step ``install`` and the outcome of its command."""

    def __init__(self, db: Database, rooms: Rooms) -> None:
        self._db = db
        self._rooms = rooms
        # A room above that closes servers at times registers itself here.
        self.windows: InstallWindows = AlwaysOpen()

    async def on_agent_removed(self, uow: UnitOfWork, agent_id: str) -> None:
        """Its nodes take part in no installation any more."""
        certificates = await uow.session.execute(
            select(InstallItem.certificate_id)
            .where(InstallItem.agent_id == agent_id, InstallItem.status != ItemStatus.INVALID)
            .distinct()
        )
        values = {"reason": "AgentRemoved", "message": "the agent was removed"}
        for certificate_id in certificates.scalars():
            await update_items(uow, certificate_id, ItemEvent.LOSE, agent_id=agent_id, values=values)
            await uow.session.execute(
                delete(LifecycleStep).where(
                    LifecycleStep.certificate_id == certificate_id,
                    LifecycleStep.agent_id == agent_id,
                    LifecycleStep.name == step_queue.INSTALL,
                )
            )
            await conclude_installation(uow, certificate_id)

    async def install(self, step: Step) -> None:
        """Send the agent the nodes that it is to install the certificate on, once their window is open."""
        async with self._db.write() as uow:
            row = await read_order(uow.session, step.certificate_id)
            targets = await _targets(uow, step.certificate_id, step.agent_id)
            if row is None or not targets or not await _is_wanted(uow, row, step.agent_id):
                await step_queue.finish_one(uow, step)
                return
            timing = await timing_of(uow, self.windows, row, agent_id=step.agent_id, targets=targets)
            if not timing.opening.is_now(uow.now):
                await _wait(uow, row, step, timing)
                return
            await step_queue.finish_one(uow, step)
            await self._send(uow, row, step.agent_id, targets, deadline_s=timing.deadline_s(uow.now))

    async def _send(
        self,
        uow: UnitOfWork,
        row: OrderRow,
        agent_id: str,
        targets: tuple[InstallTarget, ...],
        *,
        deadline_s: int,
    ) -> None:
        if row.install_state == InstallState.SCHEDULED:
            await install_transition(uow, row.id, InstallEvent.START, Change(principal=SYSTEM))
        body = InstallCertificate(
            key_id=row.key_id,
            certificate_sha256=bytes.fromhex(row.fingerprint_sha256 or ""),
            targets=targets,
        )
        refused = await dispatch.send(
            uow, self._rooms.fleet, row=row, agent_id=agent_id, body=body, deadline_s=deadline_s
        )
        if refused is not None:
            await fail_installation(
                uow, row, agent_id=agent_id, reason=refused.reason, message=refused.message
            )

    async def on_outcome(self, uow: UnitOfWork, finished: FinishedCommand) -> None:
        """Take the outcomes, or note why the agent could not even start."""
        row = await dispatch.take_outcome(uow, finished)
        if row is None or not isinstance(finished.body, InstallCertificate):
            return
        if isinstance(finished.result, CertificateInstalled):
            await self._record(uow, row, finished.agent_id, finished.body, finished.result)
            await conclude_installation(uow, row.id)
            return
        reason = finished.failure.reason if finished.failure else "NoAnswer"
        message = finished.failure.message if finished.failure else "the agent gave no result"
        if reason == _NOT_IN_TIME and await self._again_later(uow, row, finished.agent_id, finished.body):
            return
        await fail_installation(uow, row, agent_id=finished.agent_id, reason=reason, message=message)

    async def _again_later(
        self, uow: UnitOfWork, row: OrderRow, agent_id: str, body: InstallCertificate
    ) -> bool:
        """Whether the agent gets another window; the reason is on its items meanwhile."""
        timing = await timing_of(uow, self.windows, row, agent_id=agent_id, targets=body.targets)
        if row.status not in _LIVE or not timing.is_limited:
            return False
        message = "the agent did not answer before the window closed"
        missed = await count_missed(uow, row.id, agent_id, message=message)
        if missed >= MAX_MISSED:
            message = f"the agent did not answer in {missed} windows"
            await fail_installation(uow, row, agent_id=agent_id, reason="WindowsMissed", message=message)
            return True
        await step_queue.schedule(
            uow,
            [
                NewStep(
                    certificate_id=row.id,
                    name=step_queue.INSTALL,
                    agent_id=agent_id,
                    due_at=timing.opening.window.begin,
                    payload=_WAITING,
                    message=f"{message} ({missed} of {MAX_MISSED}); {timing.message}",
                )
            ],
        )
        await conclude_installation(uow, row.id)
        return True

    async def _record(
        self,
        uow: UnitOfWork,
        row: OrderRow,
        agent_id: str,
        body: InstallCertificate,
        result: CertificateInstalled,
    ) -> None:
        outcomes = {(outcome.server, outcome.node_id): outcome for outcome in result.outcomes}
        for target in body.targets:
            outcome = outcomes.get((target.server, target.node_id))
            if outcome is None:
                outcome = _no_outcome(target)
            await record_outcome(uow, row, agent_id, outcome)


async def record_outcome(uow: UnitOfWork, row: OrderRow, agent_id: str, outcome: InstallOutcome) -> None:
    """Move one item by what an agent says of its node, and note what its ports serve."""
    event = _ITEM_EVENTS.get(outcome.status, ItemEvent.FAIL)
    if event is ItemEvent.FAIL and outcome.reason in _GONE:
        event = ItemEvent.LOSE
    expected = bytes.fromhex(row.fingerprint_sha256 or "")
    serving = [port for port in outcome.served if port.certificate_sha256 == expected]
    served = (serving or list(outcome.served))[:1]
    await update_items(
        uow,
        row.id,
        event,
        agent_id=agent_id,
        server=outcome.server,
        node_id=outcome.node_id,
        values={
            "reason": outcome.reason,
            "message": outcome.message,
            "rolled_back": outcome.rolled_back,
            "steps": list(outcome.steps),
            "served_sha256": served[0].certificate_sha256.hex() if served else "",
            "missed_windows": 0,
        },
    )
    if not serving:
        return
    name = f"{outcome.server} {outcome.node_id}"
    await uow.session.execute(
        update(CertificateLocation)
        .where(
            CertificateLocation.kind == "server_node",
            CertificateLocation.agent_id == agent_id,
            CertificateLocation.name == name,
            CertificateLocation.certificate_id != row.id,
        )
        .values(present=False)
    )
    await see_places(
        uow,
        [
            {
                "certificate_id": row.id,
                "kind": "server_node",
                "agent_id": agent_id,
                "address": port.address,
                "port": port.port,
                "name": name,
            }
            for port in serving
        ],
    )


async def continue_installation(uow: UnitOfWork, row: OrderRow, *, agent_id: str) -> None:
    """The certificate has reached an agent: install there if that is wanted; the step minds the window."""
    if not await _is_wanted(uow, row, agent_id):
        return
    await step_queue.schedule(
        uow, [NewStep(certificate_id=row.id, name=step_queue.INSTALL, agent_id=agent_id)]
    )


async def _is_wanted(uow: UnitOfWork, row: OrderRow, agent_id: str) -> bool:
    if row.status not in _LIVE or row.fingerprint_sha256 is None:
        return False
    head = await head_of(uow.session, row.id)
    waits = head.install_state == InstallState.SCHEDULED and row.installation in BY_ITSELF
    if not waits and head.install_state != InstallState.STARTED:
        return False
    return not await dispatch.is_running(uow, row.id, kinds=(KIND,), agent_id=agent_id)


async def _wait(uow: UnitOfWork, row: OrderRow, step: Step, timing: Timing) -> None:
    """Come again when the window opens; others may have been done meanwhile."""
    await step_queue.move(
        uow, step, due_at=timing.opening.window.begin, message=timing.message, payload=_WAITING
    )
    await conclude_installation(uow, row.id)


async def fail_installation(
    uow: UnitOfWork, row: OrderRow, *, agent_id: str, reason: str, message: str
) -> None:
    """Note on the agent's items why nothing could be done there; items of an agent that is gone are lost."""
    event = ItemEvent.LOSE if reason in _AGENT_GONE else ItemEvent.FAIL
    await update_items(uow, row.id, event, agent_id=agent_id, values={"reason": reason, "message": message})
    await conclude_installation(uow, row.id)


async def conclude_installation(uow: UnitOfWork, certificate_id: int) -> None:
    """Say how the installation ended, once no agent is at work for it any more."""
    items = (
        await uow.session.execute(
            select(InstallItem.status, InstallItem.reason, InstallItem.message).where(
                InstallItem.certificate_id == certificate_id
            )
        )
    ).all()
    if not items or await _is_busy(uow, certificate_id):
        return
    if await _is_waiting(uow, certificate_id):
        await _postpone(uow, certificate_id)
        return
    statuses = {ItemStatus(item.status) for item in items}
    if statuses <= {ItemStatus.INSTALLED}:
        event = InstallEvent.SUCCEED
    elif statuses <= {ItemStatus.INSTALLED, ItemStatus.CERTIFICATE_DEPLOYED}:
        event = InstallEvent.NEED_RESTART
    elif statuses & {ItemStatus.FAILED, ItemStatus.INVALID}:
        event = InstallEvent.FAIL
    else:
        return
    head = await head_of(uow.session, certificate_id)
    if (InstallState(head.install_state), event) not in INSTALL:
        return
    failed = [
        item for item in items if item.status in {ItemStatus.FAILED, ItemStatus.INVALID} and item.reason
    ]
    details = {"reason": failed[0].reason, "message": failed[0].message} if failed else {}
    await uow.session.execute(
        update(InstallItem)
        .where(InstallItem.certificate_id == certificate_id)
        .values(at_once=False, missed_windows=0)
    )
    await install_transition(uow, certificate_id, event, Change(principal=SYSTEM, details=details))


async def _is_busy(uow: UnitOfWork, certificate_id: int) -> bool:
    if await dispatch.is_running(uow, certificate_id, kinds=_UNDER_WAY_KINDS):
        return True
    steps = await _steps(uow, certificate_id)
    return any(not waits for waits in steps)


async def _is_waiting(uow: UnitOfWork, certificate_id: int) -> bool:
    return bool(await _steps(uow, certificate_id))


async def _steps(uow: UnitOfWork, certificate_id: int) -> list[bool]:
    """For each step that is left: whether it waits for a window."""
    steps = await uow.session.execute(
        select(LifecycleStep.name, LifecycleStep.payload).where(
            LifecycleStep.certificate_id == certificate_id, LifecycleStep.name.in_(_UNDER_WAY_STEPS)
        )
    )
    return [name == step_queue.INSTALL and payload == _WAITING for name, payload in steps.all()]


async def _postpone(uow: UnitOfWork, certificate_id: int) -> None:
    """Nobody is at work any more, and the rest waits for a window."""
    head = await head_of(uow.session, certificate_id)
    if head.install_state != InstallState.STARTED:
        return
    found = await uow.session.execute(
        select(LifecycleStep.due_at, LifecycleStep.message)
        .where(LifecycleStep.certificate_id == certificate_id, LifecycleStep.name == step_queue.INSTALL)
        .order_by(LifecycleStep.due_at)
        .limit(1)
    )
    due_at, message = found.one()
    details = {"due_at": due_at.isoformat(), "message": message}
    change = Change(principal=SYSTEM, details=details)
    await install_transition(uow, certificate_id, InstallEvent.POSTPONE, change)


async def _targets(uow: UnitOfWork, certificate_id: int, agent_id: str) -> tuple[InstallTarget, ...]:
    rows = await uow.session.execute(
        select(InstallItem.server, InstallItem.node_id)
        .where(
            InstallItem.certificate_id == certificate_id,
            InstallItem.agent_id == agent_id,
            InstallItem.status != ItemStatus.INVALID,
        )
        .order_by(InstallItem.id)
    )
    return tuple(InstallTarget(server=server, node_id=node_id) for server, node_id in rows.all())


def _no_outcome(target: InstallTarget) -> InstallOutcome:
    return InstallOutcome(
        server=target.server,
        node_id=target.node_id,
        status="failed",
        reason="NoOutcome",
        message="the agent's answer does not mention this node",
        served=(),
        rolled_back=False,
        steps=(),
    )
