"""The aiohttp shell: from RouteSets to a running web application.

For each request: authenticate, ask the policy for the route's action, read the body within its limit, parse
path, query and body, call the handler, and turn the result into a response. Errors become problem documents
in one middleware, which is also where requests are counted and logged.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import structlog
from aiohttp import ClientConnectionResetError, web
from pydantic import BaseModel, TypeAdapter

from hub.db.errors import Forbidden
from hub.http import problems
from hub.http.authentication import (
    AddressGuard,
    Authenticator,
    Authorizer,
    authenticate,
    pending_cookie_name,
    session_cookie_name,
)
from hub.http.calls import Call
from hub.http.headers import SERVER, Network, add_security_headers, client_certificate, remote_address
from hub.http.inputs import expect_nothing, parse_body, parse_query, read_body, read_short_body
from hub.http.principal import ANONYMOUS, Origin
from hub.http.routing import PUBLIC, Answer, BoundRoute, RawResponse, RouteSet, StreamedResponse

_log = structlog.get_logger("hub.http.requests")

Fallback = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
_REQUEST_ID = web.RequestKey("request_id", str)
_ROUTE = web.RequestKey("route", BoundRoute)
_PRINCIPAL = web.RequestKey("principal", str)
_INT_PARAMETER = re.compile(r"\{(\w+):int\}")
_LINGER_S = 10.0
_MAX_USER_AGENT = 200
# Asked for every few seconds by load balancers and Prometheus.
_WATCHERS = frozenset({"/healthz", "/readyz", "/metrics"})


class RequestObserver(Protocol):
    """Counts requests; :class:`hub.http.metrics.HttpMetrics` is the one in use."""

    def observe(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Take note of one answered request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellOptions:
    """What the shell is told at its start.

    ``fallback`` answers GET requests outside all routes (the console), or returns None.
    """

    over_tls: bool = True
    trusted_proxies: tuple[Network, ...] = ()
    observer: RequestObserver | None = None
    fallback: Fallback | None = None
    slow_request_s: float = field(default=5.0)


def build_application(
    route_sets: Sequence[RouteSet],
    *,
    authenticator: Authenticator,
    authorizer: Authorizer,
    options: ShellOptions | None = None,
) -> web.Application:
    """Return the web application that serves ``route_sets``.

    Raises:
        ValueError: two routes have the same method and path.
    """
    shell = _Shell(authenticator, authorizer, options or ShellOptions())
    application = web.Application(middlewares=[shell.middleware], handler_args={"lingering_time": _LINGER_S})
    seen: set[tuple[str, str]] = set()
    for route_set in route_sets:
        for route in route_set.routes():
            key = (route.spec.method, route.path)
            if key in seen:
                raise ValueError(f"{key[0]} {key[1]} is declared twice")
            seen.add(key)
            handler = shell.handler(route)
            path = _aiohttp_path(route.path)
            application.router.add_route(route.spec.method, path, handler, expect_handler=expect_nothing)
            if route.spec.method == "GET":
                application.router.add_route("HEAD", path, handler)
    return application


def _aiohttp_path(path: str) -> str:
    # 18 digits always fit the database's 64 bits.
    return _INT_PARAMETER.sub(r"{\1:[0-9]{1,18}}", path)


class _Shell:
    def __init__(self, authenticator: Authenticator, authorizer: Authorizer, options: ShellOptions) -> None:
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._options = options
        self._cookie_name = session_cookie_name(secure=options.over_tls)
        self._pending_cookie_name = pending_cookie_name(secure=options.over_tls)
        self._guard = authenticator if isinstance(authenticator, AddressGuard) else None
        self._lean: set[Callable[[web.Request], Awaitable[web.StreamResponse]]] = set()

        @web.middleware
        async def middleware(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            if handler in self._lean:
                return await handler(request)
            return await self._observed(request, handler)

        self.middleware = middleware

    async def _observed(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        request_id = secrets.token_hex(8)
        request[_REQUEST_ID] = request_id
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = await self._answered(request, handler, request_id)
        if not response.prepared:
            self._finish(response, request)
        self._observe(request, response.status, time.perf_counter() - started)
        return response

    async def _answered(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
        request_id: str,
    ) -> web.StreamResponse:
        try:
            if request.match_info.http_exception is not None:
                return await self._unrouted(request, request.match_info.http_exception)
            return await handler(request)
        except ClientConnectionResetError:
            # The caller hung up; there is nobody to answer.
            raise
        except Exception as error:  # noqa: BLE001 - the HTTP border
            return problems.of_error(error, request_id)

    async def _unrouted(self, request: web.Request, error: web.HTTPException) -> web.StreamResponse:
        request_id = request[_REQUEST_ID]
        if isinstance(error, web.HTTPMethodNotAllowed):
            response = problems.problem(
                405,
                code="method_not_allowed",
                detail=f"{request.path} does not take {request.method}",
                request_id=request_id,
            )
            response.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
            return response
        if self._options.fallback is not None and request.method in {"GET", "HEAD"}:
            found = await self._options.fallback(request)
            if found is not None:
                return found
        return problems.problem(
            404, code="no_such_route", detail=f"there is nothing at {request.path}", request_id=request_id
        )

    def _finish(self, response: web.StreamResponse, request: web.Request) -> None:
        response.headers["X-Request-Id"] = request[_REQUEST_ID]
        add_security_headers(response, request.path, over_tls=self._options.over_tls)

    def _observe(self, request: web.Request, status: int, seconds: float) -> None:
        route = request.get(_ROUTE)
        template = route.path if route is not None else "(none)"
        if self._options.observer is not None:
            self._options.observer.observe(
                method=request.method, route=template, status=status, seconds=seconds
            )
        log = _log.info if seconds < self._options.slow_request_s else _log.warning
        if template in _WATCHERS and status == 200:
            log = _log.debug
        log(
            "request",
            request_id=request[_REQUEST_ID],
            method=request.method,
            route=template,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            remote=remote_address(request, self._options.trusted_proxies),
            principal=request.get(_PRINCIPAL, ""),
        )

    def handler(self, route: BoundRoute) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return the aiohttp handler of ``route``."""
        spec = route.spec
        if spec.lean and spec.action == PUBLIC:
            return self._lean_handler(route)
        adapter = TypeAdapter(spec.returns) if _is_json(spec.returns) else None

        async def handle(request: web.Request) -> web.StreamResponse:
            request[_ROUTE] = route
            call = await self._call(request, route)
            result = await route.handler(call)
            return await self._respond(request, route, result, adapter)

        return handle

    def _lean_handler(self, route: BoundRoute) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        spec = route.spec
        observer, reads = self._options.observer, spec.reads_raw_body

        async def handle(request: web.Request) -> web.StreamResponse:
            started = time.perf_counter()
            try:
                raw = await read_short_body(request, limit=spec.max_body_bytes) if reads else b""
                result = await route.handler(_lean_call(request, raw))
                headers = {**result.headers, "Content-Type": result.media_type, "Server": SERVER}
                response = web.Response(status=result.status, body=result.body, headers=headers)
            except ClientConnectionResetError:
                raise
            except Exception as error:  # noqa: BLE001 - the HTTP border
                response = problems.of_error(error, secrets.token_hex(8))
                add_security_headers(response, request.path, over_tls=self._options.over_tls)
            if observer is not None:
                seconds = time.perf_counter() - started
                observer.observe(
                    method=request.method, route=route.path, status=response.status, seconds=seconds
                )
            return response

        self._lean.add(handle)
        return handle

    async def _call(self, request: web.Request, route: BoundRoute) -> Call[Any, Any]:
        spec = route.spec
        principal = await authenticate(request, route, self._authenticator, cookie_name=self._cookie_name)
        request[_PRINCIPAL] = f"{principal.kind}:{principal.id}"
        remote = remote_address(request, self._options.trusted_proxies)
        origin = Origin(remote=remote, user_agent=request.headers.get("User-Agent", "")[:_MAX_USER_AGENT])
        principal = replace(principal, origin=origin)
        if spec.action != PUBLIC:
            if self._guard is not None:
                await self._guard.admit(principal, remote)
            refusal = self._authorizer.refusal(principal, spec.action)
            if refusal is not None:
                raise Forbidden(refusal)
        query = parse_query(request, spec.query) if spec.query is not None else None
        wants_body = spec.body is not None or spec.reads_raw_body
        raw = await read_body(request, limit=spec.max_body_bytes) if wants_body else b""
        return Call(
            principal=principal,
            body=parse_body(request, spec.body, raw) if spec.body is not None else None,
            query=query,
            path=dict(request.match_info),
            headers=request.headers,
            remote=remote,
            request_id=request[_REQUEST_ID],
            raw_body=raw if spec.reads_raw_body else b"",
            session_token=request.cookies.get(self._cookie_name) if route.in_api else None,
            pending_token=request.cookies.get(self._pending_cookie_name) if route.in_api else None,
            client_certificate=client_certificate(request, self._options.trusted_proxies),
        )

    async def _respond(
        self, request: web.Request, route: BoundRoute, result: Any, adapter: TypeAdapter[Any] | None
    ) -> web.StreamResponse:
        if isinstance(result, StreamedResponse):
            return await self._stream(request, result)
        if isinstance(result, RawResponse):
            headers = {**result.headers, **_download_headers(result.media_type, result.filename)}
            return web.Response(status=result.status, body=result.body, headers=headers)
        answer = result if isinstance(result, Answer) else Answer(value=result)
        response = _json_response(answer.value, route.spec.status, adapter)
        response.headers.update(answer.headers)
        self._set_session(response, answer)
        return response

    async def _stream(self, request: web.Request, result: StreamedResponse) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={**result.headers, **_download_headers(result.media_type, result.filename)}
        )
        self._finish(response, request)
        await response.prepare(request)
        try:
            if request.method != "HEAD":
                async for chunk in result.chunks:
                    if chunk:
                        await response.write(chunk)
                    elif request.transport is None or request.transport.is_closing():
                        break
            await response.write_eof()
        except ClientConnectionResetError:
            _log.debug("stream_left", request_id=request[_REQUEST_ID])
        except Exception as error:  # noqa: BLE001 - the HTTP border; the status is already sent
            _log.error("stream_failed", request_id=request[_REQUEST_ID], exc_info=error)
            # Cutting the connection is the only way left to tell the caller that this is not all.
            if request.transport is not None:
                request.transport.abort()
        return response

    def _set_session(self, response: web.Response, answer: Answer) -> None:
        self._set_cookie(response, self._cookie_name, answer.start_session, ended=answer.end_session)
        self._set_cookie(response, self._pending_cookie_name, answer.start_pending, ended=answer.end_pending)

    def _set_cookie(self, response: web.Response, name: str, value: str | None, *, ended: bool) -> None:
        if value is not None:
            response.set_cookie(
                name, value, path="/", httponly=True, secure=self._options.over_tls, samesite="Strict"
            )
        elif ended:
            response.del_cookie(
                name, path="/", httponly=True, secure=self._options.over_tls, samesite="Strict"
            )


def _lean_call(request: web.Request, raw: bytes) -> Call[None, None]:
    return Call(
        principal=ANONYMOUS,
        body=None,
        query=None,
        path=request.match_info,
        headers=request.headers,
        remote="",
        request_id="",
        raw_body=raw,
    )


def _is_json(returns: Any) -> bool:
    return returns is not None and returns not in (RawResponse, StreamedResponse)


def _json_response(value: Any, status: int, adapter: TypeAdapter[Any] | None) -> web.Response:
    if value is None:
        return web.Response(status=204 if status == 200 else status)
    if isinstance(value, BaseModel):
        body = value.model_dump_json().encode()
    elif adapter is not None:
        body = adapter.dump_json(value)
    else:
        raise TypeError("a handler returned a value that its route does not declare")
    return web.Response(status=status, body=body, content_type="application/json")


def _download_headers(media_type: str, filename: str | None) -> dict[str, str]:
    headers = {"Content-Type": media_type}
    if filename is not None:
        plain = re.sub(r"[^A-Za-z0-9._-]", "_", filename)
        headers["Content-Disposition"] = f'attachment; filename="{plain}"'
    return headers
