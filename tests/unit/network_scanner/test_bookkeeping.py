"""Rate, places a host, watermark, and the joining of workers' reports."""

from __future__ import annotations

import hashlib
import resource

from hypothesis import given
from hypothesis import strategies as st

from agents.network.scanner.batch import Collector, Merger, Report
from agents.network.scanner.observation import Observation, Status, verdict_of_errno
from agents.network.scanner.options import ScanOptions
from agents.network.scanner.pacing import HostSlots, RandomPool, RateLimit, Watermark
from agents.network.scanner.worker import share_of, socket_limit


@given(count=st.integers(1, 60), data=st.data())
def test_everything_below_the_watermark_is_finished_in_any_order(count: int, data: st.DataObject) -> None:
    watermark = Watermark()
    order = data.draw(st.permutations(range(count)))
    for position in range(count):
        watermark.start(position)
    finished: set[int] = set()
    for position in order:
        watermark.finish(position)
        finished.add(position)
        lowest = watermark.lowest
        assert lowest == min(set(range(count)) - finished, default=None)
    assert watermark.finished_count == count
    assert watermark.spread == 0


@given(rate=st.floats(1, 1e5), steps=st.lists(st.floats(0, 0.5), min_size=1, max_size=50))
def test_no_more_begin_than_the_rate_allows(rate: float, steps: list[float]) -> None:
    now = begun = 0.0
    limit = RateLimit(rate, now)
    for step in steps:
        now += step
        for _ in range(limit.allowance(now)):
            limit.take()
            begun += 1
    assert begun <= rate * now + max(rate / 10, 1) + 1e-6


def test_the_wait_for_the_next_connect_is_known() -> None:
    limit = RateLimit(10, 0.0)
    assert limit.allowance(0.0) == 1
    limit.take()
    assert not limit.ready
    assert limit.allowance(0.05) == 0
    assert 0.04 < limit.wait_s() < 0.06
    assert limit.allowance(0.101) == 1


def test_places_are_limited_a_host_and_come_back() -> None:
    slots = HostSlots(2)
    assert [slots.take("a"), slots.take("a"), slots.take("a"), slots.take("b")] == [True, True, False, True]
    slots.give_back("a")
    assert slots.take("a")


def seen(address: str, *chain: bytes, status: Status = Status.OK, reason: str = "") -> Observation:
    return Observation(address, 443, None, status, chain, "TLSv1.2", reason)


def digest(der: bytes) -> bytes:
    return hashlib.sha256(der).digest()


def test_silent_and_closed_ports_are_counted_and_not_listed() -> None:
    collector = Collector(0)
    collector.add(
        [
            seen("10.0.0.1", b"leaf"),
            seen("10.0.0.2", status=Status.CLOSED),
            seen("10.0.0.3", status=Status.TIMEOUT, reason="ConnectTimedOut"),
            seen("10.0.0.4", status=Status.TIMEOUT, reason="HelloTimedOut"),
            seen("10.0.0.5", status=Status.UNREACHABLE, reason="EHOSTUNREACH"),
        ]
    )
    report = collector.report(cursor=5, finished=5, done=False)
    assert [entry.address for entry in report.endpoints] == ["10.0.0.1", "10.0.0.4"]
    assert report.counts == {Status.OK: 1, Status.CLOSED: 1, Status.TIMEOUT: 2, Status.UNREACHABLE: 1}


def test_a_report_that_was_not_taken_is_repeated_with_what_came_since() -> None:
    collector = Collector(0)
    collector.add([seen("10.0.0.1", b"leaf", b"root")])
    collector.report(cursor=1, finished=1, done=False)
    collector.add([seen("10.0.0.2", b"other", b"root")])
    report = collector.report(cursor=2, finished=2, done=False)
    assert [entry.der for entry in report.certificates] == [b"leaf", b"root", b"other"]
    collector.clear()
    collector.add([seen("10.0.0.3", b"leaf")])
    report = collector.report(cursor=3, finished=3, done=True)
    assert report.certificates == ()
    assert report.endpoints[0].fingerprints == (digest(b"leaf"),)
    assert report.counts == {Status.OK: 1}


def report_of(worker: int, cursor: int, *chain: bytes, finished: int = 1, done: bool = False) -> Report:
    collector = Collector(worker)
    collector.add([seen("10.0.0.1", *chain)])
    return collector.report(cursor=cursor, finished=finished, done=done)


def test_the_joint_cursor_is_that_of_the_slowest_worker() -> None:
    merger = Merger(workers=2, start=10, total=100)
    first = merger.merge([report_of(0, 40, b"a", finished=15)])
    assert (first.cursor, first.finished, first.done) == (10, 25, False)
    second = merger.merge([report_of(1, 31, b"a", b"b", finished=11)])
    assert (second.cursor, second.finished) == (31, 36)
    assert [entry.der for entry in second.certificates] == [b"b"]
    third = merger.merge([report_of(0, 100, done=True), report_of(1, 100, done=True)])
    assert (third.cursor, third.done, third.counts) == (100, True, {Status.OK: 4})


def test_errors_of_the_network_are_told_apart() -> None:
    import errno

    assert verdict_of_errno(errno.ECONNREFUSED).status is Status.CLOSED
    assert verdict_of_errno(errno.ETIMEDOUT).reason == "ConnectTimedOut"
    assert verdict_of_errno(errno.EHOSTUNREACH) == (Status.UNREACHABLE, "EHOSTUNREACH", "")


def test_limits_are_shared_among_workers_and_kept_below_what_the_process_may_open() -> None:
    share = share_of(ScanOptions(rate=1000, concurrency=10**9), 4)
    assert share.rate == 250
    assert share.concurrency == socket_limit() < resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert share_of(ScanOptions(concurrency=2), 4).concurrency == 1


def test_random_bytes_are_given_out_once() -> None:
    pool = RandomPool()
    taken = [pool.take(32) for _ in range(2000)]
    assert len(set(taken)) == 2000
    assert {len(random) for random in taken} == {32}
