"""What the routes of notifications take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.notifications.channel_store import ChannelFields
from hub.notifications.digests import Digest
from hub.notifications.rules import Recipients, Rule, RuleFields
from hub.notifications.templates import TemplateKey

_Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Language = Annotated[str, Field(max_length=16, pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$")]
Every = Literal["none", "hourly", "daily", "weekly"]
State = Literal["Queued", "Sending", "Sent", "Failed", "Uncertain", "Suppressed"]


class VariableView(BaseModel):
    """A variable of templates."""

    name: str
    description: str


class TypeView(BaseModel):
    """A type of notification."""

    name: str
    title: str
    object_type: str
    timing: Literal["event", "before", "after"]
    critical: bool = Field(description="It warns of an outage; one whose outcome is unknown is sent again.")
    severity: str
    days: list[int] = Field(description="Days before, unless a rule names others.")
    recipients: list[str] = Field(description="Who a rule may name, beside addresses.")
    variables: list[VariableView]
    subject: str
    body: str


class TypeList(BaseModel):
    """All types, and whether the hub can send mail by itself."""

    types: list[TypeView]
    mail_server: bool


class RecipientsBody(BaseModel):
    """Who is told."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    requester: bool = False
    external_requesters: bool = False
    owner: bool = Field(
        default=False, description="Who is in charge: the department's DRAOs, else the organization's RAOs."
    )
    roles: list[Literal["MRAO", "RAO", "DRAO"]] = Field(default_factory=list, max_length=3)
    addresses: list[str] = Field(default_factory=list, max_length=50)


class DigestBody(BaseModel):
    """How often messages go out; a person's of a window go out as one."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    every: Every = "none"
    hour: int = Field(default=8, ge=0, le=23, description="Of the day, in the time zone.")
    weekday: int = Field(default=0, ge=0, le=6, description="From Monday, 0.")
    time_zone: str = Field(default="UTC", max_length=64)


class RuleBody(BaseModel):
    """A rule: which type goes to whom."""

    model_config = ConfigDict(extra="forbid")

    name: _Name
    type: str = Field(max_length=48)
    enabled: bool = True
    organization_id: int | None = Field(default=None, description="Null: for all organizations (MRAO).")
    department_id: int | None = None
    certificate_types: list[str] = Field(default_factory=list, max_length=4, description="Empty: all.")
    profile_ids: list[int] = Field(default_factory=list, max_length=100, description="Empty: all.")
    days: list[int] = Field(
        default_factory=list, max_length=20, description="Days before; empty: the type's."
    )
    minutes: int = Field(default=0, ge=0, description="Of types that wait: how long.")
    recipients: RecipientsBody = Field(default_factory=RecipientsBody)
    email: bool = True
    console: bool = True
    channel_ids: list[int] = Field(default_factory=list, max_length=20)
    digest: DigestBody = Field(default_factory=DigestBody)

    def typed(self) -> RuleFields:
        """Return it as the room's value."""
        recipients = self.recipients.model_dump()
        return RuleFields(
            name=self.name,
            type=self.type,
            enabled=self.enabled,
            organization_id=self.organization_id,
            department_id=self.department_id,
            certificate_types=tuple(dict.fromkeys(self.certificate_types)),
            profile_ids=tuple(dict.fromkeys(self.profile_ids)),
            days=tuple(sorted(set(self.days), reverse=True)),
            minutes=self.minutes,
            recipients=Recipients.of(recipients),
            email=self.email,
            console=self.console,
            channel_ids=tuple(dict.fromkeys(self.channel_ids)),
            digest=Digest(**self.digest.model_dump()),
        )


class RuleView(RuleBody):
    """A rule that is kept."""

    id: int

    @classmethod
    def of(cls, rule: Rule) -> RuleView:
        """Return a rule as the API shows it."""
        own = rule.fields
        return cls(
            id=rule.id,
            **{
                name: getattr(own, name)
                for name in RuleBody.model_fields
                if name not in {"recipients", "digest"}
            },
            recipients=RecipientsBody.model_validate(own.recipients.document()),
            digest=DigestBody.model_validate(own.digest),
        )


