"""When a scheduled installation may happen: windows of local hours on days of the week, as instants.

Pure: the time is given. A window begins on a day of the week and may go over midnight (22 to 4: the day on
which it begins counts). Local hours are wall time: where the clock is set forward, an hour that does not
exist opens nothing and begins or ends at the change; where it is set back, an hour that happens twice is
open both times. Windows that touch are one, so that 'every day, 0 to 24' never closes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from hub.lifecycle.requests import InstallSchedule
from pki.findings import Finding

# A week has every window; one more for a window that a change of the clock swallows.
_DAYS_AHEAD = 16
_UNENDING = timedelta(days=8)
_DAY = timedelta(days=1)
_HOURS = 24
FIELD = "install_schedule"


@dataclass(frozen=True, slots=True)
class Window:
    """From ``begin`` up to but not including ``end``; ``end`` None: it never closes."""

    begin: datetime
    end: datetime | None

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies in it."""
        return self.begin <= at and (self.end is None or at < self.end)


def schedule_document(schedule: InstallSchedule | None) -> dict[str, Any] | None:
    """Return the stored form."""
    if schedule is None:
        return None
    return {
        "time_zone": schedule.time_zone,
        "not_before": schedule.not_before.isoformat() if schedule.not_before else None,
        "hour_from": schedule.hour_from,
        "hour_to": schedule.hour_to,
        "weekdays": sorted(schedule.weekdays),
    }


def schedule_from(document: Mapping[str, Any] | None) -> InstallSchedule | None:
    """Read what :func:`schedule_document` wrote."""
    if document is None:
        return None
    not_before = document.get("not_before")
    return InstallSchedule(
        time_zone=document["time_zone"],
        not_before=datetime.fromisoformat(not_before) if not_before else None,
        hour_from=document["hour_from"],
        hour_to=document["hour_to"],
        weekdays=frozenset(document["weekdays"]),
    )


def schedule_faults(schedule: InstallSchedule) -> tuple[Finding, ...]:
    """Return everything that is wrong with a schedule."""
    findings = []
    if schedule.time_zone not in _time_zones():
        findings.append(
            Finding("TimeZoneUnknown", f"{schedule.time_zone[:64]!r} is no time zone, such as Europe/Berlin")
        )
    if not (0 <= schedule.hour_from < _HOURS and 0 <= schedule.hour_to <= _HOURS):
        findings.append(Finding("HourOutOfRange", "hours are from 0 to 24, and a window begins before 24"))
    elif schedule.hour_from == schedule.hour_to:
        findings.append(Finding("WindowNeverOpens", "a window that ends when it begins never opens"))
    if not schedule.weekdays <= frozenset(range(7)):
        findings.append(Finding("WeekdayUnknown", "days of the week are 0 for Monday to 6 for Sunday"))
    return tuple(findings)


def is_open(schedule: InstallSchedule, now: datetime) -> bool:
    """Whether an installation may begin at ``now``."""
    return next_window(schedule, now).begin <= now


def next_opening(schedule: InstallSchedule, now: datetime) -> datetime:
    """Return ``now`` if the schedule is open, else when it opens next."""
    return max(now, next_window(schedule, now).begin)


def next_window(schedule: InstallSchedule, now: datetime) -> Window:
    """Return the window that is open at ``now``, else the next one.

    Raises:
        ValueError: the schedule never opens, or its time zone is not known.
    """
    earliest = max(now, not_before(schedule) or now)
    windows = _windows(schedule, earliest)
    for window in windows:
        begin = max(window.begin, not_before(schedule) or window.begin)
        end = window.end
        for following in windows:
            if end is None or following.begin > end:
                break
            end = following.end
            if end is not None and end - begin > _UNENDING:
                end = None
        return Window(begin, end)
    raise ValueError("the schedule never opens")


def not_before(schedule: InstallSchedule) -> datetime | None:
    """Return the schedule's earliest time; one without a time zone is meant in the schedule's own."""
    earliest = schedule.not_before
    if earliest is not None and earliest.tzinfo is None:
        return earliest.replace(tzinfo=ZoneInfo(schedule.time_zone)).astimezone(UTC)
    return earliest


def _windows(schedule: InstallSchedule, earliest: datetime) -> Iterator[Window]:
    """The windows that end after ``earliest``, in order, one for each day on which one begins."""
    zone = ZoneInfo(schedule.time_zone)
    # One that began the day before may still be open.
    first = earliest.astimezone(zone).date() - _DAY
    for offset in range(_DAYS_AHEAD):
        day = first + offset * _DAY
        if schedule.weekdays and day.weekday() not in schedule.weekdays:
            continue
        last = day if schedule.hour_from < schedule.hour_to else day + _DAY
        begin, end = _instant(zone, day, schedule.hour_from), _instant(zone, last, schedule.hour_to)
        if begin < end and end > earliest:
            yield Window(begin, end)


def _instant(zone: ZoneInfo, day: date, hour: int) -> datetime:
    """The instant of a local hour: the first of two, and the clock's change where it does not exist."""
    midnight = datetime.combine(day, time())
    local = midnight + timedelta(hours=hour)
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local:
        return instant
    # In a gap the offset before it gives a time after the change, the offset after it one before.
    before, after = local.replace(tzinfo=zone, fold=1).astimezone(UTC), instant
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle.astimezone(zone).replace(tzinfo=None) < local:
            before = middle
        else:
            after = middle
    return after


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones()) - {"localtime", "posixrules", "Factory"}
