"""Admin REST of network discovery."""

from __future__ import annotations

from hub.access.policy import scope
from hub.discovery.listing import ENDPOINTS, FINDS, SCANS, TASKS
from hub.discovery.models import DiscoveredEndpoint, DiscoveryTask, Scan, ScanFind
from hub.discovery.schemas import (
    EndpointRow,
    FindRow,
    ScanRow,
    ScanStarted,
    ScanView,
    TaskChange,
    TaskCreate,
    TaskRow,
    TaskView,
)
from hub.discovery.service import DiscoveryService
from hub.http.calls import Call
from hub.http.listing import ListEndpoint, ListQuery, Page
from hub.http.principal import Principal
from hub.http.routing import RouteSet, StreamedResponse, delete, get, patch, post


class DiscoveryRoutes(RouteSet):
    """``/discovery``: tasks, scans, finds and endpoints."""

    prefix, tag = "/discovery", "discovery"

    def __init__(self, discovery: DiscoveryService) -> None:
        self._discovery = discovery
        db = discovery.db
        self._tasks = ListEndpoint(
            db,
            TASKS,
            scope=lambda who: scope(
                who, DiscoveryTask.organization_id, DiscoveryTask.department_id, action="discovery.view"
            ),
            filename="discovery-tasks.csv",
        )
        # Their parent was looked up in the caller's scope.
        self._scans = ListEndpoint(db, SCANS, filename="scans.csv")
        self._finds = ListEndpoint(db, FINDS, filename="scan-report.csv")
        self._endpoints = ListEndpoint(
            db,
            ENDPOINTS,
            scope=lambda who: scope(
                who,
                DiscoveredEndpoint.organization_id,
                DiscoveredEndpoint.department_id,
                action="discovery.view",
            ),
            filename="endpoints.csv",
        )

    @get(
        "/tasks",
        action="discovery.view",
        summary="List discovery tasks",
        query=ListQuery,
        returns=Page[TaskRow],
        listing=TASKS,
    )
    async def tasks(self, call: Call[None, ListQuery]) -> Page[TaskRow] | StreamedResponse:
        """Return a page of tasks, or all as CSV."""
        return await self._tasks(call, where=DiscoveryTask.deleted_at.is_(None))

    @post(
        "/tasks",
        action="discovery.edit",
        summary="Create a discovery task",
        body=TaskCreate,
        returns=TaskView,
        status=201,
    )
    async def create(self, call: Call[TaskCreate, None]) -> TaskView:
        """Create a task."""
        task_id = await self._discovery.create(call.principal, call.body.typed())
        return await self._task(call.principal, task_id)

    @get("/tasks/{id:int}", action="discovery.view", summary="Read a discovery task", returns=TaskView)
    async def task(self, call: Call[None, None]) -> TaskView:
        """Return one task."""
        return await self._task(call.principal, call.int_path("id"))

    @patch(
        "/tasks/{id:int}",
        action="discovery.edit",
        summary="Change a discovery task",
        body=TaskChange,
        returns=TaskView,
    )
    async def change(self, call: Call[TaskChange, None]) -> TaskView:
        """Change a task; a scan that runs goes on as it was started."""
        await self._discovery.update(call.principal, call.int_path("id"), call.body.typed())
        return await self._task(call.principal, call.int_path("id"))

    @delete("/tasks/{id:int}", action="discovery.edit", summary="Delete a discovery task")
    async def remove(self, call: Call[None, None]) -> None:
        """Delete a task; what it found stays."""
        await self._discovery.delete(call.principal, call.int_path("id"))

    @post(
        "/tasks/{id:int}/scan",
        action="discovery.run",
        summary="Start a scan",
        returns=ScanStarted,
        status=202,
    )
    async def scan(self, call: Call[None, None]) -> ScanStarted:
        """Start a scan; while one runs, that one is the answer."""
        return ScanStarted(scan_id=await self._discovery.scan(call.principal, call.int_path("id")))

    @post(
        "/tasks/{id:int}/cancel",
        action="discovery.run",
        summary="Cancel the running scan",
        returns=ScanStarted,
        status=202,
    )
    async def cancel(self, call: Call[None, None]) -> ScanStarted:
        """Ask the agent to stop; the scan is Canceled when it says so."""
        return ScanStarted(scan_id=await self._discovery.cancel(call.principal, call.int_path("id")))

    @get(
        "/tasks/{id:int}/scans",
        action="discovery.view",
        summary="List a task's scans",
        query=ListQuery,
        returns=Page[ScanRow],
        listing=SCANS,
    )
    async def scans(self, call: Call[None, ListQuery]) -> Page[ScanRow] | StreamedResponse:
        """Return the history of a task."""
        task_id = call.int_path("id")
        async with self._discovery.db.read() as session:
            await self._discovery.task(session, call.principal, task_id)
        return await self._scans(call, where=Scan.task_id == task_id)

    @get("/scans/{id:int}", action="discovery.view", summary="Read a scan", returns=ScanView)
    async def read_scan(self, call: Call[None, None]) -> ScanView:
        """Return one scan with its progress and counts."""
        async with self._discovery.db.read() as session:
            scan = await self._discovery.find_scan(session, call.principal, call.int_path("id"))
            return ScanView.model_validate(scan)

    @get(
        "/scans/{id:int}/finds",
        action="discovery.view",
        summary="List what a scan found",
        query=ListQuery,
        returns=Page[FindRow],
        listing=FINDS,
    )
    async def finds(self, call: Call[None, ListQuery]) -> Page[FindRow] | StreamedResponse:
        """Return endpoints and certificates of a scan; as CSV it is the scan's report."""
        scan_id = call.int_path("id")
        async with self._discovery.db.read() as session:
            await self._discovery.find_scan(session, call.principal, scan_id)
        return await self._finds(call, where=ScanFind.scan_id == scan_id)

    @get(
        "/endpoints",
        action="discovery.view",
        summary="List all endpoints",
        query=ListQuery,
        returns=Page[EndpointRow],
        listing=ENDPOINTS,
    )
    async def endpoints(self, call: Call[None, ListQuery]) -> Page[EndpointRow] | StreamedResponse:
        """Return endpoints as they were seen last."""
        return await self._endpoints(call)

    async def _task(self, principal: Principal, task_id: int) -> TaskView:
        async with self._discovery.db.read() as session:
            return TaskView.model_validate(await self._discovery.task(session, principal, task_id))
