"""Network discovery: tasks and their scans. The only way in for routes and, later, for schedules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import column, insert, select, table, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.policy import Target, authorize, scope
from hub.db.errors import NotFound
from hub.db.outbox import Event
from hub.db.uow import Database, UnitOfWork
from hub.discovery.errors import (
    FieldFinding,
    ScanNotFound,
    TaskIsBeingScanned,
    TaskNotFound,
    TaskRefused,
)
from hub.discovery.forgetting import forget_certificate
from hub.discovery.models import DiscoveryTask, Scan
from hub.discovery.ports import Fleet
from hub.discovery.ranges import check_ranges, from_document, to_document
from hub.discovery.scans import Scans
from hub.discovery.states import ACTIVE, NOT_SCANNED
from hub.fleet.commands import AgentRecord, ScanRange
from hub.http.principal import Principal
from hub.lifecycle.service import LifecycleService

OBJECT_TYPE = "discovery_task"
_MAX_NAME = 128
# Of the organizations room, whose service this one does not need otherwise.
_DEPARTMENTS = table("departments", column("id"), column("organization_id"))
_LIMITS = {"connects_per_second": 100_000, "concurrency": 20_000, "timeout_ms": 60_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFields:
    """What an administrator sets on a task.

    ``organization_id`` None: the agent's. It owns what is found. Zero rates mean the agent's defaults.
    """

    name: str
    agent_id: str
    ranges: tuple[ScanRange, ...]
    exclusions: tuple[str, ...] = ()
    organization_id: int | None = None
    department_id: int | None = None
    connects_per_second: int = 0
    concurrency: int = 0
    timeout_ms: int = 0


# What every trace of a task carries: readers of events and audit are chosen by it.
_OWNERSHIP = ("name", "organization_id", "department_id")


class DiscoveryService:
    """Creates, changes, deletes and scans tasks."""

    def __init__(self, db: Database, fleet: Fleet, lifecycle: LifecycleService) -> None:
        self.db = db
        self._fleet = fleet
        self._scans = Scans(fleet, lifecycle)
        lifecycle.deleting.on_delete(forget_certificate)

    async def create(self, principal: Principal, wanted: TaskFields) -> int:
        """Create a task and return its id.

        Raises:
            TaskRefused: everything that is wrong with it, a field each.
        """
        async with self.db.write() as uow:
            values = await self._checked(uow.session, principal, wanted)
            written = await uow.session.execute(
                insert(DiscoveryTask)
                .values(
                    **values,
                    status=NOT_SCANNED,
                    created_by=principal.name,
                    created_at=uow.now,
                    updated_at=uow.now,
                )
                .returning(DiscoveryTask.id)
            )
            task_id = written.scalar_one()
            await _note(uow, "DiscoveryTaskCreated", task_id, principal=principal, values=values)
        return task_id

    async def update(self, principal: Principal, task_id: int, changes: Mapping[str, Any]) -> None:
        """Change fields of a task; a scan that runs goes on as it was started.

        Raises:
            TaskNotFound: there is none of this id in the caller's scope.
            TaskRefused: as :meth:`create`.
        """
        async with self.db.write() as uow:
            task = await self.task(uow.session, principal, task_id)
            before = {item.name: getattr(task, item.name) for item in fields(TaskFields)}
            before |= {"ranges": from_document(task.ranges), "exclusions": tuple(task.exclusions)}
            values = await self._checked(uow.session, principal, TaskFields(**before | dict(changes)))
            old = {name: getattr(task, name) for name in changes if name in values}
            await uow.session.execute(
                update(DiscoveryTask).where(DiscoveryTask.id == task_id).values(**values, updated_at=uow.now)
            )
            changed = audit.changes(old, {name: values[name] for name in old})
            await _note(
                uow,
                "DiscoveryTaskChanged",
                task_id,
                principal=principal,
                values=changed | {name: values[name] for name in _OWNERSHIP},
            )

    async def delete(self, principal: Principal, task_id: int) -> None:
        """Delete a task; what it found stays.

        Raises:
            TaskNotFound: there is none of this id in the caller's scope.
            TaskIsBeingScanned: cancel first.
        """
        async with self.db.write() as uow:
            task = await self.task(uow.session, principal, task_id)
            removed = await uow.session.execute(
                update(DiscoveryTask)
                .where(DiscoveryTask.id == task_id, DiscoveryTask.status.not_in(ACTIVE))
                .values(deleted_at=uow.now)
                .returning(DiscoveryTask.id)
            )
            if removed.one_or_none() is None:
                raise TaskIsBeingScanned
            values = {name: getattr(task, name) for name in _OWNERSHIP}
            await _note(uow, "DiscoveryTaskDeleted", task_id, principal=principal, values=values)

    async def scan(self, principal: Principal, task_id: int) -> int:
        """Start a scan, or return the id of the one that is running."""
        async with self.db.write() as uow:
            await self.task(uow.session, principal, task_id)
            return await self._scans.start(uow, task_id, principal=principal)

    async def cancel(self, principal: Principal, task_id: int) -> int:
        """Cancel the running scan and return its id; raise NoScanRunning."""
        async with self.db.write() as uow:
            await self.task(uow.session, principal, task_id)
            return await self._scans.cancel(uow, task_id, principal=principal)

    async def task(self, session: AsyncSession, principal: Principal, task_id: int) -> DiscoveryTask:
        """Return a task in the caller's scope; raise TaskNotFound."""
        statement = select(DiscoveryTask).where(
            DiscoveryTask.id == task_id, DiscoveryTask.deleted_at.is_(None)
        )
        condition = scope(
            principal, DiscoveryTask.organization_id, DiscoveryTask.department_id, action="discovery.view"
        )
        if condition is not None:
            statement = statement.where(condition)
        task = (await session.execute(statement)).scalar_one_or_none()
        if task is None:
            raise TaskNotFound(f"there is no discovery task {task_id}")
        return task

    async def find_scan(self, session: AsyncSession, principal: Principal, scan_id: int) -> Scan:
        """Return a scan in the caller's scope; raise ScanNotFound."""
        statement = select(Scan).where(Scan.id == scan_id)
        condition = scope(principal, Scan.organization_id, Scan.department_id, action="discovery.view")
        if condition is not None:
            statement = statement.where(condition)
        scan = (await session.execute(statement)).scalar_one_or_none()
        if scan is None:
            raise ScanNotFound(f"there is no scan {scan_id}")
        return scan

    async def _checked(
        self, session: AsyncSession, principal: Principal, wanted: TaskFields
    ) -> dict[str, Any]:
        ranges, exclusions, range_findings = check_ranges(wanted.ranges, wanted.exclusions)
        findings = [*_plain_findings(wanted), *range_findings]
        agent = await self._agent(session, wanted.agent_id)
        organization_id = wanted.organization_id
        if agent is not None and organization_id is None:
            organization_id = agent.organization_id
        place = _agent_findings(principal, agent, wanted.organization_id, organization_id)
        # Departments of organizations that are not theirs don't exist for them.
        findings += place or await _department_findings(session, organization_id, wanted.department_id)
        if findings:
            raise TaskRefused(tuple(findings))
        return {
            "name": wanted.name.strip(),
            "agent_id": wanted.agent_id,
            "organization_id": organization_id,
            "department_id": wanted.department_id,
            "ranges": to_document(ranges),
            "exclusions": list(exclusions),
            **{name: getattr(wanted, name) for name in _LIMITS},
        }

    async def _agent(self, session: AsyncSession, agent_id: str) -> AgentRecord | None:
        try:
            return await self._fleet.agent(session, agent_id)
        except NotFound:
            return None


