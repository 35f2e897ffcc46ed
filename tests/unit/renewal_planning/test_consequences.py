"""Whether certificates live through a freeze."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.renewals.planning.consequences import CertificateKind, fault, margin, met_by
from hub.renewals.planning.local_time import Span

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def days(count):
    return NOW + timedelta(days=count)


def kind(term=90, **more):
    return CertificateKind(term=timedelta(days=term), **{"approved_by_hand": False, **more})


def freeze(begin, end, *others):
    spans = [Span(days(a), days(b)) for a, b in others]
    return met_by("Winter", Span(days(begin), days(end)), others=spans, now=NOW)


def test_a_freeze_shorter_than_the_term_is_no_problem():
    assert fault(kind(), freeze(10, 40)) is None


@pytest.mark.parametrize(("end", "reason"), [(97, None), (98, "FreezeLongerThanTerm")])
def test_a_freeze_may_be_as_long_as_the_term_without_its_reserve(end, reason):
    found = fault(kind(), freeze(10, end))
    assert (found and found.reason) == reason


def test_a_freeze_that_has_begun_leaves_no_time():
    found = fault(kind(), freeze(-1, 5))
    assert found.reason == "NoTimeBeforeFreeze"


def test_an_approval_needs_days():
    assert fault(kind(), freeze(1, 5)) is None
    found = fault(kind(approved_by_hand=True), freeze(1, 5))
    assert found.reason == "NoTimeBeforeFreeze"
    assert "approval" in found.message


def test_a_freeze_right_behind_another_counts_as_one():
    assert fault(kind(), freeze(50, 100, (10, 40))) is None
    assert fault(kind(), freeze(50, 100, (10, 50))).reason == "FreezeLongerThanTerm"


def test_a_gap_of_minutes_between_freezes_is_none():
    first = Span(days(10), days(50) - timedelta(minutes=30))
    whole = met_by("Winter", Span(days(50), days(100)), others=[first], now=NOW)
    assert whole.last_open == days(10)


def test_the_end_of_the_ca_counts():
    found = fault(kind(ca_ends_at=days(20), ca_name="Private CA"), freeze(10, 30))
    assert found.reason == "CaEndsFirst"
    assert "Private CA" in found.message
    assert fault(kind(ca_ends_at=days(40)), freeze(10, 30)) is None


def test_the_reserve_of_short_certificates_is_a_share():
    assert margin(timedelta(days=6)) == timedelta(days=1)
    assert margin(timedelta(days=200)) == timedelta(days=3)
