"""What the routes of domain validation take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal["not_started", "pending", "validated", "expiring", "expired", "failed"]


class ValidationRow(BaseModel):
    """One domain of one organization, and where its validation is."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    domain: str
    organization_id: int
    organization_name: str = ""
    state: State
    trust: Literal["public", "private"]
    method: str | None = Field(description="Of the last proof.")
    validated_at: datetime | None
    expires_at: datetime | None
    action_at: datetime | None = Field(description="From when on somebody must act.")
    next_revalidation_at: datetime | None = Field(description="When it is validated again by itself.")
    renewal_method: str | None


class RecordView(BaseModel):
    """A DNS record to create."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    type: str
    value: str


class InstructionsView(BaseModel):
    """What somebody has to do."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    record: RecordView | None
    file_urls: list[str]
    file_content: str


class MailView(BaseModel):
    """One mail that was sent, or could not be."""

    model_config = ConfigDict(from_attributes=True)

    recipient: str
    sent_at: datetime | None
    problem: str
    confirmed_at: datetime | None


class ChallengeView(BaseModel):
    """One attempt; `reason` and `message` tell what the last look came to."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    method: str
    state: Literal["open", "proved", "lapsed", "cancelled", "superseded"]
    automatic: bool
    started_at: datetime
    started_by: str
    expires_at: datetime
    next_check_at: datetime
    checked_at: datetime | None
    ended_at: datetime | None
    reason: str
    message: str
    evidence: dict[str, Any]


class ValidationView(ValidationRow):
    """A validation with the attempt under way."""

    evidence: dict[str, Any]
    vantage_agent_ids: list[str]
    writer_id: int | None
    challenge: ChallengeView | None
    instructions: InstructionsView | None
    mails: list[MailView]


class StartBody(BaseModel):
    """A domain to validate."""

    model_config = ConfigDict(extra="forbid")

    organization_id: int
    department_id: int | None = Field(default=None, description="Whose delegation counts; null: all's.")
    domain: str = Field(min_length=1, max_length=255)
    method: str = Field(min_length=1, max_length=32, description="One of `GET /dcv/methods`.")
    trust: Literal["public", "private"] = "public"
    writer_id: int | None = Field(default=None, description="DNS writer that publishes the record.")
    recipients: list[str] | None = Field(
        default=None, max_length=10, description="E-mail only; absent: all that prove control."
    )


class CheckResult(BaseModel):
    """What a look came to, and the validation as it is now."""

    proved: bool
    reason: str = Field(description="Stable word; empty when control was shown.")
    message: str
    validation: ValidationView


class VantageBody(BaseModel):
    """Agents that look too; an empty list: only the hub."""

    model_config = ConfigDict(extra="forbid")

    agent_ids: list[Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,36}$")]] = Field(max_length=12)


class RenewalBody(BaseModel):
    """How a domain is validated again without a person; `method` null: not at all."""

    model_config = ConfigDict(extra="forbid")

    method: str | None
    writer_id: int | None = None


class SightingView(BaseModel):
    """What one vantage point saw: "hub", or an agent's id."""

    model_config = ConfigDict(from_attributes=True)

    vantage: str
    vote: Literal["waiting", "confirmed", "disagreed"]
    reason: str
    message: str
    evidence: dict[str, Any]
    at: datetime


class AttemptView(BaseModel):
    """One attempt and what was seen in its last round."""

    challenge: ChallengeView
    sightings: list[SightingView]


class History(BaseModel):
    """The last attempts, newest first."""

    items: list[AttemptView]


class OutlookQuery(BaseModel):
    """When a certificate would be issued."""

    model_config = ConfigDict(extra="forbid")

    at: datetime | None = Field(default=None, description="Default: now.")


class OutlookView(BaseModel):
    """Whether an issuance at that time would find the domain validated."""

    model_config = ConfigDict(from_attributes=True)

    valid: bool
    until: datetime | None = Field(description="When the best validation ends.")
    days_left: int = Field(description="Whole days from then until it ends; negative: over by then.")
    limit_days: int = Field(description="How old a validation may be for an issuance at that time.")


class MethodView(BaseModel):
    """A validation method that is installed."""

    name: str
    display_name: str
    section: str = Field(description="Of the CA/Browser Forum's Baseline Requirements.")
    covers_subdomains: bool
    max_reuse_days: int | None
    ends_at: datetime | None = Field(description="From then on it is not good for public trust.")
    repeatable: bool
    takes_writer: bool


class WriterKindView(BaseModel):
    """A kind of DNS writer that is installed, and what settings it takes."""

    kind: str
    display_name: str
    settings_schema: dict[str, Any]


class MethodList(BaseModel):
    """All methods and kinds of DNS writers."""

    methods: list[MethodView]
    writer_kinds: list[WriterKindView]


class WriterView(BaseModel):
    """A configured DNS writer, without its secrets."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    kind: str
    organization_id: int | None
    settings: dict[str, Any]
    problem: str = Field(description="What its last use came to; empty: it worked, or was never used.")
    created_at: datetime


class WriterList(BaseModel):
    """All configured DNS writers."""

    items: list[WriterView]


class WriterBody(BaseModel):
    """A DNS writer to configure; `settings` as the kind's schema says."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")
    kind: str = Field(min_length=1, max_length=32)
    organization_id: int | None = Field(default=None, description="Null: for all organizations.")
    settings: dict[str, Any]
