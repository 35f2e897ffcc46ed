"""What people write as targets, and the plan made from it."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.network.scanner.addresses import AddressSet, Interval, address_number, merge, subtract
from agents.network.scanner.errors import BadCursor, BadPorts, BadTarget, TooManyTargets
from agents.network.scanner.order import SpreadOrder
from agents.network.scanner.ports import PortSet
from agents.network.scanner.targets import ScanRange, ScanSpec, Target, TargetPlan, outside

HTTPS = PortSet.parse("443")


def targets(spec: ScanSpec) -> list[Target]:
    return [target for _, target in TargetPlan(spec).walk()]


def addresses(text: str, **kwargs: object) -> set[str | None]:
    return {target.address for target in targets(ScanSpec.parse([text], "443", **kwargs))}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.7", {"10.0.0.7"}),
        ("10.0.0.0/30", {"10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3"}),
        ("10.0.0.9-11", {"10.0.0.9", "10.0.0.10", "10.0.0.11"}),
        ("10.0.0.254-10.0.1.1", {"10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1"}),
        (" 10.0.0.1 - 10.0.0.2 ", {"10.0.0.1", "10.0.0.2"}),
        ("2001:db8::1", {"2001:db8::1"}),
        ("[2001:db8::1]", {"2001:db8::1"}),
        (
            "2001:db8::fffe-2001:db8::1:1",
            {"2001:db8::fffe", "2001:db8::ffff", "2001:db8::1:0", "2001:db8::1:1"},
        ),
        ("2001:db8::/127", {"2001:db8::", "2001:db8::1"}),
    ],
)
def test_addresses_are_expanded(text: str, expected: set[str]) -> None:
    assert addresses(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("www.example.com", "www.example.com"),
        ("WWW.Example.com.", "www.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("web-1.example.com", "web-1.example.com"),
        ("localhost", "localhost"),
    ],
)
def test_host_names_are_kept_for_later(text: str, expected: str) -> None:
    assert targets(ScanSpec.parse([text], "443")) == [Target(None, 443, expected)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("10.0.0.5/24", "has host bits set; the network would be 10.0.0.0/24"),
        ("10.0.0.0/33", "does not appear to be"),
        ("10.0.0.300", "Octet 300"),
        ("10.0.0.9-10.0.0.1", "ends before it begins"),
        ("10.0.0.9-300", "300 is not an octet"),
        ("10.0.0.9-www", "'www' is not an address"),
        ("10.0.0.1-2001:db8::1", "begins in one address family and ends in the other"),
        ("fe80::1%eth0", "zone identifiers"),
        ("::ffff:10.0.0.1", "write it as IPv4"),
        ("::ffff:10.0.0.0/104", "write it as IPv4"),
        ("::1-2001:db8::1", "runs across the IPv4-mapped addresses"),
        ("2001:db8::1-9", "for IPv4 only"),
        ("*.example.com", "'*' is not a label"),
        ("http://example.com", "is a URL"),
        ("a" * 64 + ".example", "is not a label"),
        ("-a.example", "'-a' is not a label"),
        (".".join(["a" * 60] * 5), "1 to 253 characters"),
    ],
)
def test_bad_targets_say_what_and_why(text: str, why: str) -> None:
    with pytest.raises(BadTarget) as caught:
        ScanRange.parse(text, HTTPS)
    assert caught.value.text == text
    assert why in caught.value.reason


@given(st.text(max_size=40))
def test_any_text_is_understood_or_refused_by_type(text: str) -> None:
    # Anything but BadTarget would fail the test.
    with suppress(BadTarget):
        parsed = ScanRange.parse(text, HTTPS)
        assert bool(parsed.intervals) != bool(parsed.name)


@pytest.mark.parametrize(
    ("text", "ports"),
    [("443", [443]), ("443, 8443", [443, 8443]), ("9000-9002,443,9001", [443, 9000, 9001, 9002])],
)
def test_ports(text: str, ports: list[int]) -> None:
    parsed = PortSet.parse(text)
    assert [parsed.port(index) for index in range(parsed.size)] == ports
    assert all(port in parsed for port in ports)
    assert 1 not in parsed


@pytest.mark.parametrize("text", ["", "0", "65536", "443,", "a", "1-", "-1", "9-8", "4 3", "٤٤٣"])
def test_bad_ports(text: str) -> None:
    with pytest.raises(BadPorts) as caught:
        PortSet.parse(text)
    assert caught.value.text == text


def test_a_slash_8_with_20_ports_costs_no_memory() -> None:
    tracemalloc.start()
    try:
        plan = TargetPlan(ScanSpec.parse(["10.0.0.0/8"], "8000-8019"))
        first = list(islice(plan.walk(plan.total // 2), 1000))
        used = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert plan.total == 2**24 * 20
    assert len(first) == 1000
    assert used < 1_000_000


def test_more_targets_than_anybody_could_scan_are_refused() -> None:
    with pytest.raises(TooManyTargets):
        TargetPlan(ScanSpec.parse(["2001:db8::/64"], "443"))


def test_exclusions_are_cut_out_and_overlaps_joined() -> None:
    spec = ScanSpec.parse(
        ["10.0.0.0/29", "10.0.0.4-12", "10.0.0.5", "web.example", "web.example", "old.example"],
        "443,8443",
        exclude=["10.0.0.2/31", "10.0.0.12", "old.example"],
    )
    found = targets(spec)
    assert len(found) == len(set(found)) == TargetPlan(spec).total
    hosts = {f"10.0.0.{last}" for last in (0, 1, 4, 5, 6, 7, 8, 9, 10, 11)}
    assert {target.address for target in found} == hosts | {None}
    assert {target.name for target in found} == {None, "web.example"}


def test_each_range_has_its_own_ports() -> None:
    spec = ScanSpec(
        (
            ScanRange.parse("10.0.0.1-2", PortSet.parse("443,8000-8002")),
            ScanRange.parse("10.0.0.2-3", PortSet.parse("443,8001")),
        )
    )
    found = [(target.address, target.port) for target in targets(spec)]
    assert sorted(found) == [
        ("10.0.0.1", 443),
        ("10.0.0.1", 8000),
        ("10.0.0.1", 8001),
        ("10.0.0.1", 8002),
        ("10.0.0.2", 443),
        ("10.0.0.2", 8000),
        ("10.0.0.2", 8001),
        ("10.0.0.2", 8002),
        ("10.0.0.3", 443),
        ("10.0.0.3", 8001),
    ]


@given(size=st.integers(1, 3000), seed=st.integers(0, 2**64))
def test_the_order_has_each_index_exactly_once(size: int, seed: int) -> None:
    order = SpreadOrder(size, seed)
    assert sorted(order.index(position) for position in range(size)) == list(range(size))


@given(size=st.integers(1, 2**130), seed=st.integers(0, 2**64), position=st.integers(0, 2**130))
def test_the_order_stays_inside_at_any_size(size: int, seed: int, position: int) -> None:
    assert 0 <= SpreadOrder(size, seed).index(position % size) < size


def test_no_subnet_gets_more_than_its_share_at_any_time() -> None:
    plan = TargetPlan(ScanSpec.parse(["10.0.0.0/16"], "443,8443", seed=7))
    for start in (0, 999, plan.total // 3):
        window = [target for _, target in islice(plan.walk(start), 1024)]
        counts: dict[str, int] = {}
        for target in window:
            subnet = (target.address or "").rpartition(".")[0]
            counts[subnet] = counts.get(subnet, 0) + 1
        # 1024 targets over 256 subnets: four each, give or take what evenness allows.
        assert len(counts) == 256
        assert max(counts.values()) <= 6


@st.composite
def specs(draw: st.DrawFn) -> ScanSpec:
    texts = draw(
        st.lists(
            st.one_of(
                st.integers(0, 40).map(lambda last: f"10.0.0.{last}"),
                st.tuples(st.integers(0, 30), st.integers(0, 30)).map(
                    lambda pair: f"10.0.0.{min(pair)}-10.0.0.{max(pair)}"
                ),
                st.sampled_from(
                    ["10.0.0.0/28", "2001:db8::/124", "2001:db8::8-2001:db8::f", "a.test", "b.test"]
                ),
            ),
            max_size=4,
        )
    )
    ports = st.sampled_from(["443", "443,8443", "8000-8003,443", "8001-8010"]).map(PortSet.parse)
    ranges = tuple(ScanRange.parse(text, draw(ports)) for text in texts)
    excluded = draw(st.sampled_from([(), ("10.0.0.4/30",), ("10.0.0.0-20", "2001:db8::9")]))
    parsed = ScanSpec.of_entries([], exclude=excluded, seed=draw(st.integers(0, 2**32)))
    return ScanSpec(ranges, parsed.excluded, parsed.excluded_names, parsed.seed)


def expected_targets(spec: ScanSpec) -> set[Target]:
    wanted = set()
    for entry in spec.ranges:
        ports = [entry.ports.port(index) for index in range(entry.ports.size)]
        if entry.name:
            wanted |= {Target(None, port, entry.name) for port in ports}
        for interval in entry.intervals:
            for number in range(interval.first, interval.last + 1):
                if number not in spec.excluded:
                    text = Interval(number, number).text()
                    wanted |= {Target(text, port, None) for port in ports}
    return wanted


@given(spec=specs())
def test_a_plan_has_each_target_exactly_once(spec: ScanSpec) -> None:
    found = targets(spec)
    assert len(found) == TargetPlan(spec).total
    assert set(found) == expected_targets(spec)
    assert len(set(found)) == len(found)


@given(spec=specs(), data=st.data())
def test_a_plan_resumed_anywhere_loses_nothing(spec: ScanSpec, data: st.DataObject) -> None:
    plan = TargetPlan(spec)
    cursor = data.draw(st.integers(0, plan.total))
    before = [target for position, target in plan.walk() if position < cursor]
    # Another process, another plan: only the number was kept.
    after = [target for _, target in TargetPlan(spec).walk(cursor)]
    assert before + after == targets(spec)


@given(spec=specs(), workers=st.integers(1, 5), data=st.data())
def test_shares_of_several_workers_make_the_whole(spec: ScanSpec, workers: int, data: st.DataObject) -> None:
    plan = TargetPlan(spec)
    cursor = data.draw(st.integers(0, plan.total))
    shares = [list(plan.walk(cursor + worker, step=workers)) for worker in range(workers)]
    assert sorted(entry for share in shares for entry in share) == sorted(plan.walk(cursor))


def test_a_negative_cursor_is_refused() -> None:
    plan = TargetPlan(ScanSpec.parse(["10.0.0.1"], "443"))
    with pytest.raises(BadCursor):
        next(plan.walk(-1))


def test_what_lies_outside_the_allowed_networks() -> None:
    allowed = AddressSet.of_networks(["10.0.0.0/24", "2001:db8::/64"])
    spec = ScanSpec.parse(
        ["10.0.0.200-10.0.1.3", "2001:db8::5", "192.0.2.1", "web.example"], "443", exclude=["10.0.1.2"]
    )
    assert [part.text() for part in outside(allowed, spec)] == ["10.0.1.0-10.0.1.1", "10.0.1.3", "192.0.2.1"]
    inside = ScanSpec.parse(["10.0.0.0/25", "web.example"], "443")
    assert outside(allowed, inside) == ()


def test_an_ipv6_policy_does_not_open_ipv4() -> None:
    everything_v6 = AddressSet.of_networks(["::/0"])
    assert everything_v6("2001:db8::1")
    assert not everything_v6("10.0.0.1")
    assert not everything_v6("::ffff:10.0.0.1")


INTERVALS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: Interval(min(pair), max(pair))),
    max_size=6,
)


def members(intervals: tuple[Interval, ...] | list[Interval]) -> set[int]:
    return {number for interval in intervals for number in range(interval.first, interval.last + 1)}


@given(kept=INTERVALS, removed=INTERVALS)
def test_interval_arithmetic_is_set_arithmetic(kept: list[Interval], removed: list[Interval]) -> None:
    assert members(merge(kept)) == members(kept)
    left = subtract(kept, removed)
    assert members(left) == members(kept) - members(removed)
    assert sum(interval.size for interval in left) == len(members(left))
    assert {number for number in range(62) if number in AddressSet(tuple(kept))} == members(kept)


def test_an_address_that_is_none() -> None:
    for text in ("10.0.0", "1.2.3.4.5", "", "x"):
        with pytest.raises(ValueError):
            address_number(text)
