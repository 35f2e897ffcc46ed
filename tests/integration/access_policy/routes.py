"""What the walk needs to know of routes: the object in the path, a valid body, and what is for everybody.

A route that is missing here fails the walk, so whoever adds one says what it is about.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.composition import describe_api
from hub.config import load_settings
from hub.http.routing import BoundRoute
from tests.integration.access_policy.callers import CALLERS, IN
from tests.integration.access_policy.places import Place
from tests.integration.access_policy.things import OIDC_SETTINGS

API = "/api/v1"

PUBLIC_ROUTES: dict[str, str] = {
    "GET /api/v1/openapi.json": "the description of the API",
    "GET /healthz": "liveness",
    "GET /readyz": "readiness",
    "GET /metrics": "checks a token itself, unless asked from this machine",
    "GET /crl/{ca}.crl": "certificates point at it",
    "GET /aia/{ca}.cer": "certificates point at it",
    "GET /trust/{organization:int}.jks": "roots are public",
    "GET /trust/{organization:int}.p12": "roots are public",
    "GET /trust/{organization:int}.pem": "roots are public",
    "GET /ocsp/{ca}/{request:.+}": "certificates point at it",
    "POST /ocsp/{ca}": "certificates point at it",
    "GET /dcv/confirm/{mail}/{value}": "the link in a validation mail carries a secret",
    "POST /dcv/confirm/{mail}/{value}": "the link in a validation mail carries a secret",
    "GET /self-service/ssl": "the page for holders of a certificate's passphrase",
    "POST /self-service/ssl/download": "a certificate's passphrase is the permission",
    "POST /self-service/ssl/renew": "a certificate's passphrase is the permission",
    "POST /self-service/ssl/revoke": "a certificate's passphrase is the permission",
    "POST /api/v1/self-service/ssl/download": "a certificate's passphrase is the permission",
    "POST /api/v1/self-service/ssl/renew": "a certificate's passphrase is the permission",
    "POST /api/v1/self-service/ssl/revoke": "a certificate's passphrase is the permission",
    "POST /api/v1/session": "signing in",
    "GET /api/v1/session/methods": "signing in",
    "POST /api/v1/session/cancel": "signing in",
    "POST /api/v1/session/certificate": "signing in",
    "POST /api/v1/session/enrolment/passkey": "signing in",
    "POST /api/v1/session/enrolment/passkey/options": "signing in",
    "POST /api/v1/session/enrolment/totp": "signing in",
    "POST /api/v1/session/enrolment/totp/confirm": "signing in",
    "POST /api/v1/session/new-password": "signing in",
    "POST /api/v1/session/passkey": "signing in",
    "POST /api/v1/session/passkey/options": "signing in",
    "POST /api/v1/session/provider": "signing in",
    "POST /api/v1/session/provider/claim": "signing in",
    "POST /api/v1/session/second-factor/code": "signing in",
    "POST /api/v1/session/second-factor/passkey": "signing in",
    "POST /api/v1/session/second-factor/passkey/options": "signing in",
    "GET /api/v1/session/oidc/{name}/callback": "where providers send people back to",
    "POST /api/v1/session/saml/{name}/acs": "where providers send people back to",
    "GET /api/v1/session/saml/{name}/metadata": "providers read it",
}
"""Routes without a policy, each with the reason."""

_OBJECTS: dict[str, str] = {
    "/administrators/{id:int}": "administrator",
    "/agents/{id}": "agent",
    "/api-tokens/{id:int}": "api_token",
    "/audit/objects/certificate/{id}": "certificate",
    "/ca-backends/{id:int}": "backend",
    "/private-cas/{id:int}": "private_ca",
    "/private-cas/{id:int}/cross-certificates/{cross:int}": "private_ca",
    "/private-cas/requests/{id:int}": "ca_request",
    "/certificates/{id:int}": "certificate",
    "/certificates/{id:int}/locations/{location_id:int}": "certificate",
    "/certificates/imports/{id:int}": "import",
    "/certificates/{id:int}/install-items/{item_id:int}": "certificate",
    "/certificates/{id:int}/key-downloads/{download_id}": "certificate",
    "/certificates/{id:int}/key-uploads/{upload_id}": "certificate",
    "/commands/{id}": "command",
    "/compromised-keys/{spki_sha256}": "compromised_key",
    "/custom-fields/{id:int}": "custom_field",
    "/dcv/{id:int}": "validation",
    "/dcv/writers/{id:int}": "writer",
    "/discovery/scans/{id:int}": "scan",
    "/discovery/tasks/{id:int}": "task",
    "/domains/{id:int}": "domain",
    "/enrollment-tokens/{id}": "enrollment_token",
    "/identity-providers/{id:int}": "provider",
    "/identity-providers/{id:int}/saml": "saml_provider",
    "/identity-providers/{id:int}/links/{link_id:int}": "provider",
    "/notices/{id:int}": "notice",
    "/notifications/{id:int}": "notification",
    "/notifications/channels/{id:int}": "notification_channel",
    "/notifications/rules/{id:int}": "notification_rule",
    "/organizations/{id:int}": "organization",
    "/organizations/{id:int}/settings/{type}": "organization_settings",
    "/organizations/{id:int}/departments/{department_id:int}": "department",
    "/organizations/{id:int}/departments/{department_id:int}/settings/{type}": "department_settings",
    "/persons/{id:int}": "person",
    "/profile/passkeys/{id:int}": "passkey",
    "/profile/sessions/{id}": "own_session",
    "/profiles/{id:int}": "profile",
    "/renewals/freezes/{id:int}": "freeze",
    "/renewals/quotas/{id:int}": "quota",
    "/renewals/windows/{id:int}": "window",
    "/sessions/{id}": "session",
    "/sign-in-certificates/{id:int}": "binding",
}
"""The beginning of a path -> the kind of object that its parameters name; the longest counts."""

LISTS: dict[str, str | None] = {
    "/administrators": "administrator",
    "/agents": "agent",
    "/api-tokens": "api_token",
    "/audit": None,
    "/audit/export": None,
    "/certificates": "certificate",
    "/certificates/imports": "import",
    "/commands": "command",
    "/compromised-keys": "compromised_key",
    "/custom-fields": "custom_field",
    "/dcv": "validation",
    "/dcv/writers": "writer",
    "/discovery/endpoints": "endpoint",
    "/discovery/tasks": "task",
    "/domains": "domain",
    "/enrollment-tokens": "enrollment_token",
    "/identity-providers": "provider",
    "/notices": "notice",
    "/notifications": "notification",
    "/notifications/channels": "notification_channel",
    "/notifications/rules": "notification_rule",
    "/organizations": "organization",
    "/persons": "person",
    "/profile/activity": None,
    "/profile/passkeys": "passkey",
    "/profile/sessions": "own_session",
    "/profiles": "profile",
    "/renewals/calendar": None,
    "/renewals/forecast": None,
    "/renewals/freezes": "freeze",
    "/renewals/outage-budget": None,
    "/renewals/outage-budget/summary": None,
    "/renewals/quotas": "quota",
    "/renewals/upcoming": None,
    "/renewals/windows": "window",
    "/sessions": "session",
    "/sign-in-certificates": "binding",
}
"""Lists of everything that the caller sees -> the kind that they list; None: of something else."""

_unique = itertools.count(1)


@dataclass(frozen=True)
class At:
    """What bodies are made of: ids at the place that the request is about, existing or not."""

    place: Place
    agent: str
    certificate: str
    profile: int
    number: int

    @property
    def pair(self) -> dict[str, Any]:
        """Organization and department."""
        return {"organization_id": self.place.organization, "department_id": self.place.department}

    @property
    def owner(self) -> int:
        """An organization, where there must be one."""
        return self.place.organization or IN

    @property
    def grant(self) -> dict[str, Any]:
        """A role at the place."""
        role = "MRAO" if self.place.organization is None else "DRAO" if self.place.department else "RAO"
        types = ["ssl"] if self.place.organization else []
        return {"role": role, **self.pair, "certificate_types": types}


def new_number() -> int:
    """Return a number for names that must be new."""
    return next(_unique)


@cache
def csr(name: str) -> str:
    """Return a signing request for one DNS name."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    )
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    request = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def _request(at: At) -> dict[str, Any]:
    return {
        "method": "csr",
        **at.pair,
        "profile_id": at.profile,
        "term_days": 30,
        "csr": csr(f"n{at.number}.walk.example"),
    }


