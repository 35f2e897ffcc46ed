"""Self-service over JSON, for programs; people use the page."""

from __future__ import annotations

from hub.http.calls import Call
from hub.http.routing import PUBLIC, RawResponse, RouteSet, post
from hub.lifecycle.schemas import EnrolledView
from hub.lifecycle.self_service.schemas import SelfDownloadBody, SelfRenewBody, SelfRevokeBody
from hub.lifecycle.self_service.service import SelfService

_MAX_BODY = 16 * 1024


class SelfServiceRoutes(RouteSet):
    """``/self-service/ssl``: no account, a passphrase."""

    prefix, tag = "/self-service/ssl", "self-service"

    def __init__(self, service: SelfService) -> None:
        self._service = service

    @post(
        "/renew",
        action=PUBLIC,
        summary="Renew a certificate by its passphrase",
        body=SelfRenewBody,
        returns=EnrolledView,
        status=201,
        max_body_bytes=_MAX_BODY,
    )
    async def renew(self, call: Call[SelfRenewBody, None]) -> EnrolledView:
        """Request the successor; it may wait for an approval."""
        enrolled = await self._service.renew(
            call.principal, call.body.shown(), agreement_accepted=call.body.agreement_accepted
        )
        return EnrolledView(id=enrolled.id, status=enrolled.status)

    @post(
        "/download",
        action=PUBLIC,
        summary="Download a certificate by its passphrase",
        body=SelfDownloadBody,
        returns=RawResponse,
        media_type="application/octet-stream",
        max_body_bytes=_MAX_BODY,
    )
    async def download(self, call: Call[SelfDownloadBody, None]) -> RawResponse:
        """Return the certificate as a file."""
        file = await self._service.download(
            call.principal, call.body.shown(), format_name=call.body.format.value
        )
        return RawResponse(file.body, file.media_type, file.filename)

    @post(
        "/revoke",
        action=PUBLIC,
        summary="Revoke a certificate by its passphrase",
        body=SelfRevokeBody,
        status=204,
        max_body_bytes=_MAX_BODY,
    )
    async def revoke(self, call: Call[SelfRevokeBody, None]) -> None:
        """Revoke for a reason of RFC 5280."""
        await self._service.revoke(
            call.principal, call.body.shown(), reason=call.body.reason.value, comments=call.body.comments
        )
