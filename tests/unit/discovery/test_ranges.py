"""What a task may scan, in which words it is refused, and what a scan covers."""

import contextlib
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.discovery.ranges import (
    AddressSpan,
    Coverage,
    HostName,
    InvalidTarget,
    check_ranges,
    from_document,
    parse_ports,
    parse_target,
    to_document,
)
from hub.fleet.commands import ScanRange


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("10.0.0.7", "10.0.0.7"),
        (" 10.0.0.0/24 ", "10.0.0.0/24"),
        ("10.0.0.7/24", "10.0.0.0/24"),
        ("10.11.6.9-10.11.12.13", "10.11.6.9-10.11.12.13"),
        ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8::/120", "2001:db8::/120"),
        ("Host1.Example.COM.", "host1.example.com"),
        ("a-b.example.com", "a-b.example.com"),
        ("localhost", "localhost"),
    ],
)
def test_targets_have_one_stored_form(text, stored):
    assert parse_target(text).text == stored


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "TargetMissing"),
        ("10.0.0.0/33", "CidrMalformed"),
        ("10.0.0", "AddressMalformed"),
        ("10.0.0.256", "AddressMalformed"),
        ("10.0.0.9-10.0.0.1", "RangeBackwards"),
        ("10.0.0.1-2001:db8::1", "RangeMixed"),
        ("10.0.0.1-x", "AddressMalformed"),
        ("*.example.com", "TargetMalformed"),
        ("web 1", "TargetMalformed"),
    ],
)
def test_targets_that_are_none_say_why(text, reason):
    with pytest.raises(InvalidTarget) as fault:
        parse_target(text)
    assert fault.value.reason == reason
    assert str(fault.value)


@pytest.mark.parametrize(
    ("text", "ports"), [("443", (443, 443)), ("8000-8010", (8000, 8010)), ("1-65535", (1, 65535))]
)
def test_ports(text, ports):
    assert parse_ports(text) == ports


@pytest.mark.parametrize("text", ["", "0", "65536", "10-9", "x", "1-", "-1", "1-2-3", "\N{SUPERSCRIPT TWO}"])
def test_ports_that_are_none(text):
    with pytest.raises(InvalidTarget):
        parse_ports(text)


@given(st.text(max_size=40))
def test_any_text_is_a_target_or_is_refused_by_name(text):
    with contextlib.suppress(InvalidTarget):
        target = parse_target(text)
        assert isinstance(target, AddressSpan | HostName)
        assert parse_target(target.text) == target


@given(st.ip_addresses(v=4), st.integers(0, 32), st.ip_addresses(v=4))
def test_coverage_agrees_with_the_network(base, prefix, address):
    network = ipaddress.ip_network(f"{base}/{prefix}", strict=False)
    coverage = Coverage((ScanRange(target=str(network), ports=("443",)),), ())
    assert coverage.covers(str(address), 443, "") is (address in network)


def test_coverage_minds_ports_names_and_exclusions():
    coverage = Coverage(
        (
            ScanRange(target="10.0.0.0/24", ports=("443", "8000-8010")),
            ScanRange(target="web.example.com", ports=("8443",)),
        ),
        ("10.0.0.7", "10.0.0.16/30"),
    )
    assert coverage.covers("10.0.0.1", 8005, "")
    assert not coverage.covers("10.0.0.1", 8011, "")
    assert not coverage.covers("10.0.0.7", 443, "")
    assert not coverage.covers("10.0.0.18", 443, "")
    assert not coverage.covers("10.0.1.1", 443, "")
    assert coverage.covers("192.0.2.1", 8443, "WEB.example.com")
    # The same address without a name was not asked at that port.
    assert not coverage.covers("192.0.2.1", 8443, "")
    assert not coverage.covers("nonsense", 443, "")


def test_ranges_are_stored_and_read_back():
    ranges = (ScanRange(target="10.0.0.0/24", ports=("443", "8000-8010")),)
    checked, exclusions, findings = check_ranges(ranges, ["10.0.0.7"])
    assert (checked, exclusions, findings) == (ranges, ("10.0.0.7",), ())
    assert from_document(to_document(checked)) == ranges


def test_no_ports_mean_443_and_no_ranges_are_refused():
    checked, _, _ = check_ranges((ScanRange(target="10.0.0.1", ports=()),), ())
    assert checked[0].ports == ("443",)
    _, _, findings = check_ranges((), ())
    assert [finding.reason for finding in findings] == ["RangesMissing"]
