"""``/healthz`` (the process runs), ``/readyz`` (it can serve) and ``/metrics`` (Prometheus).

Metrics tell outsiders how an installation is used, so they are open only from this machine; others send an
API token whose role may ``metrics.view``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from pydantic import BaseModel

from hub.db.errors import Forbidden, Unauthenticated, Unavailable
from hub.http.authentication import AddressGuard, Authenticator, Authorizer, bearer_token
from hub.http.calls import Call
from hub.http.headers import is_loopback
from hub.http.metrics import HttpMetrics
from hub.http.routing import PUBLIC, RawResponse, RouteSet, get

Check = Callable[[], Awaitable[str | None]]
"""A readiness check: returns what is missing, or None."""


class Health(BaseModel):
    """An answer of the health routes."""

    status: Literal["ok"] = "ok"


class HealthRoutes(RouteSet):
    """The routes that watch a hub. ``checks`` maps names to readiness checks."""

    base = ""
    tag = "operations"

    def __init__(
        self,
        *,
        checks: Mapping[str, Check],
        metrics: HttpMetrics,
        authenticator: Authenticator,
        authorizer: Authorizer,
    ) -> None:
        self._checks = checks
        self._metrics = metrics
        self._authenticator = authenticator
        self._authorizer = authorizer

    @get("/healthz", action=PUBLIC, summary="Whether the process runs", returns=Health)
    async def healthz(self, _call: Call[None, None]) -> Health:
        """Answer as long as the event loop turns."""
        return Health()

    @get("/readyz", action=PUBLIC, summary="Whether the hub can serve", returns=Health)
    async def readyz(self, _call: Call[None, None]) -> Health:
        """Run all checks; 503 names the first that fails."""
        for name, check in self._checks.items():
            missing = await check()
            if missing is not None:
                raise Unavailable(f"{name}: {missing}")
        return Health()

    @get(
        "/metrics", action=PUBLIC, summary="Prometheus metrics", returns=RawResponse, media_type="text/plain"
    )
    async def metrics(self, call: Call[None, None]) -> RawResponse:
        """Return the metrics to this machine, or to a token that may read them."""
        # A proxy on this machine speaks for others, whether or not it was named in the settings.
        if not is_loopback(call.remote) or "X-Forwarded-For" in call.headers or "Forwarded" in call.headers:
            authorization = call.headers.get("Authorization")
            if authorization is None:
                raise Unauthenticated
            principal = await self._authenticator.by_api_token(bearer_token(authorization))
            if isinstance(self._authenticator, AddressGuard):
                await self._authenticator.admit(principal, call.remote)
            refusal = self._authorizer.refusal(principal, "metrics.view")
            if refusal is not None:
                raise Forbidden(refusal)
        return RawResponse(self._metrics.render(), self._metrics.media_type)
