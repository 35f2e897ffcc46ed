"""The command Restart Server: what was deployed becomes what is served, or it is said why not.

The configuration is checked first, with every certificate and key of the server: a restart ends what runs, so
a server that would not come up again is left alone. Afterwards complete handshakes decide. A server that is
down is started once more; what was deployed is not taken back, since its files have been the agreed state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from agents.network.installers.contract import CanRestart, ServerInstaller
from agents.network.installers.server_lock import server_lock
from agents.network.server_inventory import definitions_of, node_ports
from agents.network.servers.errors import ServerError
from agents.network.servers.model import Node, ServerDefinition
from agents.network.verify import Endpoint, Expectation, Mismatch, PortClosedError, await_served, mismatches
from agents.runtime.commands import InstallOutcome, RestartServer, ServerRestarted
from agents.runtime.errors import CommandFailed
from agents.runtime.handlers import CommandContext, Tools

LOCK_S = 60.0
VERIFY_S = 30.0


class RestartServerHandler:
    """Restarts one server and says what its nodes serve."""

    def __init__(
        self,
        tools: Tools,
        installers: Mapping[str, ServerInstaller],
        *,
        after_restart: Callable[[], None],
        verify_s: float = VERIFY_S,
    ) -> None:
        self._tools = tools
        self._installers = installers
        self._after_restart = after_restart
        self._verify_s = verify_s

    async def run(self, body: RestartServer, context: CommandContext) -> ServerRestarted:
        """Restart; an outcome a node. Raises CommandFailed when nothing was restarted."""
        work = asyncio.create_task(self._restart(body, context))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # Half restarted is down: it is seen through, and the answer is that it was given up.
            await asyncio.wait({work})
            raise

    async def recover(self, body: RestartServer, context: CommandContext) -> ServerRestarted:
        """Look whether it is served by now, and restart if it is not."""
        return await self.run(body, context)

    async def _restart(self, body: RestartServer, context: CommandContext) -> ServerRestarted:
        server = await self._server(body.server)
        installer = self._installers.get(server.kind)
        if not isinstance(installer, CanRestart):
            raise CommandFailed(
                "RestartNotSupported", f"servers of kind {server.kind} are not restarted here"
            )
        try:
            async with server_lock(server.config, timeout_s=LOCK_S):
                job = await _job(body, server, installer)
                wrong = await mismatches(job.endpoints, job.expected)
                if wrong:
                    context.progress(-1, f"restarting {server.name}")
                    wrong = await self._see_through(job, installer)
        except ServerError as fault:
            message = "\n".join(filter(None, (str(fault), fault.words)))
            raise CommandFailed(fault.code, message) from fault
        finally:
            self._after_restart()
        return ServerRestarted(outcomes=job.outcomes(wrong))

    async def _see_through(self, job: _Job, installer: CanRestart) -> tuple[Mismatch, ...]:
        trouble = await _attempt(installer.restart(job.server))
        wrong = await await_served(job.endpoints, job.expected, deadline_s=self._verify_s)
        if any(each.reason == PortClosedError.code for each in wrong):
            trouble = await _attempt(installer.start(job.server)) or trouble
            wrong = await await_served(job.endpoints, job.expected, deadline_s=self._verify_s)
        return tuple(
            replace(each, message=f"{each.message}; {trouble}" if trouble else each.message) for each in wrong
        )

    async def _server(self, name: str) -> ServerDefinition:
        for server in await asyncio.to_thread(definitions_of, self._tools.state_dir):
            if server.name == name:
                return server
        raise CommandFailed("ServerNotFound", f"this agent has no server {name[:100]}")


@dataclass(frozen=True, slots=True)
class _Job:
    """A server with the nodes that are looked at; ``nodes`` has None for one that is gone."""

    server: ServerDefinition
    nodes: Mapping[str, Node | None]
    expected: Expectation

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(
            dict.fromkeys(
                endpoint for node in self.nodes.values() if node is not None for endpoint in _endpoints(node)
            )
        )

    def outcomes(self, wrong: tuple[Mismatch, ...]) -> tuple[InstallOutcome, ...]:
        by_endpoint = {each.endpoint: each for each in wrong}
        return tuple(self._outcome(node_id, node, by_endpoint) for node_id, node in self.nodes.items())

    def _outcome(self, node_id: str, node: Node | None, wrong: Mapping[Endpoint, Mismatch]) -> InstallOutcome:
        if node is None:
            return InstallOutcome(
                server=self.server.name,
                node_id=node_id,
                status="failed",
                reason="NodeNotFound",
                message=f"{self.server.name} has no node {node_id}",
            )
        found = [wrong[endpoint] for endpoint in _endpoints(node) if endpoint in wrong]
        good = not found and bool(node.tls_ports)
        ports = (
            tuple(replace(port, served=self.expected.fingerprint) for port in node.tls_ports) if good else ()
        )
        return InstallOutcome(
            server=self.server.name,
            node_id=node_id,
            status="installed" if good else "failed",
            reason="" if good else found[0].reason if found else "NodeNotReachable",
            message="; ".join(each.message for each in found),
            served=node_ports(ports),
        )


async def _job(body: RestartServer, server: ServerDefinition, installer: ServerInstaller) -> _Job:
    await installer.check(server)
    inventory = await installer.discover(server)
    nodes = {node_id: inventory.node(node_id) for node_id in body.node_ids}
    return _Job(server, nodes, Expectation(body.certificate_sha256.hex()))


def _endpoints(node: Node) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(port.host, port.port, node.server_name) for port in node.tls_ports)


async def _attempt(action: Awaitable[None]) -> str:
    """Keep the trouble as words: handshakes decide whether it mattered."""
    try:
        await action
    except ServerError as fault:
        return f"{fault} {fault.words}".strip()
    return ""
