"""What the routes of certificate profiles take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.profiles.records import DEFAULT_SUBJECT_POLICY, SanRule, SubjectSource

Trust = Literal["private", "public"]
Status = Literal["active", "disabled"]
CertificateType = Literal["ssl"]
TermDays = Annotated[int, Field(ge=1, le=36_500)]
Usages = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=20)]
KeyTypes = Annotated[list[Annotated[str, Field(max_length=16)]], Field(min_length=1, max_length=20)]
SubjectPolicy = Annotated[
    dict[str, SubjectSource],
    Field(description="Attribute of the subject -> where its value comes from."),
]
_KEY_USAGE_TEXT = "Names of RFC 5280; empty: what suits the certificate's key type."


class ProfileView(BaseModel):
    """One certificate profile."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    description: str = Field(description="Shown to applicants.")
    certificate_type: str
    trust: Trust
    backend_id: int = Field(description="The CA backend that issues.")
    terms_days: list[int]
    key_types: list[str]
    san_rule: SanRule
    max_names: int
    auto_approve: bool
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
    terms_days: list[TermDays] = Field(min_length=1, max_length=20)
    key_types: KeyTypes
    san_rule: SanRule = SanRule.MULTI
    max_names: int = Field(default=100, ge=1, le=1000)
    auto_approve: bool = False
    key_usage: Usages = Field(default_factory=list, description=_KEY_USAGE_TEXT)
    extended_key_usage: Usages = Field(default_factory=lambda: ["serverAuth"])
    subject_policy: SubjectPolicy = Field(default_factory=lambda: dict(DEFAULT_SUBJECT_POLICY))
    organization_ids: list[int] | None = Field(default=None, max_length=10_000)


class ProfileChange(BaseModel):
    """Changes to a certificate profile; what is absent stays. ``organization_ids`` null: everybody."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, min_length=1, max_length=64)
    description: str | None = Field(default=None, max_length=4000)
    backend_id: int | None = None
    terms_days: list[TermDays] | None = Field(default=None, min_length=1, max_length=20)
    key_types: KeyTypes | None = None
    san_rule: SanRule | None = None
    max_names: int | None = Field(default=None, ge=1, le=1000)
    auto_approve: bool | None = None
    key_usage: Usages | None = None
    extended_key_usage: Usages | None = None
    subject_policy: SubjectPolicy | None = None
    organization_ids: list[int] | None = Field(default=None, max_length=10_000)
    status: Status | None = None
