"""Planning of renewals: the only way in for the renewal engine and the routes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.db.errors import Malformed
from hub.db.uow import Database
from hub.http.principal import Principal
from hub.renewals.planning.budget import Budgets
from hub.renewals.planning.calendar import PlanningCalendar
from hub.renewals.planning.entries import freeze_entry, visible_rows, window_entry
from hub.renewals.planning.forecasting import Forecaster
from hub.renewals.planning.freezes import Freezes
from hub.renewals.planning.local_time import window_spans
from hub.renewals.planning.models import MaintenanceWindow, RenewalFreeze
from hub.renewals.planning.quotas import Quotas
from hub.renewals.planning.replans import NoReplanner, Replanner, Replans
from hub.renewals.planning.windows import Windows

LONGEST_RANGE_DAYS = 370
MOST_EVENTS = 2000
_BATCHES_AT_ONCE = 4
"""So many batches of plans are made anew before a change is answered; a job does the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """A time at which a freeze is on or a window open."""

    kind: str
    entry_id: int
    name: str
    organization_id: int | None
    start: datetime
    end: datetime


class PlanningService:
    """Freezes, windows, quotas, forecast and outage budgets.

    ``calendar`` is what the planner asks; ``replanner`` plans renewals anew when the calendar changed.
    """

    def __init__(self, db: Database, replanner: Replanner | None = None) -> None:
        self.db = db
        self.calendar = PlanningCalendar()
        self.freezes = Freezes(db)
        self.windows = Windows(db)
        self.quotas = Quotas(db)
        self.forecaster = Forecaster(db)
        self.budgets = Budgets(db)
        self._replans = Replans(db, replanner or NoReplanner())

    def replan_by(self, replanner: Replanner) -> None:
        """Have renewals planned by ``replanner`` from now on; for services that need this one's calendar."""
        self._replans = Replans(self.db, replanner)

    async def replan_soon(self) -> None:
        """Plan anew what a change concerns, as far as that is quick."""
        await self._replans.work(batches=_BATCHES_AT_ONCE)

    async def replan(self) -> None:
        """Plan anew all that waits for it; for a job."""
        await self._replans.work()

    async def entries(self, principal: Principal, begin: datetime, end: datetime) -> list[CalendarEntry]:
        """Return what of the calendar concerns somebody between two times, in order.

        Raises:
            Malformed: the range is empty or longer than a year.
        """
        if not begin < end or (end - begin).days > LONGEST_RANGE_DAYS:
            raise Malformed("ask for at least a day and at most a year", field="end")
        found: list[CalendarEntry] = []
        async with self.db.read() as session:
            freezes = await visible_rows(session, principal, RenewalFreeze)
            windows = await visible_rows(session, principal, MaintenanceWindow)
        for row in freezes:
            spans = freeze_entry(row).spans(begin, end)
            found += [_entry("freeze", row, span.start, span.end) for span in spans]
        for window in windows:
            spans = window_spans(window_entry(window).times, begin, end)
            found += [_entry("window", window, span.start, span.end) for span in spans]
        return sorted(found, key=lambda item: (item.start, item.kind, item.entry_id))


def _entry(
    kind: str, row: RenewalFreeze | MaintenanceWindow, start: datetime, end: datetime
) -> CalendarEntry:
    return CalendarEntry(
        kind=kind,
        entry_id=row.id,
        name=row.name,
        organization_id=row.organization_id,
        start=start,
        end=end,
    )
