"""Admin REST of installations: their times, their nodes, restarting what waits for it."""

from __future__ import annotations

from hub.http.calls import Call
from hub.http.routing import RouteSet, delete, post, put
from hub.lifecycle.install_schemas import AddItemsBody, InstallTimesBody
from hub.lifecycle.schemas import StatusView
from hub.lifecycle.service import LifecycleService
from hub.lifecycle.transitions import head_of


class InstallRoutes(RouteSet):
    """``/certificates/{id}``: schedule, items, restart."""

    prefix, tag = "/certificates", "certificates"

    def __init__(self, lifecycle: LifecycleService) -> None:
        self._lifecycle = lifecycle

    @put(
        "/{id:int}/install-schedule",
        action="certificates.install",
        summary="Say when a certificate is installed",
        body=InstallTimesBody,
        returns=StatusView,
    )
    async def set_times(self, call: Call[InstallTimesBody, None]) -> StatusView:
        """Set the times; an installation that has not begun is planned anew."""
        changes = self._lifecycle.install_changes
        await changes.set_times(call.principal, call.int_path("id"), call.body.typed())
        return await self._status(call.int_path("id"))

    @post(
        "/{id:int}/install-items",
        action="certificates.install",
        summary="Add nodes to install a certificate on",
        body=AddItemsBody,
        returns=StatusView,
        status=201,
    )
    async def add_items(self, call: Call[AddItemsBody, None]) -> StatusView:
        """Add nodes; a certificate whose key the PKS keeps is installed from now on."""
        await self._lifecycle.install_changes.add(
            call.principal,
            call.int_path("id"),
            [target.typed() for target in call.body.targets],
            times=call.body.times.typed() if call.body.times else None,
        )
        return await self._status(call.int_path("id"))

    @delete(
        "/{id:int}/install-items/{item_id:int}",
        action="certificates.install",
        summary="Take a node out of a certificate's installation",
    )
    async def remove_item(self, call: Call[None, None]) -> None:
        """Take the node out; what is installed there stays there."""
        await self._lifecycle.install_changes.remove(
            call.principal, call.int_path("id"), call.int_path("item_id")
        )

    @post(
        "/{id:int}/restart",
        action="certificates.install",
        summary="Restart the servers that a certificate waits on",
        returns=StatusView,
        status=202,
    )
    async def restart(self, call: Call[None, None]) -> StatusView:
        """Restart them; what they serve afterwards is verified."""
        await self._lifecycle.restarts.restart(call.principal, call.int_path("id"))
        return await self._status(call.int_path("id"))

    async def _status(self, certificate_id: int) -> StatusView:
        async with self._lifecycle.db.read() as session:
            head = await head_of(session, certificate_id)
        return StatusView(
            id=head.id,
            status=head.status,
            install_state=head.install_state,
            renewal_state=head.renewal_state,
        )
