"""When a profile's certificates renew themselves: which settings could never work for its terms."""

from __future__ import annotations

from collections.abc import Callable

from hub.profiles.records import ProfileFields, RenewalPolicy

MAX_JITTER_HOURS = 30 * 24
MAX_REVOKE_AFTER_HOURS = 366 * 24
_HOURS = 24


def _days_before(policy: RenewalPolicy, terms: tuple[int, ...]) -> str | None:
    days, shortest = policy.days_before, min(terms)
    if days is None or 1 <= days < shortest:
        return None
    if days < 1:
        return "a renewal begins at least one day before the end"
    return f"{days} days before the end is before a certificate of {shortest} days begins"


def _share(policy: RenewalPolicy, _terms: tuple[int, ...]) -> str | None:
    return None if 0 < policy.share < 1 else "share is between 0 and 1, such as 0.67 for two thirds"


def _hours_before_end(policy: RenewalPolicy, term: int) -> float:
    if policy.days_before is not None:
        return policy.days_before * _HOURS
    return (1 - policy.share) * term * _HOURS


def _jitter_hours(policy: RenewalPolicy, terms: tuple[int, ...]) -> str | None:
    if not 0 <= policy.jitter_hours <= MAX_JITTER_HOURS:
        return f"jitter_hours is from 0 to {MAX_JITTER_HOURS}"
    shortest = min(terms)
    room = shortest * _HOURS - _hours_before_end(policy, shortest)
    # What is off, and does not say otherwise, is nobody's concern: the default suits no term of one day.
    if not policy.enabled or policy.jitter_hours < room:
        return None
    return (
        f"spread over {policy.jitter_hours} hours, a certificate of {shortest} days could be due before it"
        f" begins: at most {int(room) - 1 if room == int(room) else int(room)} hours"
    )


def _revoke_after_hours(policy: RenewalPolicy, terms: tuple[int, ...]) -> str | None:
    hours = policy.revoke_after_hours
    if hours is None:
        return None
    if not 0 <= hours <= MAX_REVOKE_AFTER_HOURS:
        return f"revoke_after_hours is from 0 to {MAX_REVOKE_AFTER_HOURS}"
    left = max(_hours_before_end(policy, term) for term in terms)
    if hours < left:
        return None
    return f"{hours} hours after its renewal the old certificate has expired: there is nothing to revoke"


# Field -> why its value can't be. Each may rely on those before it.
_CHECKS: tuple[tuple[str, Callable[[RenewalPolicy, tuple[int, ...]], str | None]], ...] = (
    ("days_before", _days_before),
    ("share", _share),
    ("jitter_hours", _jitter_hours),
    ("revoke_after_hours", _revoke_after_hours),
)


def renewal_fault(fields: ProfileFields) -> tuple[str, str] | None:
    """Return the first field of the renewal policy that can't work, as ``renewal.NAME``, and why."""
    for name, check in _CHECKS:
        fault = check(fields.renewal, fields.terms_days)
        if fault is not None:
            return f"renewal.{name}", fault
    return None
