"""What a task scans: CIDR, address, ``a-b`` range or host name, with ports. Pure; also tells what is covered.

The same texts go to the agent, which expands them lazily; here they are only checked and compared.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.discovery.errors import FieldFinding
from hub.fleet.commands import ScanRange
from pki.errors import InvalidName
from pki.names import normalize_dns_name

MAX_RANGES = 1000
MAX_PORTS = 100
DEFAULT_PORTS = ("443",)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class InvalidTarget(ValueError):
    """The text names nothing that can be scanned; ``reason`` is a stable word."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AddressSpan:
    """Addresses from ``first`` to ``last``, both included."""

    text: str
    first: Address
    last: Address

    def holds(self, address: Address) -> bool:
        """Tell whether an address is within."""
        return address.version == self.first.version and int(self.first) <= int(address) <= int(self.last)


@dataclass(frozen=True, slots=True)
class HostName:
    """A name that the agent resolves when it scans."""

    text: str


Target = AddressSpan | HostName


def parse_target(text: str) -> Target:
    """Read a CIDR, an address, a range ``a-b`` or a host name; raise InvalidTarget."""
    text = text.strip()
    if not text:
        raise InvalidTarget("TargetMissing", "a range names nothing to scan")
    if "/" in text:
        return _network(text)
    if "-" in text and _looks_like_address(text.partition("-")[0]):
        return _span(text)
    if _looks_like_address(text):
        address = _address(text)
        return AddressSpan(str(address), address, address)
    try:
        return HostName(normalize_dns_name(text, wildcard=False))
    except InvalidName as fault:
        message = f"{text!r} is no CIDR, address, range or host name: {fault}"
        raise InvalidTarget("TargetMalformed", message) from fault


def _looks_like_address(text: str) -> bool:
    # "10.0.0" or "1.2.3.4.5" are meant as addresses, and no host name ends in a number.
    return ":" in text or text.strip().rsplit(".", 1)[-1].isdigit()


def _address(text: str) -> Address:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError as fault:
        raise InvalidTarget("AddressMalformed", f"{text.strip()!r} is not an IP address") from fault


def _network(text: str) -> AddressSpan:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as fault:
        raise InvalidTarget("CidrMalformed", f"{text!r} is not a CIDR such as 10.0.0.0/24") from fault
    return AddressSpan(str(network), network.network_address, network.broadcast_address)


def _span(text: str) -> AddressSpan:
    left, _, right = text.partition("-")
    first, last = _address(left), _address(right)
    if first.version != last.version:
        raise InvalidTarget("RangeMixed", f"{text!r} goes from IPv{first.version} to IPv{last.version}")
    if int(first) > int(last):
        raise InvalidTarget("RangeBackwards", f"{text!r} ends before it begins")
    return AddressSpan(f"{first}-{last}", first, last)


def parse_ports(text: str) -> tuple[int, int]:
    """Read ``443`` or ``8000-8010``; raise InvalidTarget."""
    first, dash, last = text.strip().partition("-")
    if not first.isascii() or not first.isdigit() or (dash and not (last.isascii() and last.isdigit())):
        raise InvalidTarget("PortsMalformed", f"{text!r} is no port such as 443 or 8000-8010")
    low, high = int(first), int(last or first)
    if not 1 <= low <= high <= 65_535:
        raise InvalidTarget("PortsOutOfRange", f"{text!r}: ports go from 1 to 65535, upwards")
    return low, high


def check_ranges(
    ranges: Sequence[ScanRange], exclusions: Sequence[str]
) -> tuple[tuple[ScanRange, ...], tuple[str, ...], tuple[FieldFinding, ...]]:
    """Return ranges and exclusions in their stored form, and everything that is wrong with them."""
    findings: list[FieldFinding] = []
    if not ranges:
        findings.append(FieldFinding("ranges", "RangesMissing", "add at least one range to scan"))
    if len(ranges) > MAX_RANGES:
        findings.append(
            FieldFinding("ranges", "TooManyRanges", f"at most {MAX_RANGES} ranges, these are {len(ranges)}")
        )
    checked = tuple(
        _checked(item, f"ranges.{place}", findings) for place, item in enumerate(ranges[:MAX_RANGES])
    )
    left_out = []
    for place, text in enumerate(exclusions):
        try:
            target = parse_target(text)
        except InvalidTarget as fault:
            findings.append(FieldFinding(f"exclusions.{place}", fault.reason, str(fault)))
            continue
        if isinstance(target, HostName):
            message = f"{text!r}: exclusions are CIDRs, addresses or ranges"
            findings.append(FieldFinding(f"exclusions.{place}", "ExclusionIsHostName", message))
            continue
        left_out.append(target.text)
    return checked, tuple(left_out), tuple(findings)


def _checked(item: ScanRange, field: str, findings: list[FieldFinding]) -> ScanRange:
    target = item.target.strip()
    try:
        target = parse_target(item.target).text
    except InvalidTarget as fault:
        findings.append(FieldFinding(f"{field}.target", fault.reason, str(fault)))
    ports = tuple(dict.fromkeys(port.strip() for port in item.ports)) or DEFAULT_PORTS
    if len(ports) > MAX_PORTS:
        findings.append(
            FieldFinding(f"{field}.ports", "TooManyPorts", f"at most {MAX_PORTS} ports or ranges of ports")
        )
    for port in ports[:MAX_PORTS]:
        try:
            parse_ports(port)
        except InvalidTarget as fault:
            findings.append(FieldFinding(f"{field}.ports", fault.reason, str(fault)))
    return ScanRange(target=target, ports=ports)


def to_document(ranges: Iterable[ScanRange]) -> list[dict[str, Any]]:
    """Return ranges as they are stored."""
    return [{"target": item.target, "ports": list(item.ports)} for item in ranges]


def from_document(document: Iterable[dict[str, Any]]) -> tuple[ScanRange, ...]:
    """Return stored ranges."""
    return tuple(ScanRange(target=item["target"], ports=tuple(item["ports"])) for item in document)


class Coverage:
    """Tells whether a finished scan looked at an endpoint, so that not having seen it means something."""

    def __init__(self, ranges: Iterable[ScanRange], exclusions: Iterable[str]) -> None:
        self._spans: list[tuple[AddressSpan, tuple[tuple[int, int], ...]]] = []
        self._names: dict[str, list[tuple[int, int]]] = {}
        self._exclusions = [
            target for text in exclusions if isinstance(target := parse_target(text), AddressSpan)
        ]
        for item in ranges:
            ports = tuple(parse_ports(port) for port in item.ports)
            target = parse_target(item.target)
            if isinstance(target, HostName):
                self._names.setdefault(target.text, []).extend(ports)
            else:
                self._spans.append((target, ports))

    def covers(self, address: str, port: int, server_name: str) -> bool:
        """Tell whether the scan asked this address and port under this name (empty: none)."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if any(span.holds(parsed) for span in self._exclusions):
            return False
        if server_name:
            return any(low <= port <= high for low, high in self._names.get(server_name.lower(), ()))
        return any(
            span.holds(parsed) and any(low <= port <= high for low, high in ports)
            for span, ports in self._spans
        )
