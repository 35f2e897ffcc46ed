"""The nodes of every server of this agent, with what each port really serves.

This is what the hub shows as server nodes. A server that can't be read is reported with its problem; it
hides none of the others.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from agents.network.servers.errors import ServerError
from agents.network.verify import HandshakeError, served_certificate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agents.network.servers.model import Inventory, Node, Port, ServerDefinition

OBSERVE_TIMEOUT_S = 3.0
_HANDSHAKES_AT_ONCE = 16


class CanDiscover(Protocol):
    """What reads one kind of server; every installer does."""

    async def discover(self, server: ServerDefinition) -> Inventory:
        """All nodes as configured; raises ServerError."""
        ...


@runtime_checkable
class TellsVersion(Protocol):
    """Optional: a plug-in whose server's program says which version it is."""

    async def version(self, server: ServerDefinition) -> str:
        """In the program's words, such as `nginx/1.22.1`; raises ServerError."""
        ...


@dataclass(frozen=True, slots=True)
class ServerReport:
    """One server: its nodes, or why there are none (`problem` is a stable word)."""

    server: ServerDefinition
    version: str = ""
    nodes: tuple[Node, ...] = ()
    problem: str = ""
    message: str = ""


async def take_inventory(
    servers: Sequence[ServerDefinition], readers: Mapping[str, CanDiscover]
) -> tuple[ServerReport, ...]:
    """Read every server and shake hands with each of its TLS ports."""
    return tuple([await _report(server, readers.get(server.kind)) for server in servers])


async def _report(server: ServerDefinition, reader: CanDiscover | None) -> ServerReport:
    if reader is None:
        return ServerReport(server, problem="UnknownServerKind", message=f"no plug-in for {server.kind}")
    try:
        found = await reader.discover(server)
        version = await reader.version(server) if isinstance(reader, TellsVersion) else ""
    except ServerError as error:
        message = f"{error}: {error.words}" if error.words else str(error)
        return ServerReport(server, problem=error.code, message=message)
    return ServerReport(server, version, (await observe(found)).nodes)


async def observe(inventory: Inventory, timeout_s: float = OBSERVE_TIMEOUT_S) -> Inventory:
    """The same nodes, with the certificate that each TLS port serves now."""
    gate = asyncio.Semaphore(_HANDSHAKES_AT_ONCE)

    async def look(node: Node, port: Port) -> Port:
        if not port.tls:
            return port
        async with gate:
            try:
                served = await served_certificate(port.host, port.port, node.server_name, timeout_s)
            except HandshakeError as error:
                return replace(port, served=None, problem=f"{error.code}: {error}")
        return replace(port, served=served.fingerprint, problem=None)

    nodes = []
    for node in inventory.nodes:
        ports = await asyncio.gather(*(look(node, port) for port in node.ports))
        nodes.append(replace(node, ports=tuple(ports)))
    return replace(inventory, nodes=tuple(nodes))
