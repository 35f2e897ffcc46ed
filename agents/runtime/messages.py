"""The control stream's messages as the session sees them; the name says who receives.

Batches and ends of commands travel as the bytes that the journal keeps, so that a repeat after any
restart is the same to the byte.
"""

from dataclasses import dataclass, field
from datetime import datetime

from agents.runtime.commands import ServerInventory


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFacts:
    """What this agent is and can do."""

    kind: str
    version: str
    hostname: str
    platform: str
    capabilities: tuple[str, ...]
    receiver_public_key: bytes


# ---- to the hub


@dataclass(frozen=True, slots=True, kw_only=True)
class ToHubHello:
    """First message of a stream."""

    facts: AgentFacts
    running_command_ids: tuple[str, ...]
    command_credits: int


@dataclass(frozen=True, slots=True)
class ToHubHeartbeat:
    """Sign of life."""

    sent_at: datetime
    running: int


@dataclass(frozen=True, slots=True)
class ToHubAccepted:
    """The command is in the journal and will be answered."""

    command_id: str


@dataclass(frozen=True, slots=True)
class ToHubProgress:
    """How far a command is; ``share`` from 0 to 1, negative where it can't be told."""

    command_id: str
    share: float
    message: str


@dataclass(frozen=True, slots=True)
class ToHubBatch:
    """A part of a result; ``finds`` is a serialized NetworkFinds."""

    command_id: str
    sequence: int
    finds: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ToHubDone:
    """A command's end; ``done`` is a serialized CommandDone."""

    command_id: str
    done: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ToHubIdentityRequest:
    """Asks for a fresh certificate."""

    csr: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ToHubInventory:
    """The servers of this host, unasked."""

    inventory: ServerInventory


ToHub = (
    ToHubHello
    | ToHubHeartbeat
    | ToHubAccepted
    | ToHubProgress
    | ToHubBatch
    | ToHubDone
    | ToHubIdentityRequest
    | ToHubInventory
)


# ---- to the agent


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAgentHello:
    """First message of the hub."""

    version: str
    heartbeat_interval_s: float
    heartbeat_timeout_s: float
    now: datetime
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToAgentCommand:
    """A signed command, not yet verified."""

    envelope: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    signer_certificate: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ToAgentCancel:
    """Give the command up."""

    command_id: str


@dataclass(frozen=True, slots=True)
class ToAgentBatchCommitted:
    """The hub has stored a batch."""

    command_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class ToAgentDoneCommitted:
    """The hub has stored a command's end."""

    command_id: str


@dataclass(frozen=True, slots=True)
class ToAgentRenew:
    """Ask for a fresh certificate now."""


@dataclass(frozen=True, slots=True)
class ToAgentIdentity:
    """A fresh certificate."""

    certificate: bytes = field(repr=False)
    agent_ca: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ToAgentConfigure:
    """Settings given by an administrator; an interval of 0 leaves the present one."""

    name: str
    heartbeat_interval_s: float


@dataclass(frozen=True, slots=True)
class ToAgentHeartbeat:
    """Sign of life."""


@dataclass(frozen=True, slots=True)
class ToAgentUnknown:
    """A message of a later protocol; ignored, except as the first one."""


ToAgent = (
    ToAgentHello
    | ToAgentCommand
    | ToAgentCancel
    | ToAgentBatchCommitted
    | ToAgentDoneCommitted
    | ToAgentRenew
    | ToAgentIdentity
    | ToAgentConfigure
    | ToAgentHeartbeat
    | ToAgentUnknown
)
