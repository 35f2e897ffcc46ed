"""All routes of the room, in one list for the hub's composition."""

from __future__ import annotations

from hub.http.routing import RouteSet
from hub.lifecycle.change_routes import CertificateChangeRoutes
from hub.lifecycle.routes import CertificateRoutes
from hub.lifecycle.service import LifecycleService


def certificate_routes(lifecycle: LifecycleService) -> tuple[RouteSet, ...]:
    """Return the routes of certificates."""
    return (CertificateRoutes(lifecycle), CertificateChangeRoutes(lifecycle))