class RuleRow(BaseModel):
    """A rule, in a list."""

    id: int
    name: str
    type: str
    enabled: bool
    organization_id: int | None
    organization_name: str | None
    department_id: int | None
    department_name: str | None
    certificate_types: list[str]
    profile_ids: list[int]
    days: list[int]
    minutes: int
    recipients: RecipientsBody
    email: bool
    console: bool
    channel_ids: list[int]
    digest: DigestBody
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str


class TemplateKeyQuery(BaseModel):
    """Whose words: of an organization or of all, in a language or for everybody."""

    model_config = ConfigDict(extra="forbid")

    organization_id: int | None = None
    language: _Language = ""

    def key(self, name: str) -> TemplateKey:
        """Return it as the room's value."""
        return TemplateKey(type=name, organization_id=self.organization_id, language=self.language)


class TemplateBody(BaseModel):
    """Words."""

    model_config = ConfigDict(extra="forbid")

    subject: str = Field(max_length=300)
    body: str = Field(max_length=25_000)


class TemplateView(BaseModel):
    """Words that somebody chose; types without any use the built-in ones."""

    type: str
    organization_id: int | None
    language: str
    subject: str
    body: str
    changed_at: datetime
    changed_by: str


class TemplateList(BaseModel):
    """All chosen words that the caller may see."""

    items: list[TemplateView]


class PreviewBody(TemplateBody):
    """Words to try; without an object a sample is used."""

    object_id: str | None = Field(default=None, max_length=64)


class PreviewView(BaseModel):
    """The words, filled in."""

    model_config = ConfigDict(from_attributes=True)

    subject: str
    body: str


class TestBody(PreviewBody):
    """Words to try, and where to send them."""

    to: str = Field(max_length=254)


class TriedView(BaseModel):
    """What came of a test."""

    model_config = ConfigDict(from_attributes=True)

    ok: bool
    message: str


class ChannelBody(BaseModel):
    """A channel; `settings` as the kind's schema says. Secrets left out of a change stay as they are."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")
    kind: str = Field(max_length=32)
    organization_id: int | None = Field(default=None, description="Null: for all organizations (MRAO).")
    department_id: int | None = None
    enabled: bool = True
    settings: dict[str, Any]

    def typed(self) -> ChannelFields:
        """Return it as the room's value."""
        return ChannelFields(
            name=self.name,
            kind=self.kind,
            settings=self.settings,
            organization_id=self.organization_id,
            department_id=self.department_id,
            enabled=self.enabled,
        )


class ChannelRow(BaseModel):
    """A channel, without its secrets."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    kind: str
    organization_id: int | None
    organization_name: str | None = None
    department_id: int | None
    enabled: bool
    settings: dict[str, Any]
    problem: str = Field(description="Why the latest message did not get through; empty after one that did.")
    created_at: datetime
    created_by: str
    changed_at: datetime


class ChannelKindView(BaseModel):
    """A kind of channel, and what it takes."""

    kind: str
    display_name: str
    addressed: bool = Field(description="Each recipient gets a message of their own.")
    settings_schema: dict[str, Any]


class ChannelKindList(BaseModel):
    """The installed kinds."""

    items: list[ChannelKindView]


class NotificationRow(BaseModel):
    """One message to one recipient through one channel."""

    id: int
    created_at: datetime
    type: str
    subject: str
    state: State
    channel_kind: str
    channel_id: int | None
    recipient: str
    administrator: str | None
    organization_id: int | None
    organization_name: str | None
    department_id: int | None
    object_type: str
    object_id: str
    certificate_id: int | None
    attempts: int
    edition: int
    due_at: datetime
    sent_at: datetime | None
    reason: str
    message: str


class NotificationView(BaseModel):
    """A message with its text and what the other side said."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    type: str
    rule_id: int | None
    state: State
    subject: str
    body: str
    recipient: str
    channel_kind: str
    channel_id: int | None
    object_type: str
    object_id: str
    certificate_id: int | None
    organization_id: int | None
    department_id: int | None
    batch: str
    attempts: int
    edition: int
    reason: str
    message: str
    receipt: str
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None


class NoticeRow(BaseModel):
    """One of one's own notices in the console."""

    id: int
    created_at: datetime
    type: str
    title: str
    severity: str
    subject: str
    body: str
    path: str
    read_at: datetime | None


class UnreadView(BaseModel):
    """How many notices are unread."""

    unread: int


class ChangedView(BaseModel):
    """How many notices that changed."""

    changed: int
