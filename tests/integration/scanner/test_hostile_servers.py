"""Servers that mean no good: each ends with a status, in bounded time, and holds up nobody else."""

from __future__ import annotations

import errno
import itertools
import socket
import struct
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agents.network.scanner.engine import Engine
from agents.network.scanner.lookups import Lookups
from agents.network.scanner.observation import Status
from agents.network.scanner.poller import EpollPoller, Poller, SelectorPoller
from agents.network.scanner.resolver import Resolution, ThreadResolver, look_up
from agents.network.scanner.targets import ScanSpec, TargetPlan
from tests.integration.scanner.farm import (
    FAST,
    free_port,
    hostile_server,
    openssl_server,
    scan_all,
    scan_one,
    sha256,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.scanner.farm import Chain

POLLERS = pytest.mark.parametrize("poller", [EpollPoller, SelectorPoller])


def garbage(sock: socket.socket) -> None:
    sock.sendall(b"\x00\x01\x02 this is not TLS \xff" * 10)
    sock.recv(4096)


def banner(sock: socket.socket) -> None:
    sock.sendall(b"220 mail.example ESMTP\r\n")
    sock.recv(4096)


def closes_at_once(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_RDWR)


def resets(sock: socket.socket) -> None:
    sock.recv(1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def never_answers(sock: socket.socket) -> None:
    while sock.recv(4096):
        pass


def slow_bytes(sock: socket.socket) -> None:
    stop = threading.Event()
    for byte in itertools.chain(b"\x16\x03\x03\x40\x00", itertools.repeat(0)):
        sock.send(bytes((byte,)))
        stop.wait(0.05)


def huge_certificate(sock: socket.socket) -> None:
    hello = b"\x02\x00\x00\x26\x03\x03" + bytes(32) + b"\x00\xc0\x2b\x00"
    sock.sendall(b"\x16\x03\x03" + struct.pack(">H", len(hello) + 4) + hello + b"\x0b\xff\xff\xff")
    while True:
        sock.sendall(b"\x16\x03\x03\x40\x00" + bytes(16384))


def endless_warnings(sock: socket.socket) -> None:
    while True:
        sock.sendall(b"\x15\x03\x03\x00\x02\x01\x5a" * 1000)


def half_a_record(sock: socket.socket) -> None:
    sock.sendall(b"\x16\x03\x03\x02\x00\x02\x00")
    sock.shutdown(socket.SHUT_WR)
    sock.recv(65536)


HOSTILE: list[tuple[Callable[[socket.socket], None], Status, str]] = [
    (garbage, Status.NOT_TLS, "NotTls"),
    (banner, Status.NOT_TLS, "NotTls"),
    (closes_at_once, Status.TLS_FAILED, "ClosedEarly"),
    (resets, Status.TLS_FAILED, "ClosedEarly"),
    (never_answers, Status.TIMEOUT, "HelloTimedOut"),
    (slow_bytes, Status.TIMEOUT, "HelloTimedOut"),
    (huge_certificate, Status.TLS_FAILED, "AnswerTooLarge"),
    (endless_warnings, Status.TLS_FAILED, "AnswerTooLarge"),
    (half_a_record, Status.TLS_FAILED, "ClosedEarly"),
]


@POLLERS
@pytest.mark.parametrize(
    ("behave", "status", "reason"), HOSTILE, ids=lambda value: getattr(value, "__name__", "")
)
def test_each_ends_with_its_status(
    behave: Callable[[socket.socket], None], status: Status, reason: str, poller: Callable[[], Poller]
) -> None:
    with hostile_server(behave) as port:
        started = time.monotonic()
        seen = scan_one("127.0.0.1", port, poller=poller())
        took = time.monotonic() - started
    assert (seen.status, seen.reason) == (status, reason)
    assert took < FAST.connect_timeout_s + FAST.hello_timeout_s + 1.0


def test_the_banner_is_kept() -> None:
    with hostile_server(banner) as port:
        assert scan_one("127.0.0.1", port).detail == "220 mail.example ESMTP\\r\\n"


def test_a_good_server_among_hostile_ones_is_seen(chains: dict[str, Chain]) -> None:
    with ExitStack() as stack:
        ports = [stack.enter_context(hostile_server(behave)) for behave, _, _ in HOSTILE]
        good = stack.enter_context(openssl_server(chains["ec"], "-tls1_3"))
        seen = scan_all(["127.0.0.1"], ",".join(map(str, [*ports, good])))
    by_port = {entry.port: entry for entry in seen}
    assert sha256(by_port[good]) == chains["ec"].sha256
    assert {port: by_port[port].reason for port in ports} == {
        port: reason for port, (_, _, reason) in zip(ports, HOSTILE, strict=True)
    }


@contextmanager
def full_backlog() -> Iterator[int]:
    """A port whose connects are never answered: its queue of connections is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = int(listener.getsockname()[1])
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        yield port


def test_a_connect_that_is_never_answered_times_out() -> None:
    with full_backlog() as port:
        seen = scan_one("127.0.0.1", port)
    assert (seen.status, seen.reason) == (Status.TIMEOUT, "ConnectTimedOut")


@POLLERS
def test_closed_ports_are_closed(poller: Callable[[], Poller]) -> None:
    seen = scan_all(["127.0.0.1-127.0.0.20"], str(free_port()), poller=poller())
    assert [entry.status for entry in seen] == [Status.CLOSED] * 20


def test_an_address_outside_the_policy_is_never_connected_to() -> None:
    connected = threading.Event()
    with hostile_server(lambda _sock: connected.set()) as port:
        seen = scan_one("127.0.0.1", port, allowed=lambda _address: False)
    assert (seen.status, seen.reason) == (Status.NOT_ALLOWED, "AddressOutsidePolicy")
    assert not connected.is_set()


def test_a_name_that_resolves_to_an_excluded_address_is_left_alone() -> None:
    connected = threading.Event()
    with hostile_server(lambda _sock: connected.set()) as port:
        spec = ScanSpec.parse(["localhost"], str(port), exclude=["127.0.0.0/8", "::1"])
        seen = list(Engine(TargetPlan(spec), FAST).run())
    assert {entry.reason for entry in seen} == {"AddressExcluded"}
    assert not connected.is_set()


class SilentResolver(ThreadResolver):
    """A resolver that never finds anything."""

    def submit(self, name: str) -> None:
        pass

    def results(self) -> list[Resolution]:
        return []


def test_a_lookup_that_never_ends_times_out() -> None:
    seen = scan_all(["slow.test"], "443,8443", lookups=Lookups(0.2, SilentResolver))
    assert [(entry.status, entry.reason) for entry in seen] == [(Status.UNRESOLVED, "LookupTimedOut")] * 2


def test_a_name_without_addresses_is_told() -> None:
    # RFC 6761: names under .invalid never exist. No resolver has to be reachable for that.
    seen = scan_one("nowhere.invalid", 443, replace(FAST, lookup_timeout_s=10.0))
    assert seen.status is Status.UNRESOLVED
    assert seen.address == ""
    assert look_up("localhost").addresses


def test_no_more_connections_to_a_host_than_allowed() -> None:
    lock = threading.Lock()
    now, most = 0, 0

    def count(sock: socket.socket) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        while sock.recv(4096):
            pass
        with lock:
            now -= 1

    with ExitStack() as stack:
        ports = [stack.enter_context(hostile_server(count)) for _ in range(9)]
        options = replace(FAST, per_host=3, hello_timeout_s=0.2)
        seen = scan_all(["127.0.0.1"], ",".join(map(str, ports)), options)
    assert [entry.reason for entry in seen] == ["HelloTimedOut"] * 9
    # A connection may still be counted while the server reads the end of one that is over.
    assert 3 <= most <= 6


def test_the_rate_is_kept() -> None:
    started = time.monotonic()
    seen = scan_all(["127.0.0.1-127.0.0.60"], str(free_port()), replace(FAST, rate=100))
    took = time.monotonic() - started
    assert len(seen) == 60
    # 10 at once, the other 50 at 100 a second.
    assert took >= 0.49


def test_a_shortage_of_sockets_delays_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = TargetPlan(ScanSpec.parse(["127.0.0.1-127.0.0.40"], str(free_port())))
    engine = Engine(plan, FAST)
    made = itertools.count()
    real = socket.SocketType

    def scarce(*args: int) -> socket.SocketType:
        if next(made) % 10 == 9:
            raise OSError(errno.EMFILE, "Too many open files")
        return real(*args)

    monkeypatch.setattr("agents.network.scanner.engine.SocketType", scarce)
    seen = list(engine.run())
    assert len({entry.address for entry in seen}) == 40
    assert {entry.status for entry in seen} == {Status.CLOSED}
    assert engine.cursor == plan.total


def test_cancel_ends_a_scan_that_waits_on_silent_servers() -> None:
    cancelled = threading.Event()
    with hostile_server(never_answers) as port:
        plan = TargetPlan(ScanSpec.parse(["127.0.0.1"], str(port)))
        engine = Engine(plan, replace(FAST, hello_timeout_s=30.0))
        threading.Timer(0.2, cancelled.set).start()
        started = time.monotonic()
        assert list(engine.run(cancelled.is_set)) == []
        assert time.monotonic() - started < 1.0
    assert engine.cursor == 0
    assert not engine.done


def test_the_cursor_waits_for_the_slowest_and_everything_below_it_is_finished(
    chains: dict[str, Chain],
) -> None:
    with ExitStack() as stack:
        good = stack.enter_context(openssl_server(chains["ec"], "-tls1_2"))
        silent = stack.enter_context(hostile_server(never_answers))
        plan = TargetPlan(ScanSpec.parse(["127.0.0.1"], f"{good},{silent},{free_port()}", seed=3))
        finished: set[int] = set()
        engine = Engine(plan, FAST)
        position_of = {plan.target(position).port: position for position in range(plan.total)}
        while not engine.done:
            for seen in engine.step():
                finished.add(position_of[seen.port])
            assert finished >= set(range(engine.cursor))
        engine.close()
    assert engine.cursor == plan.total == engine.finished
