"""Everybody's own notices in the console: the bell."""

from __future__ import annotations

from sqlalchemy import and_

from hub.http.calls import Call
from hub.http.listing import ListEndpoint, ListQuery, Page
from hub.http.routing import RouteSet, StreamedResponse, delete, get, post
from hub.notifications.listing import NOTICES
from hub.notifications.schemas import ChangedView, NoticeRow, UnreadView
from hub.notifications.service import NotificationService, own_notices

VIEW, EDIT = "notices.view", "notices.edit"


class NoticeRoutes(RouteSet):
    """``/notices``: the caller's own."""

    prefix, tag = "/notices", "notices"

    def __init__(self, service: NotificationService) -> None:
        self._service = service
        self._listing = ListEndpoint(service.db, NOTICES, filename="notices.csv")

    @get(
        "",
        action=VIEW,
        summary="List one's own notices",
        query=ListQuery,
        returns=Page[NoticeRow],
        listing=NOTICES,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[NoticeRow] | StreamedResponse:
        """Return a page of the caller's notices."""
        return await self._listing(call, where=and_(*own_notices(call.principal)))

    @get("/unread", action=VIEW, summary="Count one's own unread notices", returns=UnreadView)
    async def unread(self, call: Call[None, None]) -> UnreadView:
        """Return how many are unread."""
        return UnreadView(unread=await self._service.unread(call.principal))

    @post("/read", action=EDIT, summary="Mark all one's own notices as read", returns=ChangedView)
    async def read_all(self, call: Call[None, None]) -> ChangedView:
        """Mark all as read."""
        return ChangedView(changed=await self._service.mark_read(call.principal, None))

    @post("/{id:int}/read", action=EDIT, summary="Mark a notice as read", returns=ChangedView)
    async def read(self, call: Call[None, None]) -> ChangedView:
        """Mark one as read."""
        return ChangedView(changed=await self._service.mark_read(call.principal, call.int_path("id")))

    @delete("", action=EDIT, summary="Take all one's own notices off the list")
    async def dismiss_all(self, call: Call[None, None]) -> None:
        """Take all off the list; what was sent keeps them."""
        await self._service.dismiss(call.principal, None)

    @delete("/{id:int}", action=EDIT, summary="Take a notice off the list")
    async def dismiss(self, call: Call[None, None]) -> None:
        """Take one off the list."""
        await self._service.dismiss(call.principal, call.int_path("id"))
