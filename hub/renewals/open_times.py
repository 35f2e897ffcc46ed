"""What freezes and maintenance windows leave of a time: arithmetic of intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.renewals.calendar_port import Interval, IntervalKind


@dataclass(frozen=True, slots=True)
class Span:
    """A time from ``start`` up to but not including ``end``."""

    start: datetime
    end: datetime


def open_spans(calendar: Iterable[Interval], begin: datetime, end: datetime) -> list[Span]:
    """Return, in order, the times between ``begin`` and ``end`` in which renewals may start.

    With maintenance windows only those; freezes are taken out of whatever is left.
    """
    if begin >= end:
        return []
    items = list(calendar)
    windows = [item for item in items if item.kind is IntervalKind.WINDOW]
    freezes = [item for item in items if item.kind is IntervalKind.FREEZE]
    spans = _clipped(windows, begin, end) if windows else [Span(begin, end)]
    for freeze in _clipped(freezes, begin, end):
        spans = [left for span in spans for left in _without(span, freeze)]
    return spans


def _clipped(intervals: Sequence[Interval], begin: datetime, end: datetime) -> list[Span]:
    """Merge overlapping intervals and cut them to what lies between two times."""
    merged: list[Span] = []
    for item in sorted(intervals, key=lambda interval: interval.start):
        start, stop = max(item.start, begin), min(item.end, end)
        if start >= stop:
            continue
        if merged and start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, stop))
        else:
            merged.append(Span(start, stop))
    return merged


def _without(span: Span, hole: Span) -> list[Span]:
    parts = (Span(span.start, min(span.end, hole.start)), Span(max(span.start, hole.end), span.end))
    return [part for part in parts if part.start < part.end]
