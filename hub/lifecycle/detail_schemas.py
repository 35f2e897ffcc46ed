"""Everything about one certificate, as its page shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from hub.lifecycle.schemas import CertificateRow


class ChainEntry(BaseModel):
    """One certificate of the chain of trust."""

    kind: Literal["end entity", "intermediate", "root"]
    subject: str
    issuer: str
    serial_number: str
    sha256: str
    not_before: datetime
    not_after: datetime
    key_type: str
    signature_algorithm: str


class ItemView(BaseModel):
    """How far the installation on one node is."""

    id: int
    agent_id: str
    agent: str | None
    server: str
    node_id: str
    status: str
    reason: str
    message: str
    rolled_back: bool
    served_sha256: str
    steps: list[str]
    missed_windows: int
    updated_at: datetime


class LocationView(BaseModel):
    """A place where the certificate is, or was."""

    id: int
    kind: str
    agent_id: str
    agent: str | None
    address: str
    port: int
    name: str
    hostname: str
    details: str
    has_private_key: bool
    first_seen: datetime
    last_seen: datetime
    present: bool


class CommandView(BaseModel):
    """A command that was sent for the certificate; its details are under `/commands/{id}`."""

    command_id: str
    agent_id: str
    agent: str | None
    kind: str
    outcome: str = Field(description="Empty while it runs.")
    reason: str
    message: str
    created_at: datetime
    finished_at: datetime | None


class NoteView(BaseModel):
    """A remark that somebody left."""

    id: int
    author: str
    text: str
    created_at: datetime


class StepView(BaseModel):
    """A step that is due, and what it waits for."""

    name: str
    agent_id: str
    due_at: datetime
    attempts: int
    message: str


class EventView(BaseModel):
    """Something that happened to the certificate."""

    id: int
    at: datetime
    kind: str
    data: dict[str, Any]


class ApprovalView(BaseModel):
    """Somebody's approval of a request."""

    administrator_id: int
    administrator: str
    message: str
    created_at: datetime


class AgreementView(BaseModel):
    """The subscriber agreement as it was accepted: the SHA-256 of its text, by whom, when."""

    sha256: str
    accepted_by: str
    accepted_at: datetime


class CertificateDetail(CertificateRow):
    """Everything about one certificate."""

    status_reason: str
    decision_message: str
    revocation_reason: str
    dns_names: list[str]
    ip_addresses: list[str]
    subject_fields: dict[str, Any]
    csr: str | None
    certificate: str | None
    key_id: str
    installation: str
    auto_renew: dict[str, Any] | None
    renews_id: int | None
    renewed_by_id: int | None
    expires_in_days: int | None
    actions: list[str] = Field(description="What its state allows now.")
    chain_of_trust: list[ChainEntry]
    items: list[ItemView]
    locations: list[LocationView]
    commands: list[CommandView]
    notes: list[NoteView]
    steps: list[StepView]
    events: list[EventView]
    requester_id: int | None = Field(
        description="The administrator who asked; null: an applicant or the hub."
    )
    approvals: list[ApprovalView]
    approvals_needed: int = Field(description="Of different administrators, before the request is ordered.")
    agreement: AgreementView | None
    passphrase_set: bool = Field(description="Whether its holder can renew, fetch and revoke it.")
    install_schedule: dict[str, Any] | None
    renewal_due_at: datetime | None
    replaces: bool = Field(description="Whether it replaces the certificate that it renews.")
