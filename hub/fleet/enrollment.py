"""The Enrollment service: tokens for identities, and identities regained. Server-authenticated TLS only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc
import grpc.aio
import structlog

from hub.db.errors import HubError, Malformed
from hub.db.uow import Database
from hub.fleet import rejoin
from hub.fleet.authority import Authority
from hub.fleet.identities import Enrolled, Identities, requested_key
from hub.fleet.messages import (
    BeginRejoinRequest,
    BeginRejoinResponse,
    CompleteRejoinRequest,
    EnrollRequest,
    EnrollResponse,
)
from hub.fleet.statuses import status_of
from hub.fleet.wire import (
    decode_begin_rejoin,
    decode_complete_rejoin,
    decode_enroll,
    encode_enrollment,
)

SERVICE = "certwright.agent.v1.Enrollment"
OrganizationNames = Callable[[int], Awaitable[str]]

RequestT = TypeVar("RequestT")
_log = structlog.get_logger(__name__)


class Addresses:
    """HOST:PORT of the two listeners as agents reach them; known once they are bound."""

    def __init__(self) -> None:
        self.control = ""
        self.enrollment = ""


class EnrollmentService:
    """Enroll, BeginRejoin and CompleteRejoin."""

    def __init__(
        self,
        db: Database,
        authority: Authority,
        identities: Identities,
        *,
        addresses: Addresses,
        organization_name: OrganizationNames,
    ) -> None:
        self._db = db
        self._authority = authority
        self._identities = identities
        self._addresses = addresses
        self._organization_name = organization_name

    def handler(self) -> grpc.GenericRpcHandler:
        """Return the service for a gRPC server."""
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Enroll": _unary(self.enroll, decode_enroll),
                "BeginRejoin": _unary(self.begin_rejoin, decode_begin_rejoin),
                "CompleteRejoin": _unary(self.complete_rejoin, decode_complete_rejoin),
            },
        )

    async def enroll(self, request: EnrollRequest) -> EnrollResponse:
        """Spend a token for an identity."""
        spki = requested_key(request.csr)
        async with self._db.write() as uow:
            enrolled = await self._identities.enroll(
                uow, secret=request.secret, spki=spki, facts=request.facts, name=request.name
            )
        _log.info("agent_enrolled", agent_id=enrolled.agent_id, kind=request.facts.kind)
        return await self._response(enrolled)

    async def begin_rejoin(self, request: BeginRejoinRequest) -> BeginRejoinResponse:
        """Answer with a challenge, whether or not the agent exists."""
        key, now = self._authority.challenge_key, self._db.clock()
        return BeginRejoinResponse(*rejoin.make_challenge(key, request.agent_id, now=now))

    async def complete_rejoin(self, request: CompleteRejoinRequest) -> EnrollResponse:
        """Give a fresh certificate for the enrolled key."""
        async with self._db.write() as uow:
            enrolled = await self._identities.rejoin(
                uow,
                agent_id=request.agent_id,
                challenge=request.challenge,
                signature=request.signature,
                facts=request.facts,
            )
        _log.info("agent_rejoined", agent_id=enrolled.agent_id)
        return await self._response(enrolled)

    async def _response(self, enrolled: Enrolled) -> EnrollResponse:
        organization = ""
        if enrolled.organization_id is not None:
            organization = await self._organization_name(enrolled.organization_id)
        return EnrollResponse(
            agent_id=enrolled.agent_id,
            certificate=enrolled.certificate,
            agent_ca=self._authority.ca_der,
            control_address=self._addresses.control,
            enrollment_address=self._addresses.enrollment,
            organization=organization,
        )


def _readable(request: RequestT | Malformed) -> RequestT:
    if isinstance(request, Malformed):
        raise request
    return request


def _unary(
    method: Callable[[RequestT], Awaitable[EnrollResponse | BeginRejoinResponse]],
    decode: Callable[[bytes], RequestT | Malformed],
) -> grpc.RpcMethodHandler[Any, Any]:
    async def serve(request: RequestT | Malformed, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            return await method(_readable(request))
        except HubError as error:
            code, details = status_of(error)
            _log.warning("enrollment_refused", code=error.code, peer=context.peer())
        except Exception:  # noqa: BLE001 - border: gRPC handler
            _log.exception("enrollment_failed", peer=context.peer())
            code, details = grpc.StatusCode.INTERNAL, "internal: the hub failed; its log says why"
        return await context.abort(code, details)

    return grpc.unary_unary_rpc_method_handler(
        serve, request_deserializer=decode, response_serializer=encode_enrollment
    )
