"""Calls to OpenID providers that can't be turned against the hub's own network.

An address is resolved once and the connection goes to what was resolved. Private, loopback and link-local
addresses are refused unless the MRAO has allowed them for this provider; plain HTTP is for loopback only;
redirects are not followed; answers are bounded in size and time.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from hub.access.signin.errors import OidcRefused, ProviderUnreachable

MAX_BYTES = 256 * 1024
TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far calls to a provider may go. ``ca_pem`` replaces the public CAs."""

    private_network: bool = False
    ca_pem: str = ""


class _Resolver(AbstractResolver):
    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for item in found:
            check_address(item["host"], self._reach)
        return found

    async def close(self) -> None:
        await self._inner.close()


def check_address(address: str, reach: Reach) -> None:
    """Do nothing if calls may go to ``address``; raises ``OidcRefused``."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if parsed.is_multicast or parsed.is_unspecified or (not parsed.is_global and not reach.private_network):
        raise OidcRefused(
            "PrivateAddress",
            f"{address} is in a private network; allow that in the provider's settings if it is meant",
        )


def check_url(url: str, reach: Reach) -> str:
    """Return ``url`` if calls may go there.

    Raises:
        OidcRefused: no HTTPS, credentials in it, or a private address.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        check_address(host, reach)
        literal = ipaddress.ip_address(host)
    except ValueError:
        literal = None
    loopback = host == "localhost" or (literal is not None and literal.is_loopback)
    plain_allowed = parts.scheme == "http" and loopback and reach.private_network
    if not host or parts.username or not (parts.scheme == "https" or plain_allowed):
        raise OidcRefused("AddressNotAllowed", f"{url[:200]!r} is no https address")
    return url


async def get_json(url: str, reach: Reach, *, bearer: str = "") -> dict[str, Any]:
    """GET a JSON object.

    Raises:
        ProviderUnreachable: no connection, no answer in time, or an error status.
        OidcRefused: the address is not allowed, or the answer is no JSON object.
    """
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return await _call("GET", url, reach, headers=headers)


async def post_form(
    url: str, reach: Reach, *, fields: Mapping[str, str], headers: Mapping[str, str]
) -> dict[str, Any]:
    """POST a form and return the JSON object of the answer; raises as :func:`get_json`."""
    return await _call("POST", url, reach, headers=headers, data=dict(fields))


async def _call(
    method: str, url: str, reach: Reach, *, headers: Mapping[str, str], data: dict[str, str] | None = None
) -> dict[str, Any]:
    check_url(url, reach)
    host = urlsplit(url).hostname
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            aiohttp.ClientSession(connector=_connector(reach), trust_env=False) as session,
            session.request(
                method,
                url,
                headers={"Accept": "application/json", **headers},
                data=data,
                allow_redirects=False,
            ) as response,
        ):
            body = await response.content.read(MAX_BYTES + 1)
            while len(body) <= MAX_BYTES and not response.content.at_eof():
                body += await response.content.read(MAX_BYTES + 1 - len(body))
            status = response.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ProviderUnreachable(
            f"the identity provider at {host} can't be reached: {type(error).__name__}"
        ) from error
    return _decoded(body, status, host)


def _decoded(body: bytes, status: int, host: str | None) -> dict[str, Any]:
    if len(body) > MAX_BYTES:
        raise OidcRefused("TooLarge", f"{host} answered with more than {MAX_BYTES} bytes")
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if status != 200:
        said = found.get("error", "") if isinstance(found, dict) else ""
        raise ProviderUnreachable(
            f"the identity provider at {host} answered {status} {str(said)[:100]}".strip()
        )
    if not isinstance(found, dict):
        raise OidcRefused("NotJson", f"{host} did not answer with a JSON object")
    return found


def _connector(reach: Reach) -> aiohttp.TCPConnector:
    context = ssl.create_default_context()
    if reach.ca_pem:
        context = ssl.create_default_context(cadata=reach.ca_pem)
    return aiohttp.TCPConnector(resolver=_Resolver(reach), ssl=context, use_dns_cache=False, limit=4)
