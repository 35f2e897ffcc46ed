"""The typed values of domain validation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.organizations.dcv.clock import ProofTime, Trust
from hub.organizations.dcv.contract import Challenge, Instructions, Mailer, Probes, VantagePoint
from hub.organizations.dcv.registry import Methods, WriterKinds
from pki.at_rest import KeyEncryptionKey

HUB = "hub"
"""The vantage that is this hub itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DcvOptions:
    """What an administrator of the host decides. ``issuer`` stands in persistent records."""

    base_url: str = "https://hub.example"
    issuer: str = "hub.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class DcvTools:
    """What validation is done with; a hub without a mail server has no ``mailer``."""

    probes: Probes
    vantage: VantagePoint
    mailer: Mailer | None
    kek: KeyEncryptionKey = field(repr=False)
    methods: Methods
    writers: WriterKinds
    options: DcvOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRecord:
    """One domain of one organization, and where its validation is."""

    id: int
    organization_id: int
    domain: str
    trust: Trust
    state: str
    method: str | None
    validated_at: datetime | None
    expires_at: datetime | None
    action_at: datetime | None
    next_revalidation_at: datetime | None
    evidence: dict[str, Any]
    vantage_agent_ids: list[str]
    renewal_method: str | None
    writer_id: int | None
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeRecord:
    """One attempt."""

    id: int
    validation_id: int
    method: str
    state: str
    delivery: str
    label: str
    value: str = field(repr=False)
    account_uri: str
    writer_id: int | None
    automatic: bool
    started_at: datetime
    started_by: str
    expires_at: datetime
    next_check_at: datetime
    held_until: datetime | None
    attempts: int
    round: int
    reason: str
    message: str
    checked_at: datetime | None
    ended_at: datetime | None
    covers_subdomains: bool
    evidence: dict[str, Any]

    def challenge(self, domain: str, issuer: str) -> Challenge:
        """Return what a method is given."""
        return Challenge(
            domain=domain, label=self.label, value=self.value, issuer=issuer, account_uri=self.account_uri
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRecord:
    """One mail of an attempt."""

    id: str
    recipient: str
    sent_at: datetime | None
    problem: str
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingRecord:
    """What one vantage point saw."""

    challenge_id: int
    round: int
    vantage: str
    vote: str
    reason: str
    message: str
    evidence: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRecord:
    """A proof that may still count. ``covers_subdomains``: names below the domain, and wildcards, too."""

    domain: str
    method: str
    covers_subdomains: bool
    time: ProofTime


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationDetail:
    """A validation with its open attempt, and what has to be done for it."""

    validation: ValidationRecord
    challenge: ChallengeRecord | None
    instructions: Instructions | None
    mails: tuple[MailRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """What somebody wants validated, and how. ``recipients`` None: all that prove control."""

    organization_id: int
    domain: str
    method: str
    department_id: int | None = None
    trust: Trust = "public"
    writer_id: int | None = None
    recipients: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterRecord:
    """A configured DNS writer, without its secrets."""

    id: int
    name: str
    kind: str
    organization_id: int | None
    settings: dict[str, Any]
    problem: str
    created_at: datetime
