"""The hellos that are sent, read back by a small parser of their own and by OpenSSL's server side."""

from __future__ import annotations

import ssl

import pytest

from agents.network.scanner.client_hello import Authentication, tls12_client_hello, tls13_client_hello

RANDOM = bytes(range(32))


def parse(record: bytes) -> tuple[bytes, list[int], dict[int, bytes]]:
    """Random, suites and extensions of a ClientHello record whose lengths all fit."""
    assert record[:3] == b"\x16\x03\x01"
    assert int.from_bytes(record[3:5], "big") == len(record) - 5
    body = record[9:]
    assert record[5] == 1
    assert int.from_bytes(record[6:9], "big") == len(body)
    random, at = body[2:34], 35 + body[34]
    length = int.from_bytes(body[at : at + 2], "big")
    suites = [int.from_bytes(body[i : i + 2], "big") for i in range(at + 2, at + 2 + length, 2)]
    at += 2 + length
    assert body[at : at + 2] == b"\x01\x00"
    extensions, at = {}, at + 4
    while at < len(body):
        kind, size = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
        assert kind not in extensions
        extensions[kind] = body[at + 4 : at + 4 + size]
        at += 4 + size
    assert at == len(body)
    return random, suites, extensions


def test_names_are_sent_as_sni_and_addresses_are_not() -> None:
    _, _, named = parse(tls12_client_hello(name="www.example.com", random=RANDOM))
    assert named[0] == b"\x00\x12\x00\x00\x0fwww.example.com"
    random, _, bare = parse(tls12_client_hello(name=None, random=RANDOM))
    assert 0 not in bare
    assert random == RANDOM


def test_static_rsa_is_offered_last() -> None:
    _, suites, _ = parse(tls12_client_hello(name=None, random=RANDOM))
    static = {0x009C, 0x009D, 0x003C, 0x003D, 0x002F, 0x0035, 0x000A, 0x0005}
    signed = [index for index, suite in enumerate(suites) if suite not in static]
    assert max(signed) < min(suites.index(suite) for suite in static)
    assert len(set(suites)) == len(suites)


@pytest.mark.parametrize("length", range(1, 250, 7))
def test_no_hello_has_a_length_that_old_load_balancers_choke_on(length: int) -> None:
    name = ".".join(["a" * 60] * 4)[:length].rstrip(".")
    record = tls12_client_hello(name=name, random=RANDOM)
    parse(record)
    assert not 256 <= len(record) - 5 < 512


def test_one_kind_of_certificate_can_be_asked_for() -> None:
    for authentication, foreign in ((Authentication.RSA, 0xC02B), (Authentication.ECDSA, 0xC02F)):
        _, suites, _ = parse(tls12_client_hello(name=None, random=RANDOM, authentication=authentication))
        assert foreign not in suites


def test_the_tls13_hello_offers_nothing_older() -> None:
    message = tls13_client_hello(
        name="www.example.com",
        random=RANDOM,
        session_id=bytes(32),
        share=(0x1D, bytes(32)),
        groups=(0x1D, 0x17),
        cookie=b"crumbs",
    )
    record = b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message
    _, suites, extensions = parse(record)
    assert suites == [0x1301, 0x1302, 0x1303]
    assert extensions[43] == b"\x02\x03\x04"
    assert extensions[44] == b"\x00\x06crumbs"
    assert extensions[51] == b"\x00\x24\x00\x1d\x00\x20" + bytes(32)


def test_openssl_reads_the_name() -> None:
    seen: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_servername_callback(lambda _socket, name, _context: seen.append(name))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(tls12_client_hello(name="www.example.com", random=RANDOM))
    with pytest.raises(ssl.SSLError):  # it has no certificate to go on with
        server.do_handshake()
    assert seen == ["www.example.com"]
