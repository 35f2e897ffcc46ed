"""All routes of the room, in one list for the hub's composition."""

from __future__ import annotations

from hub.http.routing import RouteSet
from hub.lifecycle.change_routes import CertificateChangeRoutes
from hub.lifecycle.check_routes import CheckRoutes
from hub.lifecycle.figures.routes import DashboardRoutes
from hub.lifecycle.importing.routes import ImportRoutes
from hub.lifecycle.install_routes import InstallRoutes
from hub.lifecycle.key_routes import KeyRoutes
from hub.lifecycle.routes import CertificateRoutes
from hub.lifecycle.self_service.page import SelfServicePage
from hub.lifecycle.self_service.routes import SelfServiceRoutes
from hub.lifecycle.self_service.service import SelfService
from hub.lifecycle.service import LifecycleService


def certificate_routes(lifecycle: LifecycleService) -> tuple[RouteSet, ...]:
    """Return the routes of certificates."""
    self_service = SelfService(lifecycle)
    return (
        CertificateRoutes(lifecycle),
        CertificateChangeRoutes(lifecycle),
        CheckRoutes(lifecycle),
        InstallRoutes(lifecycle),
        KeyRoutes(lifecycle),
        DashboardRoutes(lifecycle.db),
        ImportRoutes(lifecycle.db, lifecycle.imports),
        SelfServiceRoutes(self_service),
        SelfServicePage(self_service),
    )
