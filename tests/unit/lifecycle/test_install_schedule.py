"""Windows of installations: hours, days of the week, midnight, and clocks that are set."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.lifecycle.install_schedule import (
    is_open,
    next_opening,
    next_window,
    schedule_document,
    schedule_faults,
    schedule_from,
)
from hub.lifecycle.requests import InstallSchedule

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
ZONES = ("UTC", BERLIN, NEW_YORK, "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana", "Asia/Beirut",
         "Pacific/Chatham", "America/Santiago", "Africa/Casablanca")  # fmt: skip


def local(zone, *parts, fold=0):
    return datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def test_inside_the_hours_it_is_open_and_outside_it_waits_for_the_next_day():
    nights = InstallSchedule(time_zone=BERLIN, hour_from=2, hour_to=4)
    assert is_open(nights, local(BERLIN, 2026, 11, 25, 2))
    assert is_open(nights, local(BERLIN, 2026, 11, 25, 3, 59, 59))
    assert not is_open(nights, local(BERLIN, 2026, 11, 25, 4))
    assert next_opening(nights, local(BERLIN, 2026, 11, 25, 4)) == local(BERLIN, 2026, 11, 26, 2)
    inside = local(BERLIN, 2026, 11, 25, 3)
    assert next_opening(nights, inside) == inside
    assert next_window(nights, inside).end == local(BERLIN, 2026, 11, 25, 4)


def test_over_midnight_the_day_on_which_it_begins_counts():
    # 2026-11-27 is a Friday.
    fridays = InstallSchedule(time_zone=BERLIN, hour_from=22, hour_to=4, weekdays=frozenset({4}))
    assert is_open(fridays, local(BERLIN, 2026, 11, 27, 22))
    assert is_open(fridays, local(BERLIN, 2026, 11, 28, 3, 59))
    assert not is_open(fridays, local(BERLIN, 2026, 11, 27, 3))
    assert not is_open(fridays, local(BERLIN, 2026, 11, 28, 4))
    assert next_opening(fridays, local(BERLIN, 2026, 11, 28, 4)) == local(BERLIN, 2026, 12, 4, 22)
    until_midnight = InstallSchedule(hour_from=22, hour_to=0)
    assert next_window(until_midnight, datetime(2026, 1, 1, tzinfo=UTC)).end == datetime(
        2026, 1, 2, tzinfo=UTC
    )


def test_not_before_a_time_even_in_the_middle_of_a_window():
    earliest = datetime(2026, 12, 1, 3, 30, tzinfo=UTC)
    schedule = InstallSchedule(not_before=earliest, hour_from=2, hour_to=4)
    window = next_window(schedule, datetime(2026, 11, 25, tzinfo=UTC))
    assert (window.begin, window.end) == (earliest, datetime(2026, 12, 1, 4, tzinfo=UTC))
    # Without a time zone it is meant where the schedule is.
    there = InstallSchedule(time_zone=BERLIN, not_before=datetime(2026, 12, 1, 3, 30))  # noqa: DTZ001 - on purpose
    assert next_opening(there, datetime(2026, 11, 25, tzinfo=UTC)) == local(BERLIN, 2026, 12, 1, 3, 30)


def test_days_that_touch_are_one_window_and_always_open_never_closes():
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert next_window(InstallSchedule(), now).end is None
    weekend = InstallSchedule(weekdays=frozenset({5, 6}))
    window = next_window(weekend, now)
    assert (window.begin, window.end) == (
        datetime(2026, 11, 28, tzinfo=UTC),
        datetime(2026, 11, 30, tzinfo=UTC),
    )


def test_an_hour_that_the_clock_skips_opens_nothing():
    # Berlin sets its clock from 2 to 3 on 2026-03-29.
    skipped = InstallSchedule(time_zone=BERLIN, hour_from=2, hour_to=3)
    assert next_opening(skipped, local(BERLIN, 2026, 3, 29, 0)) == local(BERLIN, 2026, 3, 30, 2)
    # A window that begins in the gap begins at the change, one hour long instead of two.
    shorter = InstallSchedule(time_zone=BERLIN, hour_from=2, hour_to=4)
    window = next_window(shorter, local(BERLIN, 2026, 3, 29, 0))
    assert (window.begin, window.end) == (
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 3, 29, 2, tzinfo=UTC),
    )


def test_an_hour_that_happens_twice_is_open_twice():
    # New York sets its clock from 2 back to 1 on 2026-11-01.
    twice = InstallSchedule(time_zone=NEW_YORK, hour_from=1, hour_to=2)
    window = next_window(twice, local(NEW_YORK, 2026, 11, 1, 0))
    assert window.end - window.begin == timedelta(hours=2)
    assert is_open(twice, local(NEW_YORK, 2026, 11, 1, 1, 30, fold=0))
    assert is_open(twice, local(NEW_YORK, 2026, 11, 1, 1, 30, fold=1))


def test_a_day_that_the_calendar_skipped_has_no_window():
    # Samoa crossed the date line and had no 2011-12-30.
    fridays = InstallSchedule(time_zone="Pacific/Apia", weekdays=frozenset({4}))
    opens = next_opening(fridays, local("Pacific/Apia", 2011, 12, 29, 12))
    assert opens == local("Pacific/Apia", 2012, 1, 6)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"time_zone": "Europe/Nowhere"}, "TimeZoneUnknown"),
        ({"time_zone": "../etc/passwd"}, "TimeZoneUnknown"),
        ({"time_zone": ""}, "TimeZoneUnknown"),
        ({"hour_from": 24}, "HourOutOfRange"),
        ({"hour_to": 25}, "HourOutOfRange"),
        ({"hour_from": -1}, "HourOutOfRange"),
        ({"hour_from": 5, "hour_to": 5}, "WindowNeverOpens"),
        ({"weekdays": frozenset({7})}, "WeekdayUnknown"),
    ],
)
def test_what_is_wrong_with_a_schedule(changes, reason):
    assert [finding.reason for finding in schedule_faults(InstallSchedule(**changes))] == [reason]


schedules = st.builds(
    InstallSchedule,
    time_zone=st.sampled_from(ZONES),
    not_before=st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    hour_from=st.integers(0, 23),
    hour_to=st.integers(0, 24),
    weekdays=st.frozensets(st.integers(0, 6)),
).filter(lambda schedule: not schedule_faults(schedule))
instants = st.datetimes(datetime(2025, 12, 1), datetime(2027, 2, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


def by_the_wall_clock(schedule, now):
    """The rule once more, as a person with a clock on the wall would put it."""
    if schedule.not_before is not None and now < schedule.not_before:
        return False
    wall = now.astimezone(ZoneInfo(schedule.time_zone))
    begin, end, hour = schedule.hour_from, schedule.hour_to, wall.hour
    today, yesterday = wall.weekday(), (wall.weekday() - 1) % 7
    days = schedule.weekdays or frozenset(range(7))
    if begin < end:
        return begin <= hour < end and today in days
    return (hour >= begin and today in days) or (hour < end and yesterday in days)


@given(schedule=schedules, now=instants)
def test_open_is_what_the_clock_on_the_wall_says(schedule, now):
    assert is_open(schedule, now) == by_the_wall_clock(schedule, now)


@given(schedule=schedules, now=instants)
def test_the_next_opening_is_open_and_nothing_before_it_is(schedule, now):
    opens = next_opening(schedule, now)
    assert opens >= now
    assert is_open(schedule, opens)
    step = (opens - now) / 20
    assert not any(is_open(schedule, now + step * number) for number in range(20) if now < opens)
    window = next_window(schedule, now)
    if window.end is not None:
        assert not is_open(schedule, window.end)
        assert is_open(schedule, window.end - timedelta(seconds=1))


@given(schedule=schedules)
def test_what_is_stored_is_read_again(schedule):
    assert schedule_from(schedule_document(schedule)) == schedule
    assert schedule_from(None) is None
