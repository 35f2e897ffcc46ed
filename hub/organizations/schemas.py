"""What the routes of organizations, departments, their settings, and domains take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.organizations.records import TypeSettings
from hub.organizations.states import ValidationEvent

OrganizationStatus = Literal["active", "inactive"]
CertificateType = Literal["ssl", "client", "code_signing", "device"]
CertificateTypes = Annotated[list[CertificateType], Field(min_length=1, max_length=4)]
KeyRecovery = Literal["master", "organization", "department"]
_RECOVERY_TEXT = "Who may recover escrowed keys of client certificates. Can't be changed later."
_UNCHANGEABLE_TEXT = "Only what it is already; anything else is refused."


class OrganizationRow(BaseModel):
    """One organization."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    public_id: str = Field(description="Stable id for customers and scripts.")
    name: str
    street: str
    locality: str
    state: str
    postal_code: str
    country: str
    status: OrganizationStatus
    key_recovery: list[KeyRecovery]
    validation: Literal["not_validated", "pending", "validated"]
    validated_at: datetime | None = Field(description="Of the last validation, also when it has ended.")
    validation_expires_at: datetime | None
    created_at: datetime


class _Address(BaseModel):
    model_config = ConfigDict(extra="forbid")

    street: str = Field(default="", max_length=128)
    locality: str = Field(default="", max_length=128)
    state: str = Field(default="", max_length=128)
    postal_code: str = Field(default="", max_length=40)
    country: str = Field(default="", max_length=2, description="ISO 3166, two letters.")


class _AddressChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    street: str | None = Field(default=None, max_length=128)
    locality: str | None = Field(default=None, max_length=128)
    state: str | None = Field(default=None, max_length=128)
    postal_code: str | None = Field(default=None, max_length=40)
    country: str | None = Field(default=None, max_length=2)


class OrganizationCreate(_Address):
    """A new organization; its address fills the subjects of certificates."""

    name: str = Field(min_length=1, max_length=64)
    key_recovery: list[KeyRecovery] = Field(default_factory=list, max_length=3, description=_RECOVERY_TEXT)


class OrganizationChange(_AddressChange):
    """Changes to an organization; what is absent stays."""

    name: str | None = Field(default=None, min_length=1, max_length=64)
    status: OrganizationStatus | None = None
    key_recovery: list[KeyRecovery] | None = Field(default=None, max_length=3, description=_UNCHANGEABLE_TEXT)


class ValidationBody(BaseModel):
    """One step of an organization's validation."""

    model_config = ConfigDict(extra="forbid")

    event: ValidationEvent
    at: datetime | None = Field(default=None, description="When it was validated; absent: now.")
    expires_at: datetime | None = Field(
        default=None, description="With `validate`; absent: 398 days after `at`."
    )
    comment: str = Field(default="", max_length=4000)


class ValidationView(BaseModel):
    """One step of an organization's validation, as its history tells it."""

    model_config = ConfigDict(from_attributes=True)

    event: str
    validation: str
    at: datetime
    expires_at: datetime | None
    actor: str
    comment: str


class ValidationList(BaseModel):
    """The history of an organization's validation, the latest first."""

    items: list[ValidationView]


class DepartmentRow(BaseModel):
    """One department, with its own address or its organization's."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    organization_id: int
    name: str
    street: str
    locality: str
    state: str
    postal_code: str
    country: str
    own_address: bool = Field(description="False: the address is the organization's.")
    status: OrganizationStatus
    key_recovery: list[KeyRecovery]
    created_at: datetime


class DepartmentCreate(_Address):
    """A new department; without any address field it has its organization's address."""

    name: str = Field(min_length=1, max_length=64)
    key_recovery: list[KeyRecovery] = Field(default_factory=list, max_length=3, description=_RECOVERY_TEXT)


class DepartmentChange(_AddressChange):
    """Changes to a department; what is absent stays. All address fields empty: the organization's address."""

    name: str | None = Field(default=None, min_length=1, max_length=64)
    status: OrganizationStatus | None = None
    key_recovery: list[KeyRecovery] | None = Field(default=None, max_length=3, description=_UNCHANGEABLE_TEXT)


