"""Tables of the fleet: agents, their tokens, commands, servers, and the authority behind their identities.

A command is a durable row, written in the transaction of the change that caused it. ``delivery_id`` is the
command's id on the wire. It equals ``id`` for the first attempt; a later attempt gets a new one, because an
agent answers a repeated id from its journal, failures included.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base, BigId


class EnrollmentToken(Base):
    """A one-time permission to enroll an agent. The secret itself is shown once and never stored."""

    __tablename__ = "enrollment_tokens"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    secret_sha256: Mapped[str] = mapped_column(String(64))
    kinds: Mapped[list[str]]
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    created_by: Mapped[str] = mapped_column(String(128), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    # Not a foreign key: the agent's row is written after the token is spent.
    used_by: Mapped[str | None] = mapped_column(String(36))
    revoked_at: Mapped[datetime | None]


class Agent(Base):
    """An agent and what is known about it.

    ``session_id`` names the open stream and ``replica`` the hub process that holds it; both are NULL while
    there is none. A process that died leaves them behind until the sweep.
    """

    __tablename__ = "agents"
    __table_args__ = (
        Index(None, "organization_id", "name"),
        Index(None, "name"),
        Index(None, "replica"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(16))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    status: Mapped[str] = mapped_column(String(16), default="active")

    version: Mapped[str] = mapped_column(String(64), default="")
    hostname: Mapped[str] = mapped_column(String(255), default="")
    platform: Mapped[str] = mapped_column(String(64), default="")
    capabilities: Mapped[list[str]] = mapped_column(default=list)
    receiver_public_key: Mapped[bytes] = mapped_column(LargeBinary)

    # SubjectPublicKeyInfo; the previous one counts until the agent has shown that it holds the new one.
    identity_spki: Mapped[bytes] = mapped_column(LargeBinary)
    previous_spki: Mapped[bytes | None] = mapped_column(LargeBinary)
    certificate_sha256: Mapped[str] = mapped_column(String(64))
    previous_certificate_sha256: Mapped[str | None] = mapped_column(String(64))
    certificate_serial: Mapped[str] = mapped_column(String(40))
    certificate_not_after: Mapped[datetime]

    replica: Mapped[str | None] = mapped_column(String(64))
    session_id: Mapped[str | None] = mapped_column(String(36))
    connected_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    enrolled_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class FleetCommand(Base):
    """A command to one agent; see :mod:`hub.fleet.states` for its life."""

    __tablename__ = "commands"
    __table_args__ = (
        Index(None, "agent_id", "state", "created_at"),
        Index(None, "state", "deadline"),
        Index(None, "subject_type", "subject_id"),
        Index(None, "created_at", "id"),
        Index(None, "organization_id", "created_at"),
        # Only the few whose outcome another room could not take yet.
        Index(
            None,
            "outcome_next_at",
            sqlite_where=text("outcome_state = 'pending'"),
            postgresql_where=text("outcome_state = 'pending'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    delivery_id: Mapped[str] = mapped_column(String(36), unique=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id"))
    kind: Mapped[str] = mapped_column(String(32))
    # A serialized CommandEnvelope with nothing but its body set.
    body: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(16))
    subject_type: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(String(64))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    requested_by: Mapped[str] = mapped_column(String(128), default="")
    idempotency_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    retry_of: Mapped[str | None] = mapped_column(String(36))

    created_at: Mapped[datetime]
    dispatched_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    deadline: Mapped[datetime]

    # 1 for the first try.
    attempt: Mapped[int] = mapped_column(default=1)
    max_attempts: Mapped[int] = mapped_column(default=3)
    next_attempt_at: Mapped[datetime | None]
    # The stream that it was sent on last.
    session_id: Mapped[str | None] = mapped_column(String(36))

    # 0 to 1; -1 where it can't be told.
    progress_share: Mapped[float] = mapped_column(default=0.0)
    progress_message: Mapped[str] = mapped_column(String(500), default="")
    progress_at: Mapped[datetime | None]

    # A serialized CommandResult.
    result: Mapped[bytes | None] = mapped_column(LargeBinary)
    failure_reason: Mapped[str] = mapped_column(String(64), default="")
    failure_message: Mapped[str] = mapped_column(Text, default="")
    failure_retryable: Mapped[bool] = mapped_column(default=False)

    # "" until it is finished; "pending" while a room's handler still has to take it, "done", or "failed".
    outcome_state: Mapped[str] = mapped_column(String(16), default="")
    outcome_attempts: Mapped[int] = mapped_column(default=0)
    outcome_next_at: Mapped[datetime | None]
    outcome_error: Mapped[str] = mapped_column(Text, default="")


class CommandBatch(Base):
    """A batch of a result that has been stored: a repeat of it is acknowledged and not stored again."""

    __tablename__ = "command_batches"
    __table_args__ = (UniqueConstraint("delivery_id", "sequence"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    command_id: Mapped[str] = mapped_column(ForeignKey("commands.id"), index=True)
    delivery_id: Mapped[str] = mapped_column(String(36))
    sequence: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[datetime]


class SpentChallenge(Base):
    """A re-join challenge that was answered; kept until it would have expired anyway."""

    __tablename__ = "spent_rejoin_challenges"

    challenge_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    agent_id: Mapped[str] = mapped_column(String(36))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AgentServer(Base):
    """A server that an agent may manage. One that is gone is marked lost, not deleted."""

    __tablename__ = "agent_servers"
    __table_args__ = (UniqueConstraint("agent_id", "name"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id"))
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(32))
    version: Mapped[str] = mapped_column(String(64), default="")
    problem: Mapped[str] = mapped_column(Text, default="")
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    lost_at: Mapped[datetime | None]


class AgentNode(Base):
    """A virtual host, server block, connector or site of a server."""

    __tablename__ = "agent_nodes"
    __table_args__ = (UniqueConstraint("server_id", "node_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    server_id: Mapped[int] = mapped_column(ForeignKey("agent_servers.id"))
    node_id: Mapped[str] = mapped_column(String(255))
    names: Mapped[list[str]]
    certificate_path: Mapped[str] = mapped_column(Text, default="")
    key_path: Mapped[str] = mapped_column(Text, default="")
    location: Mapped[str] = mapped_column(Text, default="")
    manageable: Mapped[bool]
    problem: Mapped[str] = mapped_column(Text, default="")
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    lost_at: Mapped[datetime | None]


class AgentPort(Base):
    """A port of a node, with what it served when it was last looked at."""

    __tablename__ = "agent_ports"
    __table_args__ = (UniqueConstraint("node_id", "address", "port"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("agent_nodes.id"))
    address: Mapped[str] = mapped_column(String(64))
    port: Mapped[int]
    protocol: Mapped[str] = mapped_column(String(16))
    # Hex SHA-256; empty: nothing served.
    certificate_sha256: Mapped[str] = mapped_column(String(64), default="")
    last_seen_at: Mapped[datetime]
    lost_at: Mapped[datetime | None]


class FleetAuthority(Base):
    """The agent CA and the command signing key. One row; private keys encrypted under the hub's KEK."""

    __tablename__ = "fleet_authority"

    id: Mapped[int] = mapped_column(primary_key=True)
    ca_certificate: Mapped[bytes] = mapped_column(LargeBinary)
    ca_key_wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    signer_certificate: Mapped[bytes] = mapped_column(LargeBinary)
    signer_key_wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    signer_not_after: Mapped[datetime]
    created_at: Mapped[datetime]


class HubServerIdentity(Base):
    """A server certificate of the hub, shared by the replicas that serve the same names."""

    __tablename__ = "hub_server_identities"

    # SHA-256 over the sorted names.
    names_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    names: Mapped[list[str]]
    certificate: Mapped[bytes] = mapped_column(LargeBinary)
    key_wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    not_after: Mapped[datetime]
