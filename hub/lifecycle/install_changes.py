"""Changing an installation after the request: its times, and the nodes to install on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from hub.access import audit
from hub.db.errors import NotFound
from hub.db.uow import Database, UnitOfWork
from hub.fleet.commands import AgentRecord
from hub.http.principal import Principal
from hub.lifecycle import dispatch, step_queue
from hub.lifecycle.errors import CertificateNotFound, FieldFinding, NothingToInstall, RequestRefused
from hub.lifecycle.install_errors import CertificateAtWork, ItemNotFound, NotForInstallation
from hub.lifecycle.install_plan import install_steps, item_agents
from hub.lifecycle.install_schedule import FIELD, schedule_document, schedule_faults
from hub.lifecycle.installation import KIND, conclude_installation
from hub.lifecycle.models import Certificate, CertificateLocation, InstallItem, LifecycleStep
from hub.lifecycle.orders import OrderRow, read_order
from hub.lifecycle.ports import Rooms
from hub.lifecycle.requests import (
    BY_ITSELF,
    Installation,
    InstallSchedule,
    KeyLocation,
    Method,
    TargetNode,
)
from hub.lifecycle.scoping import may_act
from hub.lifecycle.states import INSTALL, CertificateStatus, InstallEvent, InstallState, ItemStatus
from hub.lifecycle.transitions import OBJECT_TYPE, Change, event_of, head_of, install_transition

_LIVE = frozenset({CertificateStatus.ISSUED, CertificateStatus.DOWNLOADED})
_OPEN = _LIVE | {CertificateStatus.REQUESTED, CertificateStatus.APPROVED, CertificateStatus.APPLIED}
_TARGETS = "targets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When a certificate is installed; the schedule goes with ``Installation.SCHEDULED``."""

    installation: Installation
    schedule: InstallSchedule | None = None


