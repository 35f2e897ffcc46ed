"""The contract of server installers, and the values that pass through it.

One install walks through `discover -> plan -> stage -> place -> check -> activate -> verify`, and ends with
`commit`, or from any point with `roll_back`. Only `commit` ends the checkpoint. A plug-in is one class behind
the entry point group `certwright.server_installers`; `rollout` walks it through the steps, holds the lock and
keeps the durable checkpoint, so that a plug-in needs no state of its own: everything it needs to undo its
work stands in the Plan.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from agents.network.servers.model import Inventory, Node, Port, ServerDefinition
from agents.network.verify import Endpoint, Expectation

if TYPE_CHECKING:
    from agents.network.installers.material import Material


class Purpose(StrEnum):
    """What a file holds; whatever holds a key is never readable by others."""

    CERTIFICATE = "certificate"
    CHAIN = "chain"
    PRIVATE_KEY = "private-key"
    COMBINED = "certificate-and-private-key"

    @property
    def secret(self) -> bool:
        """Whether the content includes a private key."""
        return self in {Purpose.PRIVATE_KEY, Purpose.COMBINED}


@dataclass(frozen=True, slots=True)
class Ownership:
    """User, group and permission bits of a file that will be replaced."""

    user: int
    group: int
    mode: int


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file to be replaced."""

    configured: Path
    """The name in the server's configuration."""
    target: Path
    """The file itself, after symbolic links."""
    purpose: Purpose
    ownership: Ownership
    """Of the new file: as the old one's, less what others may do with a key."""
    staged: Path
    """The new content before it takes the target's place; a dot file beside the target."""
    backup: Path
    """The old content until commit; a dot file beside the target."""

    def __str__(self) -> str:
        owner = f"{self.ownership.user}:{self.ownership.group}, mode {self.ownership.mode:04o}"
        link = f" (link to {self.target})" if self.target != self.configured else ""
        return f"{self.purpose} {self.configured}{link}, owner {owner}"


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """One certificate for one node."""

    transaction: str
    """Name of the checkpoint; the command's id, so that a repeat is recognised."""
    server: ServerDefinition
    node_id: str
    material: Material = field(repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that one install will do; shown by a dry run, kept in the checkpoint. Holds no secret."""

    transaction: str
    server: ServerDefinition
    node: Node
    affected: tuple[Node, ...]
    """Every node that is served from these files, `node` included."""
    changes: tuple[FileChange, ...]
    commands: tuple[tuple[str, ...], ...]
    """Check and reload, as they will be run."""
    expected: Expectation
    previous: Expectation
    """What must be served again after a roll back."""
    warnings: tuple[str, ...] = ()

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every address and name at which the result is verified."""
        found = (
            Endpoint(port.host, port.port, node.server_name)
            for node in self.affected
            for port in node.tls_ports
        )
        return tuple(dict.fromkeys(found))

    def lines(self) -> tuple[str, ...]:
        """The plan in words, a line a step."""
        return (
            *(f"replace {change}" for change in self.changes),
            *(f"run {shlex.join(command)}" for command in self.commands),
            *(f"verify {endpoint}" for endpoint in self.endpoints),
            *(f"note: {warning}" for warning in self.warnings),
        )


class Status(StrEnum):
    """How an install ended."""

    INSTALLED = "Installed"
    ALREADY_INSTALLED = "AlreadyInstalled"
    RESTART_REQUIRED = "RestartRequired"
    """The configuration means the new certificate; the server takes it up with its next restart."""
    REFUSED = "Refused"
    """Nothing was touched."""
    ROLLED_BACK = "RolledBack"
    """The old certificate is back and was verified."""
    ROLL_BACK_FAILED = "RollBackFailed"
    """Somebody has to look: the checkpoint and the old files are still there."""


@dataclass(frozen=True, slots=True)
class InstallOutcome:
    """The answer to an install; `reason` is empty on success, else a stable word."""

    transaction: str
    status: Status
    fingerprint: str = ""
    """Of the certificate that is served now, as far as it is known."""
    previous_fingerprint: str = ""
    reason: str = ""
    message: str = ""
    words: str = ""
    """What the server itself said, bounded."""
    ports: tuple[Port, ...] = ()
    """The node's ports with what handshakes showed in the end; empty when none were made."""

    @property
    def succeeded(self) -> bool:
        """Whether the node serves the wanted certificate."""
        return self.status in {Status.INSTALLED, Status.ALREADY_INSTALLED}


class Step(StrEnum):
    """Where an install is; reported before the step begins."""

    LOCK = "lock"
    INSPECT = "inspect"
    PLAN = "plan"
    CHECKPOINT = "checkpoint"
    STAGE = "stage"
    DEFER = "wait-for-restart"
    PLACE = "place"
    CHECK = "check"
    ACTIVATE = "activate"
    VERIFY = "verify"
    COMMIT = "commit"
    ROLL_BACK = "roll-back"


class ServerInstaller(Protocol):
    """What a plug-in does for one kind of server. Every failure is a ServerError with a stable code."""

    async def discover(self, server: ServerDefinition) -> Inventory:
        """Read all nodes; raises ConfigurationCheckFailedError when the configuration is broken already."""
        ...

    async def plan(self, request: InstallRequest, inventory: Inventory) -> Plan:
        """Decide what to write and run, without touching anything; raises RefusedError."""
        ...

    async def is_installed(self, plan: Plan, material: Material) -> bool:
        """Whether the server's configuration holds exactly this material already."""
        ...

    async def stage(self, plan: Plan, material: Material) -> None:
        """Bring the new material and a copy of the old one beside it; the server sees nothing of it."""
        ...

    async def place(self, plan: Plan) -> None:
        """Let the configuration mean the new material; the running server still uses the old one."""
        ...

    async def check(self, server: ServerDefinition) -> None:
        """Run the server's own check; raises ConfigurationCheckFailedError with its words."""
        ...

    async def activate(self, server: ServerDefinition) -> None:
        """Make the running server take its configuration up; raises ReloadFailedError or a timeout."""
        ...

    async def start(self, server: ServerDefinition) -> None:
        """Start a server that is not running any more."""
        ...

    async def roll_back(self, plan: Plan) -> None:
        """Let the configuration mean the old material again; may be repeated."""
        ...

    async def commit(self, plan: Plan) -> None:
        """Remove what `stage` kept; may be repeated."""
        ...


@runtime_checkable
class CanRestart(ServerInstaller, Protocol):
    """Optional: a server that can be ended and started anew, where a reload is not wanted or not enough."""

    async def restart(self, server: ServerDefinition) -> None:
        """Restart it; raises ReloadFailedError or a timeout. Whether it serves is found by handshakes."""
        ...


@runtime_checkable
class HasErrorLog(Protocol):
    """Optional: a server whose log tells more than its commands do."""

    async def recent_words(self, server: ServerDefinition) -> str:
        """The last lines of the server's error log."""
        ...
