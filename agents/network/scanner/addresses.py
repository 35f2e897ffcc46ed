"""Intervals of IP addresses, with IPv4 and IPv6 in one number space.

An IPv4 address is kept as its IPv4-mapped IPv6 number (RFC 4291 section 2.5.5.2), so that one sorted list of
intervals serves both families. For the same reason ::ffff:0:0/96 never counts as IPv6: written as a target it
is refused, and in a wider IPv6 network it is left out. Otherwise a policy on IPv4 networks could be walked
round by spelling an address the other way.
"""

from __future__ import annotations

import ipaddress
import socket
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

V4_FIRST = 0xFFFF << 32
V4_LAST = V4_FIRST | 0xFFFFFFFF


class Interval(NamedTuple):
    """All addresses from `first` to `last`, both included, in the joint number space."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """How many addresses it holds."""
        return self.last - self.first + 1

    def text(self) -> str:
        """A reader's form: one address, or `a-b`."""
        if self.first == self.last:
            return address_text(self.first)
        return f"{address_text(self.first)}-{address_text(self.last)}"


def is_v4(value: int) -> bool:
    """Whether the number stands for an IPv4 address."""
    return V4_FIRST <= value <= V4_LAST


def address_text(value: int) -> str:
    """The usual text form of an address number."""
    if V4_FIRST <= value <= V4_LAST:
        return socket.inet_ntoa((value - V4_FIRST).to_bytes(4, "big"))
    return str(ipaddress.IPv6Address(value))


def address_number(text: str) -> int:
    """The number of an address in text form; IPv4-mapped IPv6 gives the IPv4 address.

    Raises `ValueError` for anything that is not an address.
    """
    if ":" not in text:
        try:
            return V4_FIRST + int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
        except OSError as error:
            raise ValueError(f"{text!r} is not an address") from error
    return int(ipaddress.IPv6Address(text))


def network_intervals(text: str) -> tuple[Interval, ...]:
    """The intervals of a network (`10.0.0.0/8`, `::/0`) or of one address.

    Raises `ValueError` for bad text, host bits among them.
    """
    network = ipaddress.ip_network(text)
    first, last = int(network.network_address), int(network.broadcast_address)
    if network.version == 4:
        return (Interval(V4_FIRST + first, V4_FIRST + last),)
    return subtract((Interval(first, last),), (Interval(V4_FIRST, V4_LAST),))


def merge(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Sorted, disjoint intervals that hold the same addresses."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        # Touching neighbours are joined, but never across the border of the IPv4 block.
        if (
            merged
            and interval.first <= merged[-1].last + 1
            and is_v4(interval.first) == is_v4(merged[-1].first)
        ):
            merged[-1] = Interval(merged[-1].first, max(merged[-1].last, interval.last))
        else:
            merged.append(interval)
    return tuple(merged)


def subtract(kept: Iterable[Interval], removed: Iterable[Interval]) -> tuple[Interval, ...]:
    """The addresses of `kept` that are not in `removed`, as sorted, disjoint intervals."""
    holes = merge(removed)
    left: list[Interval] = []
    for interval in merge(kept):
        first = interval.first
        for hole in holes[max(bisect_right(holes, (first,)) - 1, 0) :]:
            if hole.first > interval.last:
                break
            if hole.last < first:
                continue
            if hole.first > first:
                left.append(Interval(first, hole.first - 1))
            first = hole.last + 1
        if first <= interval.last:
            left.append(Interval(first, interval.last))
    return tuple(left)


@dataclass(frozen=True, slots=True)
class AddressSet:
    """A set of addresses with fast membership; also the `allowed` predicate of an engine."""

    intervals: tuple[Interval, ...]
    _firsts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "intervals", merge(self.intervals))
        object.__setattr__(self, "_firsts", tuple(interval.first for interval in self.intervals))

    @classmethod
    def of_networks(cls, networks: Iterable[str]) -> AddressSet:
        """The addresses of all these networks. Raises `ValueError` for bad text."""
        return cls(tuple(part for text in networks for part in network_intervals(text)))

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number) - 1
        return at >= 0 and number <= self.intervals[at].last

    def __call__(self, address: str) -> bool:
        """Whether the address, in text form, is in the set."""
        return address_number(address) in self
