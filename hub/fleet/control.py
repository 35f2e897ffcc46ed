"""The Control service: who is calling, and a stream for each who may.

The TLS layer has checked the chain to the agent CA. The certificate's common name is the agent's id; whether
the agent is active and the certificate is its present one is decided with the Hello, in the ledger.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
import structlog

from hub.db.errors import HubError
from hub.fleet.directory import CUT_SHUTDOWN
from hub.fleet.errors import AgentNotAdmitted
from hub.fleet.statuses import status_of
from hub.fleet.stream import AgentStream, StreamCut, StreamDesk
from hub.fleet.wire import decode_from_agent

SERVICE = "certwright.agent.v1.Control"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Peer:
    """The certificate at the other end."""

    agent_id: str
    certificate_sha256: str


def peer_of(auth_context: Any) -> Peer:
    """Return who is at the other end of a mutually authenticated connection.

    Raises:
        AgentNotAdmitted: there is no certificate.
    """
    names = auth_context.get("x509_common_name", ())
    certificates = auth_context.get("x509_pem_cert", ())
    if not names or not certificates:
        raise AgentNotAdmitted("a client certificate is needed")
    der = ssl.PEM_cert_to_DER_cert(certificates[0].decode("ascii"))
    return Peer(names[0].decode("utf-8", "replace"), hashlib.sha256(der).hexdigest())


class ControlService:
    """Serves control streams until it is closed."""

    def __init__(self, desk: StreamDesk) -> None:
        self._desk = desk
        self._closing = False

    def handler(self) -> grpc.GenericRpcHandler:
        """Return the service for a gRPC server; messages are typed on this side of it already."""
        connect: grpc.RpcMethodHandler[Any, Any] = grpc.stream_stream_rpc_method_handler(
            self._connect, request_deserializer=decode_from_agent, response_serializer=None
        )
        return grpc.method_handlers_generic_handler(SERVICE, {"Connect": connect})

    def close(self) -> None:
        """End all streams; agents will come back to another hub, or to this one later."""
        self._closing = True
        for stream in self._desk.directory:
            stream.cut(*CUT_SHUTDOWN)

    async def _connect(self, _requests: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        code, details = await self._serve(context)
        if code is not grpc.StatusCode.OK:
            await context.abort(code, details)

    async def _serve(self, context: grpc.aio.ServicerContext[Any, Any]) -> tuple[grpc.StatusCode, str]:
        if self._closing:
            return CUT_SHUTDOWN
        agent_id = ""
        try:
            peer = peer_of(context.auth_context())
            agent_id = peer.agent_id
            stream = AgentStream(
                self._desk, context, agent_id=peer.agent_id, certificate_sha256=peer.certificate_sha256
            )
            await stream.serve()
        except StreamCut as cut:
            return cut.code, cut.reason
        except HubError as error:
            status, details = status_of(error)
            _log.warning("stream_refused", agent_id=agent_id, code=error.code, details=details)
            return status, details
        except Exception:  # noqa: BLE001 - border: gRPC handler
            _log.exception("stream_failed", agent_id=agent_id)
            return grpc.StatusCode.INTERNAL, "internal: the hub failed; its log says why"
        return grpc.StatusCode.OK, ""
