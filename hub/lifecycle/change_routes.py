"""Admin REST of what is changed about certificates: edit, annotate, move, replace, delete, many at once."""

from __future__ import annotations

from dataclasses import asdict

from hub.http.calls import Call
from hub.http.routing import RouteSet, delete, patch, post, put
from hub.lifecycle.bulk_schemas import BulkBody, BulkResult, BulkResults
from hub.lifecycle.change_schemas import AnnotateBody, NotificationsBody, OwnerBody
from hub.lifecycle.request_schemas import EditBody, ReplaceBody
from hub.lifecycle.routes import front_door_of, status_view
from hub.lifecycle.schemas import EnrolledView, StatusView
from hub.lifecycle.service import LifecycleService


class CertificateChangeRoutes(RouteSet):
    """``/certificates``: what is changed about them."""

    prefix, tag = "/certificates", "certificates"

    def __init__(self, lifecycle: LifecycleService) -> None:
        self._lifecycle = lifecycle

    @post(
        "/bulk",
        action="certificates.view",
        summary="Do one thing to many certificates",
        body=BulkBody,
        returns=BulkResults,
    )
    async def bulk(self, call: Call[BulkBody, None]) -> BulkResults:
        """Act on each by itself; what is done needs its own permission beside the route's."""
        order = call.body.typed(requested_via=front_door_of(call.principal))
        outcomes = await self._lifecycle.bulk.run(call.principal, call.body.action, call.body.ids, order)
        return BulkResults(items=[BulkResult(**asdict(outcome)) for outcome in outcomes])

    @patch(
        "/{id:int}",
        action="certificates.edit_request",
        summary="Edit a request that waits for approval, or was declined or refused",
        body=EditBody,
        returns=StatusView,
    )
    async def edit(self, call: Call[EditBody, None]) -> StatusView:
        """Edit; the whole request is checked again, and approvals are taken back."""
        await self._lifecycle.editing.edit(call.principal, call.int_path("id"), call.body.typed())
        return await status_view(self._lifecycle.db, call.int_path("id"))

    @patch(
        "/{id:int}/annotations",
        action="certificates.edit",
        summary="Change comments, external requester and custom fields, at any status",
        body=AnnotateBody,
        status=204,
    )
    async def annotate(self, call: Call[AnnotateBody, None]) -> None:
        """Annotate; what is absent stays as it is."""
        await self._lifecycle.annotations.annotate(call.principal, call.int_path("id"), call.body.typed())

    @put(
        "/{id:int}/notifications",
        action="certificates.edit",
        summary="Hold back a certificate's notifications, or let them go out again",
        body=NotificationsBody,
        status=204,
    )
    async def notifications(self, call: Call[NotificationsBody, None]) -> None:
        """Suspend or resume."""
        await self._lifecycle.annotations.suspend_notifications(
            call.principal, call.int_path("id"), suspended=call.body.suspended
        )

    @post(
        "/{id:int}/assign",
        action="certificates.edit",
        summary="Give a found certificate to an organization",
        body=OwnerBody,
        returns=StatusView,
    )
    async def assign(self, call: Call[OwnerBody, None]) -> StatusView:
        """Assign; the certificate becomes External."""
        await self._lifecycle.ownership.assign(
            call.principal,
            call.int_path("id"),
            organization_id=call.body.organization_id,
            department_id=call.body.department_id,
        )
        return await status_view(self._lifecycle.db, call.int_path("id"))

    @post(
        "/{id:int}/move",
        action="certificates.edit",
        summary="Move a certificate to another department or organization, at any status",
        body=OwnerBody,
        returns=StatusView,
    )
    async def move(self, call: Call[OwnerBody, None]) -> StatusView:
        """Move; names of certificates issued here have to be delegated to the new owner."""
        await self._lifecycle.ownership.move(
            call.principal,
            call.int_path("id"),
            organization_id=call.body.organization_id,
            department_id=call.body.department_id,
        )
        return await status_view(self._lifecycle.db, call.int_path("id"))

    @post(
        "/{id:int}/replace",
        action="certificates.replace",
        summary="Replace a certificate by one with a new key",
        body=ReplaceBody,
        returns=EnrolledView,
        status=201,
    )
    async def replace(self, call: Call[ReplaceBody, None]) -> EnrolledView:
        """Request the replacement; the old one is Replaced once that is issued."""
        replacement = call.body.typed(requested_via=front_door_of(call.principal))
        enrolled = await self._lifecycle.replace(call.principal, call.int_path("id"), replacement)
        return EnrolledView(id=enrolled.id, status=enrolled.status)

    @delete(
        "/{id:int}",
        action="certificates.delete",
        summary="Delete a certificate that was found",
    )
    async def delete(self, call: Call[None, None]) -> None:
        """Delete; what was issued here is kept as a record."""
        await self._lifecycle.deleting.delete(call.principal, call.int_path("id"))
