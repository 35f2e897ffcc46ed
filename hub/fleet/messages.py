"""The control stream's messages as the hub sees them; the name says who receives.

:mod:`hub.fleet.wire` turns them into protobuf messages and back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from hub.fleet.commands import CommandFailure, CommandResult, NetworkFinds, ServerInventory


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFacts:
    """What an agent says about itself."""

    kind: str
    version: str
    hostname: str
    platform: str
    capabilities: tuple[str, ...]
    receiver_public_key: bytes


# ---- enrollment


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollRequest:
    """A token's secret and a certificate request for an identity."""

    secret: str = field(repr=False)
    csr: bytes = field(repr=False)
    facts: AgentFacts
    name: str


@dataclass(frozen=True, slots=True)
class BeginRejoinRequest:
    """Asks for a challenge."""

    agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteRejoinRequest:
    """Answers a challenge with the enrolled key."""

    agent_id: str
    challenge: bytes
    signature: bytes
    facts: AgentFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollResponse:
    """An identity, and where to use it."""

    agent_id: str
    certificate: bytes = field(repr=False)
    agent_ca: bytes = field(repr=False)
    control_address: str
    enrollment_address: str
    organization: str


@dataclass(frozen=True, slots=True)
class BeginRejoinResponse:
    """A challenge, good once and until ``expires_at``."""

    challenge: bytes
    expires_at: datetime


# ---- to the hub


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentHello:
    """First message of a stream."""

    facts: AgentFacts
    running_command_ids: tuple[str, ...]
    command_credits: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Sign of life, in both directions."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The command is in the agent's journal and will be answered."""

    delivery_id: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a command is."""

    delivery_id: str
    share: float
    message: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of a result."""

    delivery_id: str
    sequence: int
    finds: NetworkFinds = field(repr=False)


@dataclass(frozen=True, slots=True)
class Done:
    """A command's end; exactly one of ``result`` and ``failure`` is set.

    ``result_bytes`` is the serialized result, stored as it came.
    """

    delivery_id: str
    result: CommandResult | None = field(repr=False)
    result_bytes: bytes | None = field(repr=False)
    failure: CommandFailure | None


@dataclass(frozen=True, slots=True)
class IdentityRequest:
    """Asks for a fresh certificate."""

    csr: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Inventory:
    """The servers of the agent's host, unasked."""

    inventory: ServerInventory


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a later protocol version; ignored, except as the first one."""


ToHub = AgentHello | Heartbeat | Accepted | Progress | Batch | Done | IdentityRequest | Inventory | Unknown


# ---- to the agent


@dataclass(frozen=True, slots=True, kw_only=True)
class HubHello:
    """First message of the hub."""

    version: str
    heartbeat_interval_s: int
    heartbeat_timeout_s: int
    now: datetime
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """A command to be signed and sent. ``body`` is a serialized envelope with nothing but its body."""

    delivery_id: str
    agent_id: str
    issued_at: datetime
    deadline: datetime
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CancelCommand:
    """Give the command up."""

    delivery_id: str


@dataclass(frozen=True, slots=True)
class BatchCommitted:
    """The batch is in the hub's database."""

    delivery_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class DoneCommitted:
    """The command's end is in the hub's database."""

    delivery_id: str


@dataclass(frozen=True, slots=True)
class RenewIdentity:
    """Ask for a fresh certificate now."""


@dataclass(frozen=True, slots=True)
class IdentityIssued:
    """A fresh certificate."""

    certificate: bytes = field(repr=False)
    agent_ca: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Configure:
    """Settings given by an administrator."""

    name: str


ToAgent = (
    HubHello
    | Heartbeat
    | Deliver
    | CancelCommand
    | BatchCommitted
    | DoneCommitted
    | RenewIdentity
    | IdentityIssued
    | Configure
)