def _person(at: At) -> dict[str, Any]:
    email = f"p{at.number}@people.walk.example"
    return {**at.pair, "email": email, "first_name": "A", "last_name": "B", "common_name": "A B"}


def _task(at: At) -> dict[str, Any]:
    ranges = [{"target": "192.0.2.9", "ports": ["443"]}]
    return {"name": f"t{at.number}", "agent_id": at.agent, **at.pair, "ranges": ranges}


def _administrator(at: At) -> dict[str, Any]:
    name = f"n{at.number}"
    return {"username": name, "name": name, "password": "correct horse battery", "grants": [at.grant]}


def _settings(_at: At) -> dict[str, Any]:
    return {"enabled": True}


def _profile(at: At) -> dict[str, Any]:
    return {"name": f"p{at.number}", "backend_id": 1, "organization_ids": [at.owner]}


def _freeze(at: At) -> dict[str, Any]:
    times = {"starts": "2099-12-20T00:00", "ends": "2099-12-21T00:00"}
    return {"name": f"f{at.number}", **at.pair, **times}


def _window(at: At) -> dict[str, Any]:
    times = {"weekdays": [5], "opens": "22:00", "closes": "04:00"}
    return {"name": f"w{at.number}", **at.pair, **times}


def _notification_rule(at: At) -> dict[str, Any]:
    return {
        "name": f"r{at.number}",
        "type": "certificate_issued",
        **at.pair,
        "certificate_types": ["ssl"],
        "recipients": {"requester": True},
    }