def _plain_findings(wanted: TaskFields) -> list[FieldFinding]:
    findings = []
    if not 1 <= len(wanted.name.strip()) <= _MAX_NAME:
        message = f"a task needs a name of at most {_MAX_NAME} characters"
        findings.append(FieldFinding("name", "NameMalformed", message))
    for name, limit in _LIMITS.items():
        if not 0 <= getattr(wanted, name) <= limit:
            message = f"{name.replace('_', ' ')}: from 0 (the agent's default) to {limit}"
            findings.append(FieldFinding(name, "OutOfRange", message))
    return findings


async def _department_findings(
    session: AsyncSession, organization_id: int | None, department_id: int | None
) -> list[FieldFinding]:
    if department_id is None:
        return []
    known = select(_DEPARTMENTS.c.id).where(
        _DEPARTMENTS.c.id == department_id, _DEPARTMENTS.c.organization_id == organization_id
    )
    if (await session.execute(known)).first() is not None:
        return []
    return [FieldFinding("department_id", "DepartmentUnknown", "the organization has no such department")]


def _agent_findings(
    principal: Principal, agent: AgentRecord | None, named_id: int | None, organization_id: int | None
) -> list[FieldFinding]:
    everything = principal.sees_everything
    # Before the agent is looked at: whether it exists is not for strangers to its organization.
    if named_id is not None and not _covers(principal, named_id):
        message = "choose one of your organizations"
        return [FieldFinding("organization_id", "OrganizationUnknown", message)]
    unknown = [FieldFinding("agent_id", "AgentUnknown", "there is no such agent")]
    if agent is None or not (everything or _covers(principal, organization_id)):
        return unknown
    # Agents that serve everybody reach into networks of others: only for who sees everything.
    if agent.organization_id != organization_id and (agent.organization_id is not None or not everything):
        return (
            unknown
            if not everything
            else [
                FieldFinding(
                    "agent_id", "AgentOfOtherOrganization", f"{agent.name} belongs to another organization"
                )
            ]
        )
    if agent.kind != "network":
        message = f"{agent.name} is a {agent.kind} agent, a network agent is needed"
        return [FieldFinding("agent_id", "AgentOfOtherKind", message)]
    if agent.status != "active":
        return [FieldFinding("agent_id", "AgentNotActive", f"{agent.name} is {agent.status}")]
    return []


def _covers(principal: Principal, organization_id: int | None) -> bool:
    target = Target(organization_id=organization_id, undivided=True)
    return authorize(principal, "discovery.edit", target).allowed


async def _note(
    uow: UnitOfWork, kind: str, task_id: int, *, principal: Principal, values: Mapping[str, Any]
) -> None:
    uow.emit(
        Event(
            kind=kind,
            object_type=OBJECT_TYPE,
            object_id=str(task_id),
            organization_id=values["organization_id"],
            department_id=values["department_id"],
            data={"name": values["name"]},
        )
    )
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type=OBJECT_TYPE,
        object_id=str(task_id),
        organization_id=values["organization_id"],
        department_id=values["department_id"],
        details=values,
    )
