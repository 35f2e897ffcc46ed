"""Admin REST of the audit log: list, one object's entries, exports, checkpoints."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_

from hub.access.audit_checkpoints import MEDIA_TYPE, stored_checkpoints
from hub.access.audit_export import json_lines
from hub.access.audit_schemas import AuditRow
from hub.access.event_visibility import OBJECT_KINDS
from hub.access.models import AuditEntry
from hub.access.policy import authorize, scope
from hub.access.service import AccessService
from hub.http.calls import Call
from hub.http.listing import Column, ListEndpoint, Listing, ListQuery, Page
from hub.http.principal import Principal
from hub.http.routing import RouteSet, StreamedResponse, get

AUDIT = Listing(
    AuditRow,
    (
        Column("sequence", AuditEntry.sequence, "Number", kind="int", nullable=False),
        Column("at", AuditEntry.at, "Time", kind="time", nullable=False),
        Column("actor_kind", AuditEntry.actor_kind, "Actor's kind", sortable=False),
        Column("actor_id", AuditEntry.actor_id, "Actor's ID", sortable=False),
        Column("actor_name", AuditEntry.actor_name, "Actor", sortable=False, searchable=True),
        Column("action", AuditEntry.action, "Action", sortable=False, searchable=True),
        Column("object_type", AuditEntry.object_type, "Object's kind", sortable=False),
        Column("object_id", AuditEntry.object_id, "Object's ID", sortable=False, searchable=True),
        Column("organization_id", AuditEntry.organization_id, "Organization", kind="int", sortable=False),
        Column("department_id", AuditEntry.department_id, "Department", kind="int", sortable=False),
        Column("certificate_type", AuditEntry.certificate_type, "Certificate type", sortable=False),
        Column("remote", AuditEntry.remote, "Address", sortable=False, searchable=True),
        Column("user_agent", AuditEntry.user_agent, "Program", sortable=False),
        Column("details", AuditEntry.details, "Details", sortable=False, filterable=False),
        Column("sha256", AuditEntry.sha256, "SHA-256", sortable=False),
    ),
    select_from=AuditEntry,
    id_column=AuditEntry.sequence,
    default_sort="-sequence",
)


def visible_entries(principal: Principal) -> ColumnElement[bool] | None:
    """Return the condition on entries that ``principal`` may read: about objects that they may see."""
    whole = _scope(principal, "audit.view")
    if whole is None:
        return None
    names: dict[str, list[str]] = {}
    for name, kind in OBJECT_KINDS.items():
        if authorize(principal, kind.action).allowed:
            names.setdefault(kind.action, []).append(name)
    conditions = []
    for action, kinds in sorted(names.items()):
        seen = _scope(principal, action)
        about = AuditEntry.object_type.in_(kinds)
        conditions.append(about if seen is None else and_(about, seen))
    return and_(whole, or_(false(), *conditions))


def _scope(principal: Principal, action: str) -> ColumnElement[bool] | None:
    return scope(
        principal,
        AuditEntry.organization_id,
        AuditEntry.department_id,
        action=action,
        type_column=AuditEntry.certificate_type,
    )


class AuditRoutes(RouteSet):
    """The audit log."""

    prefix = "/audit"
    tag = "audit"

    def __init__(self, access: AccessService) -> None:
        self._db = access.db
        self._listing = ListEndpoint(access.db, AUDIT, scope=visible_entries, filename="audit.csv")

    @get(
        "",
        action="audit.view",
        summary="List the audit log",
        query=ListQuery,
        returns=Page[AuditRow],
        listing=AUDIT,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[AuditRow] | StreamedResponse:
        """List entries, newest first."""
        return await self._listing(call)

    @get(
        "/objects/{object_type}/{object_id}",
        action="audit.view",
        summary="List the audit log of one object",
        query=ListQuery,
        returns=Page[AuditRow],
        listing=AUDIT,
    )
    async def of_object(self, call: Call[None, ListQuery]) -> Page[AuditRow] | StreamedResponse:
        """List what happened to one object; one out of reach has no entries, like one that never was."""
        where = AuditEntry.object_type == call.path["object_type"]
        return await self._listing(call, where=where & (AuditEntry.object_id == call.path["object_id"]))

    @get(
        "/export",
        action="audit.view",
        summary="Export the audit log as JSON lines",
        query=ListQuery,
        returns=StreamedResponse,
        media_type=MEDIA_TYPE,
        listing=AUDIT,
    )
    async def export(self, call: Call[None, ListQuery]) -> StreamedResponse:
        """Export all entries that match, oldest first; as CSV the list itself is exported."""
        wanted = AUDIT.wanted(call.query, visible_entries(call.principal))
        return StreamedResponse(
            _encoded(json_lines(self._db, [*wanted.containing, *wanted.others])),
            media_type=MEDIA_TYPE,
            filename="audit.jsonl",
        )

    @get(
        "/checkpoints",
        action="audit.verify",
        summary="Export the signed checkpoints of the audit log",
        returns=StreamedResponse,
        media_type=MEDIA_TYPE,
    )
    async def checkpoints(self, call: Call[None, None]) -> StreamedResponse:  # noqa: ARG002 - all or nothing
        """Export all checkpoints; keep them elsewhere, for ``certwright audit verify --checkpoints``."""
        async with self._db.read() as session:
            stored = await stored_checkpoints(session)

        async def lines() -> AsyncIterator[str]:
            for item in stored:
                yield item.line()

        return StreamedResponse(_encoded(lines()), media_type=MEDIA_TYPE, filename="audit-checkpoints.jsonl")


async def _encoded(lines: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    async for line in lines:
        yield line.encode()
