"""Bodies of the routes about installations."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from hub.lifecycle.install_changes import Times
from hub.lifecycle.requests import Installation, InstallSchedule
from hub.lifecycle.schemas import TargetBody


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class InstallScheduleBody(_Body):
    """When an installation may begin."""

    time_zone: str = Field(default="UTC", max_length=64, description="IANA name, such as Europe/Berlin.")
    not_before: datetime | None = Field(
        default=None, description="Without an offset: in the schedule's own time zone."
    )
    hour_from: int = Field(default=0, ge=0, le=23)
    hour_to: int = Field(
        default=24, ge=0, le=24, description="Not included. Before `hour_from`: on the next day."
    )
    weekdays: list[int] = Field(
        default_factory=list,
        max_length=7,
        description="0: Monday. Empty: every day. The window begins on it.",
    )

    def typed(self) -> InstallSchedule:
        """Return it as the lifecycle takes it."""
        return InstallSchedule(
            time_zone=self.time_zone,
            not_before=self.not_before,
            hour_from=self.hour_from,
            hour_to=self.hour_to,
            weekdays=frozenset(self.weekdays),
        )


class InstallTimesBody(_Body):
    """When a certificate is installed: `triggered` by hand, `immediate`, or `scheduled`."""

    installation: Installation
    schedule: InstallScheduleBody | None = Field(default=None, description="With `scheduled`.")

    def typed(self) -> Times:
        """Return it as the lifecycle takes it."""
        return Times(
            installation=self.installation, schedule=self.schedule.typed() if self.schedule else None
        )


class AddItemsBody(_Body):
    """Nodes that a certificate is to be installed on too; `times` null: as for the others."""

    targets: list[TargetBody] = Field(min_length=1, max_length=200)
    times: InstallTimesBody | None = None
