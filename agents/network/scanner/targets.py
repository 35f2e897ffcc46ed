"""What to scan: ranges, ports and exclusions, parsed, counted and expanded lazily.

Parsing is pure and says which text is wrong and why. A `TargetPlan` numbers all targets of a scan without
listing them: overlapping ranges are joined and exclusions cut out as intervals, so that every address and
port comes exactly once, the total is known up front, and a /8 with 20 ports takes no more memory than one
address. A host name counts as one target a port, however many addresses it turns out to have.
"""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

from agents.network.scanner.addresses import (
    V4_FIRST,
    V4_LAST,
    AddressSet,
    Interval,
    address_text,
    merge,
    network_intervals,
    subtract,
)
from agents.network.scanner.errors import BadCursor, BadTarget, TooManyTargets
from agents.network.scanner.order import SpreadOrder
from agents.network.scanner.ports import PortSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# A /8 with every port: at 10,000 connects a second it would take more than three years.
MAX_TARGETS = 2**40

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_LAST_OCTET = re.compile(r"\d{1,3}", re.ASCII)


_NOTHING = AddressSet(())


class Target(NamedTuple):
    """One thing to connect to: an address, or a name that is still to be resolved."""

    address: str | None
    port: int
    name: str | None


@dataclass(frozen=True, slots=True)
class ScanRange:
    """One entry of a discovery task: a network, an address, a range of addresses or a host name."""

    text: str
    intervals: tuple[Interval, ...]
    name: str | None
    ports: PortSet

    @classmethod
    def parse(cls, text: str, ports: PortSet) -> ScanRange:
        """Understand `10.0.0.0/8`, `10.0.0.7`, `10.0.0.9-10.0.3.1`, `10.0.0.9-20`, IPv6 likewise, or a name.

        Raises `BadTarget`.
        """
        intervals = parse_addresses(text)
        if intervals is not None:
            return cls(text, intervals, None, ports)
        return cls(text, (), parse_host_name(text), ports)


def parse_addresses(text: str) -> tuple[Interval, ...] | None:
    """The addresses that a text stands for, or None if it is not about addresses.

    Raises `BadTarget` if it looks like addresses and is wrong.
    """
    bare = text.strip()
    if not bare:
        raise BadTarget(text, "is empty")
    if "%" in bare:
        raise BadTarget(text, "zone identifiers are not supported")
    if "://" in bare:
        raise BadTarget(text, "is a URL; only its host name can be scanned")
    first, dash, last = bare.partition("-")
    try:
        if "/" in bare:
            return _network(text, bare)
        if dash and (start := _address(first)) is not None:
            return (_range(text, start, last),)
        single = _address(bare)
    except ValueError as error:
        raise BadTarget(text, str(error)) from error
    return None if single is None else (Interval(single, single),)


def _address(text: str) -> int | None:
    """The number of an address; None for what can only be a name. Raises `ValueError`."""
    bare = text.strip()
    bracketed = bare.startswith("[") and bare.endswith("]")
    bare = bare[1:-1] if bracketed else bare
    # A last label of digits can't be a name (RFC 1123 section 2.1), so `10.0.0.300` is a mistyped address.
    if ":" not in bare:
        return V4_FIRST + int(ipaddress.IPv4Address(bare)) if bare.rpartition(".")[2].isdigit() else None
    number = int(ipaddress.IPv6Address(bare))
    if V4_FIRST <= number <= V4_LAST:
        raise ValueError("is an IPv4 address in IPv6 form; write it as IPv4")
    return number


def _network(text: str, bare: str) -> tuple[Interval, ...]:
    try:
        intervals = network_intervals(bare)
    except ValueError as error:
        raise BadTarget(text, _network_fault(bare, error)) from error
    if not intervals:
        raise BadTarget(text, "is an IPv4 network in IPv6 form; write it as IPv4")
    return intervals


def _network_fault(bare: str, error: ValueError) -> str:
    try:
        wider = ipaddress.ip_network(bare, strict=False)
    except ValueError:
        return str(error)
    return f"has host bits set; the network would be {wider}"


def _range(text: str, first: int, last_text: str) -> Interval:
    bare = last_text.strip()
    if _LAST_OCTET.fullmatch(bare):
        if not V4_FIRST <= first <= V4_LAST:
            raise BadTarget(text, "the short form a.b.c.d-e is for IPv4 only")
        last: int | None = (first & ~0xFF) | int(bare)
        if int(bare) > 255:
            raise BadTarget(text, f"{bare} is not an octet")
    else:
        last = _address(bare)
    if last is None:
        raise BadTarget(text, f"{bare!r} is not an address")
    if (V4_FIRST <= first <= V4_LAST) != (V4_FIRST <= last <= V4_LAST):
        raise BadTarget(text, "begins in one address family and ends in the other")
    if last < first:
        raise BadTarget(text, "ends before it begins")
    if first < V4_FIRST and last > V4_LAST:
        raise BadTarget(text, "runs across the IPv4-mapped addresses")
    return Interval(first, last)


def parse_host_name(text: str) -> str:
    """A host name in lower case ASCII (A-labels). Raises `BadTarget`."""
    bare = text.strip().rstrip(".").lower()
    if not bare.isascii():
        try:
            bare = bare.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise BadTarget(text, f"is not a valid internationalized name: {error}") from error
    if not bare or len(bare) > 253:
        raise BadTarget(text, "a host name has 1 to 253 characters")
    for label in bare.split("."):
        if not _LABEL.fullmatch(label):
            raise BadTarget(text, f"{label!r} is not a label of a host name")
    return bare


