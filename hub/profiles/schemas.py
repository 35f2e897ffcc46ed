"""What the routes of certificate profiles take and give."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.profiles.field_rules import MAX_AGREEMENT, MAX_BACKUPS
from hub.profiles.records import SanRule, SubjectSource
from hub.profiles.renewal_rules import MAX_JITTER_HOURS, MAX_REVOKE_AFTER_HOURS

Trust = Literal["private", "public"]
Status = Literal["active", "disabled"]
CertificateType = Literal["ssl"]
SubType = Literal["", "DV", "OV", "EV"]
Agreement = Annotated[str, Field(max_length=MAX_AGREEMENT)]
NameCount = Annotated[int, Field(ge=1, le=1000)]
Approvals = Annotated[int, Field(ge=1, le=2)]
Backups = Annotated[list[int], Field(max_length=MAX_BACKUPS)]
TermDays = Annotated[int, Field(ge=1, le=36_500)]
Usages = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=20)]
KeyTypes = Annotated[list[Annotated[str, Field(max_length=16)]], Field(min_length=1, max_length=20)]
SubjectPolicy = Annotated[
    dict[str, SubjectSource],
    Field(description="Attribute of the subject -> where its value comes from."),
]
_KEY_USAGE_TEXT = "Names of RFC 5280; empty: what suits the certificate's key type."
_MIN_NAMES_TEXT = "The common name counts; rules `multi` and `any` only."
_WWW_TEXT = "Rule `single` only: `www.` and the name may stand beside the name."
_IP_TEXT = "Whether certificates may carry IP addresses; null: where the trust is private."
_INTERNAL_TEXT = (
    "Whether certificates may carry single labels and names below no public suffix; null: where the trust is"
    " private."
)
_APPROVALS_TEXT = "How many administrators approve a request: 1 or 2."
_BACKUPS_TEXT = (
    "CA backends that are taken in this order when the first can't be had and nothing was ordered there."
)
_COST_TEXT = "What a certificate costs, for people."
_SUB_TYPE_TEXT = "What the CA validates: domain, organization, extended; empty: not said."
_AGREEMENT_TEXT = "The subscriber agreement, which every applicant has to accept; empty: none."


class Renewal(BaseModel):
    """How certificates renew themselves, as far as they don't say otherwise themselves."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    enabled: bool = Field(default=False, description="For requests that say nothing about it.")
    days_before: int | None = Field(
        default=None, ge=1, le=36_500, description="Days before the end; null: when `share` is over."
    )
    share: float = Field(
        default=0.67, gt=0, lt=1, description="Part of the lifetime after which renewal is due."
    )
    new_key_pair: bool = Field(default=True, description="False: the same key is certified again.")
    jitter_hours: int = Field(
        default=24, ge=0, le=MAX_JITTER_HOURS, description="Renewals are spread over so many hours before."
    )
    revoke_after_hours: int | None = Field(
        default=None,
        ge=0,
        le=MAX_REVOKE_AFTER_HOURS,
        description="Hours after the new certificate works at which the old one is revoked; null: never.",
    )


class TermView(BaseModel):
    """A term of the profile, as of today."""

    model_config = ConfigDict(from_attributes=True)

    days: int
    offered: bool = Field(description="False: no publicly trusted CA issues it any more.")
    until: date | None = Field(description="First day on which it is too long for public trust, if known.")


