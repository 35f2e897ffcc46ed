"""Looking up records and files of a domain, from where this agent stands.

The same rules as on the hub, which decides by what is seen: only the public internet and ports 80 and 443,
unless ``policy.toml`` allows more; a name is resolved once and connections go to exactly the address that
was checked, also after each redirect (Baseline Requirements 3.2.2.4.18); small answers, in bounded time.
"""

import asyncio
import http.client
import io
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import SplitResult, urljoin, urlsplit

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.nameserver
import dns.resolver

from agents.runtime.policy import DomainControlPolicy

MAX_BODY_BYTES = 8192
MAX_ANSWER_BYTES = 16_384 + MAX_BODY_BYTES
MAX_REDIRECTS = 5
_MAX_CNAMES = 8
_EDNS_PAYLOAD = 1232
_REDIRECTS = frozenset({301, 302, 307, 308})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_ALSO_REFUSED = tuple(
    ipaddress.ip_network(text)
    # A cloud's machine-facing service; local-use NAT64; site-local; 6to4; Teredo.
    for text in (
        "168.63.129.16/32",
        "64:ff9b:1::/48",
        "fec0::/10",
        "192.88.99.0/24",
        "2002::/16",
        "2001::/32",
    )
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ProbeFailed(Exception):
    """Nothing was seen; ``reason`` is a stable word."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """Records of a name; ``authenticated`` by DNSSEC, as the resolver says."""

    values: tuple[str, ...]
    authenticated: bool


def is_allowed(address: Address, policy: DomainControlPolicy) -> bool:
    """Whether a check may connect to an address: public, or in a network that the policy names."""
    allowed = [ipaddress.ip_network(text) for text in policy.allow]
    return _within(address, allowed) or _is_public(_unwrapped(address))


def _is_public(address: Address) -> bool:
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not special and not _within(address, _ALSO_REFUSED)


def _within(address: Address, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address


class DomainProbe:
    """One check: what it saw on the way is in ``trail``."""

    def __init__(self, policy: DomainControlPolicy, *, timeout_s: float) -> None:
        self._policy = policy
        self._resolver = _resolver(policy, timeout_s)
        self.trail: list[str] = []

    async def txt(self, name: str) -> Answer:
        """Return the values of all TXT records of a name; raise ProbeFailed."""
        self._note_servers()
        return await self._ask(name, "TXT")

    async def cname(self, name: str) -> Answer:
        """Return the chain of CNAME targets that begins at a name; raise ProbeFailed."""
        self._note_servers()
        first = await self._ask(name, "CNAME")
        targets = list(first.values[:1])
        while targets and len(targets) < _MAX_CNAMES:
            try:
                following = (await self._ask(targets[-1], "CNAME")).values
            except ProbeFailed:
                # The last target need not exist.
                break
            if not following or following[0] in targets:
                break
            targets.append(following[0])
        return Answer(tuple(targets), first.authenticated)

    async def file(self, url: str) -> str:
        """Return a file's content, following redirects; raise ProbeFailed."""
        for _ in range(MAX_REDIRECTS + 1):
            response, is_cut = await self._get(url)
            self.trail.append(f"HTTP {response.status}")
            location = response.getheader("Location", "") if response.status in _REDIRECTS else ""
            if not location:
                return _body(response, url, is_cut=is_cut)
            url = urljoin(url, location)
        raise ProbeFailed("TooManyRedirects", f"more than {MAX_REDIRECTS} redirects")

    async def _get(self, url: str) -> tuple[http.client.HTTPResponse, bool]:
        parts, port = _target(url)
        if port not in {80, 443, *self._policy.ports}:
            raise ProbeFailed("PortRefused", f"{url}: only ports 80 and 443 are connected to")
        host = parts.hostname or ""
        addresses = await self._checked_addresses(host)
        self.trail.append(f"GET {url} at {', '.join(addresses)}")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = (
            f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: certwright-domain-validation/1\r\n"
            "Accept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
        )
        try:
            encoded = request.encode("ascii")
            data = await _exchange(addresses, port, encoded, host if parts.scheme == "https" else None)
            return _parsed(data), len(data) > MAX_ANSWER_BYTES
        except (OSError, ssl.SSLError, UnicodeError, http.client.HTTPException) as error:
            raise ProbeFailed("ConnectFailed", f"{url}: {str(error) or type(error).__name__}") from error

    async def _checked_addresses(self, host: str) -> tuple[str, ...]:
        try:
            found: Sequence[str] = (str(ipaddress.ip_address(host)),)
        except ValueError:
            found = await self._addresses(host)
        for text in found:
            if not is_allowed(ipaddress.ip_address(text), self._policy):
                raise ProbeFailed(
                    "AddressRefused", f"{host} has the address {text}, which is not on the public internet"
                )
        return tuple(found)

    async def _addresses(self, host: str) -> list[str]:
        found: list[str] = []
        fault: ProbeFailed | None = None
        for kind in ("A", "AAAA"):
            try:
                found += (await self._ask(host, kind)).values
            except ProbeFailed as error:
                fault = fault or error
        if not found:
            raise fault or ProbeFailed("NameNotFound", f"{host} has no address")
        return found

    async def _ask(self, name: str, kind: str) -> Answer:
        wanted, hops = name.rstrip(".") + ".", 0
        try:
            while True:
                answer = await self._resolver.resolve(wanted, kind, raise_on_no_answer=False, search=False)
                last = answer.canonical_name.to_text()
                if answer.rrset is not None or kind == "CNAME" or last == wanted or hops >= _MAX_CNAMES:
                    break
                wanted, hops = last, hops + 1
        except dns.resolver.NXDOMAIN as error:
            raise ProbeFailed("NameNotFound", f"{name} does not exist (NXDOMAIN)") from error
        except dns.exception.Timeout as error:
            raise ProbeFailed("LookupTimedOut", f"no name server answered for {name} in time") from error
        except (dns.exception.DNSException, OSError, ValueError) as error:
            message = f"{name} could not be looked up: {str(error)[:300]}"
            raise ProbeFailed("LookupFailed", message) from error
        values = tuple(_text_of(record, kind) for record in answer.rrset or ())
        return Answer(values, bool(answer.response.flags & dns.flags.AD))

    def _note_servers(self) -> None:
        self.trail += [f"dns {server}" for server in self._resolver.nameservers]


def _resolver(policy: DomainControlPolicy, timeout_s: float) -> dns.asyncresolver.Resolver:
    resolver = dns.asyncresolver.Resolver(configure=not policy.nameservers)
    if policy.nameservers:
        pairs = (text.partition("#") for text in policy.nameservers)
        resolver.nameservers = [
            dns.nameserver.Do53Nameserver(address, int(port or 53)) for address, _, port in pairs
        ]
    resolver.lifetime = timeout_s
    resolver.timeout = max(0.2, timeout_s / 3)
    resolver.cache = None
    resolver.use_edns(0, dns.flags.DO, _EDNS_PAYLOAD)
    resolver.set_flags(dns.flags.RD | dns.flags.AD)
    return resolver


def _text_of(record: Any, kind: str) -> str:
    if kind == "TXT":
        return b"".join(record.strings).decode("utf-8", "replace")
    if kind == "CNAME":
        return str(record.target.to_text(omit_final_dot=True)).lower()
    return str(record.address)


def _target(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ProbeFailed("RedirectRefused", f"{url[:100]!r} is no address") from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        raise ProbeFailed("RedirectRefused", f"{url[:100]!r} is not a plain http or https address")
    if any(char <= " " or char > "~" for char in url):
        raise ProbeFailed("RedirectRefused", f"{url[:100]!r} holds characters that an address can't have")
    return parts, _DEFAULT_PORTS[parts.scheme] if port is None else port


async def _exchange(addresses: Sequence[str], port: int, request: bytes, tls_name: str | None) -> bytes:
    reader, writer = await _connect(addresses, port, tls_name)
    try:
        writer.write(request)
        await writer.drain()
        data = bytearray()
        while len(data) <= MAX_ANSWER_BYTES:
            chunk = await reader.read(4096)
            if not chunk:
                break
            data += chunk
        return bytes(data)
    finally:
        writer.transport.abort()


async def _connect(
    addresses: Sequence[str], port: int, tls_name: str | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = None if tls_name is None else _lenient_tls()
    for number, address in enumerate(addresses, start=1):
        try:
            return await asyncio.open_connection(address, port, ssl=context, server_hostname=tls_name)
        except OSError:
            if number == len(addresses):
                raise
    raise OSError("there is no address to connect to")


def _lenient_tls() -> ssl.SSLContext:
    # Plain HTTP is as good a proof; a certificate that is judged would keep new domains out.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _Received:
    """What http.client wants of a socket: the bytes that came."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def _parsed(data: bytes) -> http.client.HTTPResponse:
    response = http.client.HTTPResponse(cast("Any", _Received(data)), method="GET")
    response.begin()
    return response


def _body(response: http.client.HTTPResponse, url: str, *, is_cut: bool) -> str:
    if not 200 <= response.status < 300:
        raise ProbeFailed("HttpStatus", f"{url} answered with status {response.status}")
    try:
        body = response.read()
    except http.client.IncompleteRead as error:
        if not is_cut:
            raise ProbeFailed("ConnectFailed", f"{url}: the answer ended early") from error
        body = None
    if body is None or len(body) > MAX_BODY_BYTES:
        raise ProbeFailed("BodyTooLarge", f"{url} has more than {MAX_BODY_BYTES} bytes")
    return body.decode("utf-8", "replace").removeprefix("\ufeff")
