"""What the fleet's routes take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

AgentKind = Literal["network", "pks", "msad"]
AgentStatus = Literal["active", "removed"]
CommandStateName = Literal[
    "queued", "dispatched", "accepted", "cancelling", "successful", "failed", "cancelled", "expired"
]
TokenStatus = Literal["open", "used", "expired", "revoked"]


class AgentRow(BaseModel):
    """One agent."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    kind: AgentKind
    organization_id: int | None = Field(description="Null: the agent serves all organizations.")
    status: AgentStatus
    connected: bool
    version: str
    hostname: str
    platform: str
    last_seen_at: datetime | None
    connected_at: datetime | None
    enrolled_at: datetime
    certificate_not_after: datetime = Field(description="Renewed by itself while the agent is connected.")


class AgentDetail(AgentRow):
    """One agent with what it can do and how it is known."""

    capabilities: list[str]
    receiver_key_sha256: str = Field(description="Fingerprint of the key that others seal keys to.")
    certificate_serial: str
    certificate_sha256: str
    removed_at: datetime | None


class AgentChange(BaseModel):
    """What may be changed of an agent."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)


class CommandRow(BaseModel):
    """One command."""

    id: str
    agent_id: str
    agent_name: str
    kind: str
    state: CommandStateName
    state_name: str = Field(description="The state as it is shown to people.")
    subject_type: str
    subject_id: str
    organization_id: int | None
    requested_by: str
    created_at: datetime
    finished_at: datetime | None
    deadline: datetime
    attempt: int
    progress_share: float = Field(description="0 to 1; -1 where it can't be told.")
    progress_message: str
    failure_reason: str


class TimelineEntry(BaseModel):
    """Something that happened to a command, or is going to."""

    at: datetime
    what: Literal["queued", "sent", "accepted", "cancel_requested", "next_attempt", "finished", "deadline"]


class CommandDetail(CommandRow):
    """One command with all that is known about it."""

    max_attempts: int
    body: dict[str, Any] = Field(description="What was asked; no key material.")
    result: dict[str, Any] | None
    failure_message: str
    failure_retryable: bool
    retry_of: str | None = Field(description="Command that this one repeats.")
    outcome_state: Literal["", "pending", "done", "failed"] = Field(
        description="Whether the hub has acted on the end: `pending` it will try again, `failed` it gave up."
    )
    outcome_error: str
    timeline: list[TimelineEntry]


class CommandRef(BaseModel):
    """A command that was queued."""

    command_id: str


class PortRow(BaseModel):
    """A port of a node."""

    address: str
    port: int
    protocol: str
    certificate_sha256: str
    last_seen_at: datetime
    lost_at: datetime | None


class NodeRow(BaseModel):
    """A virtual host, server block, connector or site."""

    node_id: str
    names: list[str]
    certificate_path: str
    key_path: str
    location: str
    manageable: bool
    problem: str
    first_seen_at: datetime
    last_seen_at: datetime
    lost_at: datetime | None
    ports: list[PortRow]


class ServerRow(BaseModel):
    """A server that an agent may manage."""

    name: str
    kind: str
    version: str
    problem: str
    first_seen_at: datetime
    last_seen_at: datetime
    lost_at: datetime | None = Field(description="When the agent first no longer reported it.")
    nodes: list[NodeRow]


class ServerTree(BaseModel):
    """The servers of one agent."""

    servers: list[ServerRow]


class TokenRow(BaseModel):
    """One enrollment token; its secret was shown once."""

    id: str
    status: TokenStatus
    kinds: list[str]
    organization_id: int | None
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_by: str | None = Field(description="Id of the agent that it enrolled.")
    revoked_at: datetime | None


class TokenCreate(BaseModel):
    """A new enrollment token."""

    model_config = ConfigDict(extra="forbid")

    kinds: list[AgentKind] = Field(min_length=1, max_length=3)
    organization_id: int | None = Field(
        default=None, description="Organization of the agent; null: it serves all, which takes an MRAO."
    )
    lifetime_hours: int = Field(default=24, ge=1, le=24 * 365)


class TokenCreated(BaseModel):
    """The token: shown now and never again."""

    id: str
    token: str
