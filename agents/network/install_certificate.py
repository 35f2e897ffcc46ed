"""The command Install Certificate: one transaction a target, each installed and verified, or rolled back."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from agents.network.installers.contract import InstallOutcome as RolloutOutcome
from agents.network.installers.contract import InstallRequest, ServerInstaller, Status, Step
from agents.network.installers.errors import InterruptedInstallError
from agents.network.installers.material import Material
from agents.network.installers.rollout import Rollout
from agents.network.server_inventory import definitions_of, node_ports
from agents.network.servers.errors import ServerError
from agents.network.servers.model import ServerDefinition
from agents.runtime.commands import CertificateInstalled, InstallCertificate, InstallOutcome, InstallTarget
from agents.runtime.errors import CommandFailed
from agents.runtime.handlers import CommandContext, Tools
from agents.runtime.keystore import KeyMaterial
from pki.keys import encode_private_key

_STATUS = {
    Status.INSTALLED: "installed",
    Status.ALREADY_INSTALLED: "already_installed",
    Status.RESTART_REQUIRED: "restart_required",
    Status.REFUSED: "failed",
    Status.ROLLED_BACK: "failed",
    Status.ROLL_BACK_FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class Installation:
    """What installs on this host, and what an earlier process left half done."""

    installers: Mapping[str, ServerInstaller]
    recovered: dict[str, RolloutOutcome]
    """By transaction: outcomes of what `Rollout.recover` finished or undid at the start."""


class InstallCertificateHandler:
    """Installs on one target after another."""

    def __init__(
        self,
        tools: Tools,
        installation: Installation,
        *,
        after_install: Callable[[], None],
    ) -> None:
        self._tools = tools
        self._installation = installation
        self._after_install = after_install

    async def run(self, body: InstallCertificate, context: CommandContext) -> CertificateInstalled:
        """Install; an outcome a target. Raises CommandFailed when nothing can be installed at all."""
        stored = await self._tools.keys.material(body.key_id, body.certificate_sha256.hex())
        material = _material(stored)
        servers = {
            server.name: server for server in await asyncio.to_thread(definitions_of, self._tools.state_dir)
        }
        work = _Work(body, context, material, servers)
        outcomes = []
        try:
            for number, target in enumerate(body.targets):
                outcomes.append(await self._one(work, number, target))
        finally:
            if not body.dry_run:
                self._after_install()
        return CertificateInstalled(outcomes=tuple(outcomes))

    async def recover(self, body: InstallCertificate, context: CommandContext) -> CertificateInstalled:
        """Answer for an install that the agent's end interrupted.

        A target that had to be undone fails the command as something to be tried again. Otherwise what is
        left to do is done, and what was finished shows as installed already.
        """
        for number in range(len(body.targets)):
            left = self._installation.recovered.get(_transaction(context.command_id, number))
            if left is not None and left.reason == InterruptedInstallError.code:
                raise CommandFailed(
                    InterruptedInstallError.code, left.message, retryable=left.status is Status.ROLLED_BACK
                )
        return await self.run(body, context)

    async def _one(self, work: "_Work", number: int, target: InstallTarget) -> InstallOutcome:
        server = work.servers.get(target.server)
        if server is None:
            return InstallOutcome(
                server=target.server,
                node_id=target.node_id,
                status="failed",
                reason="ServerNotFound",
                message=f"this agent has no server {target.server}",
            )
        steps: list[str] = []

        def on_step(step: Step, detail: str) -> None:
            steps.append(f"{step}: {detail}")
            share = (number + min(len(steps) / len(Step), 1)) / len(work.body.targets)
            work.context.progress(share, f"{target.server}: {step}")

        transaction = _transaction(work.context.command_id, number)
        request = InstallRequest(transaction, server, target.node_id, work.material)
        rollout = Rollout(
            self._tools.state_dir, self._installation.installers, self._allowed_path(), on_step=on_step
        )
        if work.body.dry_run:
            return await _planned(rollout, request)
        outcome = await rollout.install(request)
        return InstallOutcome(
            server=target.server,
            node_id=target.node_id,
            status=_STATUS[outcome.status],
            reason=outcome.reason,
            message="\n".join(filter(None, (outcome.message, outcome.words))),
            served=node_ports(outcome.ports),
            rolled_back=outcome.status is Status.ROLLED_BACK,
            steps=tuple(steps),
        )

    def _allowed_path(self) -> Callable[[Path], bool]:
        # Read once an install: a policy edited meanwhile must not leave one half allowed.
        return self._tools.policy().may_write


@dataclass(frozen=True, slots=True)
class _Work:
    """One command's targets and what goes there."""

    body: InstallCertificate
    context: CommandContext
    material: Material
    servers: Mapping[str, ServerDefinition]


def _transaction(command_id: str, number: int) -> str:
    return f"{command_id}-{number}"


def _material(stored: KeyMaterial) -> Material:
    leaf, *issuers = stored.chain
    # Clients have the root or don't trust it; sending it only makes the handshake longer.
    chain = tuple(der for der in issuers if not _is_self_issued(der))
    try:
        return Material.from_der(leaf, chain, encode_private_key(stored.key))
    except ServerError as fault:
        raise CommandFailed(fault.code, str(fault)) from fault


def _is_self_issued(der: bytes) -> bool:
    certificate = x509.load_der_x509_certificate(der)
    return certificate.subject == certificate.issuer


async def _planned(rollout: Rollout, request: InstallRequest) -> InstallOutcome:
    try:
        plan = await rollout.plan(request)
    except ServerError as fault:
        return InstallOutcome(
            server=request.server.name,
            node_id=request.node_id,
            status="failed",
            reason=fault.code,
            message="\n".join(filter(None, (str(fault), fault.words))),
        )
    return InstallOutcome(
        server=request.server.name, node_id=request.node_id, status="planned", steps=plan.lines()
    )
