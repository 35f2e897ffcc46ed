"""A hub process: the composition root, from settings to listening servers and back to nothing.

Started in this order, stopped in the reverse: database, key and agent CA; services; gRPC listeners of the
fleet; web server; background jobs.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from hub.access.policy import PolicyAuthorizer
from hub.background import BackgroundJobs
from hub.composition import RouteParts, Routes, Services, build_route_sets, build_services
from hub.config import RUN_FILE, Address, ConfigurationError, Settings
from hub.db.listen import listen
from hub.db.migrations.runner import schema_state
from hub.db.uow import Database
from hub.fleet.authority import Authority, load_authority
from hub.fleet.server import FleetServer
from hub.fleet.server_identity import ServerIdentity, server_identity
from hub.http.console import Console
from hub.http.metrics import HttpMetrics
from hub.http.routing import RouteSet
from hub.http.shell import ShellOptions, build_application
from hub.key_encryption import open_kek
from hub.lifecycle.figures.folding import fold_all
from hub.notifications.sweeps import SWEEP_S
from hub.tls import ask_for_client_certificates, load_configured, load_pem, new_context
from pki.at_rest import KeyEncryptionKey

_log = structlog.get_logger(__name__)

CONSOLE_FOLDER = Path(__file__).parent / "web" / "dist"
_DRAIN_S = 10.0
_BACKLOG = 1024
# Which backends are due is in the database; this is how often it is looked at.
_BACKEND_CHECK_S = 30.0
_RESPONDER_CHECK_S = 600.0
_OCSP_RENEWAL_S = 30.0
_VALIDATION_SWEEP_S = 3600.0
_CHECKPOINT_S = 60.0
_FOLDING_S = 5.0
_REPLAN_S = 15.0
_TLS_RENEWAL_S = 12 * 3600.0


class SchemaTooOld(ConfigurationError):
    """The database has another schema than this program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where a running hub can be reached: an URL, and HOST:PORT for agents."""

    http: str
    grpc: str
    enroll: str

    def line(self) -> str:
        """Return the line that scripts wait for."""
        return f"ready http={self.http} grpc={self.grpc} enroll={self.enroll}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Foundation:
    db: Database
    kek: KeyEncryptionKey
    authority: Authority
    identity: ServerIdentity


@asynccontextmanager
async def running_hub(settings: Settings) -> AsyncIterator[Listening]:
    """Run a hub for the length of a ``with`` block.

    Raises:
        ConfigurationError: settings, key or schema don't allow it; the message says what to do.
        OSError: an address can't be listened on.
    """
    settings.check_listening()
    async with AsyncExitStack() as stack:
        foundation = await _found(settings, stack)
        http_socket = _listening_socket(settings.http_address)
        stack.callback(http_socket.close)
        base_url = _with_port(settings, http_socket)
        asking_socket = _asking_socket(settings, stack)
        services = build_services(
            foundation.db,
            settings,
            kek=foundation.kek,
            authority=foundation.authority,
            status_url=settings.status_base_url if settings.status_http else base_url,
            base_url=base_url,
            asks_at=_asks_at(settings, asking_socket),
        )
        stack.push_async_callback(services.lifecycle.close)
        start = _Start(settings=settings, foundation=foundation, services=services, stack=stack)
        fleet = await start.start_fleet()
        metrics = HttpMetrics()
        metrics.gauge("connected_agents", "Agents connected to this process.", lambda: _count(fleet))
        parts = RouteParts(addresses=fleet.addresses, metrics=metrics, base_url=base_url)
        jobs = await start.start_jobs()
        sockets = http_socket, asking_socket
        contexts = await start.start_web(build_route_sets(services, parts), metrics, sockets)
        if contexts and not settings.tls_certificate:
            jobs.every("tls renewal", _TLS_RENEWAL_S, lambda: _renew(settings, foundation, contexts))
        listening = Listening(http=base_url, grpc=fleet.addresses.control, enroll=fleet.addresses.enrollment)
        _note_addresses(settings, listening, stack)
        yield listening


async def _found(settings: Settings, stack: AsyncExitStack) -> _Foundation:
    kek = open_kek(settings)
    db = Database.open(settings.database)
    stack.push_async_callback(db.close)
    state = await schema_state(db)
    if not state.is_current:
        raise SchemaTooOld(
            f"the database's schema is {state.current or 'empty'}, this hub needs {state.needed}: run "
            f"certwright hub {'migrate' if state.current else 'init'} --data-dir {settings.data_dir}"
        )
    authority = await load_authority(db, kek)
    async with db.write() as uow:
        identity = await server_identity(uow, authority, kek, names=settings.server_names)
    return _Foundation(db=db, kek=kek, authority=authority, identity=identity)


def _listening_socket(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    return socket.create_server((address.host, address.port), family=family, backlog=_BACKLOG)


def _with_port(settings: Settings, bound: socket.socket) -> str:
    if settings.public_url:
        return settings.base_url
    port: int = bound.getsockname()[1]
    scheme = "http" if settings.insecure_http else "https"
    return f"{scheme}://{settings.reached_at(settings.http, port)}"


def _asking_socket(settings: Settings, stack: AsyncExitStack) -> socket.socket | None:
    """Listen at the second address of the console, where browsers are asked for a client certificate."""
    if not settings.client_cert_http:
        return None
    bound = _listening_socket(Address.parse(settings.client_cert_http))
    stack.callback(bound.close)
    return bound


def _asks_at(settings: Settings, bound: socket.socket | None) -> str:
    if bound is None:
        return ""
    port: int = bound.getsockname()[1]
    host = urlsplit(settings.public_url).hostname
    if host is None:
        return f"https://{settings.reached_at(settings.client_cert_http, port)}"
    return f"https://{Address(host=host, port=port)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """Starts the parts of a hub; each leaves on the stack how it is stopped."""

    settings: Settings
    foundation: _Foundation
    services: Services
    stack: AsyncExitStack

    async def start_fleet(self) -> FleetServer:
        async def organization_name(organization_id: int) -> str:
            async with self.foundation.db.read() as session:
                return (await self.services.organizations.get(session, organization_id)).name

        server = FleetServer(
            self.services.fleet,
            self.foundation.authority,
            self.foundation.identity,
            organization_name=organization_name,
        )
        host = self.settings.reached_at(self.settings.grpc, 0).rpartition(":")[0]
        await server.start(control=self.settings.grpc, enrollment=self.settings.enroll, advertised_host=host)
        self.stack.push_async_callback(server.stop)
        return server

    async def start_jobs(self) -> BackgroundJobs:
        jobs = BackgroundJobs()
        self.stack.push_async_callback(jobs.stop)
        db = self.foundation.db
        if not db.is_sqlite:
            jobs.start("database listener", lambda: listen(self.settings.database, db.notifier))
        jobs.start("lifecycle worker", self.services.lifecycle.worker().run)
        jobs.start("renewals", self.services.renewals.engine().run)
        jobs.start("domain validation", self.services.dcv.worker().run)
        issuers = self.services.issuers
        jobs.start("crls", issuers.keep_crls)
        jobs.every("ca backends", _BACKEND_CHECK_S, issuers.check_backends)
        jobs.every("ocsp responders", _RESPONDER_CHECK_S, issuers.roll_over_responders)
        jobs.start("ocsp revocations", issuers.ocsp.watch)
        jobs.every("ocsp answers", _OCSP_RENEWAL_S, issuers.ocsp.renew)
        jobs.every(
            "organization validations",
            _VALIDATION_SWEEP_S,
            self.services.organizations.expire_validations,
        )
        jobs.every("certificate counts", _FOLDING_S, lambda: fold_all(db))
        jobs.every("renewal plans", _REPLAN_S, self.services.planning.replan)
        notifications = self.services.notifications
        jobs.start("notification intake", notifications.intake().run)
        jobs.start("notification delivery", notifications.delivery().run)
        jobs.every("notification sweeps", SWEEP_S, notifications.sweeps().run_once)
        jobs.every("audit checkpoints", _CHECKPOINT_S, self.services.checkpoints.keep)
        return jobs

    async def start_web(
        self, routes: Routes, metrics: HttpMetrics, sockets: tuple[socket.socket, socket.socket | None]
    ) -> list[ssl.SSLContext]:
        settings = self.settings
        options = ShellOptions(
            # Behind a proxy the browser speaks TLS to it, so cookies are as safe as with our own.
            over_tls=not settings.insecure_http or bool(settings.trusted_proxies),
            trusted_proxies=settings.proxies,
            observer=metrics,
            fallback=Console(CONSOLE_FOLDER),
        )
        runner = await self._runner(routes.all, options)
        # Streams have no end of their own; they must end before the server waits for its last requests.
        self.stack.callback(routes.events.stop)
        http_socket, asking_socket = sockets
        asks = bool(settings.client_certificate_ca) and asking_socket is None
        context = None if settings.insecure_http else self._tls_context(asks=asks)
        await web.SockSite(runner, http_socket, ssl_context=context).start()
        contexts = [] if context is None else [context]
        if asking_socket is not None:
            contexts.append(self._tls_context(asks=True))
            await web.SockSite(runner, asking_socket, ssl_context=contexts[-1]).start()
        if settings.status_http:
            address = Address.parse(settings.status_http)
            plain = await self._runner(routes.status, ShellOptions(over_tls=False, observer=metrics))
            await web.TCPSite(plain, address.host, address.port).start()
        return contexts

    async def _runner(self, route_sets: tuple[RouteSet, ...], options: ShellOptions) -> web.AppRunner:
        application = build_application(
            route_sets, authenticator=self.services.access, authorizer=PolicyAuthorizer(), options=options
        )
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=_DRAIN_S)
        await runner.setup()
        self.stack.push_async_callback(runner.cleanup)
        return runner

    def _tls_context(self, *, asks: bool) -> ssl.SSLContext:
        context = new_context()
        if asks:
            ask_for_client_certificates(context, self.settings)
        if not load_configured(context, self.settings):
            identity = self.foundation.identity
            load_pem(context, certificate_pem=identity.chain_with_root_pem, key_pem=identity.key_pem)
        return context


async def _renew(settings: Settings, foundation: _Foundation, contexts: list[ssl.SSLContext]) -> None:
    """Show the renewed certificate once it is time; the old one is taken again until then."""
    async with foundation.db.write() as uow:
        identity = await server_identity(
            uow, foundation.authority, foundation.kek, names=settings.server_names
        )
    for context in contexts:
        load_pem(context, certificate_pem=identity.chain_with_root_pem, key_pem=identity.key_pem)


def _count(fleet: FleetServer) -> float:
    return float(sum(1 for _stream in fleet.directory))


def _note_addresses(settings: Settings, listening: Listening, stack: AsyncExitStack) -> None:
    """Leave the addresses for other commands on this machine, such as ``agent-token create``."""
    path = settings.data_dir / RUN_FILE
    path.write_text(
        json.dumps(
            {
                "http": listening.http,
                "grpc": listening.grpc,
                "enroll": listening.enroll,
                "pid": str(os.getpid()),
            }
        )
        + "\n"
    )

    def forget() -> None:
        with contextlib.suppress(OSError):
            path.unlink()

    stack.callback(forget)
