"""Security headers of every response, and the address a request really came from."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Sequence

from aiohttp import web

from hub.http.routing import API_BASE

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

CONSOLE_CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
API_CSP = "default-src 'none'; frame-ancestors 'none'"
# Without one, the library's name and version would stand there.
SERVER = "certwright"
_ALWAYS = {
    "Server": SERVER,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_HSTS = "max-age=31536000"


def add_security_headers(response: web.StreamResponse, path: str, *, over_tls: bool) -> None:
    """Add what the handler has not set itself."""
    headers = response.headers
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", API_CSP)
    if over_tls:
        headers.setdefault("Strict-Transport-Security", _HSTS)
    if path.startswith(API_BASE):
        headers.setdefault("Cache-Control", "no-store")


def remote_address(request: web.Request, trusted_proxies: Sequence[Network]) -> str:
    """Return the caller's address; ``X-Forwarded-For`` counts only as far as trusted proxies wrote it."""
    hops = [request.remote or ""]
    hops += [hop.strip() for hop in reversed(request.headers.get("X-Forwarded-For", "").split(","))]
    for hop in hops:
        if not _is_trusted(hop, trusted_proxies):
            # An entry that is no address was made up by the caller; the last known hop stands.
            return hop if _parse(hop) is not None else hops[0]
    return hops[0]


def client_certificate(request: web.Request, trusted_proxies: Sequence[Network]) -> bytes | None:
    """Return the caller's client certificate in DER, if there is one.

    A trusted proxy forwards it in ``Client-Cert`` (RFC 9440); from anybody else the header means nothing, and
    the certificate with which a proxy itself connects is not the caller's.
    """
    if _is_trusted(request.remote or "", trusted_proxies):
        forwarded = request.headers.getall("Client-Cert", [])
        return _byte_sequence(forwarded[0]) if len(forwarded) == 1 else None
    connection = request.transport.get_extra_info("ssl_object") if request.transport is not None else None
    found: bytes | None = connection.getpeercert(binary_form=True) if connection is not None else None
    return found


def _byte_sequence(text: str) -> bytes | None:
    """Read a byte sequence of structured fields (RFC 8941, 3.3.5): base64 between colons."""
    text = text.strip()
    if len(text) < 2 or not (text.startswith(":") and text.endswith(":")):
        return None
    try:
        return base64.b64decode(text[1:-1], validate=True)
    except binascii.Error:
        return None


def is_loopback(address: str) -> bool:
    """Whether ``address`` is this machine."""
    parsed = _parse(address)
    return parsed is not None and parsed.is_loopback


def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None


def _is_trusted(address: str, networks: Sequence[Network]) -> bool:
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in networks)
