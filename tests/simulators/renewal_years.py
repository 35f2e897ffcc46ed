"""Years of a fleet in memory: the engine's own planner, decisions, retries and warnings.

Only the lifecycle's answers are made up: CAs that are away or refuse, agents that are offline, people who
approve late. Time jumps from one event to the next; everything random comes from one seed.
"""

from __future__ import annotations

import heapq
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hub.lifecycle.requests import Installation, Method
from hub.renewals.calendar_port import Interval, PlannedCertificate
from hub.renewals.decisions import (
    Cancel,
    DueFacts,
    InstallAgain,
    Join,
    PutOff,
    Start,
    Successor,
    decide,
)
from hub.renewals.failures import FailureKind, next_try
from hub.renewals.plan import RenewalRules, latest_safe, plan_renewal, put_off
from hub.renewals.warnings import next_warning, warning_due

BEGIN = datetime(2029, 3, 15, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SLOWEST_STEP = HOUR
"""The lifecycle repeats a step that can't be done now at least so often."""


@dataclass(frozen=True, slots=True)
class Outages:
    """When something is away: intervals in order that don't overlap."""

    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]

    def until(self, at: datetime) -> datetime | None:
        """The end of the outage that a time lies in."""
        index = bisect_right(self.starts, at) - 1
        return self.ends[index] if index >= 0 and at < self.ends[index] else None

    def gaps(self, begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """The times between two moments in which it was there."""
        found, at = [], begin
        for start, stop in zip(self.starts, self.ends, strict=True):
            if stop <= begin or start >= end:
                continue
            if start > at:
                found.append((at, start))
            at = max(at, stop)
        if at < end:
            found.append((at, end))
        return found


def outages(
    rng: random.Random, end: datetime, *, every_days: float, hours: Callable[[random.Random], float]
) -> Outages:
    """Draw outages that begin about every so many days and last so many hours."""
    starts: list[datetime] = []
    ends: list[datetime] = []
    at = BEGIN
    while True:
        at += timedelta(days=rng.expovariate(1 / every_days))
        if at >= end:
            return Outages(tuple(starts), tuple(ends))
        starts.append(at)
        at += timedelta(hours=hours(rng))
        ends.append(at)


@dataclass(slots=True)
class Line:
    """A service whose certificate is renewed again and again."""

    number: int
    ca: int
    agent: int | None
    approved_by_hand: bool
    rules: RenewalRules
    serial: int = 0
    state: str = "Scheduled"
    not_before: datetime = BEGIN
    not_after: datetime = BEGIN
    due_at: datetime | None = None
    first_due_at: datetime = BEGIN
    attempts: int = 0
    warned_s: int = 0
    successor: Successor | None = None
    successor_dates: tuple[datetime, datetime] | None = None
    # When a request waited for somebody to approve it.
    approvals: list[tuple[datetime, datetime]] = field(default_factory=list)
    expired: list[tuple[datetime, datetime]] = field(default_factory=list)
    warned: list[datetime] = field(default_factory=list)

    @property
    def planned(self) -> PlannedCertificate:
        return PlannedCertificate(
            id=self.number,
            serial_hex=f"{self.serial:x}",
            not_before=self.not_before,
            not_after=self.not_after,
        )


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What goes wrong in a run."""

    cas: Sequence[Outages]
    agents: Sequence[Outages]
    refused_share: float = 0.01
    install_fails_share: float = 0.02
    approval_hours: Callable[[random.Random], float] = lambda rng: rng.uniform(1, 72)
    freezes: Sequence[Interval] = ()


class Years:
    """Runs the fleet from begin to end."""

    def __init__(self, lines: Sequence[Line], weather: Weather, *, end: datetime, seed: int) -> None:
        self.lines = lines
        self.weather = weather
        self.end = end
        self.rng = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.starts_by_hour: Counter[datetime] = Counter()
        self._queue: list[tuple[datetime, int, Callable[[], None]]] = []
        self._number = 0
        self.now = BEGIN

    def at(self, when: datetime, work: Callable[[], None]) -> None:
        """Do something at a time."""
        self._number += 1
        heapq.heappush(self._queue, (when, self._number, work))

    def run(self) -> None:
        """Run to the end."""
        for line in self.lines:
            # A fleet that has grown over time: each has another age at the beginning.
            age = self.rng.random() * 0.6 * 47 * DAY
            self._issued(line, BEGIN - age, BEGIN - age + 47 * DAY)
        while self._queue and self._queue[0][0] < self.end:
            self.now, _, work = heapq.heappop(self._queue)
            work()

    # ---- what the engine does

    def _issued(self, line: Line, not_before: datetime, not_after: datetime) -> None:
        line.serial += 1
        line.not_before, line.not_after = not_before, not_after
        line.state, line.attempts, line.warned_s = "Scheduled", 0, 0
        line.successor = line.successor_dates = None
        plan = plan_renewal(line.planned, line.rules, now=self.now, calendar=self.weather.freezes)
        line.due_at = line.first_due_at = plan.due_at
        self._wake(line)
        self._watch(line)
        self.at(not_after, self._check(line, line.serial, not_after))

    def _wake(self, line: Line) -> None:
        due, serial = line.due_at, line.serial
        if due is None:
            return

        def work() -> None:
            if line.serial == serial and line.due_at == due and line.state in {"Scheduled", "Failed"}:
                self._start(line)

        self.at(due, work)

    def _watch(self, line: Line) -> None:
        serial = line.serial
        when = next_warning(
            first_due_at=line.first_due_at,
            not_after=line.not_after,
            warned_s=line.warned_s,
            now=self.now,
        )
        if when is None:
            return

        def work() -> None:
            if line.serial != serial:
                return
            threshold = warning_due(
                first_due_at=line.first_due_at,
                not_after=line.not_after,
                warned_s=line.warned_s,
                now=self.now,
            )
            if threshold is not None:
                line.warned_s = int(threshold.total_seconds())
                line.warned.append(self.now)
                self.counts["warnings"] += 1
            self._watch(line)

        self.at(when, work)

    def _start(self, line: Line) -> None:
        later = put_off(line.planned, line.rules, now=self.now, calendar=self.weather.freezes)
        facts = DueFacts(
            now=self.now,
            status="Issued" if self.now < line.not_after else "Expired",
            not_after=line.not_after,
            rules=line.rules,
            method=Method.AUTO_INSTALL if line.agent is not None else Method.CSR,
            installation=Installation.IMMEDIATE if line.agent is not None else "",
            successor=line.successor,
            closed_until=later.due_at if later else None,
        )
        match decide(facts):
            case Start():
                self._request(line)
            case InstallAgain() | Join():
                line.state, line.due_at = "Started", None
                line.attempts += 1
                self._install(line)
            case Cancel():
                # Nobody tries any more until a person comes and looks after it.
                self.counts["given up"] += 1
                self.at(self.now + 30 * DAY, lambda: self._mend(line))
            case PutOff(until=until):
                self.counts["put off"] += 1
                line.due_at = until
                self._wake(line)
            case other:
                raise AssertionError(other)

    def _mend(self, line: Line) -> None:
        self._issued(line, self.now, self.now + 47 * DAY)

    def _fail(self, line: Line, kind: FailureKind) -> None:
        self.counts[kind.value] += 1
        line.state = "Failed"
        line.due_at = next_try(kind, attempts=line.attempts, now=self.now, not_after=line.not_after)
        self._wake(line)

    # ---- what the lifecycle answers

    def _request(self, line: Line) -> None:
        line.state, line.due_at = "Started", None
        line.attempts += 1
        self.counts["requests"] += 1
        self.starts_by_hour[self.now.replace(minute=0, second=0, microsecond=0)] += 1
        line.successor = Successor(id=line.number, status="Requested", installs_itself=line.agent is not None)
        wait = timedelta()
        if line.approved_by_hand:
            wait = timedelta(hours=self.weather.approval_hours(self.rng))
            line.approvals.append((self.now, self.now + wait))
        self.at(self.now + wait, lambda: self._key(line))

    def _key(self, line: Line) -> None:
        """The agent makes the key when it is there: what it is asked for stays asked."""
        back = None if line.agent is None else self.weather.agents[line.agent].until(self.now)
        if back is None:
            self._order(line)
        else:
            self.counts["waits for key"] += 1
            self.at(back, lambda: self._order(line))

    def _give_up(self, line: Line, kind: FailureKind) -> None:
        line.successor = None
        self._fail(line, kind)

    def _order(self, line: Line) -> None:
        """The lifecycle repeats the order until the CA is back."""
        back = self.weather.cas[line.ca].until(self.now)
        if back is not None:
            self.counts["ca away"] += 1
            self.at(back + self.rng.random() * SLOWEST_STEP, lambda: self._order(line))
        elif self.rng.random() < self.weather.refused_share:
            self._give_up(line, FailureKind.CA_REFUSED)
        else:
            self.counts["issued"] += 1
            line.successor_dates = (self.now, self.now + 47 * DAY)
            line.successor = Successor(
                id=line.number,
                status="Issued",
                installs_itself=line.agent is not None,
                install_state="Failed",
            )
            self._install(line)

    def _install(self, line: Line) -> None:
        """An installation waits for its agent for an hour."""
        if line.agent is not None:
            back = self.weather.agents[line.agent].until(self.now)
            if back is not None and back - self.now > HOUR:
                self.at(self.now + HOUR, lambda: self._fail(line, FailureKind.AGENT_OFFLINE))
                return
            if self.rng.random() < self.weather.install_fails_share:
                self._fail(line, FailureKind.INSTALL_FAILED)
                return
        if line.successor_dates is None:
            raise AssertionError("nothing to install")
        self.counts["renewed"] += 1
        self._issued(line, *line.successor_dates)

    def _check(self, line: Line, serial: int, not_after: datetime) -> Callable[[], None]:
        first_due = line.first_due_at

        def work() -> None:
            if line.serial == serial:
                line.expired.append((first_due, not_after))

        return work


def safe_moment(line: Line) -> datetime:
    """The latest moment at which a line's renewal may start."""
    return latest_safe(line.planned)