class InstallChanges:
    """What administrators change about an installation."""

    def __init__(self, db: Database, rooms: Rooms) -> None:
        self._db = db
        self._rooms = rooms

    async def set_times(self, principal: Principal, certificate_id: int, times: Times) -> None:
        """Say when a certificate is installed; one that is issued and not installed is planned anew.

        Raises:
            CertificateNotFound: there is none of this id in the caller's scope.
            RequestRefused: the schedule is faulty or missing.
            NothingToInstall: the certificate has no nodes.
            NotForInstallation: its life is over.
        """
        _check_times(times)
        async with self._db.write() as uow:
            row = await _open_row(uow, principal, certificate_id)
            if not await item_agents(uow, certificate_id):
                raise NothingToInstall
            schedule = times.schedule if times.installation is Installation.SCHEDULED else None
            document = schedule_document(schedule)
            await uow.session.execute(
                update(Certificate)
                .where(Certificate.id == certificate_id)
                .values(installation=times.installation.value, install_schedule=document)
            )
            await _tell(
                uow, principal, row, "InstallTimesChanged",
                installation=times.installation.value, schedule=document,
            )  # fmt: skip
            await self._plan(uow, principal, certificate_id)

    async def add(
        self,
        principal: Principal,
        certificate_id: int,
        targets: Sequence[TargetNode],
        *,
        times: Times | None = None,
    ) -> None:
        """Add nodes to install on. A certificate whose key the PKS keeps becomes an installed one.

        ``times`` None: as it is for the nodes that there are, else triggered by hand. An item that was
        Invalid or Failed begins anew.

        Raises:
            CertificateNotFound, RequestRefused: as :meth:`set_times`; also a node that can't be used.
            NotForInstallation: its key is with none of the agents, or its life is over.
        """
        if times is not None:
            _check_times(times)
        async with self._db.write() as uow:
            row = await _open_row(uow, principal, certificate_id)
            if row.key_agent_id is None:
                raise NotForInstallation("no agent keeps the key: upload it to a private key store first")
            await self._check_targets(uow, row, targets)
            await _store_items(uow, row, targets)
            installation = times.installation.value if times else row.installation
            values = {
                "method": Method.AUTO_INSTALL.value,
                "installation": installation or Installation.TRIGGERED.value,
            }
            if times is not None:
                values["install_schedule"] = schedule_document(times.schedule)  # type: ignore[assignment]
            await uow.session.execute(
                update(Certificate).where(Certificate.id == certificate_id).values(**values)
            )
            await _tell(uow, principal, row, "InstallItemsAdded", targets=[_named(each) for each in targets])
            await self._plan(uow, principal, certificate_id)

    async def remove(self, principal: Principal, certificate_id: int, item_id: int) -> None:
        """Take a node out; what is installed there stays there.

        Raises:
            CertificateNotFound, ItemNotFound: there is none of this id in the caller's scope.
            CertificateAtWork: the agent is installing just now.
        """
        async with self._db.write() as uow:
            row = await _row(uow, principal, certificate_id)
            found = await uow.session.execute(
                delete(InstallItem)
                .where(InstallItem.id == item_id, InstallItem.certificate_id == certificate_id)
                .returning(InstallItem.agent_id, InstallItem.server, InstallItem.node_id)
            )
            gone = found.one_or_none()
            if gone is None:
                raise ItemNotFound(f"there is no item {item_id} of this certificate")
            if await dispatch.is_running(uow, certificate_id, kinds=(KIND,), agent_id=gone.agent_id):
                raise CertificateAtWork("the agent is installing just now: wait for its answer")
            await _tell(
                uow, principal, row, "InstallItemRemoved",
                agent_id=gone.agent_id, server=gone.server, node_id=gone.node_id,
            )  # fmt: skip
            if gone.agent_id not in await item_agents(uow, certificate_id):
                await _drop_steps(uow, certificate_id, agent_id=gone.agent_id)
            await self._after_removal(uow, principal, certificate_id)

    async def _after_removal(self, uow: UnitOfWork, principal: Principal, certificate_id: int) -> None:
        if await item_agents(uow, certificate_id):
            await conclude_installation(uow, certificate_id)
            return
        await _move(uow, principal, certificate_id, InstallEvent.CANCEL)

    async def _plan(self, uow: UnitOfWork, principal: Principal, certificate_id: int) -> None:
        """Bring the installation's state and steps in line with its times."""
        row = await read_order(uow.session, certificate_id)
        if row is None or row.install_state == InstallState.STARTED:
            # What is under way goes on; its steps ask for the times themselves.
            await _look_again(uow, certificate_id)
            return
        if row.installation not in BY_ITSELF:
            await _drop_steps(uow, certificate_id)
            await _move(uow, principal, certificate_id, InstallEvent.CANCEL)
            return
        if await _all_installed(uow, certificate_id):
            return
        await _move(uow, principal, certificate_id, InstallEvent.SCHEDULE)
        if row.status in _LIVE:
            agents = await item_agents(uow, certificate_id)
            await step_queue.schedule(uow, await install_steps(uow, row, agents))

    async def _check_targets(self, uow: UnitOfWork, row: OrderRow, targets: Sequence[TargetNode]) -> None:
        findings: list[FieldFinding] = []
        for target in dict.fromkeys(targets):
            finding = await self._target_fault(uow, row, target)
            if finding is not None:
                findings.append(finding)
        if not targets:
            findings.append(FieldFinding(_TARGETS, "TargetsMissing", "choose at least one node"))
        if findings:
            raise RequestRefused(tuple(dict.fromkeys(findings)))

    async def _target_fault(self, uow: UnitOfWork, row: OrderRow, target: TargetNode) -> FieldFinding | None:
        agent = await self._agent(uow, row, target.agent_id)
        if agent is None:
            return FieldFinding(_TARGETS, "AgentUnknown", "the organization has no such agent")
        if agent.kind != "network" or agent.status != "active":
            message = (
                f"{agent.name} is a {agent.kind} agent and {agent.status}: an active network agent is needed"
            )
            return FieldFinding(_TARGETS, "AgentOfOtherKind", message)
        if row.key_location == KeyLocation.TARGET and agent.id != row.key_agent_id:
            message = (
                "the key was made on another target and stays there: several agents need a key in a store"
            )
            return FieldFinding(_TARGETS, "KeyAtOtherAgent", message)
        where = f"{target.server} {target.node_id}"
        node = await self._rooms.fleet.find_node(uow.session, target.agent_id, target.server, target.node_id)
        if node is None or node.lost:
            return FieldFinding(_TARGETS, "NodeUnknown", f"{where}: the agent's inventory has no such node")
        if not node.node.manageable:
            problem = node.node.problem or "no reason given"
            return FieldFinding(_TARGETS, "NodeNotManageable", f"{where} can't be managed: {problem}")
        return None

    async def _agent(self, uow: UnitOfWork, row: OrderRow, agent_id: str) -> AgentRecord | None:
        try:
            agent = await self._rooms.fleet.agent(uow.session, agent_id)
        except NotFound:
            return None
        # An agent of another organization is as unknown here as one that does not exist.
        return agent if agent.organization_id in {None, row.organization_id} else None


