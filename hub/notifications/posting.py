"""POST requests to addresses that administrators configured, without being led to the hub's own network.

A name is resolved first, every address is checked, and the connection goes to exactly these: there is no
second lookup that could answer differently. Redirects are not followed. Private networks, and plain HTTP,
are for those that the hub's configuration allows (``notification_allowed_networks``).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from hub.notifications.errors import NotDelivered, OutcomeUnknown
from hub.notifications.notifiers.contract import HttpAnswer
from hub.organizations.dcv.addresses import Network, is_allowed

TIMEOUT_S = 30.0
_CONNECT_S = 10.0
_MAX_ANSWER = 16384
_USER_AGENT = "certwright-notifications/1"
_LONGEST_WAIT_S = 6 * 3600.0


class Poster:
    """Posts, within the limits of the configuration."""

    def __init__(
        self,
        allowed_networks: Sequence[Network] = (),
        *,
        anywhere: bool = False,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """``anywhere``: the address comes from the hub's own configuration, and is not checked."""
        self._allowed = tuple(allowed_networks)
        self._anywhere = anywhere
        self._timeout_s = timeout_s

    async def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str], ca_pem: str = ""
    ) -> HttpAnswer:
        """Post ``body`` and return the answer, whatever its status.

        Raises:
            NotDelivered: the address is refused, or could not be connected to.
            OutcomeUnknown: the request went out, and no answer came.
        """
        target = _parsed(url)
        addresses = await self._checked(target)
        try:
            async with (
                _session(addresses, ca_pem, self._timeout_s) as session,
                session.post(
                    target,
                    data=body,
                    headers={"User-Agent": _USER_AGENT, **headers},
                    allow_redirects=False,
                ) as response,
            ):
                text = await _beginning(response)
                return HttpAnswer(response.status, dict(response.headers), text)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotDelivered("ConnectFailed", _said(target, error), unreachable=True) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OutcomeUnknown(_said(target, error)) from error

    async def dial(self, host: str, port: int) -> socket.socket:
        """Return a connection to a mail server, whose address is checked as that of a POST is.

        Raises:
            NotDelivered: the address is refused, or could not be connected to.
        """
        addresses = await self._permitted(host, port)
        loop = asyncio.get_running_loop()
        fault: Exception | None = None
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            connection = socket.socket(family, socket.SOCK_STREAM)
            connection.setblocking(False)
            try:
                async with asyncio.timeout(_CONNECT_S):
                    await loop.sock_connect(connection, (address, port))
            except (OSError, TimeoutError) as error:
                connection.close()
                fault = error
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise NotDelivered(
            "ConnectFailed", f"{host}:{port}: {fault or 'no answer in time'}", unreachable=True
        ) from fault

    async def _checked(self, target: URL) -> list[str]:
        addresses = await self._permitted(target.host or "", target.port or 443)
        if target.scheme != "https" and not all(self._is_own(each) for each in addresses):
            raise NotDelivered("PlainHttpRefused", f"{target.host} is not asked without TLS")
        return addresses

    async def _permitted(self, host: str, port: int) -> list[str]:
        addresses = await _resolved(host, port)
        if self._anywhere:
            return addresses
        refused = [each for each in addresses if not is_allowed(each, self._allowed)]
        if refused:
            raise NotDelivered(
                "AddressRefused",
                f"{host} has the address {refused[0]}, which is not on the public internet; allow its"
                " network in notification_allowed_networks",
            )
        return addresses

    def _is_own(self, address: str) -> bool:
        if self._anywhere:
            return True
        parsed = ipaddress.ip_address(address)
        return any(parsed.version == each.version and parsed in each for each in self._allowed)


async def _beginning(response: aiohttp.ClientResponse) -> str:
    body = bytearray()
    async for chunk in response.content.iter_chunked(4096):
        body += chunk
        if len(body) >= _MAX_ANSWER:
            break
    return body[:_MAX_ANSWER].decode("utf-8", "replace")


def judged(answer: HttpAnswer, *, retried: frozenset[int] = frozenset()) -> HttpAnswer:
    """Return a successful answer.

    Raises:
        NotDelivered: the status says no. 429 and 5xx, and what is in ``retried``, may be tried again.
    """
    if 200 <= answer.status < 300:
        return answer
    said = f"status {answer.status}: {answer.text[:300].strip()}"
    if answer.status == 429:
        raise NotDelivered("RateLimited", said, retry_after_s=_retry_after(answer), unreachable=True)
    if answer.status >= 500 or answer.status in retried | {408, 425}:
        raise NotDelivered("HttpStatus", said, retry_after_s=_retry_after(answer))
    raise NotDelivered("HttpStatus", said, permanent=True)


def _retry_after(answer: HttpAnswer) -> float | None:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    text = headers.get("retry-after", "").strip()
    # A date is allowed too, and means what our own delay means: later.
    return min(float(text), _LONGEST_WAIT_S) if text.isdecimal() else None


@asynccontextmanager
async def _session(
    addresses: list[str], ca_pem: str, timeout_s: float
) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(
        resolver=_Pinned(addresses), use_dns_cache=False, force_close=True, ssl=tls_context(ca_pem)
    )
    async with aiohttp.ClientSession(
        connector=connector,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout_s, connect=_CONNECT_S),
    ) as session:
        yield session


def tls_context(ca_pem: str) -> ssl.SSLContext:
    """Return a context that trusts the system's CAs, and those of ``ca_pem`` if there are any."""
    context = ssl.create_default_context()
    if ca_pem:
        context.load_verify_locations(cadata=ca_pem)
    return context


def _parsed(url: str) -> URL:
    try:
        target = URL(url)
    except ValueError:
        raise NotDelivered("AddressInvalid", "the channel's address is none", permanent=True) from None
    if target.scheme not in {"http", "https"} or not target.host:
        raise NotDelivered("AddressInvalid", "the channel's address is no http address", permanent=True)
    return target


async def _resolved(host: str, port: int) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    try:
        async with asyncio.timeout(_CONNECT_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise NotDelivered(
            "NameNotFound", f"{host} could not be looked up: {error}", unreachable=True
        ) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _said(target: URL, error: Exception) -> str:
    # Not the whole address: its path is what authenticates at chat services.
    return f"{target.host}: {str(error)[:300].replace(target.path, '...') or type(error).__name__}"


class _Pinned(AbstractResolver):
    """Answers every question with the addresses that were checked."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses."""
        del family
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""