def _channel(at: At) -> dict[str, Any]:
    settings = {"url": "https://chat.example/hook"}
    return {"name": f"c{at.number}", "kind": "slack", **at.pair, "settings": settings}


Body = Callable[[At], dict[str, Any]]

_RULES = [{"applies_to": "all", "network": "0.0.0.0/0"}, {"applies_to": "all", "network": "::/0"}]
_BINDING = {"administrator_id": CALLERS["mrao"].id, "issuer": "CN=ca"}

BODIES: dict[str, Body] = {
    "POST /administrators": _administrator,
    "PATCH /administrators/{id:int}": lambda at: {"title": f"T{at.number}"},
    "POST /administrators/{id:int}/password": lambda _at: {"password": "correct horse battery"},
    "PATCH /agents/{id}": lambda at: {"name": f"a{at.number}"},
    "POST /api-tokens": lambda at: {"name": f"t{at.number}"},
    "PUT /access-rules": lambda _at: {"rules": _RULES},
    "POST /ca-backends": lambda at: {
        "name": f"CA {at.number}",
        "kind": "est",
        "settings": {"url": "https://est.example.com"},
    },
    "PATCH /ca-backends/{id:int}": lambda at: {"name": f"CA {at.number}"},
    "POST /private-cas": lambda at: {
        "name": f"CA {at.number}",
        "template": "ec-p256-root",
        "subject": {"organization": "Walk"},
    },
    "POST /private-cas/import-root": lambda at: {"name": f"CA {at.number}", "certificate": "no certificate"},
    "POST /private-cas/{id:int}/crl": lambda _at: {"crl": "no list"},
    "POST /private-cas/{id:int}/revoke": lambda _at: {"reason": "superseded"},
    "POST /private-cas/{id:int}/rollover": lambda _at: {"days": 100},
    "POST /private-cas/{id:int}/trial": lambda _at: {"action": "extend"},
    "POST /private-cas/requests/{id:int}/certificate": lambda _at: {"certificate": "no certificate"},
    "POST /ca-backends/private": lambda at: {"name": f"CA {at.number}"},
    "POST /certificates": _request,
    "POST /certificates/check": _request,
    "POST /certificates/bulk": lambda at: {"action": "decline", "ids": [int(at.certificate)]},
    "PATCH /certificates/{id:int}": lambda at: {"comments": f"c{at.number}"},
    "PATCH /certificates/{id:int}/annotations": lambda at: {"comments": f"c{at.number}"},
    "PUT /certificates/{id:int}/notifications": lambda _at: {"suspended": True},
    "POST /certificates/{id:int}/move": lambda at: {**at.pair, "organization_id": at.owner},
    "POST /certificates/{id:int}/replace": lambda at: {
        "csr": csr(f"n{at.number}.walk.example"),
        "reason": "m",
    },
    "POST /certificates/{id:int}/approve": lambda _at: {"message": "m"},
    "POST /certificates/{id:int}/assign": lambda at: {
        **at.pair,
        "organization_id": at.owner,
    },
    "POST /certificates/{id:int}/decline": lambda _at: {"message": "m"},
    "POST /certificates/{id:int}/install-items": lambda at: {
        "targets": [{"agent_id": at.agent, "server": "web", "node_id": f"n{at.number}"}]
    },
    "POST /certificates/{id:int}/key-downloads": lambda _at: {"receiver_public_key": "A" * 43 + "="},
    "POST /certificates/{id:int}/key-uploads": lambda at: {"agent_id": at.agent, "envelope": "A" * 120},
    "PUT /certificates/{id:int}/auto-renew": lambda _at: {"enabled": False},
    "PUT /certificates/{id:int}/install-schedule": lambda _at: {"installation": "triggered"},
    "POST /certificates/{id:int}/locations": lambda at: {"name": f"place {at.number}"},
    "POST /certificates/{id:int}/notes": lambda _at: {"text": "m"},
    "POST /certificates/{id:int}/renew": lambda at: {"csr": csr(f"n{at.number}.walk.example")},
    "POST /certificates/{id:int}/revoke": lambda _at: {"comments": "m"},
    "POST /custom-fields": lambda at: {
        "certificate_type": "client",
        "name": f"f{at.number}",
        "label": "F",
        "kind": "text",
    },
    "PATCH /custom-fields/{id:int}": lambda _at: {"label": "G"},
    "POST /dcv": lambda at: {**at.pair, "domain": f"d{at.number}.walk.example", "method": "dns_txt"},
    "PUT /dcv/{id:int}/renewal": lambda _at: {"method": None},
    "PUT /dcv/{id:int}/vantage-points": lambda _at: {"agent_ids": []},
    "POST /dcv/writers": lambda at: {
        "name": f"w{at.number}",
        "kind": "acme_dns",
        "organization_id": at.place.organization,
    },
    "POST /discovery/tasks": _task,
    "PATCH /discovery/tasks/{id:int}": lambda at: {"name": f"t{at.number}"},
    "POST /domains": lambda at: {**at.pair, "name": f"d{at.number}.example", "certificate_types": ["ssl"]},
    "PATCH /domains/{id:int}": lambda _at: {"active": True},
    "POST /domains/{id:int}/approve": lambda _at: {"message": "m"},
    "POST /domains/{id:int}/reject": lambda _at: {"message": "m"},
    "POST /enrollment-tokens": lambda at: {"kinds": ["network"], "organization_id": at.place.organization},
    "POST /identity-providers/oidc": lambda at: {
        "name": f"o{at.number}",
        "label": "O",
        "client_secret": "s",
        "settings": OIDC_SETTINGS,
    },
    "POST /identity-providers/saml": lambda at: {"name": f"s{at.number}", "label": "S"},
    "PATCH /identity-providers/{id:int}/oidc": lambda _at: {"label": "O"},
    "PATCH /identity-providers/{id:int}/saml": lambda _at: {"label": "S"},
    "POST /identity-providers/{id:int}/links": lambda at: {
        "subject": f"s{at.number}",
        "administrator_id": CALLERS["mrao"].id,
    },
    "POST /notifications/channels": _channel,
    "PUT /notifications/channels/{id:int}": _channel,
    "POST /notifications/rules": _notification_rule,
    "PUT /notifications/rules/{id:int}": _notification_rule,
    "PUT /notifications/templates/certificate_issued": lambda _at: {"subject": "s", "body": "b"},
    "POST /notifications/templates/certificate_issued/preview": lambda _at: {"subject": "s", "body": "b"},
    "POST /notifications/templates/certificate_issued/test": lambda _at: {
        "subject": "s",
        "body": "b",
        "to": "a@example.com",
    },
    "POST /organizations": lambda at: {"name": f"o{at.number}"},
    "PATCH /organizations/{id:int}": lambda at: {"locality": f"L{at.number}"},
    "POST /organizations/{id:int}/departments": lambda at: {"name": f"d{at.number}"},
    "PATCH /organizations/{id:int}/departments/{department_id:int}": lambda at: {"locality": f"L{at.number}"},
    "POST /organizations/{id:int}/validation": lambda _at: {"event": "submit"},
    "PUT /organizations/{id:int}/settings/{type}": _settings,
    "PUT /organizations/{id:int}/departments/{department_id:int}/settings/{type}": _settings,
    "POST /persons": _person,
    "PATCH /persons/{id:int}": lambda at: {"phone": f"+49 {at.number}"},
    "PATCH /profile": lambda at: {"title": f"T{at.number}"},
    "POST /profile/passkeys": lambda _at: {"name": "k", "credential": {}},
    "POST /profile/passkeys/options": lambda _at: {},
    "POST /profile/recovery-codes": lambda _at: {},
    "POST /profile/totp": lambda _at: {},
    "POST /profile/totp/confirm": lambda _at: {"code": "000000"},
    "POST /profile/totp/remove": lambda _at: {"code": "000000"},
    "POST /profiles": _profile,
    "PATCH /profiles/{id:int}": lambda at: {"description": f"D{at.number}"},
    "POST /profiles/{id:int}/preview": lambda at: {"description": f"D{at.number}"},
    "POST /compromised-keys": lambda at: {"keys": f"{at.number:064x}", "source": f"s{at.number}"},
    "POST /renewals/freezes": _freeze,
    "POST /renewals/freezes/preview": _freeze,
    "PATCH /renewals/freezes/{id:int}": lambda at: {"comment": f"c{at.number}"},
    "POST /renewals/quotas": lambda at: {"backend_id": 1, "period": "hour", "limit": at.number + 1},
    "PATCH /renewals/quotas/{id:int}": lambda at: {"limit": at.number + 1},
    "POST /renewals/windows": _window,
    "PATCH /renewals/windows/{id:int}": lambda at: {"comment": f"c{at.number}"},
    "POST /session/password": lambda _at: {"current_password": "x", "new_password": "correct horse battery"},
    "POST /session/step-up/certificate": lambda _at: {},
    "POST /session/step-up/code": lambda _at: {"code": "000000"},
    "PATCH /settings/general": lambda _at: {"domain_expiry_days": 30},
    "POST /sign-in-certificates": lambda at: {**_BINDING, "subject": f"CN=b{at.number}"},
    "PUT /sign-in-policy": lambda _at: {"second_factor_roles": []},
}
"""A valid body for each route that takes one."""

