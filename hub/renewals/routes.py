"""Admin REST of automatic renewal."""

from __future__ import annotations

from hub.http.calls import Call
from hub.http.routing import RouteSet, get, put
from hub.renewals.schemas import AutoRenewalBody, RenewalView, renewal_view
from hub.renewals.service import RenewalService


class RenewalRoutes(RouteSet):
    """``/certificates/{id}/auto-renew`` and ``/certificates/{id}/renewal``."""

    prefix, tag = "/certificates", "renewals"

    def __init__(self, renewals: RenewalService) -> None:
        self._renewals = renewals

    @put(
        "/{id:int}/auto-renew",
        action="certificates.renew",
        summary="Set a certificate's automatic renewal",
        body=AutoRenewalBody,
        returns=RenewalView,
    )
    async def set_auto_renewal(self, call: Call[AutoRenewalBody, None]) -> RenewalView:
        """Store the settings and plan by them; after a failure the renewal starts anew."""
        found = call.body.successor.typed() if call.body.successor else None
        await self._renewals.set_auto_renewal(
            call.principal, call.int_path("id"), call.body.typed(), found=found
        )
        return await self._view(call)

    @get(
        "/{id:int}/renewal",
        action="certificates.view",
        summary="Why a certificate was renewed, or not",
        returns=RenewalView,
    )
    async def why(self, call: Call[None, None]) -> RenewalView:
        """Answer in one sentence, with the evidence."""
        return await self._view(call)

    async def _view(self, call: Call[AutoRenewalBody, None] | Call[None, None]) -> RenewalView:
        answer = await self._renewals.why(call.principal, call.int_path("id"))
        return renewal_view(answer, self._renewals.db.clock())
