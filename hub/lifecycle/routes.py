"""Admin REST of certificates."""

from __future__ import annotations

from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.listing import ListEndpoint, Listing, ListQuery, Page
from hub.http.principal import Principal
from hub.http.routing import RawResponse, RouteSet, StreamedResponse, delete, get, post
from hub.lifecycle.detail import read_detail
from hub.lifecycle.detail_schemas import CertificateDetail
from hub.lifecycle.listing import CERTIFICATES
from hub.lifecycle.request_schemas import CertificateRequestBody, RenewBody
from hub.lifecycle.schemas import (
    CertificateRow,
    DecisionBody,
    DownloadQuery,
    EnrolledView,
    LocationBody,
    NoteBody,
    RevokeBody,
    StatusView,
)
from hub.lifecycle.scoping import certificate_scope
from hub.lifecycle.service import LifecycleService
from hub.lifecycle.transitions import head_of


class CertificateRoutes(RouteSet):
    """``/certificates``: request, decide, renew, revoke, install, download, list; the rest beside it."""

    prefix, tag = "/certificates", "certificates"

    def __init__(self, lifecycle: LifecycleService) -> None:
        self._lifecycle = lifecycle

    @get(
        "",
        action="certificates.view",
        summary="List certificates",
        query=ListQuery,
        returns=Page[CertificateRow],
        listing=CERTIFICATES,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[CertificateRow] | StreamedResponse:
        """Return a page, or everything as CSV."""
        async with self._lifecycle.db.read() as session:
            listing = await self._lifecycle.listing(session)
        return await self._endpoint(listing)(call)

    def _endpoint(self, listing: Listing[CertificateRow]) -> ListEndpoint[CertificateRow]:
        return ListEndpoint(
            self._lifecycle.db,
            listing,
            scope=certificate_scope,
            filename="certificates.csv",
        )

    @post(
        "",
        action="certificates.request",
        summary="Request a certificate",
        body=CertificateRequestBody,
        returns=EnrolledView,
        status=201,
    )
    async def request(self, call: Call[CertificateRequestBody, None]) -> EnrolledView:
        """Store a request; with an auto-approving profile it may come back issued."""
        request = call.body.typed(requested_via=front_door_of(call.principal))
        enrolled = await self._lifecycle.request(call.principal, request)
        return EnrolledView(id=enrolled.id, status=enrolled.status)

    @get(
        "/{id:int}",
        action="certificates.view",
        summary="Read a certificate",
        returns=CertificateDetail,
    )
    async def read(self, call: Call[None, None]) -> CertificateDetail:
        """Return one certificate with everything known about it."""
        db = self._lifecycle.db
        async with db.read() as session:
            return await read_detail(
                session,
                call.principal,
                call.int_path("id"),
                now=db.clock(),
                # Fields that are no longer in use too: what was asked for once stays known.
                listing=await self._lifecycle.listing(session, only_active=False),
            )

    @post(
        "/{id:int}/approve",
        action="certificates.approve",
        summary="Approve a request",
        body=DecisionBody,
        returns=StatusView,
    )
    async def approve(self, call: Call[DecisionBody, None]) -> StatusView:
        """Approve; the order follows by itself."""
        await self._lifecycle.approve(call.principal, call.int_path("id"), message=call.body.message)
        return await status_view(self._lifecycle.db, call.int_path("id"))

    @post(
        "/{id:int}/decline",
        action="certificates.decline",
        summary="Decline a request",
        body=DecisionBody,
        returns=StatusView,
    )
    async def decline(self, call: Call[DecisionBody, None]) -> StatusView:
        """Decline; it can still be approved later."""
        await self._lifecycle.decline(call.principal, call.int_path("id"), message=call.body.message)
        return await status_view(self._lifecycle.db, call.int_path("id"))

    @post(
        "/{id:int}/renew",
        action="certificates.renew",
        summary="Renew a certificate",
        body=RenewBody,
        returns=EnrolledView,
        status=201,
    )
    async def renew(self, call: Call[RenewBody, None]) -> EnrolledView:
        """Request the successor; the answer is the successor's id."""
        renewal = call.body.typed(requested_via=front_door_of(call.principal))
        enrolled = await self._lifecycle.renew(call.principal, call.int_path("id"), renewal)
        return EnrolledView(id=enrolled.id, status=enrolled.status)

    @post(
        "/{id:int}/revoke",
        action="certificates.revoke",
        summary="Revoke a certificate",
        body=RevokeBody,
        returns=StatusView,
    )
    async def revoke(self, call: Call[RevokeBody, None]) -> StatusView:
        """Revoke for a reason of RFC 5280."""
        await self._lifecycle.revoke(
            call.principal,
            call.int_path("id"),
            reason=call.body.reason.value,
            comments=call.body.comments,
        )
        return await status_view(self._lifecycle.db, call.int_path("id"))

    @post(
        "/{id:int}/install",
        action="certificates.install",
        summary="Install a certificate now, or once more",
        returns=StatusView,
        status=202,
    )
    async def install(self, call: Call[None, None]) -> StatusView:
        """Start the installation; events tell how it goes."""
        await self._lifecycle.install(call.principal, call.int_path("id"))
        return await status_view(self._lifecycle.db, call.int_path("id"))

    @post(
        "/{id:int}/notes",
        action="certificates.edit",
        summary="Leave a note on a certificate",
        body=NoteBody,
        status=204,
    )
    async def add_note(self, call: Call[NoteBody, None]) -> None:
        """Leave a note; the certificate's page shows it."""
        await self._lifecycle.add_note(call.principal, call.int_path("id"), call.body.text)

    @post(
        "/{id:int}/locations",
        action="certificates.edit",
        summary="Record a custom location",
        body=LocationBody,
        status=204,
    )
    async def add_location(self, call: Call[LocationBody, None]) -> None:
        """Record a place that no agent can see."""
        await self._lifecycle.add_location(
            call.principal, call.int_path("id"), name=call.body.name, details=call.body.details
        )

    @delete(
        "/{id:int}/locations/{location_id:int}",
        action="certificates.edit",
        summary="Remove a custom location",
    )
    async def remove_location(self, call: Call[None, None]) -> None:
        """Remove a place that was recorded by hand."""
        await self._lifecycle.remove_location(
            call.principal, call.int_path("id"), call.int_path("location_id")
        )

    @get(
        "/{id:int}/download",
        action="certificates.view",
        summary="Download a certificate",
        query=DownloadQuery,
        returns=RawResponse,
        media_type="application/octet-stream",
    )
    async def download(self, call: Call[None, DownloadQuery]) -> RawResponse:
        """Return the certificate as a file; an Issued one becomes Downloaded."""
        file = await self._lifecycle.download(call.principal, call.int_path("id"), call.query.format.value)
        return RawResponse(file.body, file.media_type, file.filename)


async def status_view(db: Database, certificate_id: int) -> StatusView:
    """Return what actions answer with: the states of a certificate."""
    async with db.read() as session:
        head = await head_of(session, certificate_id)
    return StatusView(
        id=head.id,
        status=head.status,
        install_state=head.install_state,
        renewal_state=head.renewal_state,
    )


def front_door_of(principal: Principal) -> str:
    """Return what a request says of how it came."""
    return "REST API" if principal.kind == "api_token" else "Client Admin"
