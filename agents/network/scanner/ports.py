"""Sets of TCP ports as people write them: `443,8443,9000-9100`."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate

from agents.network.scanner.errors import BadPorts

_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class PortSet:
    """Ports in rising order, kept as disjoint ranges `(first, last)`."""

    ranges: tuple[tuple[int, int], ...]
    _starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        sizes = (last - first + 1 for first, last in self.ranges)
        object.__setattr__(self, "_starts", (0, *accumulate(sizes)))

    @classmethod
    def parse(cls, text: str) -> PortSet:
        """Ports and ranges separated by commas. Raises `BadPorts`."""
        ranges = [_parse_part(text, part.strip()) for part in text.split(",")]
        merged: list[tuple[int, int]] = []
        for first, last in sorted(ranges):
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], last))
            else:
                merged.append((first, last))
        return cls(tuple(merged))

    @property
    def size(self) -> int:
        """How many ports it holds."""
        return self._starts[-1]

    def port(self, index: int) -> int:
        """The port at an index, 0 <= index < size."""
        at = bisect_right(self._starts, index) - 1
        return self.ranges[at][0] + index - self._starts[at]

    def __contains__(self, port: int) -> bool:
        at = bisect_right(self.ranges, (port, _MAX_PORT)) - 1
        return at >= 0 and self.ranges[at][0] <= port <= self.ranges[at][1]


def _parse_part(text: str, part: str) -> tuple[int, int]:
    first_text, dash, last_text = part.partition("-")
    first = _parse_port(text, first_text)
    last = _parse_port(text, last_text) if dash else first
    if last < first:
        raise BadPorts(text, f"{part!r} ends before it begins")
    return first, last


def _parse_port(text: str, port_text: str) -> int:
    bare = port_text.strip()
    if not (bare.isascii() and bare.isdigit() and len(bare) <= 5):
        raise BadPorts(text, f"{bare!r} is not a port number")
    port = int(bare)
    if not 1 <= port <= _MAX_PORT:
        raise BadPorts(text, f"{port} is outside 1..{_MAX_PORT}")
    return port
