"""Sending commands on behalf of certificates, and keeping their trail with the certificate.

The fleet repeats what may succeed when repeated; a failure that arrives here is the last word on a command.
"""

from __future__ import annotations

from sqlalchemy import insert, select, update

from hub.db.errors import Conflict, NotFound, PolicyViolation
from hub.db.uow import UnitOfWork
from hub.fleet.commands import CommandBody, FinishedCommand, kind_of
from hub.lifecycle.models import CertificateCommand
from hub.lifecycle.orders import OrderRow, read_order
from hub.lifecycle.ports import Fleet
from hub.lifecycle.transitions import OBJECT_TYPE
from pki.findings import Finding

# An agent may be away for a night; what it is asked to keep is still wanted then.
KEEPING_DEADLINE_S = 24 * 3600
# Nobody expects an installation that was asked for in the morning to happen at night.
INSTALL_DEADLINE_S = 3600


async def send(
    uow: UnitOfWork,
    fleet: Fleet,
    *,
    row: OrderRow,
    agent_id: str,
    body: CommandBody,
    deadline_s: int = KEEPING_DEADLINE_S,
) -> Finding | None:
    """Queue a command; return why the fleet does not take it, such as an agent that is gone.

    It is queued in the transaction that removes the step it comes from, so that no step sends twice.
    """
    try:
        command_id = await fleet.enqueue(
            uow,
            agent_id=agent_id,
            body=body,
            deadline_s=deadline_s,
            subject_type=OBJECT_TYPE,
            subject_id=str(row.id),
            organization_id=row.organization_id,
            requested_by=row.requester,
        )
    except (NotFound, Conflict, PolicyViolation) as fault:
        return Finding(type(fault).__name__, fault.message)
    await uow.session.execute(
        insert(CertificateCommand).values(
            command_id=command_id,
            certificate_id=row.id,
            agent_id=agent_id,
            kind=kind_of(body),
            outcome="",
            reason="",
            message="",
            created_at=uow.now,
        )
    )
    return None


async def take_outcome(uow: UnitOfWork, finished: FinishedCommand) -> OrderRow | None:
    """Note the outcome in its certificate's trail and return the certificate's row.

    None: the command was another room's, or the certificate is gone.
    """
    if finished.subject_type != OBJECT_TYPE:
        return None
    failure = finished.failure
    await uow.session.execute(
        update(CertificateCommand)
        .where(CertificateCommand.command_id == finished.id)
        .values(
            outcome="Failed" if failure else "Successful",
            reason=failure.reason if failure else "",
            message=failure.message if failure else "",
            finished_at=uow.now,
        )
    )
    return await read_order(uow.session, int(finished.subject_id))


async def is_running(
    uow: UnitOfWork, certificate_id: int, *, kinds: tuple[str, ...], agent_id: str = ""
) -> bool:
    """Tell whether a command of these kinds is on its way for the certificate (to one agent, or any)."""
    statement = select(CertificateCommand.command_id).where(
        CertificateCommand.certificate_id == certificate_id,
        CertificateCommand.kind.in_(kinds),
        CertificateCommand.outcome == "",
    )
    if agent_id:
        statement = statement.where(CertificateCommand.agent_id == agent_id)
    return (await uow.session.execute(statement.limit(1))).first() is not None
