"""Times on the wall of some zone, turned into instants; also on the days on which the clocks change.

A time that a spring change skips is read as if the clocks had not changed yet: half past two becomes half
past three. A time that an autumn change repeats means the first one where something begins and the second one
where it ends, so that a freeze never is shorter than it looks. PEP 495 explains ``fold``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` up to, but not including, ``end``; in UTC."""

    start: datetime
    end: datetime

    def overlaps(self, begin: datetime, end: datetime) -> bool:
        """Tell whether any of it lies between two times."""
        return self.start < end and begin < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeTimes:
    """When a freeze is: local times, their zone, and whether it comes every year."""

    starts: datetime
    ends: datetime
    zone: ZoneInfo
    yearly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTimes:
    """When a maintenance window is open: minutes since local midnight, on weekdays (0: Monday)."""

    weekdays: frozenset[int]
    opens: int
    closes: int
    zone: ZoneInfo


def instant(local: datetime, zone: ZoneInfo, *, ends: bool = False) -> datetime:
    """Return the instant at which the clocks of a zone show a time; ``ends``: the later one of two."""
    return local.replace(tzinfo=zone, fold=1 if ends and _repeated(local, zone) else 0).astimezone(UTC)


def freeze_spans(times: FreezeTimes, begin: datetime, end: datetime) -> list[Span]:
    """Return the occurrences of a freeze that overlap a range, in order."""
    if not times.yearly:
        years: Sequence[int] = (0,)
    else:
        first, last = begin.year - times.ends.year - 1, end.year - times.starts.year + 1
        years = range(max(0, first), max(0, last) + 1)
    spans = (
        Span(
            instant(_in_year(times.starts, years_on), times.zone),
            instant(_in_year(times.ends, years_on), times.zone, ends=True),
        )
        for years_on in years
    )
    return [span for span in spans if span.overlaps(begin, end)]


def window_spans(times: WindowTimes, begin: datetime, end: datetime) -> list[Span]:
    """Return the times within a range at which a window is open, in order and cut to the range."""
    spans = []
    for day in _days(begin, end, times.zone):
        if day.weekday() not in times.weekdays:
            continue
        opens = instant(_at(day, times.opens), times.zone)
        over = 0 if times.closes > times.opens else MINUTES_A_DAY
        closes = instant(_at(day, times.closes + over), times.zone, ends=True)
        start, stop = max(opens, begin), min(closes, end)
        if start < stop:
            spans.append(Span(start, stop))
    return spans


def merged(spans: Sequence[Span]) -> list[Span]:
    """Return spans in order, those that touch or overlap made one."""
    result: list[Span] = []
    for span in sorted(spans, key=lambda item: item.start):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def complement(spans: Sequence[Span], begin: datetime, end: datetime) -> list[Span]:
    """Return what of a range is in none of the spans."""
    gaps = []
    at = begin
    for span in merged(spans):
        if span.start > at:
            gaps.append(Span(at, min(span.start, end)))
        at = max(at, span.end)
    if at < end:
        gaps.append(Span(at, end))
    return [gap for gap in gaps if gap.start < gap.end]


def _repeated(local: datetime, zone: ZoneInfo) -> bool:
    """Tell whether the clocks show a time twice; of a skipped one both readings differ the other way."""
    first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return first is not None and second is not None and first > second


def _in_year(local: datetime, years_on: int) -> datetime:
    try:
        return local.replace(year=local.year + years_on)
    except ValueError:
        # 29 February in a year that has none.
        return local.replace(year=local.year + years_on, month=3, day=1)


def _at(day: date, minutes: int) -> datetime:
    days, rest = divmod(minutes, MINUTES_A_DAY)
    return datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60))


def _days(begin: datetime, end: datetime, zone: ZoneInfo) -> Iterator[date]:
    # A window of the day before may go over midnight.
    day = begin.astimezone(zone).date() - timedelta(days=1)
    last = end.astimezone(zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)
