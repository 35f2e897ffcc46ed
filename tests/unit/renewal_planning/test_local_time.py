"""Freezes and windows on the clocks of a zone, also on the days on which these change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.renewals.planning.local_time import (
    FreezeTimes,
    Span,
    WindowTimes,
    complement,
    freeze_spans,
    instant,
    merged,
    window_spans,
)

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def wall(text):
    return datetime.fromisoformat(text)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_time_of_winter_and_one_of_summer():
    assert instant(wall("2026-01-10T08:00"), BERLIN) == utc("2026-01-10T07:00")
    assert instant(wall("2026-07-10T08:00"), BERLIN) == utc("2026-07-10T06:00")


def test_a_skipped_time_is_an_hour_later():
    assert instant(wall("2026-03-29T02:30"), BERLIN) == utc("2026-03-29T01:30")
    assert instant(wall("2026-03-29T02:30"), BERLIN, ends=True) == utc("2026-03-29T01:30")


def test_a_repeated_time_begins_early_and_ends_late():
    assert instant(wall("2026-10-25T02:30"), BERLIN) == utc("2026-10-25T00:30")
    assert instant(wall("2026-10-25T02:30"), BERLIN, ends=True) == utc("2026-10-25T01:30")


def test_a_freeze_of_one_night_covers_the_repeated_hour():
    times = FreezeTimes(starts=wall("2026-10-25T02:00"), ends=wall("2026-10-25T03:00"), zone=BERLIN)
    spans = freeze_spans(times, utc("2026-10-01"), utc("2026-11-01"))
    assert spans == [Span(utc("2026-10-25T00:00"), utc("2026-10-25T02:00"))]


def test_a_yearly_freeze_keeps_its_local_time_over_the_change_of_year():
    times = FreezeTimes(
        starts=wall("2025-12-20T00:00"), ends=wall("2026-01-07T06:00"), zone=NEW_YORK, yearly=True
    )
    spans = freeze_spans(times, utc("2027-01-01"), utc("2029-01-01"))
    assert [(span.start, span.end) for span in spans] == [
        (utc("2026-12-20T05:00"), utc("2027-01-07T11:00")),
        (utc("2027-12-20T05:00"), utc("2028-01-07T11:00")),
        (utc("2028-12-20T05:00"), utc("2029-01-07T11:00")),
    ]


def test_a_yearly_freeze_never_was_before_its_first_time():
    times = FreezeTimes(
        starts=wall("2026-06-01T00:00"), ends=wall("2026-06-08T00:00"), zone=BERLIN, yearly=True
    )
    assert freeze_spans(times, utc("2020-01-01"), utc("2026-01-01")) == []


def test_the_29th_of_february_becomes_the_1st_of_march():
    times = FreezeTimes(
        starts=wall("2028-02-29T00:00"), ends=wall("2028-03-05T00:00"), zone=BERLIN, yearly=True
    )
    spans = freeze_spans(times, utc("2029-01-01"), utc("2030-01-01"))
    assert spans == [Span(utc("2029-02-28T23:00"), utc("2029-03-04T23:00"))]


def window(opens, closes, days=range(7), zone=BERLIN):
    return WindowTimes(weekdays=frozenset(days), opens=opens * 60, closes=closes * 60, zone=zone)


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        ("2026-03-28", 6),
        # The clocks skip an hour in the night from Saturday to Sunday.
        ("2026-03-29", 5),
        # And repeat one.
        ("2026-10-25", 7),
    ],
)
def test_a_window_over_midnight_is_as_long_as_the_night(day, hours):
    end = datetime.fromisoformat(day)
    begin = instant(end - timedelta(hours=2), BERLIN)
    spans = window_spans(window(22, 4), begin, instant(end + timedelta(hours=4), BERLIN))
    assert sum((span.end - span.start for span in spans), timedelta()) == timedelta(hours=hours)


def test_a_window_belongs_to_the_day_on_which_it_opens():
    spans = window_spans(window(23, 1, days=[4]), utc("2026-11-23"), utc("2026-11-30"))
    assert spans == [Span(utc("2026-11-27T22:00"), utc("2026-11-28T00:00"))]


def test_a_window_until_midnight():
    spans = window_spans(window(20, 24, days=[0], zone=ZoneInfo("UTC")), utc("2026-11-23"), utc("2026-11-25"))
    assert spans == [Span(utc("2026-11-23T20:00"), utc("2026-11-24T00:00"))]


def test_a_window_that_is_open_at_the_beginning_is_cut():
    begin = utc("2026-11-27T23:30")
    spans = window_spans(window(22, 4, zone=ZoneInfo("UTC")), begin, utc("2026-11-28T12:00"))
    assert spans == [Span(begin, utc("2026-11-28T04:00"))]


def test_a_window_within_the_skipped_hour_does_not_open_before_it():
    times = WindowTimes(weekdays=frozenset({6}), opens=150, closes=170, zone=BERLIN)
    spans = window_spans(times, utc("2026-03-29"), utc("2026-03-30"))
    assert spans == [Span(utc("2026-03-29T01:30"), utc("2026-03-29T01:50"))]


_HOURS = st.integers(0, 500)
_SPANS = st.lists(
    st.tuples(_HOURS, st.integers(1, 60)).map(
        lambda pair: Span(
            utc("2026-01-01") + timedelta(hours=pair[0]),
            utc("2026-01-01") + timedelta(hours=pair[0] + pair[1]),
        )
    ),
    max_size=8,
)


@given(_SPANS, st.integers(0, 520))
def test_what_is_not_closed_is_open(spans, hour):
    begin, end = utc("2026-01-01"), utc("2026-01-01") + timedelta(hours=520)
    at = begin + timedelta(hours=hour, minutes=30)
    closed = any(span.start <= at < span.end for span in merged(spans))
    opened = any(span.start <= at < span.end for span in complement(spans, begin, end))
    assert closed == any(span.start <= at < span.end for span in spans)
    assert opened == (not closed and at < end)
