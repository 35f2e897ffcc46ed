"""Targets that wait for their host name's addresses, with a deadline for each name."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from agents.network.scanner.observation import LOOKUP_TIMED_OUT, NAME_NOT_FOUND, Verdict
from agents.network.scanner.resolver import Resolution, Resolver, ThreadResolver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Settled(NamedTuple):
    """A target whose name has addresses now, or a verdict if it has none."""

    position: int
    port: int
    name: str
    addresses: tuple[str, ...]
    verdict: Verdict


class Lookups:
    """Looks each name up once a scan, however many ports it is scanned on."""

    def __init__(self, timeout_s: float, make_resolver: Callable[[], Resolver] = ThreadResolver) -> None:
        self._timeout_s = timeout_s
        self._make_resolver = make_resolver
        self._resolver: Resolver | None = None
        self._known: dict[str, Resolution] = {}
        self._waiting: dict[str, list[tuple[int, int]]] = {}
        self._deadlines: deque[tuple[float, str]] = deque()
        self._settled: list[Settled] = []
        self.pending = 0

    @property
    def descriptor(self) -> int | None:
        """Readable when `collect` has something to do; None before the first name."""
        return None if self._resolver is None else self._resolver.fileno()

    def ask(self, name: str, position: int, port: int, now: float) -> None:
        """Queue a target; it comes out of `settled`, now or later."""
        self.pending += 1
        if name in self._known:
            self._settle(self._known[name], position, port)
        elif name in self._waiting:
            self._waiting[name].append((position, port))
        else:
            if self._resolver is None:
                self._resolver = self._make_resolver()
            self._waiting[name] = [(position, port)]
            self._deadlines.append((now + self._timeout_s, name))
            self._resolver.submit(name)

    def collect(self) -> None:
        """Take over what the resolver has found."""
        if self._resolver is None:
            return
        for found in self._resolver.results():
            self._known[found.name] = found
            for position, port in self._waiting.pop(found.name, ()):
                self._settle(found, position, port)

    def expire(self, now: float) -> None:
        """Settle targets whose names took too long; a name that does come later serves later targets."""
        while self._deadlines and self._deadlines[0][0] <= now:
            _, name = self._deadlines.popleft()
            for position, port in self._waiting.pop(name, ()):
                self._settled.append(Settled(position, port, name, (), LOOKUP_TIMED_OUT))

    def settled(self) -> Iterator[Settled]:
        """The targets that need wait no longer, each once."""
        while self._settled:
            self.pending -= 1
            yield self._settled.pop()

    def next_deadline(self) -> float | None:
        """When `expire` has something to do, at the earliest; now if targets are already settled."""
        if self._settled:
            return 0.0
        while self._deadlines and self._deadlines[0][1] not in self._waiting:
            self._deadlines.popleft()
        return self._deadlines[0][0] if self._deadlines else None

    def close(self) -> None:
        """Give up all lookups."""
        if self._resolver is not None:
            self._resolver.close()

    def _settle(self, found: Resolution, position: int, port: int) -> None:
        verdict = NAME_NOT_FOUND._replace(detail=found.fault)
        self._settled.append(Settled(position, port, found.name, found.addresses, verdict))
