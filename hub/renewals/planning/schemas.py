"""What the routes of planning take; :mod:`.views` is what they give."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.renewals.planning.fields import FreezeFields, QuotaFields, WindowFields
from hub.renewals.planning.scope import Scope

_MINUTES_AN_HOUR = 60
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"
_CLOSING = r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


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