def _check_times(times: Times) -> None:
    if times.installation is not Installation.SCHEDULED:
        return
    if times.schedule is None:
        raise RequestRefused((FieldFinding(FIELD, "ScheduleMissing", "say when it may be installed"),))
    faults = schedule_faults(times.schedule)
    if faults:
        raise RequestRefused(tuple(FieldFinding(FIELD, fault.reason, fault.message) for fault in faults))


async def _row(uow: UnitOfWork, principal: Principal, certificate_id: int) -> OrderRow:
    row = await read_order(uow.session, certificate_id)
    if row is None or not may_act(principal, row.organization_id, row.department_id):
        raise CertificateNotFound(f"there is no certificate {certificate_id}")
    return row


async def _open_row(uow: UnitOfWork, principal: Principal, certificate_id: int) -> OrderRow:
    row = await _row(uow, principal, certificate_id)
    if row.status not in _OPEN:
        raise NotForInstallation(f"the certificate is {row.status}: it is not installed any more")
    return row


async def _store_items(uow: UnitOfWork, row: OrderRow, targets: Sequence[TargetNode]) -> None:
    stored_at = await _agents_with_certificate(uow, row.id)
    for target in dict.fromkeys(targets):
        place = (
            InstallItem.certificate_id == row.id,
            InstallItem.agent_id == target.agent_id,
            InstallItem.server == target.server,
            InstallItem.node_id == target.node_id,
        )
        status = ItemStatus.NOT_STARTED
        if target.agent_id in stored_at:
            status = ItemStatus.CERTIFICATE_SAVED
        elif row.key_location == KeyLocation.TARGET and row.csr is not None:
            status = ItemStatus.PRIVATE_KEY_SAVED
        fresh = {"status": status.value, "reason": "", "message": "", "updated_at": uow.now}
        known = await uow.session.execute(select(InstallItem.status).where(*place))
        before = known.scalar_one_or_none()
        if before is None:
            await uow.session.execute(
                insert(InstallItem).values(
                    certificate_id=row.id,
                    agent_id=target.agent_id,
                    server=target.server,
                    node_id=target.node_id,
                    steps=[],
                    **fresh,
                )
            )
        elif before in {ItemStatus.INVALID, ItemStatus.FAILED}:
            await uow.session.execute(update(InstallItem).where(*place).values(**fresh))


async def _agents_with_certificate(uow: UnitOfWork, certificate_id: int) -> set[str]:
    found = await uow.session.execute(
        select(CertificateLocation.agent_id).where(
            CertificateLocation.certificate_id == certificate_id,
            CertificateLocation.kind == "network_agent",
            CertificateLocation.present,
        )
    )
    return set(found.scalars())


async def _all_installed(uow: UnitOfWork, certificate_id: int) -> bool:
    statuses = await uow.session.execute(
        select(InstallItem.status).where(InstallItem.certificate_id == certificate_id)
    )
    return set(statuses.scalars()) <= {ItemStatus.INSTALLED}


async def _drop_steps(uow: UnitOfWork, certificate_id: int, *, agent_id: str = "") -> None:
    statement = delete(LifecycleStep).where(
        LifecycleStep.certificate_id == certificate_id, LifecycleStep.name == step_queue.INSTALL
    )
    if agent_id:
        statement = statement.where(LifecycleStep.agent_id == agent_id)
    await uow.session.execute(statement)


async def _look_again(uow: UnitOfWork, certificate_id: int) -> None:
    await uow.session.execute(
        update(LifecycleStep)
        .where(LifecycleStep.certificate_id == certificate_id, LifecycleStep.name == step_queue.INSTALL)
        .values(due_at=uow.now, payload=None)
    )
    uow.notify(step_queue.CHANNEL)


async def _move(uow: UnitOfWork, principal: Principal, certificate_id: int, event: InstallEvent) -> None:
    head = await head_of(uow.session, certificate_id)
    if (InstallState(head.install_state), event) in INSTALL:
        await install_transition(uow, certificate_id, event, Change(principal=principal))


async def _tell(uow: UnitOfWork, principal: Principal, row: OrderRow, kind: str, **details: object) -> None:
    head = await head_of(uow.session, row.id)
    uow.emit(event_of(head, kind, **details))
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type=OBJECT_TYPE,
        object_id=str(row.id),
        organization_id=head.organization_id,
        department_id=head.department_id,
        certificate_type=head.type,
        details=details,
    )


def _named(target: TargetNode) -> str:
    return f"{target.agent_id} {target.server} {target.node_id}"
