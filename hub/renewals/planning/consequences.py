"""What a freeze does to certificates: nothing, a renewal pulled ahead of it, or an outage.

Pure, and judged by kinds of certificates rather than one by one: whether a successor that is issued right
before the freeze lives through it depends on term, approval and CA alone. That keeps a preview over a million
certificates to one grouped query. A kind whose certificates can't be renewed in time is at fault only where
they end within the freeze or within :func:`margin` after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.renewals.plan import LONGEST_RESERVE, RESERVE_SHARE
from hub.renewals.planning.local_time import Span, complement, merged
from pki.findings import Finding, first_finding

AUTOMATIC_LEAD = timedelta(hours=1)
"""How long a renewal takes in which nobody is asked."""
APPROVAL_LEAD = timedelta(days=3)
"""How long it takes where an administrator approves: over a weekend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateKind:
    """What certificates have in common that decides whether they live through a freeze."""

    term: timedelta
    approved_by_hand: bool
    # When the private CA itself ends; None: not ours to know.
    ca_ends_at: datetime | None = None
    ca_name: str = ""

    @property
    def lead(self) -> timedelta:
        """How long a renewal takes from its start."""
        return APPROVAL_LEAD if self.approved_by_hand else AUTOMATIC_LEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A freeze as certificates meet it: all adjacent closed times made one.

    ``last_open``: the latest moment before it at which a renewal may still run; None: there is none any more.
    """

    name: str
    span: Span
    now: datetime
    last_open: datetime | None


def margin(term: timedelta) -> timedelta:
    """Return how long after a freeze a certificate must be good: as long as the planner keeps for repeats."""
    return min(LONGEST_RESERVE, term / RESERVE_SHARE)


def met_by(name: str, span: Span, *, others: Sequence[Span], now: datetime) -> Freeze:
    """Return a freeze together with the other closed times around it."""
    whole = next(item for item in merged([span, *others]) if item.start <= span.start < item.end)
    gaps = complement([span, *others], now, whole.start) if now < whole.start else []
    before = [gap for gap in gaps if gap.end - gap.start >= AUTOMATIC_LEAD]
    return Freeze(name=name, span=whole, now=now, last_open=before[-1].end if before else None)


@dataclass(frozen=True, slots=True)
class _Case:
    kind: CertificateKind
    freeze: Freeze

    @property
    def must_last_until(self) -> datetime:
        return self.freeze.span.end + margin(self.kind.term)

    @property
    def renewed_at(self) -> datetime:
        """When the last successor before the freeze is issued."""
        assert self.freeze.last_open is not None  # noqa: S101 - the check before this one found it
        return self.freeze.last_open


def no_time_left(case: _Case) -> Finding | None:
    """There is not enough open time before the freeze for a renewal."""
    freeze, lead = case.freeze, case.kind.lead
    if freeze.last_open is not None and freeze.last_open - freeze.now >= lead:
        return None
    needs = "its approval may take three days" if case.kind.approved_by_hand else "it takes an hour"
    return Finding(
        "NoTimeBeforeFreeze",
        f"no time is left to renew it before {freeze.name} begins on {_day(freeze.span.start)}: {needs}",
    )


def freeze_outlasts_term(case: _Case) -> Finding | None:
    """Even a successor issued right before the freeze ends within it."""
    ends = case.renewed_at + case.kind.term
    if ends >= case.must_last_until:
        return None
    return Finding(
        "FreezeLongerThanTerm",
        f"certificates of {case.kind.term.days} days can't live through it: one issued on"
        f" {_day(case.renewed_at)} ends on {_day(ends)}, {case.freeze.name} ends on"
        f" {_day(case.freeze.span.end)}",
    )


def ca_ends_first(case: _Case) -> Finding | None:
    """The CA's own certificate ends before, and so does everything that it issues."""
    ends = case.kind.ca_ends_at
    if ends is None or ends >= case.must_last_until:
        return None
    return Finding(
        "CaEndsFirst",
        f"its CA {case.kind.ca_name} ends on {_day(ends)}, and everything that it issues with it",
    )


CHECKS = (no_time_left, freeze_outlasts_term, ca_ends_first)
"""Asked in this order; the first that finds something says why."""


def fault(kind: CertificateKind, freeze: Freeze) -> Finding | None:
    """Return why certificates of a kind that end within the freeze can't be renewed before it, or None."""
    return first_finding(CHECKS, _Case(kind, freeze))


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"
