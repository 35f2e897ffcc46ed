"""The dashboard in one request."""

from __future__ import annotations

from hub.db.deadline import deadline
from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.routing import RouteSet, get
from hub.lifecycle.figures.counts import in_one_snapshot
from hub.lifecycle.figures.dashboard import read_dashboard
from hub.lifecycle.figures.schemas import Dashboard

_DEADLINE_S = 10.0


class DashboardRoutes(RouteSet):
    """``/dashboard``: figures of what the caller may see."""

    prefix, tag = "/dashboard", "dashboard"

    def __init__(self, db: Database) -> None:
        self._db = db

    @get("", action="certificates.view", summary="Read the figures of the dashboard", returns=Dashboard)
    async def read(self, call: Call[None, None]) -> Dashboard:
        """Return all figures, of one moment."""
        async with self._db.read() as session:
            await in_one_snapshot(session)
            async with deadline(session, _DEADLINE_S):
                return await read_dashboard(session, call.principal, now=self._db.clock())
