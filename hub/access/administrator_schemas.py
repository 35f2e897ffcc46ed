"""What the routes of administrators, the own profile and general settings take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from hub.access.passwords import MAX_LENGTH
from hub.access.schemas import GrantSchema

AdministratorType = Literal["standard", "idp_user", "idp_template", "api"]
DateFormat = Literal["yyyy-mm-dd", "dd.mm.yyyy", "dd/mm/yyyy", "mm/dd/yyyy"]

_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
_Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^$|^[^@\s]+@[^@\s]+$")]
_Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)]
_Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)]
_Phone = Annotated[str, StringConstraints(pattern=r"^[0-9+()./ \-]{0,32}$")]
_Country = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")]
_Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")]
_Privileges = Annotated[list[_Short], Field(max_length=50)]


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ProfileChange(_Input):
    """What administrators change of themselves; what is left out stays."""

    title: _Short | None = None
    phone: _Phone | None = None
    street: _Line | None = None
    locality: _Line | None = None
    state: _Line | None = None
    postal_code: Annotated[str, StringConstraints(max_length=40)] | None = None
    country: _Country | None = Field(default=None, description="ISO 3166 code, such as `DE`.")
    relationship: _Short | None = Field(
        default=None, description="To the company, such as `employee` or `third party`."
    )
    locale: _Locale | None = Field(default=None, description="Language of the console, such as `en`.")


class AdministratorIn(ProfileChange):
    """A new administrator."""

    username: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{1,63}$")
    name: _Name
    email: _Email = ""
    type: AdministratorType = "standard"
    password: SecretStr | None = Field(
        default=None, max_length=MAX_LENGTH, description="Of type `standard` only."
    )
    must_change_password: bool = False
    privileges: _Privileges | None = Field(
        default=None, description="Null: what the roles get by default, of what you have."
    )
    grants: list[GrantSchema] = Field(min_length=1, max_length=100)


class AdministratorChange(ProfileChange):
    """A change of an administrator; what is left out stays."""

    name: _Name | None = None
    email: _Email | None = None
    active: bool | None = None
    must_change_password: bool | None = None
    privileges: _Privileges | None = None
    grants: list[GrantSchema] | None = Field(default=None, min_length=1, max_length=100)


class NewPassword(_Input):
    """A password for somebody else, to be changed at the next sign-in."""

    password: SecretStr = Field(max_length=MAX_LENGTH)


class Created(BaseModel):
    """The id of what was created."""

    id: int


class AdministratorRow(BaseModel):
    """An administrator in a list."""

    id: int
    username: str
    name: str
    email: str
    type: str
    active: bool
    created_at: datetime
    last_login_at: datetime | None


class Profile(BaseModel):
    """One's own data."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    username: str
    name: str
    email: str
    type: str
    title: str
    phone: str
    street: str
    locality: str
    state: str
    postal_code: str
    country: str
    relationship: str
    locale: str
    must_change_password: bool
    last_login_at: datetime | None
    grants: list[GrantSchema]
    privileges: list[str]


class AdministratorDetail(Profile):
    """Everything about an administrator."""

    active: bool
    created_at: datetime
    created_by: str
    deactivated_at: datetime | None


class PrivilegeView(BaseModel):
    """One privilege, and whether the caller may give it away."""

    name: str
    title: str
    description: str
    roles: list[str] = Field(description="Roles that may hold it.")
    given_to: list[str] = Field(description="Roles that have it unless somebody says otherwise.")
    restricts: bool = Field(description="It takes away instead of giving.")
    yours: bool = Field(description="You have it, and may give it away.")


class PrivilegeList(BaseModel):
    """All privileges."""

    items: list[PrivilegeView]


class ActivityRow(BaseModel):
    """One of one's own sign-ins."""

    sequence: int
    at: datetime
    action: str
    remote: str
    user_agent: str


class GeneralSettings(BaseModel):
    """General settings of the installation."""

    model_config = ConfigDict(from_attributes=True)

    date_format: DateFormat = Field(description="How the console writes dates.")
    domain_expiry_days: int = Field(
        description="Days before its validation expires from which a domain needs action."
    )


class GeneralSettingsChange(_Input):
    """A change of general settings; what is left out stays."""

    date_format: DateFormat | None = None
    domain_expiry_days: int | None = Field(default=None, ge=0, le=365)
