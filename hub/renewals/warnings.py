"""When people are told that a renewal is late: at a third of the time planned for it, then oftener."""

from __future__ import annotations

from datetime import datetime, timedelta

LATE_SHARE = 3
STEPS = (timedelta(days=7), timedelta(days=3), timedelta(days=1), timedelta(hours=6))


def thresholds(*, first_due_at: datetime, not_after: datetime) -> tuple[timedelta, ...]:
    """Return the times before the end at which to warn, the longest first, as the lifetime allows."""
    late = (not_after - first_due_at) / LATE_SHARE
    if late <= timedelta():
        return tuple(step for step in STEPS if step <= STEPS[-1])
    return (late, *(step for step in STEPS if step < late))


def warning_due(
    *, first_due_at: datetime, not_after: datetime, warned_s: int, now: datetime
) -> timedelta | None:
    """Return the threshold that was passed and not yet told of; of several, the one nearest to the end."""
    left = not_after - now
    passed = [item for item in thresholds(first_due_at=first_due_at, not_after=not_after) if left <= item]
    if not passed:
        return None
    nearest = passed[-1]
    told = warned_s and nearest >= timedelta(seconds=warned_s)
    return None if told else nearest


def next_warning(
    *, first_due_at: datetime, not_after: datetime, warned_s: int, now: datetime
) -> datetime | None:
    """Return when the next threshold is passed; None after the last."""
    for item in thresholds(first_due_at=first_due_at, not_after=not_after):
        if (not warned_s or item < timedelta(seconds=warned_s)) and not_after - item > now:
            return not_after - item
    return None
