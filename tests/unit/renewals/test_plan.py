"""When renewals are due: never after what is safe, never in a freeze without need, evenly spread."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.renewals.calendar_port import Interval, IntervalKind, PlannedCertificate
from hub.renewals.open_times import open_spans
from hub.renewals.plan import (
    CaWindow,
    PlanReason,
    RenewalRules,
    jitter_of,
    latest_safe,
    plan_renewal,
    put_off,
    spread_unit,
)

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ON = RenewalRules(enabled=True)


def certificate(days=47.0, *, begin=NOW, number=1, serial="0a"):
    return PlannedCertificate(
        id=number, serial_hex=serial, not_before=begin, not_after=begin + timedelta(days=days)
    )


def freeze(start, end, name="year end"):
    return Interval(start=start, end=end, name=name)


def window(start, end, name="sunday night"):
    return Interval(start=start, end=end, name=name, kind=IntervalKind.WINDOW)


lifetimes = st.floats(min_value=0.05, max_value=825)
rules = st.builds(
    RenewalRules,
    enabled=st.just(True),
    days_before=st.none() | st.integers(min_value=1, max_value=400),
    share=st.floats(min_value=0.01, max_value=1.0),
    jitter_hours=st.integers(min_value=0, max_value=240),
)
moments = st.floats(min_value=-1, max_value=2)


@st.composite
def intervals(draw, days):
    start = NOW + timedelta(days=draw(st.floats(min_value=-days, max_value=days * 1.2)))
    end = start + timedelta(days=draw(st.floats(min_value=days / 1000, max_value=days)))
    kind = draw(st.sampled_from(list(IntervalKind)))
    return Interval(start=start, end=end, name="x", kind=kind)


@st.composite
def cases(draw):
    days = draw(lifetimes)
    cert = certificate(days, number=draw(st.integers(1, 10**6)))
    now = NOW + timedelta(days=days) * draw(moments)
    ca_window = None
    if draw(st.booleans()):
        begin = NOW + timedelta(days=days) * draw(moments)
        ca_window = CaWindow(start=begin, end=begin + timedelta(days=days / 10))
    calendar = draw(st.lists(intervals(days), max_size=5))
    return cert, draw(rules), now, ca_window, calendar


def is_open(calendar, at):
    return bool(open_spans(calendar, at, at + timedelta(microseconds=1)))


@settings(max_examples=400, deadline=None)
@given(cases())
def test_due_is_never_after_the_latest_safe_moment_nor_before_now(case):
    cert, rule, now, ca_window, calendar = case
    plan = plan_renewal(cert, rule, now=now, window=ca_window, calendar=calendar)
    assert plan.due_at >= min(now, plan.due_at)
    assert plan.due_at >= now or plan.due_at > cert.not_before
    assert plan.due_at <= max(plan.latest_safe_at, now)
    assert plan.latest_safe_at < cert.not_after
    assert plan == plan_renewal(cert, rule, now=now, window=ca_window, calendar=calendar)


@settings(max_examples=400, deadline=None)
@given(cases())
def test_due_is_in_open_time_unless_there_is_none(case):
    cert, rule, now, ca_window, calendar = case
    plan = plan_renewal(cert, rule, now=now, window=ca_window, calendar=calendar)
    if is_open(calendar, plan.due_at):
        return
    latest = latest_safe(cert)
    left = [
        span for span in open_spans(calendar, now, latest) if span.end - span.start > timedelta(seconds=1)
    ]
    assert left == []


@settings(max_examples=200, deadline=None)
@given(cases(), st.floats(min_value=0, max_value=1))
def test_planning_again_later_comes_to_the_same_moment(case, share):
    cert, rule, now, _window, calendar = case
    plan = plan_renewal(cert, rule, now=now, calendar=calendar)
    if plan.due_at <= now or plan.reason in {PlanReason.AFTER_FREEZE, PlanReason.NO_OPEN_TIME}:
        return
    later = now + (plan.due_at - now) * share * 0.999
    again = plan_renewal(cert, rule, now=later, calendar=calendar)
    if plan.reason in {PlanReason.DAYS_BEFORE, PlanReason.SHARE}:
        assert again.due_at == plan.due_at
    assert again.due_at >= later


def test_ten_thousand_due_on_one_day_are_spread_evenly():
    plans = [
        plan_renewal(certificate(90, number=number, serial=f"{number * 7919:x}"), ON, now=NOW)
        for number in range(10_000)
    ]
    first = min(plan.due_at for plan in plans)
    hours = Counter(int((plan.due_at - first) / HOUR) for plan in plans)
    assert len(hours) == 24
    expected = 10_000 / 24
    chi_square = sum((count - expected) ** 2 / expected for count in hours.values())
    # 23 degrees of freedom: above 49.7 once in a thousand.
    assert chi_square < 49.7
    assert len({plan.due_at for plan in plans}) > 9_990


@pytest.mark.parametrize(("days", "hours"), [(365, 24), (47, 24), (6, 14.4), (1, 2.4), (1 / 24, 0.1)])
def test_short_lived_certificates_are_spread_over_a_tenth_of_their_lifetime(days, hours):
    assert jitter_of(certificate(days), ON) / HOUR == pytest.approx(hours)


@pytest.mark.parametrize(
    ("days", "settings_", "word", "share"),
    [
        (90, {"days_before": 30}, "DaysBefore", 60 / 90),
        (47, {"days_before": 30}, "DaysBefore", 17 / 47),
        # Thirty days before the end of ten: it goes by the share.
        (10, {"days_before": 30}, "ShareOfLifetime", 0.67),
        (47, {}, "ShareOfLifetime", 0.67),
        (6, {"share": 0.5}, "ShareOfLifetime", 0.5),
        (6, {"share": 0.01}, "ShareOfLifetime", 1 / 3),
        (90, {"share": 0.999}, "ShareOfLifetime", 87 / 90),
    ],
)
def test_the_settings_say_when(days, settings_, word, share):
    rule = RenewalRules(enabled=True, jitter_hours=0, **settings_)
    plan = plan_renewal(certificate(days), rule, now=NOW)
    assert plan.reason == word
    assert (plan.due_at - NOW) / (days * DAY) == pytest.approx(share)
    assert plan.sentence


def test_the_cas_window_wins_and_each_certificate_has_its_own_moment_in_it():
    asked = CaWindow(start=NOW + 10 * DAY, end=NOW + 12 * DAY, explanation_url="https://ca.example/why")
    units = []
    for number in range(1000):
        cert = certificate(90, number=number)
        plan = plan_renewal(cert, ON, now=NOW, window=asked)
        assert plan.reason == "CaWindow"
        assert asked.start <= plan.due_at < asked.end
        units.append((plan.due_at - asked.start) / (asked.end - asked.start))
    assert 0.46 < sum(units) / 1000 < 0.54
    assert plan.evidence["ca_explanation"] == "https://ca.example/why"


def test_a_window_that_is_over_means_at_once():
    over = CaWindow(start=NOW - 2 * DAY, end=NOW - DAY)
    plan = plan_renewal(certificate(90, begin=NOW - 5 * DAY), ON, now=NOW, window=over)
    assert (plan.due_at, plan.reason) == (NOW, "CaWindowOver")


def test_a_freeze_is_never_met_a_renewal_goes_ahead_of_it():
    cert = certificate(90)
    wanted = plan_renewal(cert, ON, now=NOW)
    closed = freeze(wanted.due_at - 5 * DAY, wanted.due_at + 9 * DAY)
    plan = plan_renewal(cert, ON, now=NOW, calendar=[closed])
    assert plan.reason == "PulledAheadOfFreeze"
    assert closed.start - 9 * DAY < plan.due_at < closed.start
    assert "year end" in plan.sentence
    assert plan.evidence["wanted_at"] == wanted.due_at.isoformat()


def test_what_a_freeze_displaces_is_spread_again():
    wanted = plan_renewal(certificate(90), ON, now=NOW).due_at
    closed = freeze(wanted - 2 * DAY, wanted + 9 * DAY)
    plans = [plan_renewal(certificate(90, number=n), ON, now=NOW, calendar=[closed]) for n in range(2000)]
    assert all(plan.due_at < closed.start for plan in plans)
    hours = Counter(int((closed.start - plan.due_at) / HOUR) for plan in plans)
    assert max(hours.values()) < 2000 / 24 * 1.5


def test_a_freeze_that_is_on_is_waited_for_only_while_that_is_safe():
    cert = certificate(90, begin=NOW - 70 * DAY)
    short = freeze(NOW - DAY, NOW + 5 * DAY)
    later = plan_renewal(cert, ON, now=NOW, calendar=[short])
    assert (later.reason, later.due_at >= short.end) == ("PutOffAfterFreeze", True)
    endless = freeze(NOW - DAY, NOW + 60 * DAY)
    now = plan_renewal(cert, ON, now=NOW, calendar=[endless])
    assert (now.reason, now.due_at) == ("NoOpenTime", NOW)
    assert put_off(cert, ON, now=NOW, calendar=[short]).due_at >= short.end
    assert put_off(cert, ON, now=NOW, calendar=[endless]) is None


def test_maintenance_windows_are_the_only_time():
    cert = certificate(90)
    weekly = [window(NOW + n * 7 * DAY, NOW + n * 7 * DAY + 4 * HOUR) for n in range(20)]
    plan = plan_renewal(cert, ON, now=NOW, calendar=weekly)
    assert plan.reason == "MovedIntoMaintenanceWindow"
    assert any(item.start <= plan.due_at < item.end for item in weekly)
    assert plan.due_at <= plan_renewal(cert, ON, now=NOW).due_at


def test_every_replica_spreads_alike_and_other_serials_otherwise():
    assert spread_unit(certificate()) == spread_unit(certificate())
    assert spread_unit(certificate(serial="0b")) != spread_unit(certificate())
