"""HTTP to an ACME server: bounded in time and size, TLS always verified, no redirects.

A redirect would lead a signed request, which names its own address, to one that it isn't for (RFC 8555, 6.4).
"""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol
from urllib.parse import urljoin

import aiohttp

from hub.issuers.acme.errors import CaUnreachable

MAX_BYTES = 1024 * 1024
_MAX_RETRY_AFTER_S = 7 * 86_400
_LINK = re.compile(r'<([^>]*)>\s*;[^,<]*?\brel="?([a-z-]+)"?')
# RFC 8555, 6.1 wants a User-Agent that says what the client is.
_USER_AGENT = "certwright-hub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer. ``headers`` by lower-case name; ``links``: relation and absolute address, in order."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    links: tuple[tuple[str, str], ...] = ()

    def linked(self, relation: str) -> tuple[str, ...]:
        """Return the addresses of all links of one relation."""
        return tuple(url for name, url in self.links if name == relation)

    def retry_after_s(self, *, now: datetime, default: int) -> int:
        """Return the seconds of ``Retry-After``, which is a number or a date (RFC 9110, 10.2.3)."""
        text = self.headers.get("retry-after", "").strip()
        if text.isdigit():
            return min(int(text[:9]), _MAX_RETRY_AFTER_S)
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return default
        seconds = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now.timestamp()) + 1
        return max(0, min(seconds, _MAX_RETRY_AFTER_S))


class Transport(Protocol):
    """Sends a request and returns the answer, whatever its status. Raises CaUnreachable."""

    async def request(self, method: str, url: str, *, body: bytes | None = None, accept: str = "") -> Reply:
        """Send a request; a body is ``application/jose+json``."""
        ...


class AiohttpTransport:
    """Implements :class:`Transport` over one session."""

    def __init__(self, session: aiohttp.ClientSession, *, proxy: str = "") -> None:
        self._session = session
        self._proxy = proxy or None

    async def request(self, method: str, url: str, *, body: bytes | None = None, accept: str = "") -> Reply:
        """Send a request. Raises CaUnreachable: no complete answer within time and size."""
        if not url.startswith("https://"):
            raise CaUnreachable(f"{url[:200]!r} is not an https address (RFC 8555, 6.1)")
        headers = {"Content-Type": "application/jose+json"} if body is not None else {}
        if accept:
            headers["Accept"] = accept
        try:
            async with self._session.request(
                method, url, data=body, headers=headers, allow_redirects=False, proxy=self._proxy
            ) as response:
                return await _read(response, url)
        except (TimeoutError, aiohttp.ClientError, OSError) as fault:
            raise CaUnreachable(f"{url}: {str(fault) or type(fault).__name__}") from fault


async def _read(response: aiohttp.ClientResponse, url: str) -> Reply:
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) > MAX_BYTES:
            raise CaUnreachable(f"{url} answered with more than {MAX_BYTES} bytes")
    links = [match for text in response.headers.getall("Link", []) for match in _LINK.findall(text)]
    return Reply(
        status=response.status,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=bytes(body),
        links=tuple((relation, urljoin(url, target)) for target, relation in links),
    )


def tls_context(ca_bundle: str) -> ssl.SSLContext:
    """Return what servers are verified by: the system's CAs, or those of a PEM bundle alone.

    Raises:
        ValueError: the bundle holds no certificates.
    """
    if not ca_bundle:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cadata=ca_bundle)
    except ssl.SSLError as fault:
        raise ValueError("these are no certificates in PEM") from fault


@asynccontextmanager
async def open_transport(
    context: ssl.SSLContext, *, timeout_s: float, proxy: str = ""
) -> AsyncIterator[AiohttpTransport]:
    """Open connections for a few requests in a row; they are closed at the end."""
    connector = aiohttp.TCPConnector(ssl=context, limit_per_host=8)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        trust_env=False,
        headers={"User-Agent": _USER_AGENT},
    ) as session:
        yield AiohttpTransport(session, proxy=proxy)
