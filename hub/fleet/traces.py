"""What administrators do to the fleet, as outbox events and as entries of the audit log."""

from __future__ import annotations

from hub.access import audit
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.fleet.command_rows import CommandRow
from hub.fleet.commands import AgentRecord
from hub.http.principal import Principal


def agent_event(kind: str, agent: AgentRecord, **data: str) -> Event:
    """Return an event about an agent."""
    return Event(
        kind=kind,
        object_type="agent",
        object_id=agent.id,
        organization_id=agent.organization_id,
        data={"name": agent.name, **data},
    )


async def audit_agent(
    uow: UnitOfWork, principal: Principal, action: str, agent: AgentRecord, **details: str
) -> None:
    """Record what somebody did to an agent."""
    await audit.record(
        uow,
        principal=principal,
        action=action,
        object_type="agent",
        object_id=agent.id,
        organization_id=agent.organization_id,
        details=details,
    )


async def audit_token(
    uow: UnitOfWork, principal: Principal, action: str, token: tuple[str, int | None], **details: object
) -> None:
    """Record what somebody did to a token, given by its id and organization."""
    await audit.record(
        uow,
        principal=principal,
        action=action,
        object_type="enrollment_token",
        object_id=token[0],
        organization_id=token[1],
        details=details,
    )


async def audit_command(uow: UnitOfWork, principal: Principal, action: str, row: CommandRow) -> None:
    """Record what somebody did to a command."""
    await audit.record(
        uow,
        principal=principal,
        action=action,
        object_type="command",
        object_id=row.id,
        organization_id=row.organization_id,
        details={"kind": row.kind, "agent_id": row.agent_id},
    )


def token_event(kind: str, token_id: str, organization_id: int | None, **data: object) -> Event:
    """Return an event about an enrollment token."""
    return Event(
        kind=kind,
        object_type="enrollment_token",
        object_id=token_id,
        organization_id=organization_id,
        data=data,
    )