class SettingsBody(BaseModel):
    """What may be done with one type of certificate. What is absent has its default."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = True
    profile_ids: list[int] | None = Field(
        default=None, max_length=1000, description="Null: every profile offered to the organization."
    )
    synced_expiry_day: int | None = Field(
        default=None,
        ge=1,
        le=31,
        description="Day of the month on which certificates end (31: the last day); null: after their term.",
    )
    external_requester_required: bool = False
    external_requester_pattern: str = Field(
        default="",
        max_length=255,
        description="Comma-separated e-mail addresses, `*` for any text, as in `*@example.com`.",
    )
    principal_name_allowed: bool = False
    principal_name_customizable: bool = False

    def typed(self, certificate_type: str) -> TypeSettings:
        """Return it as the service takes it."""
        values = self.model_dump()
        profile_ids = values.pop("profile_ids")
        return TypeSettings(
            **values,
            certificate_type=certificate_type,
            profile_ids=None if profile_ids is None else frozenset(profile_ids),
        )


class SettingsView(BaseModel):
    """The settings for one type of certificate."""

    certificate_type: str
    inherited: bool = Field(description="Of a department: it has no settings of its own for this type.")
    enabled: bool
    profile_ids: list[int] | None
    synced_expiry_day: int | None
    external_requester_required: bool
    external_requester_pattern: str
    principal_name_allowed: bool
    principal_name_customizable: bool

    @classmethod
    def of(cls, settings: TypeSettings, *, inherited: bool = False) -> SettingsView:
        """Return the view of settings."""
        values = {name: getattr(settings, name) for name in TypeSettings.__slots__}
        if settings.profile_ids is not None:
            values["profile_ids"] = sorted(settings.profile_ids)
        return cls(**values, inherited=inherited)


class SettingsList(BaseModel):
    """The settings for all types of certificate."""

    items: list[SettingsView]


class DomainRow(BaseModel):
    """One domain delegated to an organization or department."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    organization_id: int
    organization_name: str = ""
    department_id: int | None
    department_name: str | None = None
    name: str
    certificate_types: list[CertificateType]
    state: Literal["requested", "approved", "rejected"]
    approved: bool
    active: bool
    requested_by: str
    decided_by: str
    decided_at: datetime | None
    decision_message: str
    created_at: datetime


class DomainWarning(BaseModel):
    """Something to know about a delegation that was made."""

    reason: str
    message: str


class DomainAnswer(DomainRow):
    """A domain after a change, with what to know about it."""

    warnings: list[DomainWarning] = Field(
        default_factory=list, description="Delegations that share names with this one."
    )


class DomainCreate(BaseModel):
    """A domain to delegate."""

    model_config = ConfigDict(extra="forbid")

    organization_id: int
    department_id: int | None = Field(default=None, description="Null: the whole organization.")
    name: str = Field(
        min_length=1,
        max_length=255,
        description="`example.com`, `*.example.com` for all names below it, or `*` for every name of private"
        " trust.",
    )
    certificate_types: CertificateTypes = Field(default=["ssl", "client", "code_signing", "device"])


class DomainChange(BaseModel):
    """Changes to a delegation; what is absent stays."""

    model_config = ConfigDict(extra="forbid")

    active: bool | None = None
    certificate_types: CertificateTypes | None = None


class DomainDecision(BaseModel):
    """A message to whoever asked for the domain."""

    model_config = ConfigDict(extra="forbid")

    message: str = Field(default="", max_length=4000)


class OverlapSide(BaseModel):
    """One of two delegations that share names. Whose it is, is told if you may see it."""

    id: int | None
    name: str
    organization_id: int | None
    department_id: int | None


class OverlapView(BaseModel):
    """Two delegations that share names."""

    kind: Literal["shared", "within"] = Field(
        description="`shared`: the same domain twice, both may use it. `within`: the narrower one wins."
    )
    narrower: OverlapSide
    wider: OverlapSide
    certificate_types: list[str]


class OverlapQuery(BaseModel):
    """Which overlaps."""

    model_config = ConfigDict(extra="forbid")

    organization_id: int | None = None
    limit: int = Field(default=200, ge=1, le=1000)


class OverlapList(BaseModel):
    """Delegations that share names."""

    items: list[OverlapView]
    total: int