class ProfileView(BaseModel):
    """One certificate profile."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    description: str = Field(description="Shown to applicants.")
    certificate_type: str
    trust: Trust
    backend_id: int = Field(description="The CA backend that issues.")
    backup_backend_ids: list[int] = Field(description=_BACKUPS_TEXT)
    cost_note: str = Field(description=_COST_TEXT)
    sub_type: SubType = Field(description=_SUB_TYPE_TEXT)
    terms_days: list[int]
    terms: list[TermView] = Field(description="The terms, with what the CA/Browser Forum allows today.")
    key_types: list[str]
    san_rule: SanRule
    min_names: int
    max_names: int
    www_included: bool
    ip_addresses: bool
    internal_names: bool
    auto_approve: bool
    approvals: int
    agreement: str
    renewal: Renewal
    key_usage: list[str] = Field(description=_KEY_USAGE_TEXT)
    extended_key_usage: list[str]
    subject_policy: dict[str, SubjectSource]
    organization_ids: list[int] | None = Field(description="Null: every organization.")
    status: Status


class ProfileList(BaseModel):
    """Certificate profiles by name."""

    items: list[ProfileView]


class ProfileCreate(BaseModel):
    """A new certificate profile."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    description: str = Field(default="", max_length=4000)
    certificate_type: CertificateType = "ssl"
    trust: Trust = "private"
    backend_id: int
    backup_backend_ids: Backups = Field(default=[], description=_BACKUPS_TEXT)
    cost_note: str = Field(default="", max_length=1000, description=_COST_TEXT)
    terms_days: list[TermDays] = Field(min_length=1, max_length=20)
    key_types: KeyTypes
    sub_type: SubType = Field(default="", description=_SUB_TYPE_TEXT)
    san_rule: SanRule = SanRule.MULTI
    min_names: NameCount = Field(default=1, description=_MIN_NAMES_TEXT)
    max_names: NameCount = 100
    www_included: bool = Field(default=False, description=_WWW_TEXT)
    ip_addresses: bool | None = Field(default=None, description=_IP_TEXT)
    internal_names: bool | None = Field(default=None, description=_INTERNAL_TEXT)
    auto_approve: bool = False
    approvals: Approvals = Field(default=1, description=_APPROVALS_TEXT)
    agreement: Agreement = Field(default="", description=_AGREEMENT_TEXT)
    renewal: Renewal = Field(default_factory=Renewal)
    key_usage: Usages = Field(default_factory=list, description=_KEY_USAGE_TEXT)
    extended_key_usage: Usages = Field(default_factory=lambda: ["serverAuth"])
    subject_policy: SubjectPolicy | None = Field(
        default=None,
        description="Attribute -> where its value comes from; null: the organization's values, and for a"
        " publicly trusted DV certificate none of them.",
    )
    organization_ids: list[int] | None = Field(default=None, max_length=10_000)


class CertificateProfileChange(BaseModel):
    """Changes to a certificate profile; what is absent stays. ``organization_ids`` null: everybody.

    ``renewal`` is replaced as a whole.
    """

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, min_length=1, max_length=64)
    description: str | None = Field(default=None, max_length=4000)
    backend_id: int | None = None
    backup_backend_ids: Backups | None = Field(default=None, description=_BACKUPS_TEXT)
    cost_note: str | None = Field(default=None, max_length=1000, description=_COST_TEXT)
    terms_days: list[TermDays] | None = Field(default=None, min_length=1, max_length=20)
    key_types: KeyTypes | None = None
    sub_type: SubType | None = Field(default=None, description=_SUB_TYPE_TEXT)
    san_rule: SanRule | None = None
    min_names: NameCount | None = Field(default=None, description=_MIN_NAMES_TEXT)
    max_names: NameCount | None = None
    www_included: bool | None = Field(default=None, description=_WWW_TEXT)
    ip_addresses: bool | None = Field(default=None, description=_IP_TEXT)
    internal_names: bool | None = Field(default=None, description=_INTERNAL_TEXT)
    auto_approve: bool | None = None
    approvals: Approvals | None = Field(default=None, description=_APPROVALS_TEXT)
    agreement: Agreement | None = Field(default=None, description=_AGREEMENT_TEXT)
    renewal: Renewal | None = None
    key_usage: Usages | None = None
    extended_key_usage: Usages | None = None
    subject_policy: SubjectPolicy | None = None
    organization_ids: list[int] | None = Field(default=None, max_length=10_000)
    status: Status | None = None


class FindingView(BaseModel):
    """Why something does not fit."""

    model_config = ConfigDict(from_attributes=True)

    reason: str
    message: str


class MisfitView(BaseModel):
    """A certificate or open request that the profile would not allow any more."""

    id: int
    status: str
    common_name: str
    organization_id: int
    not_after: datetime | None
    findings: list[FindingView]


class FieldChange(BaseModel):
    """A field that the change touches."""

    field: str
    before: Any
    after: Any


class ReasonCount(BaseModel):
    """How many certificates stop fitting for one reason."""

    reason: str
    certificates: int


class ProfilePreviewView(BaseModel):
    """What a change would do. Nothing was changed."""

    changes: list[FieldChange]
    examined: int = Field(description="Living certificates and open requests that were looked at.")
    complete: bool = Field(description="False: there are more than were looked at.")
    misfits: int = Field(description="How many fit now and would not fit then, so that no renewal works.")
    renewals_at_risk: int = Field(description="Those of them that renew themselves.")
    reasons: list[ReasonCount]
    first: list[MisfitView] = Field(description="The first twenty.")