MOVES = frozenset({"POST /certificates/{id:int}/assign", "POST /certificates/{id:int}/move"})
"""Routes after which the object belongs to somebody else."""

AT_PLACES = frozenset(
    {
        "POST /administrators",
        "POST /certificates",
        "POST /certificates/bulk",
        "POST /certificates/check",
        "POST /dcv",
        "POST /discovery/tasks",
        "POST /domains",
        "POST /enrollment-tokens",
        "POST /notifications/channels",
        "POST /notifications/rules",
        "POST /persons",
        "POST /renewals/freezes",
        "POST /renewals/freezes/preview",
        "POST /renewals/windows",
    }
)
"""Routes without an object in their path whose body names a place or something that is there."""

_TEMPLATES = f"{API}/notifications/templates"

_EXPANDED = {
    f"{API}/audit/objects/{{object_type}}/{{object_id}}": f"{API}/audit/objects/certificate/{{id}}",
    **{
        f"{_TEMPLATES}/{{type}}{rest}": f"{_TEMPLATES}/certificate_issued{rest}"
        for rest in ("", "/preview", "/test")
    },
}


@dataclass(frozen=True)
class Route:
    """A route as the walk calls it."""

    bound: BoundRoute

    @property
    def name(self) -> str:
        """Method and path, as they are declared."""
        return f"{self.bound.spec.method} {self.bound.path}"

    @property
    def short(self) -> str:
        """Method and path below ``/api/v1``."""
        return f"{self.bound.spec.method} {self.path.removeprefix(API)}"

    @property
    def path(self) -> str:
        """The path's pattern."""
        return _EXPANDED.get(self.bound.path, self.bound.path)

    @property
    def action(self) -> str:
        """The action that the policy decides on."""
        return self.bound.spec.action

    @property
    def is_safe(self) -> bool:
        """Whether it only reads."""
        return self.bound.spec.method == "GET"

    @property
    def kind(self) -> str | None:
        """The kind of the object that its path names, if it names one."""
        beginnings = [start for start in _OBJECTS if (self.path + "/").startswith(f"{API}{start}/")]
        return _OBJECTS[max(beginnings, key=len)] if beginnings else None

    def filled(self, params: dict[str, str]) -> str:
        """Return the path with its parameters."""
        path = self.path.replace(":int}", "}")
        for name, value in params.items():
            path = path.replace(f"{{{name}}}", value)
        return path

    def body(self, at: At) -> dict[str, Any] | None:
        """Return a valid body, if the route takes one."""
        return BODIES[self.short](at) if self.bound.spec.body is not None else None


def all_routes() -> list[Route]:
    """Return all routes of the hub."""
    sets = describe_api(load_settings(flags={"data_dir": "."}, environment={}))
    return [Route(bound) for routes in sets for bound in routes.routes()]


def guarded_routes() -> list[Route]:
    """Return the routes that have a policy."""
    return [route for route in all_routes() if route.name not in PUBLIC_ROUTES]
