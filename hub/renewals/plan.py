"""When a certificate is renewed: a pure function of its dates, settings, the CA's window and the calendar.

No clock and no randomness of its own: what spreads renewals is a number derived from the certificate's id and
serial, so that every replica and every restart plans the same moment (RFC 9773, 4.2 asks for a uniformly
random time within the CA's window; 4.3.2 for "at once" when that time is over).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from hub.renewals.calendar_port import Interval, IntervalKind, PlannedCertificate
from hub.renewals.open_times import Span, open_spans

LONGEST_RESERVE = timedelta(days=3)
"""What is kept free before the end for repeats; of short certificates a sixth of the lifetime."""
RESERVE_SHARE = 6
JITTER_SHARE = 10
"""Renewals are spread over at most a tenth of the lifetime."""
EARLIEST_SHARE = 3
"""No renewal before a third of the lifetime is over: it would follow its own successor."""
YOUNGEST = timedelta(days=1)
"""What is younger is not renewed for the CA's sake; of short certificates a tenth of the lifetime."""
_MOMENT = timedelta(seconds=1)


class PlanReason(StrEnum):
    """Which factor decided about the moment."""

    DAYS_BEFORE = "DaysBefore"
    SHARE = "ShareOfLifetime"
    CA_WINDOW = "CaWindow"
    CA_WINDOW_OVER = "CaWindowOver"
    OVERDUE = "Overdue"
    BEFORE_FREEZE = "PulledAheadOfFreeze"
    IN_WINDOW = "MovedIntoMaintenanceWindow"
    AFTER_FREEZE = "PutOffAfterFreeze"
    NO_OPEN_TIME = "NoOpenTime"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalRules:
    """The settings that count for a certificate; ``sources`` says of each where it comes from."""

    enabled: bool
    days_before: int | None = None
    share: float = 0.67
    new_key_pair: bool = True
    jitter_hours: int = 24
    revoke_after_hours: int | None = None
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaWindow:
    """When the CA would have a certificate renewed (RFC 9773)."""

    start: datetime
    end: datetime
    explanation_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When a renewal starts, until when it may safely wait, and why.

    ``due_at`` is never after ``latest_safe_at`` unless that is over already; then it is the time of planning.
    """

    due_at: datetime
    latest_safe_at: datetime
    reason: PlanReason
    sentence: str
    evidence: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Target:
    at: datetime
    reason: PlanReason
    sentence: str


def plan_renewal(
    certificate: PlannedCertificate,
    rules: RenewalRules,
    *,
    now: datetime,
    window: CaWindow | None = None,
    calendar: Sequence[Interval] = (),
) -> Plan:
    """Return when a certificate is to be renewed.

    Freezes and windows move the moment ahead, and behind only if it stays before the latest safe moment.
    """
    latest = latest_safe(certificate)
    unit = spread_unit(certificate)
    jitter = jitter_of(certificate, rules)
    target = _wanted(certificate, rules, window, unit=unit)
    if target.at > latest:
        target = _Target(latest, target.reason, target.sentence)
    if target.at < now:
        target = _overdue(target, now)
    lifetime = certificate.not_after - certificate.not_before
    earliest = min(now, certificate.not_before + lifetime / EARLIEST_SHARE)
    # A number of its own: the target's moment hangs on the other one already.
    again = spread_unit(certificate, "calendar")
    open_ = _Open(earliest, now, latest, tuple(calendar), jitter, lifetime / JITTER_SHARE, again)
    moved = _within_calendar(target, open_)
    return Plan(
        due_at=moved.at,
        latest_safe_at=latest,
        reason=moved.reason,
        sentence=moved.sentence,
        evidence=_evidence(certificate, rules, window, target=target, calendar=calendar),
    )


def latest_safe(certificate: PlannedCertificate) -> datetime:
    """Return the moment after which a renewal has no time left for repeats."""
    lifetime = certificate.not_after - certificate.not_before
    return certificate.not_after - min(LONGEST_RESERVE, lifetime / RESERVE_SHARE)


def jitter_of(certificate: PlannedCertificate, rules: RenewalRules) -> timedelta:
    """Return over how much time before its moment a renewal is spread."""
    lifetime = certificate.not_after - certificate.not_before
    return min(timedelta(hours=rules.jitter_hours), lifetime / JITTER_SHARE)


def spread_unit(certificate: PlannedCertificate, salt: str = "") -> float:
    """Return a number from 0 up to 1 that is the certificate's own, and evenly distributed over many."""
    text = f"{certificate.id}:{certificate.serial_hex}:{salt}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8]) / 2**64


def put_off(
    certificate: PlannedCertificate, rules: RenewalRules, *, now: datetime, calendar: Sequence[Interval]
) -> Plan | None:
    """Return the later moment of a renewal that is due in closed time and can wait; None: it starts."""
    latest = latest_safe(certificate)
    if not calendar or now > latest or open_spans(calendar, now, now + _MOMENT):
        return None
    plan = plan_renewal(certificate, rules, now=now, window=CaWindow(start=now, end=now), calendar=calendar)
    return None if plan.reason is PlanReason.NO_OPEN_TIME else plan


