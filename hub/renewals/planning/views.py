"""What the routes of planning give."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.renewals.planning.forecast import TermName


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class _ScopeView(_Row):
    id: int
    name: str
    organization_id: int | None
    department_id: int | None
    profile_id: int | None
    agent_id: str | None
    server_pattern: str
    time_zone: str
    comment: str
    created_by: str
    created_at: datetime
    updated_at: datetime


class FreezeView(_ScopeView):
    """A freeze in full."""

    starts: str
    ends: str
    repeats_yearly: bool
    starts_at: datetime
    ends_at: datetime


class WindowView(_ScopeView):
    """A maintenance window in full."""

    weekdays: list[int]
    opens: str
    closes: str


class FreezeRow(BaseModel):
    """A freeze in the list."""

    id: int
    name: str
    organization_id: int | None
    organization: str | None
    department: str | None
    profile: str | None
    agent: str | None
    server_pattern: str
    starts: str
    ends: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    repeats_yearly: bool
    comment: str
    created_by: str
    created: datetime


class WindowRow(BaseModel):
    """A maintenance window in the list."""

    id: int
    name: str
    organization_id: int | None
    organization: str | None
    department: str | None
    profile: str | None
    agent: str | None
    server_pattern: str
    weekdays: list[int]
    opens: str
    closes: str
    time_zone: str
    comment: str
    created_by: str
    created: datetime


class QuotaRow(BaseModel):
    """A quota in the list."""

    id: int
    backend_id: int
    backend: str | None
    period: str
    limit: int
    cost_cents: int | None
    currency: str
    note: str
    created_by: str
    created: datetime


class QuotaView(_Row):
    """A quota in full."""

    id: int
    backend_id: int
    period: str
    limit: int
    cost_cents: int | None
    currency: str
    note: str
    created_by: str
    created_at: datetime
    updated_at: datetime


class FreezeSpan(_Row):
    """From `start` up to, but not including, `end`."""

    start: datetime
    end: datetime


class ConcernedView(_Row):
    """A certificate that a freeze concerns; with a reason, it would expire."""

    id: int
    common_name: str
    organization_id: int | None
    not_after: datetime
    renewal_due_at: datetime | None
    reason: str
    message: str


class ConsequencesView(_Row):
    """What a freeze does; lists hold the first fifty."""

    occurrences: list[FreezeSpan]
    pulled_ahead: int = Field(description="Renewals that are due within it and move ahead of it.")
    pulled_ahead_list: list[ConcernedView]
    outages: int = Field(description="Certificates that would expire: with any, the freeze is refused.")
    outage_list: list[ConcernedView]
    by_hand: int = Field(description="Certificates that end within it and don't renew themselves.")
    by_hand_list: list[ConcernedView]


class CalendarQuery(_Body):
    """A part of the calendar."""

    begin: date
    end: date


class CalendarEvent(_Row):
    """A time of the calendar in which a freeze is on or a window open."""

    kind: Literal["freeze", "window"]
    entry_id: int
    name: str
    organization_id: int | None
    start: datetime
    end: datetime


class CalendarView(BaseModel):
    """The calendar between two days."""

    events: list[CalendarEvent]
    truncated: bool = Field(description="True: there are more; ask for fewer days.")


class ForecastQuery(_Body):
    """Which year."""

    term: TermName = Field(default="current", description="Longest term: as it is, or 200, 100 or 47 days.")
    organization_id: int | None = None


class QuotaLimits(_Row):
    """Limits of a CA; null: none."""

    hour: int | None
    day: int | None
    week: int | None
    a_day: float | None = Field(description="What they allow a day in the long run.")


class BackendForecastView(_Row):
    """One CA's year, a number a day."""

    backend_id: int | None
    name: str
    quota: QuotaLimits
    certificates: int
    renewals: list[int]
    excess: list[int] = Field(description="What must be renewed on a day beyond the quota.")
    peak: int
    peak_day: date
    breaks_on: date | None
    sentence: str
    cost_cents: int | None
    currency: str


class AgentForecastView(_Row):
    """One agent's year, a number a day."""

    agent_id: str = Field(description="Empty: no agent has the key; `*`: all other agents.")
    name: str
    renewals: list[int]
    total: int
    peak: int


class ValidationForecastView(_Row):
    """Validations of domains for public trust, a number a day."""

    domains: int
    by_hand_domains: int
    validations: list[int]
    by_hand: list[int]
    peak: int
    sentence: str


class ForecastView(_Row):
    """The year ahead."""

    term: str
    begins: date
    days: int
    certificates: int
    backends: list[BackendForecastView]
    agents: list[AgentForecastView]
    validations: ValidationForecastView
    breaks_on: date | None
    sentence: str


class ChainLinkView(_Row):
    """One link of the chain that a renewal hangs on."""

    name: str
    title: str
    state: Literal["ok", "at_risk", "broken"]
    message: str
    remedy: str
    since: datetime | None
    deadline: datetime | None


class BudgetView(_Row):
    """A certificate's outage budget."""

    certificate_id: int
    hours_left: float = Field(description="Until an outage if nothing works from now on; negative: since.")
    outage_at: datetime
    state: Literal["ok", "at_risk", "broken"]
    links: list[ChainLinkView]
    services: list[str] = Field(description="Where it is; the first three.")
    services_total: int
    successor_id: int | None


class BudgetRow(BaseModel):
    """A certificate in the list of outage budgets."""

    id: int
    common_name: str
    organization_id: int | None
    organization: str | None
    department_id: int | None
    status: str
    renewal_state: str
    outage_at: datetime
    budget: BudgetView | None = None


class UpcomingRow(BaseModel):
    """A renewal that is coming, runs or failed."""

    id: int
    common_name: str
    organization_id: int | None
    organization: str | None
    profile: str | None
    agent: str | None
    status: str
    renewal_state: str
    due: datetime | None
    expires: datetime | None
    attempts: int
    successor_id: int | None


class OrganizationFigureView(_Row):
    """How near an organization is to its next outage."""

    organization_id: int | None
    organization: str
    in_service: int
    lapsed: int = Field(description="Already over.")
    within_day: int
    within_week: int
    within_month: int
    failed_renewals: int
    next_outage_at: datetime | None
    hours_left: float | None


class BudgetSummary(BaseModel):
    """All organizations, the nearest outage first."""

    organizations: list[OrganizationFigureView]
