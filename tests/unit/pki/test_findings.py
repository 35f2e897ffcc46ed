"""Checks run in their order."""

from pki.findings import Finding, all_findings, first_finding


def test_first_and_all():
    def small(value):
        return Finding("Small", "small") if value < 10 else None

    def odd(value):
        return Finding("Odd", "odd") if value % 2 else None

    assert first_finding((small, odd), 3) == Finding("Small", "small")
    assert first_finding((small, odd), 12) is None
    assert [found.reason for found in all_findings((small, odd), 3)] == ["Small", "Odd"]
    assert all_findings((small, odd), 12) == ()
