"""Scans while they run: start, cancel, batches, progress, and the end with what has disappeared.

The agent's reports arrive inside the transaction that stores them, so a scan's counts and the inventory never
disagree with what was acknowledged.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from hub.access import audit
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.discovery.errors import NoScanRunning, ScanNotFound, TaskNotFound
from hub.discovery.models import DiscoveredEndpoint, DiscoveryTask, Scan, ScanFind
from hub.discovery.ports import Fleet
from hub.discovery.ranges import Coverage, from_document
from hub.discovery.reconcile import ScanHead, reconcile
from hub.discovery.states import ACTIVE, SCAN, ScanEvent, ScanState, next_state
from hub.fleet.commands import (
    CommandProgress,
    DiscoverNetwork,
    FinishedCommand,
    NetworkDiscovered,
    NetworkFinds,
    RunningCommand,
)
from hub.http.principal import Principal
from hub.lifecycle.service import LifecycleService, NetworkPlace

OBJECT_TYPE = "scan"
KIND = "DiscoverNetwork"
SCAN_DEADLINE_S = 24 * 3600
# Finds of older scans go; what they changed stays in endpoints and locations.
KEPT_SCANS = 5
_CANCELLED = frozenset({"Cancelled", "Canceled"})
_CHUNK = 400


class Scans:
    """Starts and ends scans, and takes the agents' reports."""

    def __init__(self, fleet: Fleet, lifecycle: LifecycleService) -> None:
        self._fleet = fleet
        self._lifecycle = lifecycle
        fleet.on_batch(KIND, self.on_batch)
        fleet.on_progress(KIND, self.on_progress)
        fleet.on_outcome(KIND, self.on_outcome)

    async def start(self, uow: UnitOfWork, task_id: int, *, principal: Principal) -> int:
        """Start a scan of a task, or return the one that is running.

        Raises:
            TaskNotFound: there is none of this id.
        """
        taken = await uow.session.execute(
            update(DiscoveryTask)
            .where(
                DiscoveryTask.id == task_id,
                DiscoveryTask.deleted_at.is_(None),
                DiscoveryTask.status.not_in(ACTIVE),
            )
            .values(status=ScanState.QUEUED)
            .returning(DiscoveryTask.id)
        )
        task = await uow.session.get(DiscoveryTask, task_id, populate_existing=True)
        if task is None or task.deleted_at is not None:
            raise TaskNotFound(f"there is no discovery task {task_id}")
        if taken.one_or_none() is None:
            return task.last_scan_id or 0
        scan_id = await self._insert(uow, task, principal)
        command_id = await self._fleet.enqueue(
            uow,
            agent_id=task.agent_id,
            body=DiscoverNetwork(
                ranges=from_document(task.ranges),
                exclusions=tuple(task.exclusions),
                connects_per_second=task.connects_per_second,
                concurrency=task.concurrency,
                timeout_ms=task.timeout_ms,
            ),
            deadline_s=SCAN_DEADLINE_S,
            subject_type=OBJECT_TYPE,
            subject_id=str(scan_id),
            organization_id=task.organization_id,
            requested_by=principal.name,
        )
        await uow.session.execute(update(Scan).where(Scan.id == scan_id).values(command_id=command_id))
        await uow.session.execute(
            update(DiscoveryTask)
            .where(DiscoveryTask.id == task_id)
            .values(last_scan_id=scan_id, last_scanned_at=uow.now)
        )
        details = {"task_id": task_id, "task": task.name, "state": ScanState.QUEUED.value}
        _emit(uow, "ScanStarted", scan_id, (task.organization_id, task.department_id), details)
        await audit.record(
            uow,
            principal=principal,
            action="ScanStarted",
            object_type=OBJECT_TYPE,
            object_id=str(scan_id),
            organization_id=task.organization_id,
            details=details,
        )
        return scan_id

    async def _insert(self, uow: UnitOfWork, task: DiscoveryTask, principal: Principal) -> int:
        written = await uow.session.execute(
            insert(Scan)
            .values(
                task_id=task.id,
                agent_id=task.agent_id,
                organization_id=task.organization_id,
                department_id=task.department_id,
                ranges=task.ranges,
                exclusions=task.exclusions,
                state=ScanState.QUEUED,
                requested_by=principal.name,
                started_at=uow.now,
            )
            .returning(Scan.id)
        )
        return int(written.scalar_one())

    async def cancel(self, uow: UnitOfWork, task_id: int, *, principal: Principal) -> int:
        """Ask the agent to give the task's scan up; return the scan's id.

        Raises:
            NoScanRunning: there is nothing to cancel.
        """
        row = (
            await uow.session.execute(
                select(Scan.id, Scan.state, Scan.command_id, Scan.organization_id)
                .where(Scan.task_id == task_id, Scan.state.in_(ACTIVE))
                .order_by(Scan.id.desc())
                .limit(1)
            )
        ).one_or_none()
        if row is None:
            raise NoScanRunning
        if row.state == ScanState.CANCELING:
            return int(row.id)
        await self._move(uow, row.id, ScanEvent.CANCEL)
        await audit.record(
            uow,
            principal=principal,
            action="ScanCanceling",
            object_type=OBJECT_TYPE,
            object_id=str(row.id),
            organization_id=row.organization_id,
            details={"task_id": task_id},
        )
        await self._fleet.cancel(uow, row.command_id)
        return int(row.id)

    # ---- reports

    async def on_batch(self, uow: UnitOfWork, running: RunningCommand, finds: NetworkFinds) -> None:
        """Take a batch into the inventory."""
        if running.subject_type != OBJECT_TYPE:
            return
        scan_id = int(running.subject_id)
        head, state = await _head(uow, scan_id)
        if (state, ScanEvent.REPORT) not in SCAN:
            return
        counts = await reconcile(uow, self._lifecycle, head, finds)
        values: dict[str, Any] = {
            "endpoints_found": Scan.endpoints_found + counts.endpoints,
            "certificates_new": Scan.certificates_new + counts.new_certificates,
            "rotations": Scan.rotations + counts.rotations,
            "certificates_found": await _count_certificates(uow, scan_id),
        }
        if finds.targets_total:
            values |= {
                "targets_done": finds.targets_done,
                "targets_total": finds.targets_total,
                "progress": min(finds.targets_done / finds.targets_total, 1.0),
            }
        await self._move(uow, scan_id, ScanEvent.REPORT, values=values)

    async def on_progress(self, uow: UnitOfWork, running: RunningCommand, progress: CommandProgress) -> None:
        """Note how far the agent is."""
        if running.subject_type != OBJECT_TYPE:
            return
        scan_id = int(running.subject_id)
        _, state = await _head(uow, scan_id)
        if (state, ScanEvent.REPORT) in SCAN:
            values = {"progress": progress.share, "progress_message": progress.message}
            await self._move(uow, scan_id, ScanEvent.REPORT, values=values)

    async def on_outcome(self, uow: UnitOfWork, finished: FinishedCommand) -> None:
        """End a scan."""
        if finished.subject_type != OBJECT_TYPE:
            return
        scan_id = int(finished.subject_id)
        head, state = await _head(uow, scan_id)
        if state not in ACTIVE:
            return
        values: dict[str, Any] = {
            "finished_at": uow.now,
            "certificates_found": await _count_certificates(uow, scan_id),
        }
        if isinstance(finished.result, NetworkDiscovered):
            values |= {
                "progress": 1.0,
                "open_ports": finished.result.open,
                "closed_ports": finished.result.closed,
                "silent_ports": finished.result.silent,
                "targets_total": finished.result.targets,
                "targets_done": finished.result.targets,
                "disappeared": await self._mark_absent(uow, head),
            }
            await self._move(uow, scan_id, ScanEvent.SUCCEED, values=values)
        else:
            failure = finished.failure
            reason = failure.reason if failure else "NoAnswer"
            values |= {
                "reason": reason,
                "message": failure.message if failure else "the agent gave no result",
            }
            event = ScanEvent.CONFIRM_CANCEL if reason in _CANCELLED else ScanEvent.FAIL
            await self._move(uow, scan_id, event, values=values)
        await _forget_old_finds(uow, head.task_id)

    async def _mark_absent(self, uow: UnitOfWork, head: ScanHead) -> int:
        scan = await uow.session.get(Scan, head.id, populate_existing=True)
        if scan is None:
            return 0
        coverage = Coverage(from_document(scan.ranges), scan.exclusions)
        table = DiscoveredEndpoint
        candidates = await uow.session.execute(
            select(table.id, table.address, table.port, table.server_name, table.certificate_id).where(
                table.agent_id == head.agent_id, table.present, table.last_scan_id != head.id
            )
        )
        gone = [row for row in candidates.all() if coverage.covers(row.address, row.port, row.server_name)]
        for chunk in _chunks([row.id for row in gone]):
            await uow.session.execute(update(table).where(table.id.in_(chunk)).values(present=False))
        await self._lifecycle.leave_places(
            uow,
            [
                NetworkPlace(row.certificate_id, head.agent_id, row.address, row.port, row.server_name)
                for row in gone
                if row.certificate_id is not None
            ],
        )
        return len(gone)

    async def _move(
        self, uow: UnitOfWork, scan_id: int, event: ScanEvent, *, values: dict[str, Any] | None = None
    ) -> None:
        head, state = await _head(uow, scan_id)
        row = next_state(state, event)
        changed = await uow.session.execute(
            update(Scan)
            .where(Scan.id == scan_id, Scan.state == state)
            .values(**(values or {}), state=row.next)
            .returning(
                Scan.progress,
                Scan.progress_message,
                Scan.targets_done,
                Scan.targets_total,
                Scan.endpoints_found,
                Scan.certificates_found,
                Scan.certificates_new,
                Scan.rotations,
                Scan.disappeared,
                Scan.reason,
                Scan.message,
            )
        )
        data = {"task_id": head.task_id, "state": row.next.value, **changed.one()._asdict()}
        await uow.session.execute(
            update(DiscoveryTask)
            .where(DiscoveryTask.id == head.task_id, DiscoveryTask.last_scan_id == scan_id)
            .values(status=row.next)
        )
        _emit(uow, row.effect, scan_id, (head.organization_id, head.department_id), data)


