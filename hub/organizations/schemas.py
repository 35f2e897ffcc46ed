"""What the routes of organizations, departments and domains take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

OrganizationStatus = Literal["active", "inactive"]


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
    created_at: datetime


class OrganizationCreate(BaseModel):
    """A new organization; its address fills the subjects of certificates."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    street: str = Field(default="", max_length=128)
    locality: str = Field(default="", max_length=128)
    state: str = Field(default="", max_length=128)
    postal_code: str = Field(default="", max_length=40)
    country: str = Field(default="", max_length=2, description="ISO 3166, two letters.")


class OrganizationChange(BaseModel):
    """Changes to an organization; what is absent stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, min_length=1, max_length=64)
    street: str | None = Field(default=None, max_length=128)
    locality: str | None = Field(default=None, max_length=128)
    state: str | None = Field(default=None, max_length=128)
    postal_code: str | None = Field(default=None, max_length=40)
    country: str | None = Field(default=None, max_length=2)
    status: OrganizationStatus | None = None


class DepartmentRow(BaseModel):
    """One department."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    organization_id: int
    name: str
    created_at: datetime


class DepartmentCreate(BaseModel):
    """A new department."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)


class DomainRow(BaseModel):
    """One domain delegated to an organization."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    organization_id: int
    organization_name: str = ""
    department_id: int | None
    name: str
    approved: bool
    active: bool
    requested_by: str
    created_at: datetime


class DomainCreate(BaseModel):
    """A domain to delegate."""

    model_config = ConfigDict(extra="forbid")

    organization_id: int
    department_id: int | None = None
    name: str = Field(
        min_length=1,
        max_length=255,
        description="`example.com`, `*.example.com` for all names below it, or `*` for every name of private"
        " trust.",
    )