@dataclass(frozen=True, slots=True)
class ScanSpec:
    """Everything that decides which targets a scan has and in which order they come."""

    ranges: tuple[ScanRange, ...]
    excluded: AddressSet = _NOTHING
    excluded_names: frozenset[str] = frozenset()
    seed: int = 0

    @classmethod
    def parse(
        cls, ranges: Iterable[str], ports: str, *, exclude: Iterable[str] = (), seed: int = 0
    ) -> ScanSpec:
        """A spec from texts, every range with the same ports. Raises `BadTarget`, `BadPorts`."""
        return cls.of_entries(((text, ports) for text in ranges), exclude=exclude, seed=seed)

    @classmethod
    def of_entries(
        cls, entries: Iterable[tuple[str, str]], *, exclude: Iterable[str] = (), seed: int = 0
    ) -> ScanSpec:
        """A spec from pairs of a range and its ports. Raises `BadTarget`, `BadPorts`."""
        excluded: list[Interval] = []
        names: set[str] = set()
        for text in exclude:
            intervals = parse_addresses(text)
            if intervals is None:
                names.add(parse_host_name(text))
            else:
                excluded.extend(intervals)
        parsed = tuple(ScanRange.parse(text, PortSet.parse(ports)) for text, ports in entries)
        return cls(parsed, AddressSet(tuple(excluded)), frozenset(names), seed)


def outside(allowed: AddressSet, spec: ScanSpec) -> tuple[Interval, ...]:
    """Which addresses a spec would scan that are not in `allowed`; empty if it covers them all.

    Host names are not looked up here: the engine asks its `allowed` predicate once they are resolved.
    """
    wanted = [part for scan_range in spec.ranges for part in scan_range.intervals]
    return subtract(subtract(wanted, spec.excluded.intervals), allowed.intervals)


class _AddressBlock:
    """Addresses that share one set of ports; index = address index * ports + port index."""

    __slots__ = ("_first_ports", "_intervals", "_ports", "_starts", "size")

    def __init__(self, intervals: Sequence[Interval], ports: PortSet) -> None:
        self._intervals = intervals
        self._starts = [0, *accumulate(interval.size for interval in intervals)]
        self._ports = ports
        self.size = self._starts[-1] * ports.size

    def target(self, index: int) -> Target:
        address_index, port_index = divmod(index, self._ports.size)
        at = bisect_right(self._starts, address_index) - 1
        number = self._intervals[at].first + address_index - self._starts[at]
        return Target(address_text(number), self._ports.port(port_index), None)


class _NameBlock:
    """Host names that share one set of ports."""

    __slots__ = ("_names", "_ports", "size")

    def __init__(self, names: Sequence[str], ports: PortSet) -> None:
        self._names = names
        self._ports = ports
        self.size = len(names) * ports.size

    def target(self, index: int) -> Target:
        name_index, port_index = divmod(index, self._ports.size)
        return Target(None, self._ports.port(port_index), self._names[name_index])


class TargetPlan:
    """All targets of a spec, numbered in scan order. Raises `TooManyTargets`."""

    def __init__(self, spec: ScanSpec) -> None:
        self._blocks: list[_AddressBlock | _NameBlock] = [*_address_blocks(spec), *_name_blocks(spec)]
        self._starts = [0, *accumulate(block.size for block in self._blocks)]
        self.total = self._starts[-1]
        if self.total > MAX_TARGETS:
            raise TooManyTargets(self.total, MAX_TARGETS)
        self._order = SpreadOrder(self.total, spec.seed)
        self.excluded = spec.excluded

    def target(self, position: int) -> Target:
        """The target at a position of the scan order, 0 <= position < total."""
        index = self._order.index(position)
        at = bisect_right(self._starts, index) - 1
        return self._blocks[at].target(index - self._starts[at])

    def walk(self, cursor: int = 0, *, step: int = 1) -> Iterator[tuple[int, Target]]:
        """Positions and targets from a cursor on; every `step`-th one only. Raises `BadCursor`."""
        if cursor < 0:
            raise BadCursor(cursor, self.total)
        for position in range(cursor, self.total, step):
            yield position, self.target(position)


def _address_blocks(spec: ScanSpec) -> list[_AddressBlock]:
    """Blocks without overlap: ports are cut where any range's ports begin or end, then grouped again."""
    ranges = [scan_range for scan_range in spec.ranges if scan_range.intervals]
    by_addresses: dict[tuple[Interval, ...], list[tuple[int, int]]] = {}
    for first, last in _port_segments(ranges):
        wanted = merge(part for entry in ranges if first in entry.ports for part in entry.intervals)
        addresses = subtract(wanted, spec.excluded.intervals)
        if addresses:
            by_addresses.setdefault(addresses, []).append((first, last))
    return [_AddressBlock(addresses, PortSet(tuple(ports))) for addresses, ports in by_addresses.items()]


def _name_blocks(spec: ScanSpec) -> list[_NameBlock]:
    ranges = [entry for entry in spec.ranges if entry.name and entry.name not in spec.excluded_names]
    by_names: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for first, last in _port_segments(ranges):
        names = tuple(sorted({entry.name for entry in ranges if entry.name and first in entry.ports}))
        if names:
            by_names.setdefault(names, []).append((first, last))
    return [_NameBlock(names, PortSet(tuple(ports))) for names, ports in by_names.items()]


def _port_segments(ranges: Sequence[ScanRange]) -> list[tuple[int, int]]:
    """Port intervals inside which every range either has all ports or none."""
    cuts: set[int] = set()
    for ports in {scan_range.ports for scan_range in ranges}:
        for first, last in ports.ranges:
            cuts.update((first, last + 1))
    edges = sorted(cuts)
    return [(first, after - 1) for first, after in pairwise(edges)]
