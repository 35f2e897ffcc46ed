"""Digests: when the window ends in which messages are gathered, and how they read as one.

Hours are of a time zone. Where clocks are put forward over the hour, the window ends right after the gap;
where it comes twice, the first time counts: each window ends exactly once a day or week.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Every = Literal["none", "hourly", "daily", "weekly"]
_PERIOD_DAYS = {"daily": 1, "weekly": 7}
_LONGEST = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """How often messages go out; ``weekday`` counts from Monday, 0."""

    every: Every = "none"
    hour: int = 8
    weekday: int = 0
    time_zone: str = "UTC"


def window_end(digest: Digest, now: datetime) -> datetime:
    """Return when messages of ``now`` go out, in UTC: at once, or at the next end of a window after it."""
    if digest.every == "none":
        return now
    if digest.every == "hourly":
        return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    zone = ZoneInfo(digest.time_zone)
    day = now.astimezone(zone).date() - timedelta(days=1)
    while True:
        end = _at(day, digest.hour, zone)
        if end > now and (digest.every == "daily" or day.weekday() == digest.weekday):
            return end
        day += timedelta(days=1)


def _at(day: date, hour: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=zone).astimezone(UTC)


def batch_of(digest: Digest, end: datetime, *, way: str) -> str:
    """Return the name of a window's messages to one recipient through one channel; "" without a digest."""
    if digest.every == "none":
        return ""
    return hashlib.sha256(f"{way}\x00{digest.every}\x00{end.isoformat()}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of several that go out together."""

    title: str
    subject: str
    body: str


def combined(entries: Sequence[Entry]) -> tuple[str, str]:
    """Return subject and text of several messages as one, those of a type together."""
    titles: dict[str, list[Entry]] = {}
    for entry in entries:
        titles.setdefault(entry.title, []).append(entry)
    counted = ", ".join(f"{title} ({len(some)})" for title, some in titles.items())
    subject = f"{len(entries)} notifications: {counted}"
    listed = "\n".join(f"- {entry.subject}" for some in titles.values() for entry in some)
    texts = "\n".join(
        f"{'=' * 72}\n{entry.subject}\n\n{entry.body.strip()}\n" for some in titles.values() for entry in some
    )
    body = f"{listed}\n\n{texts}"
    if len(body) > _LONGEST:
        body = body[:_LONGEST] + "\n[...]\n"
    return (subject if len(subject) <= 250 else subject[:249] + "…"), body
