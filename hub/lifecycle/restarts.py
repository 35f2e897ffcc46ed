"""Restarting servers on which a certificate is deployed, so that they serve it."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import select, update

from hub.access import audit
from hub.db.uow import Database, UnitOfWork
from hub.fleet.commands import FinishedCommand, InstallOutcome, RestartServer, ServerRestarted
from hub.http.principal import Principal
from hub.lifecycle import dispatch
from hub.lifecycle.install_errors import CertificateAtWork, NothingToRestart
from hub.lifecycle.installation import RESTART_KIND, conclude_installation, record_outcome
from hub.lifecycle.key_transfers import visible_row
from hub.lifecycle.models import InstallItem
from hub.lifecycle.orders import OrderRow
from hub.lifecycle.ports import Rooms
from hub.lifecycle.states import ItemStatus
from hub.lifecycle.transitions import OBJECT_TYPE, event_of, head_of

DEADLINE_S = 900


class Restarts:
    """The button Restart, and the outcomes of its commands."""

    def __init__(self, db: Database, rooms: Rooms) -> None:
        self._db = db
        self._rooms = rooms
        rooms.fleet.on_outcome(RESTART_KIND, self.on_outcome)

    async def restart(self, principal: Principal, certificate_id: int) -> None:
        """Restart every server on which the certificate is deployed and not served yet.

        Raises:
            CertificateNotFound: there is none of this id in the caller's scope.
            NothingToRestart: no server waits for it.
            CertificateAtWork: a restart is under way.
        """
        async with self._db.write() as uow:
            row = await visible_row(uow.session, principal, certificate_id)
            servers = await _deployed(uow, certificate_id)
            if not servers or row.fingerprint_sha256 is None:
                raise NothingToRestart
            if await dispatch.is_running(uow, certificate_id, kinds=(RESTART_KIND,)):
                raise CertificateAtWork("a restart is under way")
            for (agent_id, server), node_ids in servers.items():
                body = RestartServer(
                    server=server,
                    node_ids=tuple(node_ids),
                    certificate_sha256=bytes.fromhex(row.fingerprint_sha256),
                )
                refused = await dispatch.send(
                    uow, self._rooms.fleet, row=row, agent_id=agent_id, body=body, deadline_s=DEADLINE_S
                )
                if refused is not None:
                    await _not_done(uow, row, agent_id, body, reason=refused.reason, message=refused.message)
            await _tell(uow, principal, row, servers=[" ".join(place) for place in servers])

    async def on_outcome(self, uow: UnitOfWork, finished: FinishedCommand) -> None:
        """Take what the nodes serve now; where nothing was restarted, it still waits, with the reason."""
        row = await dispatch.take_outcome(uow, finished)
        if row is None or not isinstance(finished.body, RestartServer):
            return
        if isinstance(finished.result, ServerRestarted):
            for outcome in _asked_for(finished.body, finished.result):
                await record_outcome(uow, row, finished.agent_id, outcome)
            await conclude_installation(uow, row.id)
            return
        failure = finished.failure
        await _not_done(
            uow,
            row,
            finished.agent_id,
            finished.body,
            reason=failure.reason if failure else "NoAnswer",
            message=failure.message if failure else "the agent gave no result",
        )


async def _deployed(uow: UnitOfWork, certificate_id: int) -> dict[tuple[str, str], list[str]]:
    rows = await uow.session.execute(
        select(InstallItem.agent_id, InstallItem.server, InstallItem.node_id)
        .where(
            InstallItem.certificate_id == certificate_id,
            InstallItem.status == ItemStatus.CERTIFICATE_DEPLOYED,
        )
        .order_by(InstallItem.id)
    )
    servers: dict[tuple[str, str], list[str]] = defaultdict(list)
    for agent_id, server, node_id in rows.all():
        servers[agent_id, server].append(node_id)
    return servers


def _asked_for(body: RestartServer, result: ServerRestarted) -> list[InstallOutcome]:
    return [each for each in result.outcomes if each.server == body.server and each.node_id in body.node_ids]


async def _not_done(
    uow: UnitOfWork, row: OrderRow, agent_id: str, body: RestartServer, *, reason: str, message: str
) -> None:
    await uow.session.execute(
        update(InstallItem)
        .where(
            InstallItem.certificate_id == row.id,
            InstallItem.agent_id == agent_id,
            InstallItem.server == body.server,
            InstallItem.node_id.in_(body.node_ids),
            InstallItem.status == ItemStatus.CERTIFICATE_DEPLOYED,
        )
        .values(reason=reason, message=message, updated_at=uow.now)
    )
    head = await head_of(uow.session, row.id)
    uow.emit(
        event_of(
            head, "ServerRestartFailed", agent_id=agent_id, server=body.server, reason=reason, message=message
        )
    )


async def _tell(uow: UnitOfWork, principal: Principal, row: OrderRow, *, servers: list[str]) -> None:
    head = await head_of(uow.session, row.id)
    uow.emit(event_of(head, "ServerRestartRequested", servers=servers))
    await audit.record(
        uow,
        principal=principal,
        action="ServerRestartRequested",
        object_type=OBJECT_TYPE,
        object_id=str(row.id),
        organization_id=head.organization_id,
        department_id=head.department_id,
        certificate_type=head.type,
        details={"servers": servers},
    )
