"""What the routes of planning take and give."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.renewals.planning.fields import FreezeFields, QuotaFields, WindowFields
from hub.renewals.planning.forecast import TermName
from hub.renewals.planning.scope import Scope

_MINUTES_AN_HOUR = 60
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"
_CLOSING = r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ScopeBody(_Body):
    """What narrows an entry; absent: nothing."""

    organization_id: int | None = Field(
        default=None, description="Absent: every organization; takes an MRAO."
    )
    department_id: int | None = None
    profile_id: int | None = None
    agent_id: str | None = Field(default=None, max_length=36)
    server_pattern: str = Field(
        default="",
        max_length=128,
        description="With `*` and `?`; matched against names of agents, their hosts, and servers.",
    )

    def scope(self) -> Scope:
        """Return it as the service takes it."""
        return Scope(
            organization_id=self.organization_id,
            department_id=self.department_id,
            profile_id=self.profile_id,
            agent_id=self.agent_id or None,
            server_pattern=self.server_pattern.strip(),
        )


class FreezeBody(ScopeBody):
    """A freeze."""

    name: str = Field(max_length=128)
    starts: datetime = Field(description="Local time of `time_zone`, without an offset.")
    ends: datetime = Field(description="Local time of `time_zone`; not part of the freeze any more.")
    time_zone: str = Field(default="UTC", max_length=64, description="IANA name, such as `Europe/Berlin`.")
    repeats_yearly: bool = False
    comment: str = Field(default="", max_length=2000)

    def typed(self) -> FreezeFields:
        """Return it as the service takes it."""
        return FreezeFields(
            name=self.name,
            starts=self.starts,
            ends=self.ends,
            time_zone=self.time_zone,
            repeats_yearly=self.repeats_yearly,
            scope=self.scope(),
            comment=self.comment,
        )


class FreezePreview(FreezeBody):
    """A freeze to be looked at before it is saved."""

    freeze_id: int | None = Field(default=None, description="The freeze that it would change.")

    def typed(self) -> FreezeFields:
        """Return it as the service takes it."""
        return super().typed()


class FreezeChange(_Body):
    """Changes to a freeze; what is absent stays, null empties."""

    organization_id: int | None = None
    department_id: int | None = None
    profile_id: int | None = None
    agent_id: str | None = Field(default=None, max_length=36)
    server_pattern: str = Field(default="", max_length=128)
    name: str = Field(default="", max_length=128)
    starts: datetime | None = None
    ends: datetime | None = None
    time_zone: str = Field(default="UTC", max_length=64)
    repeats_yearly: bool = False
    comment: str = Field(default="", max_length=2000)

    def typed(self) -> dict[str, Any]:
        """Return what is to change."""
        changes = self.model_dump(exclude_unset=True)
        return {name: value for name, value in changes.items() if name not in {"starts", "ends"} or value}


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * _MINUTES_AN_HOUR + int(minutes)


def clock(minutes: int) -> str:
    """Return minutes since midnight as `HH:MM`."""
    return f"{minutes // _MINUTES_AN_HOUR:02}:{minutes % _MINUTES_AN_HOUR:02}"


class WindowBody(ScopeBody):
    """A maintenance window."""

    name: str = Field(max_length=128)
    weekdays: list[int] = Field(max_length=7, description="Days on which it opens; 0 is Monday.")
    opens: str = Field(pattern=_CLOCK, description="`HH:MM` in `time_zone`.")
    closes: str = Field(pattern=_CLOSING, description="`HH:MM`; not after `opens`: on the next day.")
    time_zone: str = Field(default="UTC", max_length=64, description="IANA name, such as `Europe/Berlin`.")
    comment: str = Field(default="", max_length=2000)

    def typed(self) -> WindowFields:
        """Return it as the service takes it."""
        return WindowFields(
            name=self.name,
            weekdays=frozenset(self.weekdays),
            opens=_minutes(self.opens),
            closes=_minutes(self.closes),
            time_zone=self.time_zone,
            scope=self.scope(),
            comment=self.comment,
        )


class WindowChange(_Body):
    """Changes to a maintenance window; what is absent stays, null empties."""

    organization_id: int | None = None
    department_id: int | None = None
    profile_id: int | None = None
    agent_id: str | None = Field(default=None, max_length=36)
    server_pattern: str = Field(default="", max_length=128)
    name: str = Field(default="", max_length=128)
    weekdays: list[int] = Field(default_factory=list, max_length=7)
    opens: str = Field(default="00:00", pattern=_CLOCK)
    closes: str = Field(default="24:00", pattern=_CLOSING)
    time_zone: str = Field(default="UTC", max_length=64)
    comment: str = Field(default="", max_length=2000)

    def typed(self) -> dict[str, Any]:
        """Return what is to change."""
        changes = self.model_dump(exclude_unset=True)
        for name in ("opens", "closes"):
            if name in changes:
                changes[name] = _minutes(changes[name])
        if "weekdays" in changes:
            changes["weekdays"] = frozenset(changes["weekdays"])
        return changes


class QuotaBody(_Body):
    """A quota of a CA."""

    backend_id: int
    period: Literal["hour", "day", "week"]
    limit: int = Field(description="Certificates a period.")
    cost_cents: int | None = Field(default=None, description="Cost of one certificate, in hundredths.")
    currency: str = Field(default="", max_length=3, description="ISO 4217, such as EUR.")
    note: str = Field(default="", max_length=2000)

    def typed(self) -> QuotaFields:
        """Return it as the service takes it."""
        return QuotaFields(**self.model_dump())


class QuotaChange(_Body):
    """Changes to a quota; what is absent stays."""

    limit: int = 0
    cost_cents: int | None = None
    currency: str = Field(default="", max_length=3)
    note: str = Field(default="", max_length=2000)

    def typed(self) -> dict[str, Any]:
        """Return what is to change."""
        return self.model_dump(exclude_unset=True)


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
