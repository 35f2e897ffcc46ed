"""The order of a scan: a permutation of 0..size-1 that spreads neighbours far apart.

Position i is visited at (start + i * stride) mod size, with a stride next to size / golden ratio and without
a common factor with size. Such a sequence is as even as a fixed step can be (three-distance theorem): after
any number of steps every subnet has had its share, which a random order doesn't promise. It needs no memory,
and any position is computed at once, so that a scan resumes from a bare number.
"""

from __future__ import annotations

from math import gcd

# 2**64 / golden ratio; and a second odd constant to spread small seeds over the whole space.
_GOLDEN_64 = 0x9E3779B97F4A7C15
_SEED_SPREAD = 0xD1B54A32D192ED03


class SpreadOrder:
    """A permutation of `range(size)`, the same for the same seed."""

    __slots__ = ("_start", "_stride", "size")

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        self._start = seed * _SEED_SPREAD % size if size else 0
        stride = max(size * _GOLDEN_64 >> 64, 1)
        while gcd(stride, size) > 1:
            stride += 1
        self._stride = stride

    def index(self, position: int) -> int:
        """Which index comes at this position, 0 <= position < size."""
        return (self._start + position * self._stride) % self.size
