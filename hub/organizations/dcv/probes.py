"""Looking for real: the DNS through dnspython, files through aiohttp.

A fetch resolves the name first, refuses what :mod:`.addresses` refuses, and connects to exactly the address
that was checked: there is no second lookup that could answer differently (DNS rebinding). Each redirect is
treated the same. Nothing of the environment (proxies, netrc) counts.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp
import dns.asyncresolver
import dns.exception
import dns.flags
import dns.nameserver
import dns.rcode
import dns.resolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from hub.organizations.dcv.addresses import Network, is_allowed
from hub.organizations.dcv.contract import Sight
from pki.findings import Finding

_MAX_CNAMES = 8
_REDIRECTS = frozenset({301, 302, 307, 308})
_EDNS_PAYLOAD = 1232
_USER_AGENT = "certwright-domain-validation/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSettings:
    """``nameservers`` as address and port (empty: the system's); times in seconds, sizes in bytes."""

    nameservers: tuple[tuple[str, int], ...] = ()
    allowed_networks: tuple[Network, ...] = ()
    allowed_ports: frozenset[int] = frozenset()
    dns_timeout_s: float = 10.0
    fetch_timeout_s: float = 20.0
    max_body_bytes: int = 8192
    max_redirects: int = 5


class DnsResolver:
    """Asks recursive resolvers. It keeps no cache: an administrator who mends a record is seen at once."""

    def __init__(self, settings: ProbeSettings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock

    async def txt(self, name: str) -> Sight:
        """Return the values of all TXT records, each with its strings joined."""
        return await self._ask(name, "TXT")

    async def cname(self, name: str) -> Sight:
        """Return the chain of CNAME targets that begins at ``name``."""
        targets: list[str] = []
        sight = Sight(seen_at=self._clock())
        while len(targets) < _MAX_CNAMES:
            found = await self._ask(targets[-1] if targets else name, "CNAME")
            if targets and not found.values:
                # The last target need not exist.
                break
            sight = found
            if not found.values or found.values[0] in targets:
                break
            targets.append(found.values[0])
        return Sight(
            values=tuple(targets),
            trail=sight.trail,
            fault=sight.fault,
            authenticated=sight.authenticated,
            seen_at=sight.seen_at,
        )

    async def addresses(self, name: str) -> Sight:
        """Return IPv4 and IPv6 addresses; the fault counts if there are none."""
        sights = await asyncio.gather(self._ask(name, "A"), self._ask(name, "AAAA"))
        values = tuple(value for sight in sights for value in sight.values)
        faults = [sight.fault for sight in sights if sight.fault is not None]
        fault = faults[0] if faults and not values else None
        return Sight(values=values, trail=sights[0].trail, fault=fault, seen_at=self._clock())

    async def _ask(self, name: str, kind: str) -> Sight:
        resolver = self._resolver()
        trail = tuple(f"dns {server}" for server in resolver.nameservers)
        wanted, hops = name.rstrip(".") + ".", 0
        try:
            while True:
                answer = await resolver.resolve(wanted, kind, raise_on_no_answer=False, search=False)
                # A server that does not recurse leaves the rest of a chain to who asks.
                last = answer.canonical_name.to_text()
                if answer.rrset is not None or kind == "CNAME" or last == wanted or hops >= _MAX_CNAMES:
                    break
                wanted, hops = last, hops + 1
        except (dns.exception.DNSException, OSError, ValueError) as error:
            return Sight(trail=trail, fault=_dns_fault(name, error), seen_at=self._clock())
        authenticated = bool(answer.response.flags & dns.flags.AD)
        values = tuple(_text_of(record, kind) for record in answer.rrset or ())
        return Sight(values=values, trail=trail, authenticated=authenticated, seen_at=self._clock())

    def _resolver(self) -> dns.asyncresolver.Resolver:
        own = self._settings.nameservers
        resolver = dns.asyncresolver.Resolver(configure=not own)
        if own:
            resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in own]
        resolver.lifetime = self._settings.dns_timeout_s
        resolver.timeout = max(0.2, self._settings.dns_timeout_s / 3)
        resolver.cache = None
        resolver.use_edns(0, dns.flags.DO, _EDNS_PAYLOAD)
        resolver.set_flags(dns.flags.RD | dns.flags.AD)
        return resolver


def _text_of(record: Any, kind: str) -> str:
    if kind == "TXT":
        return b"".join(record.strings).decode("utf-8", "replace").replace("\x00", "")
    if kind == "CNAME":
        return str(record.target.to_text(omit_final_dot=True)).lower()
    return str(record.address)


def _dns_fault(name: str, error: Exception) -> Finding:
    if isinstance(error, dns.resolver.NXDOMAIN):
        return Finding("NameNotFound", f"{name} does not exist (NXDOMAIN)")
    if isinstance(error, dns.exception.Timeout):
        return Finding("LookupTimedOut", f"no name server answered for {name} in time")
    return Finding("LookupFailed", f"{name} could not be looked up: {str(error)[:300]}")


class SafeFetcher:
    """Fetches small files from the public internet."""

    def __init__(self, settings: ProbeSettings, resolver: DnsResolver, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._resolver = resolver
        self._clock = clock

    async def fetch(self, url: str) -> Sight:
        """Return the content of a successful answer as the only value."""
        trail: list[str] = []
        try:
            async with asyncio.timeout(self._settings.fetch_timeout_s):
                found = await self._follow(url, trail)
        except TimeoutError:
            found = Finding("FetchTimedOut", f"{url} gave no complete answer in time")
        if isinstance(found, Finding):
            return Sight(trail=tuple(trail), fault=found, seen_at=self._clock())
        return Sight(values=(found,), trail=tuple(trail), seen_at=self._clock())

    async def _follow(self, url: str, trail: list[str]) -> str | Finding:
        for _ in range(self._settings.max_redirects + 1):
            answer = await self._get(url, trail)
            if not isinstance(answer, URL):
                return answer
            url = str(answer)
        return Finding("TooManyRedirects", f"more than {self._settings.max_redirects} redirects")

    async def _get(self, url: str, trail: list[str]) -> str | Finding | URL:
        target = _parsed(url)
        if isinstance(target, Finding):
            return target
        port = target.port or 0
        if port not in {80, 443} | self._settings.allowed_ports:
            return Finding("PortRefused", f"{url}: only ports 80 and 443 are connected to")
        addresses = await self._checked_addresses(target.host or "")
        if isinstance(addresses, Finding):
            return addresses
        trail.append(f"GET {url} at {', '.join(addresses)}")
        connector = aiohttp.TCPConnector(
            resolver=_Pinned(addresses), use_dns_cache=False, force_close=True, ssl=_lenient_tls()
        )
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector,
                    trust_env=False,
                    auto_decompress=False,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
                ) as session,
                session.get(target, allow_redirects=False) as response,
            ):
                trail.append(f"HTTP {response.status}")
                return await self._answer(response, url)
        except (aiohttp.ClientError, OSError, ssl.SSLError, ValueError) as error:
            return Finding("ConnectFailed", f"{url}: {str(error)[:300] or type(error).__name__}")

    async def _answer(self, response: aiohttp.ClientResponse, url: str) -> str | Finding | URL:
        if response.status in _REDIRECTS:
            location = response.headers.get("Location", "")
            try:
                return response.url.join(URL(location)) if location else _status(response.status, url)
            except ValueError:
                return Finding("RedirectRefused", f"{url} redirects to {location[:100]!r}")
        if not 200 <= response.status < 300:
            return _status(response.status, url)
        body = bytearray()
        async for chunk in response.content.iter_chunked(4096):
            body += chunk
            if len(body) > self._settings.max_body_bytes:
                return Finding("BodyTooLarge", f"{url} has more than {self._settings.max_body_bytes} bytes")
        return body.decode("utf-8", "replace").replace("\x00", "").removeprefix("\ufeff")

    async def _checked_addresses(self, host: str) -> tuple[str, ...] | Finding:
        found: tuple[str, ...] = (host,)
        if not _is_literal(host):
            sight = await self._resolver.addresses(host)
            if sight.fault is not None:
                return sight.fault
            if not sight.values:
                return Finding("NameNotFound", f"{host} has no address")
            found = sight.values
        refused = [each for each in found if not is_allowed(each, self._settings.allowed_networks)]
        if refused:
            # One bad address refuses all: which one a connection takes would be the owner's choice.
            return Finding(
                "AddressRefused", f"{host} has the address {refused[0]}, which is not on the public internet"
            )
        return found


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


def _parsed(url: str) -> URL | Finding:
    try:
        target = URL(url)
    except ValueError:
        return Finding("RedirectRefused", f"{url[:100]!r} is no address")
    if target.scheme not in {"http", "https"} or not target.host or target.user is not None:
        return Finding("RedirectRefused", f"{url[:100]!r} is not a plain http or https address")
    return target


def _status(status: int, url: str) -> Finding:
    return Finding("HttpStatus", f"{url} answered with status {status}")


def _is_literal(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False


def _lenient_tls() -> ssl.SSLContext:
    # Plain HTTP is as good a proof; a certificate that is judged would keep new domains out.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