def _wanted(
    certificate: PlannedCertificate, rules: RenewalRules, window: CaWindow | None, *, unit: float
) -> _Target:
    lifetime = certificate.not_after - certificate.not_before
    if window is not None:
        at = window.start + unit * (window.end - window.start)
        # A CA that wants everything renewed at once, the new ones too, must not start a circle.
        at = max(at, certificate.not_before + min(YOUNGEST, lifetime / JITTER_SHARE))
        return _Target(at, PlanReason.CA_WINDOW, "a moment within the window that the CA asks for")
    earliest = certificate.not_before + lifetime / EARLIEST_SHARE
    back = unit * jitter_of(certificate, rules)
    if rules.days_before is not None:
        at = certificate.not_after - timedelta(days=rules.days_before)
        if at >= earliest:
            sentence = f"{_days(rules.days_before)} before its end"
            return _Target(max(earliest, at - back), PlanReason.DAYS_BEFORE, sentence)
    share = min(max(rules.share, 1 / EARLIEST_SHARE), 1.0)
    at = certificate.not_before + lifetime * share
    sentence = f"when {share:.0%} of its lifetime is over"
    if rules.days_before is not None:
        # Thirty days before the end of a certificate of ten days would be before its beginning.
        sentence += f", since {_days(rules.days_before)} before the end is too early for its lifetime"
    return _Target(max(earliest, at - back), PlanReason.SHARE, sentence)


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"


def _overdue(target: _Target, now: datetime) -> _Target:
    if target.reason is PlanReason.CA_WINDOW:
        return _Target(now, PlanReason.CA_WINDOW_OVER, "at once: the CA wants it renewed already")
    return _Target(now, PlanReason.OVERDUE, f"at once: it was due {target.sentence}")


@dataclass(frozen=True, slots=True)
class _Open:
    """The time that a renewal may take, what the calendar leaves of it, and over how much it is spread."""

    # The times before now count too, so that planning again later comes to the same moment.
    earliest: datetime
    now: datetime
    latest: datetime
    calendar: tuple[Interval, ...]
    spread: timedelta
    widest: timedelta
    unit: float

    def spans(self) -> list[Span]:
        return open_spans(self.calendar, self.earliest, self.latest + _MOMENT)

    def freeze_at(self, at: datetime) -> Interval | None:
        for item in self.calendar:
            if item.kind is IntervalKind.FREEZE and item.start <= at < item.end:
                return item
        return None

    def within(self, span: Span, *, gap: timedelta) -> timedelta:
        """Return a distance from an end of ``span``, spread anew.

        Otherwise all that a freeze displaces would start in the same second.
        """
        wide = max(self.spread, min(gap, self.widest))
        return self.unit * max(min(wide, span.end - span.start - _MOMENT), timedelta())


def _within_calendar(target: _Target, open_: _Open) -> _Target:
    freeze = open_.freeze_at(target.at)
    has_windows = any(item.kind is IntervalKind.WINDOW for item in open_.calendar)
    if freeze is None and (not has_windows or target.at > open_.latest):
        return target
    spans = open_.spans()
    if any(span.start <= target.at < span.end for span in spans):
        return target
    before = [span for span in spans if open_.now < span.end <= target.at]
    if before:
        return _ahead(target, before[-1], freeze, open_)
    after = [span for span in spans if span.start > target.at]
    if after:
        return _behind(target, after[0], freeze, open_)
    what = f"the freeze {freeze.name!r} is on" if freeze else "there is no maintenance window in time"
    sentence = f"{target.sentence}, although {what}: waiting would let it expire"
    return _Target(target.at, PlanReason.NO_OPEN_TIME, sentence)


def _ahead(target: _Target, span: Span, freeze: Interval | None, open_: _Open) -> _Target:
    at = max(span.start, span.end - _MOMENT - open_.within(span, gap=target.at - span.end))
    if at < open_.now:
        # The freeze was set lately: spread over what is left before it.
        at = open_.now + open_.unit * max(span.end - _MOMENT - open_.now, timedelta())
    if freeze is None:
        return _Target(at, PlanReason.IN_WINDOW, "within the last maintenance window before it is due")
    sentence = f"ahead of the freeze {freeze.name!r}, in which it would be due"
    return _Target(at, PlanReason.BEFORE_FREEZE, sentence)


def _behind(target: _Target, span: Span, freeze: Interval | None, open_: _Open) -> _Target:
    at = span.start + open_.within(span, gap=span.start - target.at)
    if freeze is None:
        return _Target(at, PlanReason.IN_WINDOW, "within the next maintenance window")
    sentence = f"after the freeze {freeze.name!r}: it is due already and can safely wait"
    return _Target(at, PlanReason.AFTER_FREEZE, sentence)


def _evidence(
    certificate: PlannedCertificate,
    rules: RenewalRules,
    window: CaWindow | None,
    *,
    target: _Target,
    calendar: Sequence[Interval],
) -> dict[str, str]:
    evidence = {
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "wanted_at": target.at.isoformat(),
        "wanted_because": target.sentence,
        "spread_hours": f"{jitter_of(certificate, rules) / timedelta(hours=1):g}",
    }
    if window is not None:
        evidence["ca_window"] = f"{window.start.isoformat()} - {window.end.isoformat()}"
        if window.explanation_url:
            evidence["ca_explanation"] = window.explanation_url
    freezes = [item.name for item in calendar if item.kind is IntervalKind.FREEZE]
    if freezes:
        evidence["freezes"] = ", ".join(dict.fromkeys(freezes))
    windows = [item.name for item in calendar if item.kind is IntervalKind.WINDOW]
    if windows:
        evidence["maintenance_windows"] = ", ".join(dict.fromkeys(windows))
    return evidence
