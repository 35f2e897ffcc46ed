"""The borders of the reuse schedule, and the dates that follow from it."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.organizations.dcv.clock import ProofTime, deadlines, good_until, limit_at, outlook, reuse_until

SECOND = timedelta(seconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def proved(text: str, **more) -> ProofTime:
    return ProofTime(validated_at=at(text), **more)


@pytest.mark.parametrize(
    ("issued", "days"),
    [
        ("2025-11-01", 398),
        ("2026-03-14T23:59:59", 398),
        ("2026-03-15", 200),
        ("2027-03-14T23:59:59", 200),
        ("2027-03-15", 100),
        ("2029-03-14T23:59:59", 100),
        ("2029-03-15", 10),
        ("2040-01-01", 10),
    ],
)
def test_the_limit_is_that_of_the_day_of_issuance(issued, days):
    assert limit_at(at(issued)) == days


@pytest.mark.parametrize(
    ("validated", "until"),
    [
        # Within one limit.
        ("2024-06-01", "2025-07-04"),
        ("2026-04-01", "2026-10-18"),
        ("2027-04-01", "2027-07-10"),
        ("2029-04-01", "2029-04-11"),
        # Would have lasted 398 days, but is older than 200 when that limit falls.
        ("2025-08-01", "2026-03-15"),
        # Younger than 200 days then: goes on under the new limit.
        ("2025-10-01", "2026-04-19"),
        # Exactly 200 days old at the border: over with it.
        ("2025-08-27", "2026-03-15"),
        ("2025-08-28", "2026-03-16"),
        # The fall to 100, and to 10.
        ("2026-12-04", "2027-03-15"),
        ("2026-12-06", "2027-03-16"),
        ("2029-02-01", "2029-03-15"),
        ("2029-03-06", "2029-03-16"),
        # On the border itself.
        ("2026-03-15", "2026-10-01"),
        ("2029-03-15", "2029-03-25"),
    ],
)
def test_a_validation_ends_when_the_limit_of_the_day_excludes_it(validated, until):
    assert reuse_until(proved(validated)) == at(until)


def test_the_persistent_record_counts_for_ten_days_and_email_ends_in_2028():
    assert reuse_until(proved("2026-04-01", max_reuse_days=10)) == at("2026-04-11")
    end = at("2028-03-15")
    assert reuse_until(proved("2028-03-01", ends_at=end)) == end
    assert reuse_until(proved("2027-04-01", ends_at=end)) == at("2027-07-10")
    # Validated after the end: good for nothing, at no time.
    assert reuse_until(proved("2028-05-01", ends_at=end)) == at("2028-05-01")


def test_private_trust_lasts_a_year_whatever_the_schedule_says():
    assert good_until(proved("2029-04-01", max_reuse_days=10), "private") == at("2030-04-01")


def test_the_warning_is_as_long_as_wanted_where_there_is_room():
    dates = deadlines(proved("2026-04-01"), "public", lead_days=30)
    assert dates.expires_at == at("2026-10-18")
    assert dates.action_at == at("2026-09-18")
    assert dates.revalidate_at == at("2026-09-11")


def test_with_ten_days_the_warning_is_three_and_the_automatic_try_comes_before_it():
    dates = deadlines(proved("2029-04-01"), "public", lead_days=30)
    assert dates.expires_at == at("2029-04-11")
    assert dates.action_at == at("2029-04-08")
    assert dates.revalidate_at == at("2029-04-07")


def test_a_failing_renewal_is_known_ahead():
    # Validated today for 200 days: the renewal of next spring falls under the limit of 100.
    proof = proved("2026-11-25")
    coming = outlook([proof], at("2027-02-01"))
    assert coming.valid
    assert coming.until == at("2027-03-15")
    assert coming.days_left == 42
    assert coming.limit_days == 200
    failing = outlook([proof], at("2027-03-20"))
    assert not failing.valid
    assert failing.days_left == -5
    assert failing.limit_days == 100


def test_the_best_of_several_proofs_decides_and_none_is_no():
    found = outlook([proved("2026-04-01"), proved("2026-06-01")], at("2026-10-20"))
    assert found.valid
    assert found.until == at("2026-12-18")
    # A proof of the future says nothing about the past.
    assert not outlook([proved("2026-06-01")], at("2026-05-01")).valid
    assert outlook([], at("2026-05-01")).until is None


def test_the_last_moment_is_before_the_end():
    proof = proved("2026-04-01")
    end = reuse_until(proof)
    assert outlook([proof], end - SECOND).valid
    assert not outlook([proof], end).valid
