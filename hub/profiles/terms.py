"""How long a publicly trusted certificate may live, by the date on which it is issued.

The CA/Browser Forum shortens it step by step (ballot SC-081v3; Baseline Requirements, 6.3.2). Private CAs are
bound by nothing of this.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

PUBLIC_TERM_LIMITS = (
    (date(2020, 9, 1), 398),
    (date(2026, 3, 15), 200),
    (date(2027, 3, 15), 100),
    (date(2029, 3, 15), 47),
)
"""From this day on a certificate lives at most so many days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A term of a profile, seen on some day.

    ``until`` is the first day on which no public CA issues it any more; None: no such day is known.
    """

    days: int
    offered: bool
    until: date | None


def public_limit(on: date) -> tuple[date, int]:
    """Return since when, and how many days, a publicly trusted certificate of this day may live."""
    # Nothing here is older than the first step.
    return next((step for step in reversed(PUBLIC_TERM_LIMITS) if step[0] <= on), PUBLIC_TERM_LIMITS[0])


def public_term_limit(on: date) -> int:
    """Return how many days a publicly trusted certificate that is issued on this day may live."""
    return public_limit(on)[1]


def public_term_fault(days: int, on: date) -> str | None:
    """Say why no public CA issues a term on this day; None: it does."""
    since, limit = public_limit(on)
    if days <= limit:
        return None
    return (
        f"{days} days: since {since} publicly trusted certificates live at most {limit} days"
        " (CA/Browser Forum ballot SC-081v3)"
    )


def public_term_ends(days: int) -> date | None:
    """Return the first day on which a term is too long for public trust; None: it never is."""
    return next((since for since, limit in PUBLIC_TERM_LIMITS if days > limit), None)


def terms_on(terms_days: tuple[int, ...], *, is_public: bool, on: date) -> tuple[Term, ...]:
    """Return a profile's terms with what becomes of each."""
    ends = {days: public_term_ends(days) if is_public else None for days in terms_days}
    return tuple(Term(days=days, offered=end is None or on < end, until=end) for days, end in ends.items())
