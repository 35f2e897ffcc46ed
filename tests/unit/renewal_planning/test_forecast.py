"""The simulation of the year: nothing is lost, nothing is late that need not be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.renewals.planning.forecast import Group, Quota, Rule, last_safe, simulate

YEAR = 365


def constant(term):
    return lambda _ordered, _public, _day: term


def ordered(term, _public, _day):
    return term


@st.composite
def groups(draw):
    rule = Rule(
        days_before=draw(st.none() | st.integers(1, 60)), share=draw(st.sampled_from([0.5, 0.67, 0.8]))
    )
    term = draw(st.sampled_from([6, 30, 47, 90, 200, 398]))
    return Group(
        count=draw(st.integers(1, 500)),
        ends_on=draw(st.integers(-5, term)),
        term=term,
        rule=rule,
        agent=draw(st.sampled_from(["", "a", "b"])),
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(groups(), min_size=1, max_size=12), st.sampled_from([6, 47, 100, 200]))
def test_every_certificate_is_renewed_at_least_once_a_term(members, term):
    load = simulate(members, quota=Quota(), term_on=constant(term))
    for length in (term, 398):
        whole = sum(group.count for group in members)
        for begin in range(max(group.term for group in members), YEAR - length, 30):
            assert sum(load.renewals[begin : begin + length]) >= whole * (length // term)


@settings(max_examples=150, deadline=None)
@given(st.lists(groups(), min_size=1, max_size=12), st.sampled_from([47, 100, 200]))
def test_agents_add_up_to_the_whole(members, term):
    load = simulate(members, quota=Quota(day=100), term_on=constant(term))
    for day in range(YEAR):
        assert load.renewals[day] == sum(days[day] for days in load.by_agent.values())


@settings(max_examples=150, deadline=None)
@given(st.lists(groups(), min_size=1, max_size=12), st.integers(1, 400))
def test_spreading_never_goes_beyond_the_last_safe_day(members, limit):
    """By each day at least as many were renewed as had to be by then, and over the quota only by excess."""
    once = [group for group in members if group.term >= 47]
    # Long terms afterwards, so that nobody comes twice.
    load = simulate(once, quota=Quota(day=limit), term_on=constant(4000))
    deadlines = [(max(0, group.ends_on - group.term + last_safe(group.term)), group.count) for group in once]
    done = must = 0
    for day in range(YEAR):
        done += load.renewals[day]
        must += sum(count for deadline, count in deadlines if deadline == day)
        assert done >= must
        assert load.renewals[day] - load.excess[day] <= limit


@settings(max_examples=100, deadline=None)
@given(st.lists(groups(), min_size=1, max_size=8), st.integers(1, 300))
def test_a_plan_that_could_be_kept_is_kept(members, limit):
    """The quota breaks only if more must be renewed within some days than the quota allows within them."""
    load = simulate(members, quota=Quota(day=limit), term_on=constant(4000))
    jobs = []
    for group in members:
        began = group.ends_on - group.term
        due = max(0, began + group.rule.due_after(group.term))
        jobs.append((due, max(0, began + last_safe(group.term)), group.count))
    # Hall's condition over intervals of days.
    possible = all(
        sum(count for due, deadline, count in jobs if due >= begin and deadline <= end)
        <= limit * (end - begin + 1)
        for begin in {due for due, _, _ in jobs}
        for end in {deadline for _, deadline, _ in jobs if deadline >= begin and deadline < YEAR}
    )
    assert (load.breaks_on is None) == possible


def test_a_quota_spreads_a_day():
    load = simulate([Group(count=1000, ends_on=30, term=90)], quota=Quota(day=100), term_on=constant(4000))
    assert load.renewals[1:11] == [100] * 10
    assert load.breaks_on is None


def test_the_day_on_which_a_plan_breaks():
    load = simulate([Group(count=1000, ends_on=30, term=90)], quota=Quota(day=20), term_on=constant(4000))
    # Due on day 1, safe until day 27: 26 days of 20, and the rest on the last day.
    assert load.breaks_on == 27
    assert load.excess[27] == 1000 - 27 * 20
    assert load.total == 1000


def test_a_week_counts_over_seven_days():
    load = simulate([Group(count=100, ends_on=30, term=90)], quota=Quota(week=50), term_on=constant(4000))
    assert load.renewals[1] == 50
    assert load.renewals[2:8] == [0] * 6
    assert load.renewals[8] == 50


def test_shorter_terms_mean_more_renewals():
    group = Group(count=100, ends_on=100, term=200)
    totals = [simulate([group], quota=Quota(), term_on=constant(term)).total for term in (200, 100, 47)]
    assert totals == sorted(totals)
    assert totals[-1] == 100 * len(range(34, YEAR, 32))


@pytest.mark.parametrize(("days_before", "term", "expected"), [(30, 90, 60), (30, 47, 17), (60, 47, 32)])
def test_a_lead_longer_than_the_term_falls_back_to_a_share(days_before, term, expected):
    assert Rule(days_before=days_before).due_after(term) == expected


def test_what_is_overdue_is_due_today():
    load = simulate([Group(count=3, ends_on=-2, term=90)], quota=Quota(), term_on=ordered)
    assert load.renewals[0] == 3


@given(st.integers(1, 400), st.none() | st.integers(0, 400), st.floats(0.01, 1.0))
def test_due_is_never_after_the_last_safe_day(term, days_before, share):
    assert 1 <= Rule(days_before=days_before, share=share).due_after(term) <= last_safe(term) <= term