async def _head(uow: UnitOfWork, scan_id: int) -> tuple[ScanHead, ScanState]:
    row = (
        await uow.session.execute(
            select(
                Scan.id, Scan.task_id, Scan.agent_id, Scan.organization_id, Scan.department_id, Scan.state
            ).where(Scan.id == scan_id)
        )
    ).one_or_none()
    if row is None:
        raise ScanNotFound(f"there is no scan {scan_id}")
    head = ScanHead(
        id=row.id,
        task_id=row.task_id,
        agent_id=row.agent_id,
        organization_id=row.organization_id,
        department_id=row.department_id,
    )
    return head, ScanState(row.state)


async def _count_certificates(uow: UnitOfWork, scan_id: int) -> int:
    count = await uow.session.execute(
        select(func.count(ScanFind.certificate_id.distinct())).where(ScanFind.scan_id == scan_id)
    )
    return count.scalar_one()


async def _forget_old_finds(uow: UnitOfWork, task_id: int) -> None:
    kept = (
        select(Scan.id).where(Scan.task_id == task_id).order_by(Scan.id.desc()).limit(KEPT_SCANS).subquery()
    )
    old = select(Scan.id).where(Scan.task_id == task_id, Scan.id.not_in(select(kept.c.id)))
    await uow.session.execute(delete(ScanFind).where(ScanFind.scan_id.in_(old)))


def _chunks(items: Sequence[int]) -> list[list[int]]:
    iterator = iter(items)
    chunks = []
    while chunk := list(islice(iterator, _CHUNK)):
        chunks.append(chunk)
    return chunks


def _emit(
    uow: UnitOfWork, kind: str, scan_id: int, place: tuple[int | None, int | None], data: dict[str, Any]
) -> None:
    organization_id, department_id = place
    uow.emit(
        Event(
            kind=kind,
            object_type=OBJECT_TYPE,
            object_id=str(scan_id),
            organization_id=organization_id,
            department_id=department_id,
            data=data,
        )
    )
