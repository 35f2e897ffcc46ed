"""The closed form of the clock against the rule as the Baseline Requirements word it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.organizations.dcv.clock import ProofTime, deadlines, limit_at, reuse_until

TIMES = st.integers(min_value=0, max_value=7 * 365 * 86_400).map(
    lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
AGES = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=420))
CAPS = st.one_of(st.none(), st.integers(min_value=1, max_value=400))


def allowed(validated: datetime, issued: datetime, cap: int | None) -> bool:
    days = limit_at(issued) if cap is None else min(cap, limit_at(issued))
    return timedelta(0) <= issued - validated < timedelta(days=days)


@given(TIMES, AGES, CAPS)
def test_usable_until_the_end_and_never_again(validated, age, cap):
    issued = validated + age
    until = reuse_until(ProofTime(validated_at=validated, max_reuse_days=cap))
    assert (issued < until) == allowed(validated, issued, cap)


@given(TIMES, CAPS, st.integers(min_value=1, max_value=180), st.sampled_from(["public", "private"]))
def test_dates_stand_in_order(validated, cap, lead_days, trust):
    proof = ProofTime(validated_at=validated, max_reuse_days=cap)
    dates = deadlines(proof, trust, lead_days=lead_days)
    assert validated < dates.revalidate_at < dates.action_at < dates.expires_at


@given(TIMES, TIMES)
def test_a_later_validation_never_ends_earlier(first, second):
    early, late = sorted((first, second))
    assert reuse_until(ProofTime(validated_at=early)) <= reuse_until(ProofTime(validated_at=late))
