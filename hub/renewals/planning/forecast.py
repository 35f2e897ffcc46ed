"""The year's renewals, day by day: a pure simulation over groups of certificates that behave alike.

Time is in whole days from the first day (0). A group's certificates are renewed between the day on which they
are due and the last safe one. Within a CA, the day's capacity goes to who must be renewed first; that order
keeps every deadline that any order could keep (Jackson 1955). What must be renewed although the capacity is
used up is renewed all the same and counted as excess: the first day with excess is the day on which the plan
breaks. Every renewal is a certificate of the new term that comes due again.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Literal

from hub.renewals.plan import LONGEST_RESERVE, RESERVE_SHARE

DAYS = 365
DEFAULT_SHARE = 0.67
_DAYS_A_WEEK = 7
_HOURS_A_DAY = 24

TermName = Literal["current", "200", "100", "47"]
TermOn = Callable[[int, bool, int], int]
"""(the term that was ordered, in days; whether the CA is publicly trusted; day of issuance) -> the term."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When certificates are due: so many days before their end, or when a share of their life is over."""

    days_before: int | None = None
    share: float = DEFAULT_SHARE

    def due_after(self, term: int) -> int:
        """Return after how many days a certificate of ``term`` days is due; before the last safe day."""
        by_share = ceil(term * self.share)
        wanted = by_share if self.days_before is None else term - self.days_before
        if wanted < 1:
            # The lead is longer than the certificate's whole life: made for longer terms.
            wanted = ceil(term * DEFAULT_SHARE)
        return max(1, min(wanted, last_safe(term)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Certificates that are renewed alike. ``ends_on`` is the day of their end, ``agent`` who has the key."""

    count: int
    ends_on: int
    term: int
    rule: Rule = Rule()
    agent: str = ""
    public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What a CA issues at most; None: no limit of that kind."""

    hour: int | None = None
    day: int | None = None
    week: int | None = None

    def left(self, past: Sequence[int]) -> int | None:
        """Return what may be issued today after ``past`` days (the latest last); None: as many as wanted."""
        limits = []
        if self.hour is not None:
            limits.append(self.hour * _HOURS_A_DAY)
        if self.day is not None:
            limits.append(self.day)
        if self.week is not None:
            limits.append(max(0, self.week - sum(past[-(_DAYS_A_WEEK - 1) :])))
        return min(limits) if limits else None

    @property
    def a_day(self) -> float | None:
        """What it allows a day in the long run."""
        limits = [
            limit / days
            for limit, days in ((self.hour, 1 / _HOURS_A_DAY), (self.day, 1), (self.week, _DAYS_A_WEEK))
            if limit is not None
        ]
        return min(limits) if limits else None


@dataclass(slots=True)
class Load:
    """The result for one CA: renewals and excess a day, and the renewals of each agent."""

    renewals: list[int]
    excess: list[int]
    by_agent: dict[str, list[int]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All renewals of the time."""
        return sum(self.renewals)

    @property
    def peak_day(self) -> int:
        """The first day with the most renewals."""
        return self.renewals.index(max(self.renewals)) if self.renewals else 0

    @property
    def breaks_on(self) -> int | None:
        """The first day on which more must be renewed than may be."""
        return next((day for day, excess in enumerate(self.excess) if excess), None)


def last_safe(term: int) -> int:
    """Return the last day of a certificate's life on which it should be renewed at the latest."""
    return max(1, term - max(1, min(LONGEST_RESERVE.days, ceil(term / RESERVE_SHARE))))


@dataclass(frozen=True, slots=True)
class _Kind:
    term: int
    rule: Rule
    agent: str
    public: bool


def simulate(groups: Iterable[Group], *, quota: Quota, term_on: TermOn, days: int = DAYS) -> Load:
    """Return the load of one CA; ``term_on`` says for a kind's term and a day what is issued.

    What is overdue on day 0 is due then.
    """
    load = Load([0] * days, [0] * days, defaultdict(lambda: [0] * days))
    # When what comes due: day -> (deadline, kind) -> how many.
    coming: dict[int, dict[tuple[int, _Kind], int]] = defaultdict(lambda: defaultdict(int))
    for group in groups:
        kind = _Kind(group.term, group.rule, group.agent, group.public)
        began = group.ends_on - group.term
        due = max(0, began + group.rule.due_after(group.term))
        deadline = max(0, began + last_safe(group.term))
        coming[due][deadline, kind] += group.count
    waiting: list[tuple[int, int, _Kind, int]] = []
    number = 0
    for today in range(days):
        for (deadline, kind), count in coming.pop(today, {}).items():
            number += 1
            heapq.heappush(waiting, (deadline, number, kind, count))
        # What was beyond the quota was never issued: it takes nothing from the days after.
        issued = [count - beyond for count, beyond in zip(load.renewals, load.excess, strict=True)]
        left = quota.left(issued[max(0, today - _DAYS_A_WEEK) : today])
        for kind, count in _renewed_today(waiting, today, left, load):
            load.renewals[today] += count
            load.by_agent[kind.agent][today] += count
            term = term_on(kind.term, kind.public, today)
            due = today + kind.rule.due_after(term)
            # Those with more than a year to go never come back within it.
            if due < days:
                coming[due][today + last_safe(term), kind] += count
    return load


def _renewed_today(
    waiting: list[tuple[int, int, _Kind, int]], today: int, left: int | None, load: Load
) -> list[tuple[_Kind, int]]:
    """Take from ``waiting`` what is renewed today; what must be beyond ``left`` is noted as excess."""
    renewed: list[tuple[_Kind, int]] = []
    while waiting:
        deadline, number, kind, count = waiting[0]
        must = deadline <= today
        take = count if left is None or must else min(count, left)
        if take == 0:
            break
        if left is not None:
            load.excess[today] += max(0, take - left)
            left = max(0, left - take)
        renewed.append((kind, take))
        heapq.heappop(waiting)
        if take < count:
            heapq.heappush(waiting, (deadline, number, kind, count - take))
            break
    return renewed
