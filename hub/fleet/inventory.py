"""What agents say about their servers: servers, nodes and ports; what is gone is marked lost, not deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.fleet.commands import (
    CertificateInstalled,
    FinishedCommand,
    NodePort,
    NodeRecord,
    Server,
    ServerInventory,
    ServerNode,
    ServerRestarted,
)
from hub.fleet.models import Agent, AgentNode, AgentPort, AgentServer

_MAX_SERVERS, _MAX_NODES, _MAX_PORTS = 200, 2000, 64


@dataclass(frozen=True, slots=True)
class InventoryReport:
    """An agent lists its servers, unasked."""

    agent_id: str
    inventory: ServerInventory = field(repr=False)

    def answer_type(self) -> None:
        """Nothing."""


async def reported(uow: UnitOfWork, reports: Sequence[InventoryReport]) -> list[None]:
    """Store inventories as they come."""
    for report in reports:
        await store_inventory(uow, report.agent_id, report.inventory)
    return [None] * len(reports)


async def store_inventory(uow: UnitOfWork, agent_id: str, inventory: ServerInventory) -> None:
    """Bring the tables to what ``inventory`` says."""
    seen = []
    for server in inventory.servers[:_MAX_SERVERS]:
        server_id = await _put_server(uow, agent_id, server)
        seen.append(server_id)
        # A server that can't be read now has not lost its nodes.
        if not server.problem or server.nodes:
            await _put_nodes(uow, server_id, server.nodes[:_MAX_NODES])
    gone = update(AgentServer).where(AgentServer.agent_id == agent_id, AgentServer.lost_at.is_(None))
    await uow.session.execute(gone.where(AgentServer.id.not_in(seen)).values(lost_at=uow.now))
    organization_id = (
        await uow.session.execute(select(Agent.organization_id).where(Agent.id == agent_id))
    ).scalar_one_or_none()
    uow.emit(
        Event(
            kind="AgentServersDiscovered",
            object_type="agent",
            object_id=agent_id,
            organization_id=organization_id,
            data={"servers": len(inventory.servers)},
        )
    )


async def _put_server(uow: UnitOfWork, agent_id: str, server: Server) -> int:
    columns = {
        "kind": server.kind[:32],
        "version": server.version[:64],
        "problem": server.problem,
        "last_seen_at": uow.now,
        "lost_at": None,
    }
    statement = (
        insert_for(uow.session, AgentServer)
        .values(agent_id=agent_id, name=server.name[:200], first_seen_at=uow.now, **columns)
        .on_conflict_do_update(index_elements=["agent_id", "name"], set_=columns)
        .returning(AgentServer.id)
    )
    server_id: int = (await uow.session.execute(statement)).scalar_one()
    return server_id


async def _put_nodes(uow: UnitOfWork, server_id: int, nodes: Iterable[ServerNode]) -> None:
    seen = []
    for node in nodes:
        columns = {
            "names": list(node.names),
            "certificate_path": node.certificate_path,
            "key_path": node.key_path,
            "location": node.location,
            "manageable": node.manageable,
            "problem": node.problem,
            "last_seen_at": uow.now,
            "lost_at": None,
        }
        statement = (
            insert_for(uow.session, AgentNode)
            .values(server_id=server_id, node_id=node.id[:255], first_seen_at=uow.now, **columns)
            .on_conflict_do_update(index_elements=["server_id", "node_id"], set_=columns)
            .returning(AgentNode.id)
        )
        row_id: int = (await uow.session.execute(statement)).scalar_one()
        seen.append(row_id)
        ports = await _put_ports(uow, row_id, node.ports[:_MAX_PORTS])
        closed = update(AgentPort).where(AgentPort.node_id == row_id, AgentPort.lost_at.is_(None))
        await uow.session.execute(closed.where(AgentPort.id.not_in(ports)).values(lost_at=uow.now))
    gone = update(AgentNode).where(AgentNode.server_id == server_id, AgentNode.lost_at.is_(None))
    await uow.session.execute(gone.where(AgentNode.id.not_in(seen)).values(lost_at=uow.now))


async def _put_ports(uow: UnitOfWork, node_row_id: int, ports: Iterable[NodePort]) -> list[int]:
    seen = []
    for port in ports:
        columns = {
            "protocol": port.protocol[:16],
            "certificate_sha256": port.certificate_sha256.hex()[:64],
            "last_seen_at": uow.now,
            "lost_at": None,
        }
        statement = (
            insert_for(uow.session, AgentPort)
            .values(node_id=node_row_id, address=port.address[:64], port=min(port.port, 65535), **columns)
            .on_conflict_do_update(index_elements=["node_id", "address", "port"], set_=columns)
            .returning(AgentPort.id)
        )
        seen.append((await uow.session.execute(statement)).scalar_one())
    return seen


async def take_inventory(uow: UnitOfWork, command: FinishedCommand) -> None:
    """Outcome handler of DiscoverServers."""
    if isinstance(command.result, ServerInventory):
        await store_inventory(uow, command.agent_id, command.result)


async def take_served(uow: UnitOfWork, command: FinishedCommand) -> None:
    """Outcome handler of InstallCertificate and RestartServer: record what the ports served afterwards."""
    if isinstance(command.result, CertificateInstalled | ServerRestarted):
        for outcome in command.result.outcomes:
            row = await _node_row(uow.session, command.agent_id, outcome.server, outcome.node_id)
            if row is not None:
                await _put_ports(uow, row[0].id, outcome.served[:_MAX_PORTS])


async def _node_row(
    session: AsyncSession, agent_id: str, server: str, node_id: str
) -> tuple[AgentNode, AgentServer] | None:
    statement = (
        select(AgentNode, AgentServer)
        .join(AgentServer, AgentNode.server_id == AgentServer.id)
        .where(AgentServer.agent_id == agent_id, AgentServer.name == server, AgentNode.node_id == node_id)
    )
    found = (await session.execute(statement)).first()
    return (found[0], found[1]) if found else None


async def find_node(session: AsyncSession, agent_id: str, server: str, node_id: str) -> NodeRecord | None:
    """Return a node as the last inventory has it; None where the agent never reported it."""
    found = await _node_row(session, agent_id, server, node_id)
    if found is None:
        return None
    node, its_server = found
    ports = await session.execute(
        select(AgentPort)
        .where(AgentPort.node_id == node.id, AgentPort.lost_at.is_(None))
        .order_by(AgentPort.port, AgentPort.address)
    )
    return NodeRecord(
        agent_id=agent_id,
        server=its_server.name,
        server_kind=its_server.kind,
        node=ServerNode(
            id=node.node_id,
            names=tuple(node.names),
            ports=tuple(_port(row) for row in ports.scalars()),
            certificate_path=node.certificate_path,
            key_path=node.key_path,
            location=node.location,
            manageable=node.manageable,
            problem=node.problem,
        ),
        lost=node.lost_at is not None or its_server.lost_at is not None,
    )


def _port(row: AgentPort) -> NodePort:
    return NodePort(
        address=row.address,
        port=row.port,
        protocol=row.protocol,
        certificate_sha256=bytes.fromhex(row.certificate_sha256),
    )


@dataclass(frozen=True, slots=True)
class InventoryRows:
    """All stored rows of one agent, lost ones included."""

    servers: list[AgentServer]
    nodes: list[AgentNode]
    ports: list[AgentPort]


async def inventory_rows(session: AsyncSession, agent_id: str) -> InventoryRows:
    """Return what is stored about the servers of an agent."""
    servers = list(
        (
            await session.execute(
                select(AgentServer).where(AgentServer.agent_id == agent_id).order_by(AgentServer.name)
            )
        ).scalars()
    )
    of_servers = AgentNode.server_id.in_([server.id for server in servers])
    nodes = list(
        (await session.execute(select(AgentNode).where(of_servers).order_by(AgentNode.node_id))).scalars()
    )
    ports = list(
        (
            await session.execute(
                select(AgentPort)
                .join(AgentNode, AgentPort.node_id == AgentNode.id)
                .where(of_servers)
                .order_by(AgentPort.port, AgentPort.address)
            )
        ).scalars()
    )
    return InventoryRows(servers, nodes, ports)
