"""What a kind of agent plugs into the runtime: handlers of commands, policy checks, an inventory.

A handler has one mandatory method. What it can do after a restart of the agent is said by optional
protocols; without one, a command that was running is answered with ``AgentRestarted``.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from agents.runtime.commands import CommandResult, NetworkFinds, ServerInventory
from agents.runtime.keystore import KeyStore
from agents.runtime.policy import Policy, PolicyCheck
from pki.sealing import ReceiverKey

Body = TypeVar("Body", contravariant=True)


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Where a command that was running goes on; 0 and "" for one that starts."""

    cursor: int = 0
    memo: str = ""


class CommandContext(Protocol):
    """A running command's way to the hub."""

    @property
    def command_id(self) -> str:
        """Id of the command."""
        ...

    def progress(self, share: float, message: str) -> None:
        """Tell how far it is, 0 to 1; more than some a second are dropped."""
        ...

    async def emit(self, finds: NetworkFinds, *, memo: str = "") -> None:
        """Hand over a batch; returns when it is journalled, and waits while the hub is behind."""
        ...


class Handler(Protocol[Body]):
    """Carries out one kind of command. A typed error (with a `code`) is its failure."""

    async def run(self, body: Body, context: CommandContext) -> CommandResult:
        """Do it. Cancellation must end it within a second, or as soon as what is half done is undone."""
        ...


@runtime_checkable
class Resumable(Protocol[Body]):
    """A handler that goes on from the last journalled batch."""

    async def resume(self, body: Body, context: CommandContext, point: ResumePoint) -> CommandResult:
        """Go on."""
        ...


@runtime_checkable
class Recoverable(Protocol[Body]):
    """A handler that finds out what became of its work and finishes or undoes it."""

    async def recover(self, body: Body, context: CommandContext) -> CommandResult:
        """Settle it and answer."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What the runtime gives a kind of agent to build itself from."""

    agent_id: str
    state_dir: Path
    keys: KeyStore
    receiver_key: ReceiverKey = field(repr=False)
    policy: Callable[[], Policy]
    """Reads the policy as it is now; raises PolicyMalformed."""


@dataclass(frozen=True, slots=True)
class Outfit:
    """What a kind of agent gives the runtime."""

    handlers: Mapping[str, Handler[Any]]
    """By kind of command."""
    checks: tuple[PolicyCheck, ...]
    inventory: Callable[[], Awaitable[ServerInventory]] | None = None
    """Sent after each connect; None: this kind has none."""
    close: Callable[[], Awaitable[None]] | None = None
    """Called as the last act; what is not closed then ends with the process."""


@dataclass(frozen=True, slots=True)
class AgentKind:
    """A kind of agent, before anything of it is built."""

    name: str
    commands: tuple[str, ...]
    build: Callable[[Tools, "Uplink"], Awaitable[Outfit]]


class Uplink(Protocol):
    """How a kind of agent tells the hub something unasked."""

    def send_inventory(self, inventory: ServerInventory) -> None:
        """Send the servers of this host; dropped while there is no stream, since each connect sends it."""
        ...
