"""The hello parsers against recorded flights: whole, cut anywhere, and broken at random."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.network.scanner.hello import PartialHello, ServerFlight
from agents.network.scanner.hello13 import SUITES, KeyShares, Tls13Hello, server_handshake_key
from agents.network.scanner.outcomes import (
    AlertSeen,
    ChainSeen,
    ClosedEarly,
    Malformed,
    NeedsTls13,
    NotTls,
    Outcome,
    TooLarge,
)

if TYPE_CHECKING:
    from tests.protocol.scanner.recorded import Flight

OUTCOMES = get_args(Outcome)
RANDOM = bytes(range(64))


def record(kind: int, body: bytes) -> bytes:
    return bytes((kind, 3, 3)) + len(body).to_bytes(2, "big") + body


def message(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def server_hello(version: bytes = b"\x03\x03", random: bytes = bytes(32), rest: bytes = b"") -> bytes:
    return message(2, version + random + b"\x00" + b"\xc0\x2b\x00" + rest)


def after_hello(body: bytes, *, version: bytes = b"\x03\x03", rest: bytes = b"") -> bytes:
    return record(22, server_hello(version, rest=rest) + body)


def vector(*entries: bytes) -> bytes:
    body = b"".join(len(entry).to_bytes(3, "big") + entry for entry in entries)
    return len(body).to_bytes(3, "big") + body


def tls13_talk() -> Tls13Hello:
    talk = Tls13Hello(name=None, random=RANDOM, shares=SHARES)
    talk.start()
    return talk


SHARES = KeyShares()


@pytest.mark.parametrize("piece", [1, 7, 100, 1 << 16])
def test_a_recorded_flight_shows_its_chain_however_it_is_cut(flight: Flight, piece: int) -> None:
    talk = flight.conversation()
    outcome: Outcome | None = None
    for received in flight.received:
        for at in range(0, len(received), piece):
            outcome = talk.receive(received[at : at + piece])
            talk.data_to_send()
            if outcome is not None:
                break
    assert isinstance(outcome, ChainSeen)
    assert tuple(hashlib.sha256(der).hexdigest() for der in outcome.chain) == flight.chain_sha256
    assert outcome.version == ("TLSv1.3" if flight.name.startswith("tls13") else "TLSv1.2")


def test_the_outcome_stays_whatever_comes_after(flight: Flight) -> None:
    talk = flight.conversation()
    outcomes = []
    for received in flight.received:
        outcomes.append(talk.receive(received))
        talk.data_to_send()
    assert talk.receive(b"garbage") is outcomes[-1]
    assert talk.closed() is outcomes[-1]


def test_a_server_for_tls13_only_turns_the_old_hello_down(flights: dict[str, Flight]) -> None:
    refused = flights["tls12_refused"]
    outcome = refused.conversation().receive(refused.received[0])
    assert outcome == AlertSeen(70)
    assert outcome.name == "protocol_version"


def test_a_flight_that_ends_anywhere_before_the_chain_is_closed_early(flight: Flight) -> None:
    data = flight.received[0]
    for end in range(0, min(len(data), 400), 13):
        talk = flight.conversation()
        if talk.receive(data[:end]) is None:
            assert isinstance(talk.closed(), ClosedEarly | NotTls)


@given(data=st.data())
def test_mutated_flights_end_in_a_typed_outcome(flight: Flight, data: st.DataObject) -> None:
    talk = flight.conversation()
    for received in flight.received:
        damaged = bytearray(received)
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(damaged) - 1))
            damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
            if not damaged:
                break
        outcome = talk.receive(bytes(damaged))
        assert outcome is None or isinstance(outcome, OUTCOMES)
        assert isinstance(talk.data_to_send(), bytes)
    assert isinstance(talk.closed(), OUTCOMES)


HANDSHAKE_LIKE = st.one_of(
    st.binary(max_size=300),
    st.builds(record, st.integers(18, 25), st.binary(max_size=200)),
    st.builds(
        lambda kind, body: record(22, message(kind, body)),
        st.sampled_from([0, 2, 8, 11, 12, 13, 14, 15, 20]),
        st.binary(max_size=200),
    ),
    st.just(record(22, server_hello())),
    st.just(record(21, b"\x01\x70")),
)


@given(pieces=st.lists(HANDSHAKE_LIKE, max_size=8))
def test_any_bytes_end_in_a_typed_outcome(pieces: list[bytes]) -> None:
    for talk in (PartialHello(b""), tls13_talk()):
        for piece in pieces:
            outcome = talk.receive(piece)
            assert outcome is None or isinstance(outcome, OUTCOMES)
            talk.data_to_send()
        assert isinstance(talk.closed(), OUTCOMES)


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", NotTls("SSH-2.0-OpenSSH_9.2\\r\\n")),
        (b"HTTP/1.1 400 Bad Request\r\n", NotTls("HTTP/1.1 400 Bad Request\\r\\n")),
        (b"\xff\x00\x1b[31m0", NotTls("\\xff\\x00\\x1b[31m0")),
        (record(21, b"\x02\x28"), AlertSeen(40)),
        (record(21, b"\x01\x00"), AlertSeen(0)),
        (after_hello(b"", version=b"\x03\x03", rest=b"\x00\x06\x00\x2b\x00\x02\x03\x04"), NeedsTls13()),
        (after_hello(b"\x0b\xff\xff\xff"), TooLarge(0xFFFFFF)),
    ],
)
def test_what_tls12_flights_can_come_to(data: bytes, outcome: Outcome) -> None:
    assert PartialHello(b"").receive(data) == outcome


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (record(21, b"\x02"), "BadAlert"),
        (record(23, b"x"), "UnexpectedRecord"),
        (after_hello(b"") + b"\r\nHTTP", "BadRecord"),
        (record(22, message(14, b"")), "NoServerHello"),
        (record(22, message(2, b"\x03\x03")), "BadServerHello"),
        (after_hello(message(14, b"")), "NoCertificate"),
        (after_hello(b"", version=b"\x02\x00"), "UnknownVersion"),
        (after_hello(message(11, vector())), "EmptyCertificateList"),
        (after_hello(message(11, b"\x00\x00\x04\x00\x00\x05x")), "BadCertificateList"),
        (after_hello(message(11, vector(b""))), "BadCertificateList"),
        (after_hello(message(11, b"\x00")), "BadCertificateList"),
    ],
)
def test_what_is_wrong_with_a_flight_is_named(data: bytes, reason: str) -> None:
    outcome = PartialHello(b"").receive(data)
    assert isinstance(outcome, Malformed)
    assert outcome.reason == reason


@pytest.mark.parametrize(
    ("number", "version"), [(0x0300, "SSLv3"), (0x0301, "TLSv1"), (0x0302, "TLSv1.1"), (0x0303, "TLSv1.2")]
)
def test_old_versions_are_named(number: int, version: str) -> None:
    hello = server_hello(number.to_bytes(2, "big"))
    seen = PartialHello(b"").receive(record(22, hello + message(11, vector(b"leaf", b"issuer"))))
    assert seen == ChainSeen((b"leaf", b"issuer"), version)


def test_certificates_that_no_parser_likes_are_kept_as_they_are() -> None:
    data = record(22, server_hello() + message(11, vector(b"\x00not DER\xff")))
    assert PartialHello(b"").receive(data) == ChainSeen((b"\x00not DER\xff",), "TLSv1.2")


def test_a_warning_does_not_end_the_flight() -> None:
    flight = PartialHello(b"")
    assert flight.receive(record(21, b"\x01\x70")) is None
    assert flight.receive(record(22, server_hello() + message(11, vector(b"leaf")))) == ChainSeen(
        (b"leaf",), "TLSv1.2"
    )


def test_an_endless_certificate_is_cut_off_at_the_limit() -> None:
    flight = ServerFlight(limit=64 * 1024)
    assert flight.receive(record(22, server_hello() + b"\x0b\x00\xff\x00")) is None
    sent = 0
    outcome = None
    while outcome is None:
        chunk = record(22, bytes(200))
        sent += len(chunk)
        outcome = flight.receive(chunk)
        assert sent < 80 * 1024
    assert isinstance(outcome, TooLarge | Malformed)


def test_endless_warnings_are_cut_off_at_the_limit() -> None:
    for talk in (ServerFlight(limit=10_000), tls13_talk()):
        outcome = None
        for _ in range(60_000):
            outcome = talk.receive(record(21, b"\x01\x5a"))
            if outcome is not None:
                break
        assert isinstance(outcome, TooLarge)


def test_a_tls13_server_that_sends_a_bad_share_or_suite() -> None:
    def hello(suite: bytes, extensions: bytes) -> bytes:
        body = (
            b"\x03\x03"
            + bytes(32)
            + b"\x00"
            + suite
            + b"\x00"
            + len(extensions).to_bytes(2, "big")
            + extensions
        )
        return record(22, message(2, body))

    versions = b"\x00\x2b\x00\x02\x03\x04"
    zero_point = b"\x00\x33\x00\x24\x00\x1d\x00\x20" + bytes(32)
    other_group = b"\x00\x33\x00\x05\x00\x17\x00\x01x"
    for data, reason in (
        (hello(b"\x13\x01", versions + zero_point), "BadKeyShare"),
        (hello(b"\x13\x01", versions + other_group), "BadKeyShare"),
        (hello(b"\x13\x01", versions), "BadKeyShare"),
        (hello(b"\x13\x04", versions + zero_point), "UnknownSuite"),
        (hello(b"\x13\x01", zero_point), "NotTls13"),
        (hello(b"\x13\x01", versions + b"\x00\x33\x00\xff"), "BadServerHello"),
    ):
        outcome = tls13_talk().receive(data)
        assert isinstance(outcome, Malformed)
        assert outcome.reason == reason


def test_a_second_retry_is_refused(flights: dict[str, Flight]) -> None:
    flight = flights["tls13_retry_p256"]
    talk = flight.conversation()
    assert talk.receive(flight.received[0]) is None
    assert talk.data_to_send()
    assert talk.data_to_send() == b""
    outcome = talk.receive(flight.received[0])
    assert isinstance(outcome, Malformed)
    assert outcome.reason == "SecondRetry"


def test_a_record_for_other_keys_is_not_opened(flights: dict[str, Flight]) -> None:
    flight = flights["tls13_ec"]
    talk = Tls13Hello(name="other.example", random=RANDOM, shares=SHARES)
    talk.start()
    outcome = talk.receive(flight.received[0])
    assert isinstance(outcome, Malformed)
    assert outcome.reason == "BadRecordMac"


def test_the_key_schedule_agrees_with_rfc_8448() -> None:
    """Section 3, simple 1-RTT handshake: server handshake traffic keys."""
    key, iv = server_handshake_key(
        SUITES[0x1301],
        bytes.fromhex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d"),
        bytes.fromhex("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8"),
    )
    assert key == bytes.fromhex("3fce516009c21727d0f2e4e86ee403bc")
    assert iv == bytes.fromhex("5d313eb2671276ee13000b30")
