"""Tables of the lifecycle: certificates, their bytes, where they are, installations, and steps to be done.

A certificate is one row from the request to retirement. The bytes lie in ``certificate_bodies`` by SHA-256,
so that lists stay light and issuers are stored once. ``lifecycle_steps`` holds what has to be done next; it
is written in the transaction that made it necessary and so survives whatever dies.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base, BigId


class Certificate(Base):
    """A certificate, requested here or found somewhere."""

    __tablename__ = "certificates"
    __table_args__ = (
        # A list is sorted by one of these and then by id; whoever sees one organization needs it in front.
        Index("ix_certificates_expiry", "not_after", "id"),
        Index("ix_certificates_common_name", "common_name", "id"),
        Index("ix_certificates_serial", "serial_hex", "id"),
        Index("ix_certificates_requested", "requested_at", "id"),
        Index("ix_certificates_issued", "issued_at", "id"),
        Index("ix_certificates_renewal_due", "renewal_due_at", "id"),
        Index("ix_certificates_organization_id", "organization_id", "id", "type"),
        Index("ix_certificates_organization_expiry", "organization_id", "not_after", "id"),
        Index("ix_certificates_organization_name", "organization_id", "common_name", "id"),
        Index("ix_certificates_organization_requested", "organization_id", "requested_at", "id"),
        Index("ix_certificates_organization_issued", "organization_id", "issued_at", "id"),
        Index("ix_certificates_organization_status", "organization_id", "status", "not_after", "id", "type"),
        Index("ix_certificates_status_expiry", "status", "not_after", "id"),
        # What the dashboard's figures lead to.
        Index("ix_certificates_department", "department_id", "not_after", "id", "type"),
        Index("ix_certificates_profile", "profile_id", "id"),
        Index("ix_certificates_authority", "authority", "id"),
        Index("ix_certificates_key_type", "key_type", "id"),
        Index("ix_certificates_signature", "signature_algorithm", "id"),
        Index("ix_certificates_term", "term_days", "id"),
        Index("ix_certificates_install_state", "install_state", "id"),
        # What is due to be renewed, the longest due first.
        Index(None, "renewal_state", "renewal_due_at"),
        # Successors; most certificates are none.
        # Whoever deletes a certificate is asked by the foreign key who refers to it.
        Index(
            "ix_certificates_renewed_by",
            "renewed_by_id",
            sqlite_where=text("renewed_by_id IS NOT NULL"),
            postgresql_where=text("renewed_by_id IS NOT NULL"),
        ),
        Index(
            "ix_certificates_renews",
            "renews_id",
            sqlite_where=text("renews_id IS NOT NULL"),
            postgresql_where=text("renews_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    type: Mapped[str] = mapped_column(String(16), default="ssl")
    status: Mapped[str] = mapped_column(String(16))
    # Why it is Declined, Rejected, Invalid; or what the running step is stuck on.
    status_reason: Mapped[str] = mapped_column(String(64), default="")
    status_message: Mapped[str] = mapped_column(Text, default="")

    # What it is for.
    common_name: Mapped[str] = mapped_column(String(255), default="")
    dns_names: Mapped[list[str]] = mapped_column(default=list)
    ip_addresses: Mapped[list[str]] = mapped_column(default=list)
    # All names in lower case, a space between: what a search looks at.
    search_names: Mapped[str] = mapped_column(Text, default="")

    # Whose it is.
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))

    # The order.
    profile_id: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"))
    backend_id: Mapped[int | None] = mapped_column(ForeignKey("ca_backends.id"))
    term_days: Mapped[int] = mapped_column(default=0)
    method: Mapped[str] = mapped_column(String(16), default="")
    subject_fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    order_id: Mapped[str | None] = mapped_column(String(36), unique=True)
    order_number: Mapped[str] = mapped_column(String(128), default="")
    intent: Mapped[dict[str, Any] | None]
    csr: Mapped[bytes | None] = mapped_column(LargeBinary)
    requester: Mapped[str] = mapped_column(String(255), default="")
    # The administrator who asked; None: somebody else, such as an applicant or the hub itself.
    requester_id: Mapped[int | None] = mapped_column(BigInteger)
    requested_via: Mapped[str] = mapped_column(String(32), default="")
    approver: Mapped[str] = mapped_column(String(255), default="")
    decision_message: Mapped[str] = mapped_column(Text, default="")
    external_requester: Mapped[str] = mapped_column(Text, default="")
    comments: Mapped[str] = mapped_column(Text, default="")
    # The subscriber agreement as it was accepted: its SHA-256, by whom, when.
    agreement: Mapped[dict[str, Any] | None]
    # With it an applicant renews or revokes without an account; as hub.access.passwords writes it.
    passphrase_hash: Mapped[str] = mapped_column(String(255), default="")
    notifications_suspended: Mapped[bool] = mapped_column(default=False)
    # Values of custom fields by the field's id, and what a search looks at, in lower case.
    custom_fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    search_custom: Mapped[str] = mapped_column(Text, default="")

    # The key, and where it is: "pks", "target", or "" when somebody else has it.
    key_type: Mapped[str] = mapped_column(String(32), default="")
    key_bits: Mapped[int] = mapped_column(default=0)
    key_location: Mapped[str] = mapped_column(String(8), default="")
    key_agent_id: Mapped[str | None] = mapped_column(ForeignKey("agents.id"))
    key_id: Mapped[str] = mapped_column(String(64), default="")
    spki_sha256: Mapped[str] = mapped_column(String(64), default="")
    reuse_key: Mapped[bool] = mapped_column(default=False)

    # What the certificate says.
    fingerprint_sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    fingerprint_sha1: Mapped[str] = mapped_column(String(40), default="")
    fingerprint_md5: Mapped[str] = mapped_column(String(32), default="")
    chain: Mapped[list[str]] = mapped_column(default=list)
    serial_hex: Mapped[str] = mapped_column(String(64), default="")
    subject: Mapped[str] = mapped_column(Text, default="")
    issuer: Mapped[str] = mapped_column(Text, default="")
    # The CA by the name that people know it by, taken from the issuer; see hub.lifecycle.facts.
    authority: Mapped[str] = mapped_column(String(128), default="")
    not_before: Mapped[datetime | None]
    not_after: Mapped[datetime | None]
    key_usage: Mapped[list[str]] = mapped_column(default=list)
    extended_key_usage: Mapped[list[str]] = mapped_column(default=list)
    signature_algorithm: Mapped[str] = mapped_column(String(64), default="")
    self_signed: Mapped[bool] = mapped_column(default=False)

    # Renewal and installation.
    renews_id: Mapped[int | None] = mapped_column(ForeignKey("certificates.id"))
    # Whether that one is Replaced as soon as this one is issued.
    replaces: Mapped[bool] = mapped_column(default=False)
    renewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("certificates.id"))
    installation: Mapped[str] = mapped_column(String(16), default="")
    # When a scheduled installation may begin; see hub.lifecycle.install_schedule.
    install_schedule: Mapped[dict[str, Any] | None]
    install_state: Mapped[str] = mapped_column(String(16), default="Not Scheduled")
    renewal_state: Mapped[str] = mapped_column(String(16), default="Not Scheduled")
    auto_renew: Mapped[dict[str, Any] | None]
    # When the renewal starts by itself; set while it is Scheduled, or Failed and to be tried again.
    renewal_due_at: Mapped[datetime | None]
    renewal_attempts: Mapped[int] = mapped_column(default=0)
    revocation_reason: Mapped[str] = mapped_column(String(32), default="")

    # Time span.
    created_at: Mapped[datetime]
    requested_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    issued_at: Mapped[datetime | None]
    downloaded_at: Mapped[datetime | None]
    discovered_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    replaced_at: Mapped[datetime | None]


class CertificateBody(Base):
    """The DER of a certificate, leaf or issuer, stored once."""

    __tablename__ = "certificate_bodies"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    der: Mapped[bytes] = mapped_column(LargeBinary)


class InstallItem(Base):
    """One node of one server on which a certificate is to be installed."""

    __tablename__ = "install_items"
    __table_args__ = (UniqueConstraint("certificate_id", "agent_id", "server", "node_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificates.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id"))
    server: Mapped[str] = mapped_column(String(128))
    node_id: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(24), default="Not Started")
    reason: Mapped[str] = mapped_column(String(64), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    rolled_back: Mapped[bool] = mapped_column(default=False)
    served_sha256: Mapped[str] = mapped_column(String(64), default="")
    steps: Mapped[list[str]] = mapped_column(default=list)
    # Somebody wants it now, whatever the schedule says; until the installation has ended.
    at_once: Mapped[bool] = mapped_column(default=False)
    # Windows that have closed since then without an answer of the agent.
    missed_windows: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime]


class CertificateLocation(Base):
    """A place where a certificate is, or was: ``present`` tells which.

    ``kind``: network_host, network_agent, server_node, private_key_agent or custom. Key columns are empty
    rather than NULL, so that they can be unique. An agent that is removed leaves its history: no foreign key.
    """

    __tablename__ = "certificate_locations"
    __table_args__ = (
        UniqueConstraint(
            "certificate_id",
            "kind",
            "agent_id",
            "address",
            "port",
            "name",
            name="uq_certificate_locations_place",
        ),
        Index(None, "agent_id", "address", "port"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificates.id"))
    kind: Mapped[str] = mapped_column(String(24))
    agent_id: Mapped[str] = mapped_column(String(36), default="")
    address: Mapped[str] = mapped_column(String(64), default="")
    port: Mapped[int] = mapped_column(default=0)
    # Of a network host: the name sent as SNI. Of a server node: server and node. Of a key store: the alias.
    name: Mapped[str] = mapped_column(String(400), default="")
    hostname: Mapped[str] = mapped_column(String(255), default="")
    details: Mapped[str] = mapped_column(Text, default="")
    has_private_key: Mapped[bool] = mapped_column(default=False)
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    present: Mapped[bool] = mapped_column(default=True)


class CertificateCommand(Base):
    """A command that was sent on behalf of a certificate, in order: the trail of its management."""

    __tablename__ = "certificate_commands"
    __table_args__ = (Index(None, "certificate_id"),)

    # Not a foreign key: the trail outlives the fleet's own rows.
    command_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificates.id"))
    agent_id: Mapped[str] = mapped_column(String(36))
    kind: Mapped[str] = mapped_column(String(32))
    # Empty while it runs, then "Successful" or "Failed".
    outcome: Mapped[str] = mapped_column(String(16), default="")
    reason: Mapped[str] = mapped_column(String(64), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class LifecycleStep(Base):
    """One step that is due: which, for which certificate (and agent), when, and how often it failed.

    Claiming a step moves ``due_at`` into the future; whoever dies while holding one loses it when that time
    comes. The row is removed by the transaction that records the step's result.
    """

    __tablename__ = "lifecycle_steps"
    __table_args__ = (
        UniqueConstraint("certificate_id", "name", "agent_id", name="uq_lifecycle_steps_what"),
        Index(None, "due_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificates.id"))
    name: Mapped[str] = mapped_column(String(24))
    agent_id: Mapped[str] = mapped_column(String(36), default="")
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    message: Mapped[str] = mapped_column(Text, default="")
    # What a step before handed over, such as a sealed key on its way to its receiver.
    payload: Mapped[dict[str, Any] | None]


class CertificateApproval(Base):
    """One approval of a request; a profile may ask for two, of two administrators."""

    __tablename__ = "certificate_approvals"
    __table_args__ = (UniqueConstraint("certificate_id", "administrator_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificates.id"))
    # Not a foreign key: what was decided outlives the administrator.
    administrator_id: Mapped[int] = mapped_column(BigInteger)
    administrator: Mapped[str] = mapped_column(String(255))
    message: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]


class CertificateNote(Base):
    """A remark that an administrator left on a certificate."""

    __tablename__ = "certificate_notes"
    __table_args__ = (Index(None, "certificate_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificates.id"))
    author_id: Mapped[int | None] = mapped_column(BigInteger)
    author: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class KeyTransfer(Base):
    """A sealed key on its way between an agent and a person; see :mod:`hub.lifecycle.key_transfer_states`.

    ``envelope`` can be opened by its receiver only, and is dropped once it is fetched or too old.
    """

    __tablename__ = "key_transfers"
    __table_args__ = (Index(None, "certificate_id"), Index(None, "state", "expires_at"))

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificates.id"))
    # Not a foreign key: what happened to keys outlives the agent.
    agent_id: Mapped[str] = mapped_column(String(36))
    certificate_sha256: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(16), default="")
    receiver_fingerprint: Mapped[str] = mapped_column(String(80), default="")
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    envelope: Mapped[bytes | None] = mapped_column(LargeBinary)
    requester_kind: Mapped[str] = mapped_column(String(16))
    requester_id: Mapped[str] = mapped_column(String(64))
    requested_by: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
