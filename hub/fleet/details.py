"""Single agents, commands and server trees as the routes show them."""

from __future__ import annotations

import hashlib
from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.fleet.errors import CommandNotFound
from hub.fleet.inventory import inventory_rows
from hub.fleet.models import Agent, AgentNode, AgentPort, FleetCommand
from hub.fleet.schemas import (
    AgentDetail,
    CommandDetail,
    NodeRow,
    PortRow,
    ServerRow,
    ServerTree,
    TimelineEntry,
)
from hub.fleet.states import DISPLAY_NAMES, FINAL, CommandState
from hub.fleet.summaries import summarize
from hub.fleet.wire import body_from_bytes, result_from_bytes


def agent_detail(agent: Agent) -> AgentDetail:
    """Return an agent as the API shows it."""
    return AgentDetail(
        id=agent.id,
        name=agent.name,
        kind=agent.kind,
        organization_id=agent.organization_id,
        status=agent.status,
        connected=agent.session_id is not None,
        version=agent.version,
        hostname=agent.hostname,
        platform=agent.platform,
        last_seen_at=agent.last_seen_at,
        connected_at=agent.connected_at,
        enrolled_at=agent.enrolled_at,
        certificate_not_after=agent.certificate_not_after,
        capabilities=agent.capabilities,
        receiver_key_sha256=hashlib.sha256(agent.receiver_public_key).hexdigest(),
        certificate_serial=agent.certificate_serial,
        certificate_sha256=agent.certificate_sha256,
        removed_at=agent.removed_at,
    )


async def command_detail(session: AsyncSession, command_id: str) -> CommandDetail:
    """Return a command as the API shows it.

    Raises:
        CommandNotFound: there is none.
    """
    statement = select(FleetCommand, Agent.name).join(Agent).where(FleetCommand.id == command_id)
    found = (await session.execute(statement.execution_options(populate_existing=True))).first()
    if found is None:
        raise CommandNotFound
    row, agent_name = found[0], found[1]
    return CommandDetail(
        id=row.id,
        agent_id=row.agent_id,
        agent_name=agent_name,
        kind=row.kind,
        state=row.state,
        state_name=DISPLAY_NAMES[CommandState(row.state)],
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        organization_id=row.organization_id,
        requested_by=row.requested_by,
        created_at=row.created_at,
        finished_at=row.finished_at,
        deadline=row.deadline,
        attempt=row.attempt,
        max_attempts=row.max_attempts,
        progress_share=row.progress_share,
        progress_message=row.progress_message,
        body=summarize(body_from_bytes(row.body)),
        result=summarize(result_from_bytes(row.result)) if row.result is not None else None,
        failure_reason=row.failure_reason,
        failure_message=row.failure_message,
        failure_retryable=row.failure_retryable,
        retry_of=row.retry_of,
        outcome_state=row.outcome_state,
        outcome_error=row.outcome_error,
        timeline=_timeline(row),
    )


def _timeline(row: FleetCommand) -> list[TimelineEntry]:
    marks = [
        ("queued", row.created_at),
        ("sent", row.dispatched_at),
        ("accepted", row.accepted_at),
        ("cancel_requested", row.cancel_requested_at),
        ("next_attempt", row.next_attempt_at),
        ("finished", row.finished_at),
        ("deadline", None if CommandState(row.state) in FINAL else row.deadline),
    ]
    entries = [TimelineEntry.model_validate({"what": what, "at": at}) for what, at in marks if at is not None]
    return sorted(entries, key=lambda entry: entry.at)


async def server_tree(session: AsyncSession, agent_id: str) -> ServerTree:
    """Return the servers of an agent with their nodes and ports."""
    rows = await inventory_rows(session, agent_id)
    nodes: dict[int, list[AgentNode]] = defaultdict(list)
    ports: dict[int, list[AgentPort]] = defaultdict(list)
    for node in rows.nodes:
        nodes[node.server_id].append(node)
    for port in rows.ports:
        ports[port.node_id].append(port)
    return ServerTree(
        servers=[
            ServerRow(
                name=server.name,
                kind=server.kind,
                version=server.version,
                problem=server.problem,
                first_seen_at=server.first_seen_at,
                last_seen_at=server.last_seen_at,
                lost_at=server.lost_at,
                nodes=[_node_row(node, ports[node.id]) for node in nodes[server.id]],
            )
            for server in rows.servers
        ]
    )


def _node_row(node: AgentNode, ports: list[AgentPort]) -> NodeRow:
    return NodeRow(
        node_id=node.node_id,
        names=node.names,
        certificate_path=node.certificate_path,
        key_path=node.key_path,
        location=node.location,
        manageable=node.manageable,
        problem=node.problem,
        first_seen_at=node.first_seen_at,
        last_seen_at=node.last_seen_at,
        lost_at=node.lost_at,
        ports=[
            PortRow(
                address=port.address,
                port=port.port,
                protocol=port.protocol,
                certificate_sha256=port.certificate_sha256,
                last_seen_at=port.last_seen_at,
                lost_at=port.lost_at,
            )
            for port in ports
        ],
    )
