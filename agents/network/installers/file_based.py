"""What installers for servers that read certificate files have in common: everything but the server itself.

A subclass reads the configuration, checks it, reloads and starts; the files are planned, staged, placed and
brought back here.
"""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agents.network.installers import placement
from agents.network.installers.contract import Plan, Purpose
from agents.network.installers.errors import RefusedError, ReloadFailedError, TargetNotWritableError
from agents.network.installers.preflight import Facts, affected_nodes, first_finding, uncovered_names
from agents.network.servers import daemon, process
from agents.network.verify import POLL_INTERVAL_S, Expectation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agents.network.installers.contract import FileChange, InstallRequest
    from agents.network.installers.material import Material
    from agents.network.servers.model import CertificateFiles, Inventory, ServerDefinition

COMMAND_TIMEOUT_S = 30.0
TAKE_UP_S = 10.0
"""How long a large configuration may take to be read after a reload signal."""


class FileBasedInstaller(ABC):
    """Installs by replacing the files that the configuration names already."""

    def __init__(self, *, command_timeout_s: float = COMMAND_TIMEOUT_S, take_up_s: float = TAKE_UP_S) -> None:
        self._command_timeout_s = command_timeout_s
        self._take_up_s = take_up_s

    @abstractmethod
    async def discover(self, server: ServerDefinition) -> Inventory:
        """All nodes as configured."""

    @abstractmethod
    async def check(self, server: ServerDefinition) -> None:
        """The server's own check, and whatever it forgets to look at."""

    @abstractmethod
    def check_command(self, server: ServerDefinition) -> tuple[str, ...]:
        """The command line of the server's own check."""

    @abstractmethod
    def reload_command(self, server: ServerDefinition) -> tuple[str, ...]:
        """The command line that makes the running server take its configuration up."""

    @abstractmethod
    async def start(self, server: ServerDefinition) -> None:
        """Start a server that is not running any more."""

    @abstractmethod
    async def pid_file(self, server: ServerDefinition) -> Path | None:
        """Where the server keeps the number of its main process."""

    async def version(self, server: ServerDefinition) -> str:
        """What `-v` says, on whichever stream: `Apache/2.4.66 (Debian)`, `nginx/1.22.1`."""
        result = await self._run(server, (str(server.program.path), "-v"))
        found = re.search(r"version: *(.+)", result.words)
        return found[1].strip() if found else ""

    async def plan(self, request: InstallRequest, inventory: Inventory) -> Plan:
        """Judge the request and list files and commands; raises RefusedError."""
        node = inventory.node(request.node_id)
        if node is None:
            raise RefusedError("NodeNotFound", f"{request.server.name} has no node {request.node_id}")
        finding = first_finding(Facts(request.material, node, inventory, datetime.now(UTC)))
        if finding:
            raise RefusedError(finding.reason, finding.message)
        if node.files is None or node.fingerprint is None:
            raise RefusedError("CertificateUnreadable", f"{node.source} has no certificate to go back to")
        affected = affected_nodes(node, inventory)
        uncovered = uncovered_names(request.material.certificate, affected)
        return Plan(
            transaction=request.transaction,
            server=request.server,
            node=node,
            affected=affected,
            changes=_changes(node.files, request.transaction),
            commands=(self.check_command(request.server), self.reload_command(request.server)),
            expected=request.material.expectation,
            previous=Expectation(node.fingerprint),
            warnings=tuple(f"the certificate is not for {name}" for name in uncovered),
        )

    async def is_installed(self, plan: Plan, material: Material) -> bool:
        """Whether every file has its new content already."""
        wanted = _contents(plan, material)
        try:
            return all(change.target.read_bytes() == wanted[change.purpose] for change in plan.changes)
        except OSError:
            return False

    async def stage(self, plan: Plan, material: Material) -> None:
        """Write every new file beside its target and keep the old ones."""
        wanted = _contents(plan, material)

        def write() -> None:
            for change in plan.changes:
                placement.stage_file(change, wanted[change.purpose])

        await _on_disk(write)

    async def place(self, plan: Plan) -> None:
        """Swap all files."""
        await _on_disk(lambda: placement.place_files(plan.changes))

    async def activate(self, server: ServerDefinition) -> None:
        """Reload, and wait until the server has read its files: the command itself only sends a signal."""
        pid_file = await self.pid_file(server)
        main = daemon.main_process(pid_file) if pid_file else None
        before = daemon.children(main) if main else frozenset()
        result = await self._run(server, self.reload_command(server))
        if result.exit_code != 0:
            message = f"the reload command ended with {result.exit_code}"
            raise ReloadFailedError(message, words=result.words)
        if main:
            await self._taken_up(main, before)

    async def _taken_up(self, main: int, before: frozenset[int]) -> None:
        """Wait for a new child; without one it is left to the handshakes to say what happened."""
        end = asyncio.get_running_loop().time() + self._take_up_s
        while asyncio.get_running_loop().time() < end:
            now = daemon.children(main)
            if now - before or not now:
                return
            await asyncio.sleep(POLL_INTERVAL_S)

    async def roll_back(self, plan: Plan) -> None:
        """Bring the old files back."""
        await _on_disk(lambda: placement.restore_files(plan.changes))

    async def commit(self, plan: Plan) -> None:
        """Remove the old files."""
        await _on_disk(lambda: placement.discard_all(plan.changes))

    async def _run(self, server: ServerDefinition, arguments: tuple[str, ...]) -> process.CommandResult:
        return await process.run(
            arguments, timeout_s=self._command_timeout_s, environment=server.program.environment
        )


def _changes(files: CertificateFiles, transaction: str) -> tuple[FileChange, ...]:
    """Key first: should the machine stop between the renames, the certificate on disk is the old one."""
    if files.key.resolve() == files.certificate.resolve():
        wanted = [(files.certificate, Purpose.COMBINED)]
    else:
        wanted = [(files.key, Purpose.PRIVATE_KEY), (files.certificate, Purpose.CERTIFICATE)]
    if files.chain:
        wanted.append((files.chain, Purpose.CHAIN))
    return tuple(placement.plan_change(path, purpose, transaction) for path, purpose in wanted)


def _contents(plan: Plan, material: Material) -> dict[Purpose, bytes]:
    """What each kind of file holds; the chain follows the certificate unless it has a file of its own."""
    apart = any(change.purpose is Purpose.CHAIN for change in plan.changes)
    certificate = material.certificate_pem() + (b"" if apart else material.chain_pem())
    return {
        Purpose.CERTIFICATE: certificate,
        Purpose.CHAIN: material.chain_pem(),
        Purpose.PRIVATE_KEY: material.key_pem(),
        Purpose.COMBINED: certificate + material.key_pem(),
    }


async def _on_disk(work: Callable[[], None]) -> None:
    """Do file work off the event loop, with its errors made ours."""
    try:
        await asyncio.to_thread(work)
    except OSError as error:
        raise TargetNotWritableError.from_os_error(error) from error
