"""What the routes of persons and custom fields take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.organizations.custom_field_rules import FieldKind
from hub.organizations.schemas import CertificateType

ValidationType = Literal["standard", "high"]
_DOMAIN_TEXT = "Delegated domain that the address must be under; absent: the one that covers it."
_PRINCIPAL_TEXT = "Only where the settings for client certificates allow it; absent there: the address."
_SECRET_TEXT = "What the person types to enroll; it can be replaced, never read."  # noqa: S105 - a description


class PersonRow(BaseModel):
    """One person."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    organization_id: int
    organization_name: str = ""
    department_id: int | None
    department_name: str | None = None
    domain: str
    email: str
    common_name: str
    first_name: str
    middle_name: str
    last_name: str
    phone: str
    alternative_emails: list[str]
    has_secret_id: bool
    validation_type: ValidationType
    principal_name: str
    eppn: str
    created_via: str
    created_at: datetime
    changed_at: datetime


class PersonCreate(BaseModel):
    """A new person. First and last name have at most 64 characters together."""

    model_config = ConfigDict(extra="forbid")

    organization_id: int
    department_id: int | None = None
    domain: str = Field(default="", max_length=255, description=_DOMAIN_TEXT)
    email: str = Field(max_length=320)
    common_name: str = Field(default="", max_length=64, description="Absent: first and last name.")
    first_name: str = Field(max_length=128)
    middle_name: str = Field(default="", max_length=128)
    last_name: str = Field(max_length=128)
    phone: str = Field(default="", max_length=64)
    alternative_emails: list[str] = Field(default_factory=list, max_length=100)
    secret_id: str | None = Field(default=None, max_length=256, description=_SECRET_TEXT)
    validation_type: ValidationType = "standard"
    principal_name: str = Field(default="", max_length=320, description=_PRINCIPAL_TEXT)
    eppn: str = Field(default="", max_length=320, description="eduPersonPrincipalName, user@scope.")


class PersonChange(BaseModel):
    """Changes to a person; what is absent stays. `department_id` null: none; `secret_id` "": none."""

    model_config = ConfigDict(extra="forbid")

    department_id: int | None = None
    domain: str | None = Field(default=None, max_length=255, description=_DOMAIN_TEXT)
    email: str | None = Field(default=None, max_length=320)
    common_name: str | None = Field(default=None, max_length=64)
    first_name: str | None = Field(default=None, max_length=128)
    middle_name: str | None = Field(default=None, max_length=128)
    last_name: str | None = Field(default=None, max_length=128)
    phone: str | None = Field(default=None, max_length=64)
    alternative_emails: list[str] | None = Field(default=None, max_length=100)
    secret_id: str | None = Field(default=None, max_length=256, description=_SECRET_TEXT)
    validation_type: ValidationType | None = None
    principal_name: str | None = Field(default=None, max_length=320, description=_PRINCIPAL_TEXT)
    eppn: str | None = Field(default=None, max_length=320)


class CustomFieldView(BaseModel):
    """A custom field of requests for one type of certificate."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    certificate_type: CertificateType
    name: str = Field(description="Its name in APIs; the certificate list's column is `custom.<name>`.")
    label: str
    kind: FieldKind
    choices: list[str]
    mandatory_admin_ui: bool
    mandatory_api: bool
    mandatory_forms: bool
    active: bool


class CustomFieldList(BaseModel):
    """Custom fields, oldest first."""

    items: list[CustomFieldView]


class CustomFieldQuery(BaseModel):
    """Which custom fields."""

    model_config = ConfigDict(extra="forbid")

    certificate_type: CertificateType | None = None
    only_active: bool = False


class CustomFieldCreate(BaseModel):
    """A new custom field."""

    model_config = ConfigDict(extra="forbid")

    certificate_type: CertificateType
    name: str = Field(min_length=1, max_length=40)
    label: str = Field(min_length=1, max_length=64)
    kind: FieldKind
    choices: list[str] = Field(default_factory=list, max_length=200, description="Of a list.")
    mandatory_admin_ui: bool = False
    mandatory_api: bool = Field(default=False, description="REST and enrollment endpoints.")
    mandatory_forms: bool = Field(default=False, description="Enrollment forms.")
    active: bool = True


class CustomFieldChange(BaseModel):
    """Changes to a custom field; what is absent stays. Type and kind can't change."""

    model_config = ConfigDict(extra="forbid")

    certificate_type: CertificateType | None = None
    name: str | None = Field(default=None, min_length=1, max_length=40)
    label: str | None = Field(default=None, min_length=1, max_length=64)
    kind: FieldKind | None = None
    choices: list[str] | None = Field(default=None, max_length=200)
    mandatory_admin_ui: bool | None = None
    mandatory_api: bool | None = None
    mandatory_forms: bool | None = None
    active: bool | None = None
