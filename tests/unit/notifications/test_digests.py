"""When digests go out: each window ends once, also where clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.notifications.digests import Digest, Entry, batch_of, combined, window_end

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
MOMENTS = st.datetimes(
    min_value=datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None),
    max_value=datetime(2028, 1, 1, tzinfo=UTC).replace(tzinfo=None),
    timezones=st.just(UTC),
)
DIGESTS = st.builds(
    Digest,
    every=st.sampled_from(["hourly", "daily", "weekly"]),
    hour=st.integers(0, 23),
    weekday=st.integers(0, 6),
    time_zone=st.sampled_from(ZONES),
)


@given(digest=DIGESTS, now=MOMENTS)
def test_a_window_ends_soon_after_now(digest, now):
    end = window_end(digest, now)
    longest = {"hourly": 1, "daily": 26, "weekly": 7 * 24 + 2}[digest.every]
    assert timedelta(0) < end - now <= timedelta(hours=longest)


@given(digest=DIGESTS, now=MOMENTS)
def test_all_of_a_window_go_out_together(digest, now):
    end = window_end(digest, now)
    just_before = end - timedelta(microseconds=1)
    assert window_end(digest, just_before) == end
    assert window_end(digest, end) > end


@given(hour=st.integers(0, 23), zone=st.sampled_from(ZONES))
def test_a_year_has_one_window_a_day(hour, zone):
    digest = Digest(every="daily", hour=hour, time_zone=zone)
    at, ends = datetime(2026, 1, 1, tzinfo=UTC), []
    while len(ends) < 366:
        at = window_end(digest, at)
        ends.append(at)
    days = [end.astimezone(ZoneInfo(zone)).date() for end in ends]
    assert len(set(days)) == 366
    assert max(days) - min(days) == timedelta(days=365)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        # Berlin, clocks go from 2:00 to 3:00 on 2026-03-29: half past two does not exist.
        ("2026-03-28T12:00+00:00", "2026-03-29T01:00+00:00"),
        ("2026-03-29T01:00+00:00", "2026-03-30T00:00+00:00"),
        # And back from 3:00 to 2:00 on 2026-10-25: two o'clock comes twice, the first counts.
        ("2026-10-24T12:00+00:00", "2026-10-25T00:00+00:00"),
        ("2026-10-25T00:00+00:00", "2026-10-26T01:00+00:00"),
    ],
)
def test_two_o_clock_in_berlin(now, end):
    digest = Digest(every="daily", hour=2, time_zone="Europe/Berlin")
    assert window_end(digest, datetime.fromisoformat(now)) == datetime.fromisoformat(end)


def test_weekly_on_a_friday():
    digest = Digest(every="weekly", weekday=4, hour=7, time_zone="Europe/Berlin")
    assert window_end(digest, datetime(2026, 11, 25, 12, tzinfo=UTC)) == datetime(2026, 11, 27, 6, tzinfo=UTC)


def test_without_a_digest_nothing_waits():
    now = datetime(2026, 11, 25, tzinfo=UTC)
    assert window_end(Digest(), now) == now
    assert batch_of(Digest(), now, way="email:a") == ""


def test_batches_are_of_a_window_and_a_recipient():
    digest = Digest(every="hourly")
    now = datetime(2026, 11, 25, tzinfo=UTC)
    later = now + timedelta(hours=1)
    names = {batch_of(digest, end, way=way) for end in (now, later) for way in ("email:a", "email:b")}
    assert len(names) == 4
    assert batch_of(digest, now, way="email:a") == batch_of(digest, now, way="email:a")


def test_several_read_as_one():
    subject, body = combined(
        [
            Entry("Renewal failed", "one", "text of one"),
            Entry("Agent is offline", "two", ""),
            Entry("Renewal failed", "three", "x"),
        ]
    )
    assert subject == "3 notifications: Renewal failed (2), Agent is offline (1)"
    assert body.index("- one") < body.index("- three") < body.index("- two")
    assert "text of one" in body


def test_very_many_stay_a_mail():
    subject, body = combined([Entry(f"Type {n}", f"subject {n}", "x" * 2000) for n in range(500)])
    assert len(subject) <= 250
    assert len(body) < 210_000
