"""Which target comes next, and how far the scan has got: everything about targets that needs no socket.

Targets come from the plan, from retries, from resolved names and from those that waited for a place at their
host. Every address passes the policy here, before anybody can connect to it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from agents.network.scanner.addresses import address_number
from agents.network.scanner.observation import EXCLUDED, OUTSIDE_POLICY, Observation, Verdict, observe
from agents.network.scanner.pacing import HostSlots, Watermark
from agents.network.scanner.probe import Probe

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.network.scanner.lookups import Lookups, Settled
    from agents.network.scanner.targets import Target, TargetPlan

# Memory bounds: how far the scan runs ahead of its slowest target, and how many targets wait for a place.
_MAX_SPREAD = 1 << 18
_MAX_WAITING = 4096
# How many targets that are not to be connected to are passed over before the network has its turn again.
_MAX_PULLS = 256


class Intake:
    """The share of a plan, every `stride`-th position from `first` on, as probes that may connect."""

    def __init__(
        self,
        plan: TargetPlan,
        lookups: Lookups,
        *,
        first: int,
        stride: int,
        per_host: int,
        allowed: Callable[[str], bool] | None,
    ) -> None:
        self._plan = plan
        self._lookups = lookups
        self._walk = plan.walk(first, step=stride)
        self._next = next(self._walk, None)
        self._allowed = allowed
        self._slots = HostSlots(per_host)
        self._watermark = Watermark()
        # Probes that hold a place at their host, and probes that wait for one.
        self._due: deque[Probe] = deque()
        self._parked: dict[str, deque[Probe]] = {}
        self._parked_count = 0
        # Positions that are several probes, because their name has several addresses.
        self._parts: dict[int, int] = {}
        self._found: list[Observation] = []

    @property
    def done(self) -> bool:
        """Everything in this share is finished."""
        return self._next is None and self._watermark.lowest is None

    @property
    def cursor(self) -> int:
        """All positions of this share below it are finished; the plan's total at the end."""
        lowest = self._watermark.lowest
        if lowest is not None:
            return lowest
        return self._next[0] if self._next is not None else self._plan.total

    @property
    def finished(self) -> int:
        """How many positions are finished."""
        return self._watermark.finished_count

    @property
    def waiting(self) -> bool:
        """Whether `take` may have something to give."""
        return bool(self._due) or self._may_pull()

    def take(self, now: float) -> Probe | None:
        """The next probe to connect, with a place at its host; None if there is none for now."""
        for _ in range(_MAX_PULLS):
            if self._due:
                return self._due.popleft()
            if self._next is None or not self._may_pull():
                return None
            position, target = self._next
            self._next = next(self._walk, None)
            self._watermark.start(position)
            probe = self._admit_target(position, target, now)
            if probe is not None:
                return probe
        return None

    def put_back(self, probe: Probe) -> None:
        """The probe could not connect yet: it comes first next time."""
        self._due.appendleft(probe)

    def retry(self, probe: Probe) -> None:
        """A probe in place of one that has just ended; it takes over the place at the host."""
        self._due.append(probe)

    def end(self, probe: Probe, seen: Observation) -> None:
        """The probe is over: its place goes to the next one that waits for it."""
        self._slots.give_back(probe.address)
        waiting = self._parked.get(probe.address) if self._parked_count else None
        if waiting and self._slots.take(probe.address):
            self._due.append(waiting.popleft())
            self._parked_count -= 1
            if not waiting:
                del self._parked[probe.address]
        self._end_part(probe.position, seen)

    def settle(self, now: float) -> None:
        """Turn names that have been resolved, or never will be, into probes or observations."""
        self._lookups.expire(now)
        for settled in self._lookups.settled():
            self._expand(settled)

    def collect(self) -> list[Observation]:
        """What has ended since the last call."""
        found, self._found = self._found, []
        return found

    def _may_pull(self) -> bool:
        if self._next is None or self._watermark.spread >= _MAX_SPREAD:
            return False
        return self._parked_count + self._lookups.pending < _MAX_WAITING

    def _admit_target(self, position: int, target: Target, now: float) -> Probe | None:
        if target.address is None:
            self._lookups.ask(target.name or "", position, target.port, now)
            return None
        if self._allowed is not None and not self._allowed(target.address):
            self._end_part(position, observe(target.address, target.port, None, OUTSIDE_POLICY))
            return None
        return self._admit(Probe(position, target.address, target.port, None))

    def _admit(self, probe: Probe) -> Probe | None:
        """The probe with a place at its host, or None with the probe parked until there is one."""
        if self._slots.take(probe.address):
            return probe
        self._parked.setdefault(probe.address, deque()).append(probe)
        self._parked_count += 1
        return None

    def _expand(self, settled: Settled) -> None:
        """A probe for each address of a name."""
        position, port, name = settled.position, settled.port, settled.name
        if not settled.addresses:
            self._end_part(position, observe("", port, name, settled.verdict))
            return
        self._parts[position] = len(settled.addresses)
        for address in settled.addresses:
            refusal = self._refusal(address)
            if refusal is not None:
                self._end_part(position, observe(address, port, name, refusal))
                continue
            probe = self._admit(Probe(position, address, port, name))
            if probe is not None:
                self._due.append(probe)

    def _refusal(self, address: str) -> Verdict | None:
        """Why a resolved address may not be scanned."""
        if address_number(address) in self._plan.excluded:
            return EXCLUDED
        if self._allowed is not None and not self._allowed(address):
            return OUTSIDE_POLICY
        return None

    def _end_part(self, position: int, seen: Observation) -> None:
        self._found.append(seen)
        if self._parts:
            left = self._parts.get(position, 1) - 1
            if left:
                self._parts[position] = left
                return
            self._parts.pop(position, None)
        self._watermark.finish(position)
