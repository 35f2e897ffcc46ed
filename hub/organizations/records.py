"""The room's typed values: what other rooms and the routes are given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationFields:
    """What an administrator sets on an organization; empty address fields stay out of subjects."""

    name: str
    street: str = ""
    locality: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRecord:
    """One organization. ``status``: "active", or "inactive" for one that gets no certificates."""

    id: int
    public_id: str
    name: str
    street: str
    locality: str
    state: str
    postal_code: str
    country: str
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentRecord:
    """One department of an organization."""

    id: int
    organization_id: int
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRecord:
    """One delegation of a domain; ``department_id`` None means the organization as a whole."""

    id: int
    organization_id: int
    department_id: int | None
    name: str
    approved: bool
    active: bool
    requested_by: str
    created_at: datetime
