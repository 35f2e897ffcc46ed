"""How long a validation is good for: the schedule of ballot SC-081v3, and a year for private trust.

Baseline Requirements 4.2.1: domain validation data may be reused for so many days before a certificate is
*issued*, and the number depends on the date of issuance. A validation that could have lasted 200 days thus
ends on the day that the limit falls, if it is older than the new limit by then. All functions are pure; ends
are exclusive (good while ``at < end``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal

Trust = Literal["public", "private"]
PRIVATE_VALIDITY = timedelta(days=365)
# Of the whole lifetime: with ten days there is no room for a warning of thirty.
_LEAD_SHARE = 0.3
_AUTOMATIC_SHARE = 0.1
_AUTOMATIC_LEAD = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ReuseLimit:
    """From this date of issuance on, validations may be so many days old."""

    issued_from: datetime
    days: int


REUSE_LIMITS: tuple[ReuseLimit, ...] = (
    ReuseLimit(datetime(1970, 1, 1, tzinfo=UTC), 398),
    ReuseLimit(datetime(2026, 3, 15, tzinfo=UTC), 200),
    ReuseLimit(datetime(2027, 3, 15, tzinfo=UTC), 100),
    ReuseLimit(datetime(2029, 3, 15, tzinfo=UTC), 10),
)
LONGEST_REUSE = timedelta(days=max(limit.days for limit in REUSE_LIMITS))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofTime:
    """When control was shown, and what the method adds: a lower limit, and an end for public trust."""

    validated_at: datetime
    max_reuse_days: int | None = None
    ends_at: datetime | None = None

    def limit(self, days: int) -> timedelta:
        """Return how long it may be reused where the general limit is ``days``."""
        return timedelta(days=days if self.max_reuse_days is None else min(days, self.max_reuse_days))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """When a validation ends, when a person must act, and when it is tried automatically."""

    expires_at: datetime
    action_at: datetime
    revalidate_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Whether a certificate issued at some time would find its name validated.

    ``until`` is when the best validation ends (None: there never was one); ``days_left`` counts whole days
    from the time asked about, negative once it is over.
    """

    valid: bool
    until: datetime | None
    days_left: int
    limit_days: int


def limit_at(issued_at: datetime) -> int:
    """Return how many days old a validation may be for a certificate issued at this time."""
    return next(limit.days for limit in reversed(REUSE_LIMITS) if limit.issued_from <= issued_at)


def reuse_until(proof: ProofTime) -> datetime:
    """Return from when on no public certificate may be issued on the strength of a proof."""
    until = proof.validated_at
    for limit, following in pairwise((*REUSE_LIMITS, None)):
        assert limit is not None  # noqa: S101 - pairwise's type can't say that only the last is None
        if following is not None and following.issued_from <= proof.validated_at:
            continue
        end = proof.validated_at + proof.limit(limit.days)
        if end <= limit.issued_from:
            break
        until = end if following is None else min(end, following.issued_from)
        if following is None or end <= following.issued_from:
            break
    return until if proof.ends_at is None else min(until, max(proof.ends_at, proof.validated_at))


def good_until(proof: ProofTime, trust: Trust) -> datetime:
    """Return when a proof ends for a kind of trust."""
    return proof.validated_at + PRIVATE_VALIDITY if trust == "private" else reuse_until(proof)


def deadlines(proof: ProofTime, trust: Trust, *, lead_days: int) -> Deadlines:
    """Return the dates of a validated domain; ``lead_days`` is the warning that an administrator wants."""
    expires_at = good_until(proof, trust)
    lifetime = expires_at - proof.validated_at
    action_at = expires_at - min(timedelta(days=lead_days), lifetime * _LEAD_SHARE)
    return Deadlines(
        expires_at=expires_at,
        action_at=action_at,
        # Before anybody is bothered, with time for several tries.
        revalidate_at=action_at - min(_AUTOMATIC_LEAD, lifetime * _AUTOMATIC_SHARE),
    )


def outlook(proofs: Iterable[ProofTime], at: datetime, *, trust: Trust = "public") -> Outlook:
    """Tell what an issuance at ``at`` would find, as far as is known now."""
    ends = [good_until(proof, trust) for proof in proofs if proof.validated_at <= at]
    limit_days = PRIVATE_VALIDITY.days if trust == "private" else limit_at(at)
    if not ends:
        return Outlook(valid=False, until=None, days_left=0, limit_days=limit_days)
    until = max(ends)
    days_left = (until - at) // timedelta(days=1)
    return Outlook(valid=at < until, until=until, days_left=days_left, limit_days=limit_days)
