"""The servers of this host as the hub sees them, and the command Discover Servers."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from agents.network.servers import model
from agents.network.servers.definitions import load_definitions
from agents.network.servers.errors import ServerError
from agents.network.servers.inventory import CanDiscover, ServerReport, take_inventory
from agents.runtime.commands import DiscoverServers, NodePort, Server, ServerInventory, ServerNode
from agents.runtime.errors import CommandFailed
from agents.runtime.handlers import CommandContext
from agents.runtime.policy import Policy


def definitions_of(state_dir: Path) -> tuple[model.ServerDefinition, ...]:
    """The servers of this host; raises CommandFailed when `servers.toml` can't be read."""
    try:
        return load_definitions(state_dir)
    except ServerError as fault:
        raise CommandFailed(fault.code, str(fault)) from fault


class InventoryTaker:
    """Reads all servers, and says of each node whether the local policy lets it be managed."""

    def __init__(
        self, state_dir: Path, readers: Mapping[str, CanDiscover], policy: Callable[[], Policy]
    ) -> None:
        self._state_dir = state_dir
        self._readers = readers
        self._policy = policy

    async def take(self) -> ServerInventory:
        """Look at everything. Raises CommandFailed or PolicyMalformed."""
        definitions = await asyncio.to_thread(definitions_of, self._state_dir)
        reports = await take_inventory(definitions, self._readers)
        policy = self._policy()
        return ServerInventory(servers=tuple(_server(report, policy) for report in reports))


class DiscoverServersHandler:
    """Answers with the inventory."""

    def __init__(self, inventory: InventoryTaker) -> None:
        self._inventory = inventory

    async def run(self, body: DiscoverServers, context: CommandContext) -> ServerInventory:
        """Look at everything."""
        del body, context
        return await self._inventory.take()

    async def recover(self, body: DiscoverServers, context: CommandContext) -> ServerInventory:
        """Look again."""
        return await self.run(body, context)


def _server(report: ServerReport, policy: Policy) -> Server:
    managed = policy.may_manage(report.server.name)
    return Server(
        name=report.server.name,
        kind=report.server.kind,
        version=report.version,
        nodes=tuple(_node(node, policy, managed=managed) for node in report.nodes),
        problem=f"{report.problem}: {report.message}" if report.problem else "",
    )


def _node(node: model.Node, policy: Policy, *, managed: bool) -> ServerNode:
    problem = "" if node.management.manageable else f"{node.management.reason}: {node.management.message}"
    if not problem:
        problem = _against_policy(node, policy, managed=managed)
    return ServerNode(
        id=node.id,
        names=node.names,
        ports=node_ports(node.ports),
        certificate_path=str(node.files.certificate) if node.files else "",
        key_path=str(node.files.key) if node.files else "",
        location=node.source,
        manageable=not problem,
        problem=problem,
    )


def _against_policy(node: model.Node, policy: Policy, *, managed: bool) -> str:
    if not managed:
        return "ServerNotAllowed: the local policy does not allow installing on this server"
    for path in node.files.paths() if node.files else ():
        if not policy.may_write(path):
            return f"PathNotAllowed: the local policy does not allow writing {path}"
    return ""


def node_ports(ports: Iterable[model.Port]) -> tuple[NodePort, ...]:
    """Ports with what they serve, as the protocol has them."""
    return tuple(
        NodePort(
            address=port.address,
            port=port.port,
            protocol="https" if port.tls else "http",
            certificate_sha256=bytes.fromhex(port.served) if port.served else b"",
        )
        for port in ports
    )
