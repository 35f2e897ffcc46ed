"""Admin REST of planning: the calendar, quotas, the forecast and outage budgets."""

from __future__ import annotations

from datetime import UTC, datetime, time

from sqlalchemy import ColumnElement, and_

from hub.http.calls import Call
from hub.http.listing import ListEndpoint, ListQuery, Page
from hub.http.principal import Principal
from hub.http.routing import RouteSet, StreamedResponse, delete, get, patch, post
from hub.lifecycle.models import Certificate
from hub.lifecycle.scoping import certificate_scope
from hub.renewals.planning.budget import in_service
from hub.renewals.planning.entries import visible_entries
from hub.renewals.planning.listing import BUDGETS, FREEZES, QUOTAS, UPCOMING, WINDOWS
from hub.renewals.planning.models import MaintenanceWindow, RenewalFreeze
from hub.renewals.planning.preview import AUTOMATIC
from hub.renewals.planning.schemas import (
    FreezeBody,
    FreezeChange,
    FreezePreview,
    QuotaBody,
    QuotaChange,
    WindowBody,
    WindowChange,
    clock,
)
from hub.renewals.planning.service import MOST_EVENTS, PlanningService
from hub.renewals.planning.views import (
    BudgetRow,
    BudgetSummary,
    BudgetView,
    CalendarEvent,
    CalendarQuery,
    CalendarView,
    ConsequencesView,
    ForecastQuery,
    ForecastView,
    FreezeRow,
    FreezeView,
    OrganizationFigureView,
    QuotaRow,
    QuotaView,
    UpcomingRow,
    WindowRow,
    WindowView,
)


class CalendarRoutes(RouteSet):
    """``/renewals``: freezes and maintenance windows."""

    prefix, tag = "/renewals", "renewals"

    def __init__(self, planning: PlanningService) -> None:
        self._planning = planning
        self._freezes = ListEndpoint(
            planning.db,
            FREEZES,
            scope=lambda who: visible_entries(who, RenewalFreeze),
            filename="freezes.csv",
        )
        self._windows = ListEndpoint(
            planning.db,
            WINDOWS,
            scope=lambda who: visible_entries(who, MaintenanceWindow),
            filename="maintenance-windows.csv",
        )

    @get(
        "/calendar",
        action="renewals.view",
        summary="Read the calendar between two days",
        query=CalendarQuery,
        returns=CalendarView,
    )
    async def calendar(self, call: Call[None, CalendarQuery]) -> CalendarView:
        """Return when freezes are on and windows open; days are of UTC."""
        begin, end = (datetime.combine(day, time(), UTC) for day in (call.query.begin, call.query.end))
        entries = await self._planning.entries(call.principal, begin, end)
        events = [CalendarEvent.model_validate(item) for item in entries[:MOST_EVENTS]]
        return CalendarView(events=events, truncated=len(entries) > MOST_EVENTS)

    @get(
        "/freezes",
        action="renewals.view",
        summary="List freezes",
        query=ListQuery,
        returns=Page[FreezeRow],
        listing=FREEZES,
    )
    async def freezes(self, call: Call[None, ListQuery]) -> Page[FreezeRow] | StreamedResponse:
        """Return a page of freezes, or all as CSV."""
        return await self._freezes(call)

    @post(
        "/freezes/preview",
        action="renewals.plan",
        summary="Show what a freeze would do",
        body=FreezePreview,
        returns=ConsequencesView,
    )
    async def preview(self, call: Call[FreezePreview, None]) -> ConsequencesView:
        """Return the renewals that would move ahead and the certificates that would expire."""
        found = await self._planning.freezes.preview(
            call.principal, call.body.typed(), freeze_id=call.body.freeze_id
        )
        return ConsequencesView.model_validate(found)

    @post(
        "/freezes",
        action="renewals.plan",
        summary="Create a freeze",
        body=FreezeBody,
        returns=FreezeView,
        status=201,
    )
    async def create_freeze(self, call: Call[FreezeBody, None]) -> FreezeView:
        """Create a freeze, unless certificates would expire."""
        freeze_id = await self._planning.freezes.create(call.principal, call.body.typed())
        await self._planning.replan_soon()
        return await self._freeze(call.principal, freeze_id)

    @get("/freezes/{id:int}", action="renewals.view", summary="Read a freeze", returns=FreezeView)
    async def freeze(self, call: Call[None, None]) -> FreezeView:
        """Return one freeze."""
        return await self._freeze(call.principal, call.int_path("id"))

    @patch(
        "/freezes/{id:int}",
        action="renewals.plan",
        summary="Change a freeze",
        body=FreezeChange,
        returns=FreezeView,
    )
    async def change_freeze(self, call: Call[FreezeChange, None]) -> FreezeView:
        """Change a freeze, unless certificates would expire."""
        await self._planning.freezes.change(call.principal, call.int_path("id"), call.body.typed())
        await self._planning.replan_soon()
        return await self._freeze(call.principal, call.int_path("id"))

    @delete("/freezes/{id:int}", action="renewals.plan", summary="Delete a freeze")
    async def delete_freeze(self, call: Call[None, None]) -> None:
        """Delete a freeze; renewals that moved ahead of it are planned again."""
        await self._planning.freezes.delete(call.principal, call.int_path("id"))
        await self._planning.replan_soon()

    @get(
        "/windows",
        action="renewals.view",
        summary="List maintenance windows",
        query=ListQuery,
        returns=Page[WindowRow],
        listing=WINDOWS,
    )
    async def windows(self, call: Call[None, ListQuery]) -> Page[WindowRow] | StreamedResponse:
        """Return a page of maintenance windows, or all as CSV."""
        return await self._windows(call)

    @post(
        "/windows",
        action="renewals.plan",
        summary="Create a maintenance window",
        body=WindowBody,
        returns=WindowView,
        status=201,
    )
    async def create_window(self, call: Call[WindowBody, None]) -> WindowView:
        """Create a maintenance window."""
        window_id = await self._planning.windows.create(call.principal, call.body.typed())
        await self._planning.replan_soon()
        return await self._window(call.principal, window_id)

    @get("/windows/{id:int}", action="renewals.view", summary="Read a maintenance window", returns=WindowView)
    async def window(self, call: Call[None, None]) -> WindowView:
        """Return one maintenance window."""
        return await self._window(call.principal, call.int_path("id"))

    @patch(
        "/windows/{id:int}",
        action="renewals.plan",
        summary="Change a maintenance window",
        body=WindowChange,
        returns=WindowView,
    )
    async def change_window(self, call: Call[WindowChange, None]) -> WindowView:
        """Change a maintenance window."""
        await self._planning.windows.change(call.principal, call.int_path("id"), call.body.typed())
        await self._planning.replan_soon()
        return await self._window(call.principal, call.int_path("id"))

    @delete("/windows/{id:int}", action="renewals.plan", summary="Delete a maintenance window")
    async def delete_window(self, call: Call[None, None]) -> None:
        """Delete a maintenance window; without any, renewals run at any time."""
        await self._planning.windows.delete(call.principal, call.int_path("id"))
        await self._planning.replan_soon()

    async def _freeze(self, principal: Principal, freeze_id: int) -> FreezeView:
        async with self._planning.db.read() as session:
            row = await self._planning.freezes.find(session, principal, freeze_id)
            return FreezeView.model_validate(row)

    async def _window(self, principal: Principal, window_id: int) -> WindowView:
        async with self._planning.db.read() as session:
            row = await self._planning.windows.find(session, principal, window_id)
            names = set(WindowView.model_fields) - {"opens", "closes"}
            values = {name: getattr(row, name) for name in names}
            return WindowView(**values, opens=clock(row.opens), closes=clock(row.closes))


