"""What the dashboard is given."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class Share(BaseModel):
    """A part of the certificates, and the filters under which the list shows them."""

    label: str
    count: int
    filters: list[str] = Field(default_factory=list, description="As `filter` of the list.")


class Expiring(BaseModel):
    """Certificates that expire from now to the end (UTC) of the day so many days ahead."""

    days: int
    managed: int = Field(description="Issued through this hub.")
    other: int = Field(description="Found: issued by others.")
    filters: list[str]


class Day(BaseModel):
    """Certificates in use that expire on a day (UTC)."""

    day: str
    count: int


class Month(BaseModel):
    """What was asked for and what was issued in a month (UTC)."""

    month: str
    requested: int
    issued: int
    filters: list[str] = Field(description="Of those that were asked for.")


class Validations(BaseModel):
    """Domain control: how many validations are in which state, and how many end soon."""

    states: list[Share]
    expiring: list[Share]


class Dashboard(BaseModel):
    """All figures of the dashboard, of what the caller may see."""

    at: datetime
    total: int
    statuses: list[Share]
    expiring: list[Expiring]
    expiring_by_day: list[Day]
    months: list[Month]
    requests: list[Share] = Field(description="Requests that are not certificates yet, or never will be.")
    types: list[Share] = Field(description="Managed: single domain, wildcard, multi-domain, private.")
    validation_levels: list[Share] = Field(description="Managed: the sub type of the profile.")
    profiles: list[Share]
    authorities: list[Share]
    terms: list[Share]
    organizations: list[Share]
    key_strengths: list[Share]
    key_algorithms: list[Share]
    signature_algorithms: list[Share]
    validations: Validations | None = Field(description="Null: the caller may not see domain validations.")
