"""The hub's two gRPC listeners and the tasks behind them.

Enrollment asks for no client certificate, control for one of the agent CA; gRPC decides that per port, hence
two. Streams cost no thread: everything runs on the one event loop.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import grpc
import grpc.aio
import structlog

from hub.fleet.authority import Authority
from hub.fleet.control import ControlService
from hub.fleet.directory import ProgressBoard, StreamDirectory
from hub.fleet.dispatch import Dispatcher
from hub.fleet.enrollment import Addresses, EnrollmentService, OrganizationNames
from hub.fleet.identities import Identities, RenewalRequest
from hub.fleet.inventory import InventoryReport, reported
from hub.fleet.ledger import Ledger, Recorder
from hub.fleet.presence import CloseStream, OpenStream, closed, opened
from hub.fleet.reports import AcceptReport, BatchReport, DoneReport, GiveUp, ProgressReport
from hub.fleet.server_identity import ServerIdentity
from hub.fleet.service import FleetService
from hub.fleet.settings import MAX_MESSAGE_BYTES
from hub.fleet.stream import StreamDesk
from hub.fleet.upkeep import Upkeep

_RESTART_PAUSE_S = 1.0
_log = structlog.get_logger(__name__)

_COMMON_OPTIONS: tuple[tuple[str, Any], ...] = (
    # Two hubs on one port by mistake must fail, not share it.
    ("grpc.so_reuseport", 0),
    ("grpc.server_handshake_timeout_ms", 30_000),
)
_CONTROL_OPTIONS: tuple[tuple[str, Any], ...] = (
    *_COMMON_OPTIONS,
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # One stream a connection; what a hostile peer may open beside it is bounded.
    ("grpc.max_concurrent_streams", 4),
    # Heartbeats find dead peers; keepalive finds dead connections below them.
    ("grpc.keepalive_time_ms", 120_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Most of a stream's memory is gRPC's and BoringSSL's. Of all options these two take something off it
    # (measured: 89 to 82 KiB); messages are small, so small TLS records cost nothing.
    ("grpc.tsi.max_frame_size", 4_096),
    ("grpc.enable_channelz", 0),
    ("grpc.http2.bdp_probe", 0),
)
_ENROLLMENT_OPTIONS: tuple[tuple[str, Any], ...] = (
    *_COMMON_OPTIONS,
    ("grpc.max_receive_message_length", 64 * 1024),
    ("grpc.max_connection_age_ms", 60_000),
)


def new_replica_name() -> str:
    """Return a name for this process that no other has, and that tells where it runs."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"


class FleetServer:
    """Serves agents until it is stopped."""

    def __init__(
        self,
        service: FleetService,
        authority: Authority,
        identity: ServerIdentity,
        *,
        organization_name: OrganizationNames,
        replica: str | None = None,
    ) -> None:
        self._service = service
        self._authority = authority
        self._identity = identity
        self.addresses = Addresses()
        self.directory = StreamDirectory()
        identities = Identities(authority)
        self._ledger = Ledger(service.db, _recorders(service, identities))
        self._dispatcher = Dispatcher(
            service.db, self.directory, service.reports, poll_s=service.settings.poll_s
        )
        self._desk = StreamDesk(
            replica=replica or new_replica_name(),
            settings=service.settings,
            ledger=self._ledger,
            directory=self.directory,
            dispatcher=self._dispatcher,
            progress=ProgressBoard(),
            signer=authority.signer,
            ca_der=authority.ca_der,
            clock=service.db.clock,
            seen=set(),
        )
        self._control = ControlService(self._desk)
        self._enrollment = EnrollmentService(
            service.db,
            authority,
            identities,
            addresses=self.addresses,
            organization_name=organization_name,
        )
        self._upkeep = Upkeep(service.db, self._desk)
        self._servers: list[grpc.aio.Server] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._ledger_task: asyncio.Task[None] | None = None

    async def start(self, *, control: str, enrollment: str, advertised_host: str | None = None) -> None:
        """Listen on two HOST:PORT (port 0: any); ``addresses`` then says where agents reach them.

        Raises:
            OSError: a port can't be had.
        """
        pairs = [(self._identity.key_pem, self._identity.chain_with_root_pem)]
        mutual = grpc.ssl_server_credentials(
            [(self._identity.key_pem, self._identity.certificate_pem)],
            root_certificates=self._authority.ca_pem,
            require_client_auth=True,
        )
        control_server = grpc.aio.server(handlers=[self._control.handler()], options=_CONTROL_OPTIONS)
        enrollment_server = grpc.aio.server(
            handlers=[self._enrollment.handler()], options=_ENROLLMENT_OPTIONS, maximum_concurrent_rpcs=256
        )
        control_port = _bind(control_server, control, mutual)
        enrollment_port = _bind(enrollment_server, enrollment, grpc.ssl_server_credentials(pairs))
        self.addresses.control = _advertised(control, control_port, advertised_host)
        self.addresses.enrollment = _advertised(enrollment, enrollment_port, advertised_host)
        self._ledger_task = asyncio.create_task(self._ledger.run(), name="fleet ledger")
        self._spawn(self._dispatcher.run, "fleet dispatcher")
        self._spawn(self._upkeep.run, "fleet upkeep")
        self._spawn(self._sweep, "fleet sweep")
        for server in (control_server, enrollment_server):
            await server.start()
            self._servers.append(server)
        _log.info("fleet_ready", control=self.addresses.control, enrollment=self.addresses.enrollment)

    async def stop(self, *, grace_s: float = 3.0) -> None:
        """End all streams, write what is left, and stop listening."""
        self._control.close()
        await asyncio.gather(*(server.stop(grace_s) for server in self._servers))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._ledger.close()
        if self._ledger_task is not None:
            await self._ledger_task

    def _spawn(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        self._tasks.append(asyncio.create_task(_supervised(work, name), name=name))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._service.settings.sweep_s)
            await self._service.sweep()


async def _supervised(work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
    """Run ``work`` for ever: without these tasks agents stay connected to a hub that does nothing."""
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - border: job runner
            _log.exception("fleet_task_failed", task=name)
        await asyncio.sleep(_RESTART_PAUSE_S)


def _recorders(service: FleetService, identities: Identities) -> dict[type, Recorder]:
    reports = service.reports
    return {
        CloseStream: closed,
        OpenStream: opened,
        AcceptReport: reports.accepted,
        ProgressReport: reports.progressed,
        BatchReport: reports.batches,
        DoneReport: reports.done,
        GiveUp: reports.given_up,
        RenewalRequest: identities.renew,
        InventoryReport: reported,
    }


def _bind(server: grpc.aio.Server, address: str, credentials: grpc.ServerCredentials) -> int:
    try:
        port: int = server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise OSError(f"can't listen on {address}: {error}") from error
    if port == 0:
        raise OSError(f"can't listen on {address}")
    return port


def _advertised(bound: str, port: int, host: str | None) -> str:
    return f"{host or bound.rpartition(':')[0]}:{port}"