class QuotaRoutes(RouteSet):
    """``/renewals/quotas``: what CAs issue at most."""

    prefix, tag = "/renewals/quotas", "renewals"

    def __init__(self, planning: PlanningService) -> None:
        self._planning = planning
        self._quotas = ListEndpoint(planning.db, QUOTAS, filename="ca-quotas.csv")

    @get(
        "",
        action="renewals.view",
        summary="List quotas of CAs",
        query=ListQuery,
        returns=Page[QuotaRow],
        listing=QUOTAS,
    )
    async def quotas(self, call: Call[None, ListQuery]) -> Page[QuotaRow] | StreamedResponse:
        """Return a page of quotas, or all as CSV."""
        return await self._quotas(call)

    @post(
        "",
        action="renewals.edit_quotas",
        summary="Create a quota of a CA",
        body=QuotaBody,
        returns=QuotaView,
        status=201,
    )
    async def create_quota(self, call: Call[QuotaBody, None]) -> QuotaView:
        """Create a quota."""
        return await self._quota(await self._planning.quotas.create(call.principal, call.body.typed()))

    @get("/{id:int}", action="renewals.view", summary="Read a quota of a CA", returns=QuotaView)
    async def quota(self, call: Call[None, None]) -> QuotaView:
        """Return one quota."""
        return await self._quota(call.int_path("id"))

    @patch(
        "/{id:int}",
        action="renewals.edit_quotas",
        summary="Change a quota of a CA",
        body=QuotaChange,
        returns=QuotaView,
    )
    async def change_quota(self, call: Call[QuotaChange, None]) -> QuotaView:
        """Change a quota."""
        await self._planning.quotas.change(call.principal, call.int_path("id"), call.body.typed())
        return await self._quota(call.int_path("id"))

    @delete("/{id:int}", action="renewals.edit_quotas", summary="Delete a quota of a CA")
    async def delete_quota(self, call: Call[None, None]) -> None:
        """Delete a quota."""
        await self._planning.quotas.delete(call.principal, call.int_path("id"))

    async def _quota(self, quota_id: int) -> QuotaView:
        async with self._planning.db.read() as session:
            return QuotaView.model_validate(await self._planning.quotas.find(session, quota_id))


class PlanningRoutes(RouteSet):
    """``/renewals``: what is coming, the year ahead, and outage budgets."""

    prefix, tag = "/renewals", "renewals"

    def __init__(self, planning: PlanningService) -> None:
        self._planning = planning
        self._budgets = ListEndpoint(
            planning.db, BUDGETS, scope=certificate_scope, filename="outage-budget.csv"
        )
        self._upcoming = ListEndpoint(
            planning.db, UPCOMING, scope=certificate_scope, filename="upcoming-renewals.csv"
        )

    @get(
        "/upcoming",
        action="certificates.view",
        summary="List renewals that are coming, run or failed",
        query=ListQuery,
        returns=Page[UpcomingRow],
        listing=UPCOMING,
    )
    async def upcoming(self, call: Call[None, ListQuery]) -> Page[UpcomingRow] | StreamedResponse:
        """Return a page of renewals, the next one first."""
        return await self._upcoming(call, where=_upcoming(call.query))

    @get(
        "/forecast",
        action="certificates.view",
        summary="Forecast a year of renewals",
        query=ForecastQuery,
        returns=ForecastView,
    )
    async def forecast(self, call: Call[None, ForecastQuery]) -> ForecastView:
        """Return renewals and validations a day under some terms, and the day on which a plan breaks."""
        found = await self._planning.forecaster.forecast(
            call.principal, term=call.query.term, organization_id=call.query.organization_id
        )
        return ForecastView.model_validate(found)

    @get(
        "/outage-budget",
        action="certificates.view",
        summary="List outage budgets",
        query=ListQuery,
        returns=Page[BudgetRow],
        listing=BUDGETS,
    )
    async def budgets(self, call: Call[None, ListQuery]) -> Page[BudgetRow] | StreamedResponse:
        """Return a page of certificates in service, the nearest outage first; the chain is in JSON only."""
        answer = await self._budgets(call, where=in_service(self._planning.db.clock()))
        if isinstance(answer, StreamedResponse):
            return answer
        async with self._planning.db.read() as session:
            budgets = await self._planning.budgets.of(session, [row.id for row in answer.items])
        rows = [
            row.model_copy(update={"budget": BudgetView.model_validate(budgets[row.id])})
            for row in answer.items
            if row.id in budgets
        ]
        return answer.model_copy(update={"items": rows})

    @get(
        "/outage-budget/summary",
        action="certificates.view",
        summary="Sum up outage budgets by organization",
        returns=BudgetSummary,
    )
    async def summary(self, call: Call[None, None]) -> BudgetSummary:
        """Return a figure an organization, the nearest outage first."""
        figures = await self._planning.budgets.summary(call.principal)
        return BudgetSummary(organizations=[OrganizationFigureView.model_validate(item) for item in figures])


class CertificateBudgetRoutes(RouteSet):
    """``/certificates/{id}/outage-budget``."""

    prefix, tag = "/certificates", "certificates"

    def __init__(self, planning: PlanningService) -> None:
        self._planning = planning

    @get(
        "/{id:int}/outage-budget",
        action="certificates.view",
        summary="Read a certificate's outage budget",
        returns=BudgetView,
    )
    async def budget(self, call: Call[None, None]) -> BudgetView:
        """Return the hours until an outage and the chain that the renewal hangs on."""
        return BudgetView.model_validate(
            await self._planning.budgets.one(call.principal, call.int_path("id"))
        )


def _upcoming(query: ListQuery) -> ColumnElement[bool]:
    """Return the condition on renewals: those with a time, or in the state that was asked for.

    A renewal that runs has no time any more; it is found by its state, so that the index of times serves the
    list without.
    """
    if any(text.startswith("renewal_state:") for text in query.filter):
        return Certificate.renewal_state.in_(AUTOMATIC)
    # An expression rather than the column: the index of states would have everything sorted first.
    states = Certificate.renewal_state.concat("").in_(AUTOMATIC)
    return and_(Certificate.renewal_due_at.is_not(None), states)


def planning_routes(planning: PlanningService) -> tuple[RouteSet, ...]:
    """Return all routes of planning."""
    return (
        CalendarRoutes(planning),
        QuotaRoutes(planning),
        PlanningRoutes(planning),
        CertificateBudgetRoutes(planning),
    )
