"""Envelopes open only for their receiver and their purpose."""

import pytest

from pki.errors import MalformedKey, SealError
from pki.sealing import (
    MAX_PLAINTEXT_BYTES,
    ReceiverKey,
    generate_receiver_key,
    open_sealed,
    receiver_fingerprint,
    seal,
    seal_info,
)

INFO = seal_info(purpose="export", command_id="c-1", spki_sha256="ab" * 32)


@pytest.fixture(scope="module")
def receiver():
    return generate_receiver_key()


def test_round_trip(receiver):
    envelope = seal(receiver.public, b"private key", info=INFO, aad=b"a")
    assert envelope[0] == 1
    assert b"private key" not in envelope
    assert open_sealed(receiver, envelope, info=INFO, aad=b"a") == b"private key"


@pytest.mark.parametrize(
    "other",
    [
        seal_info(purpose="install", command_id="c-1", spki_sha256="ab" * 32),
        seal_info(purpose="export", command_id="c-2", spki_sha256="ab" * 32),
        seal_info(purpose="export", command_id="c-1", spki_sha256="cd" * 32),
        seal_info(purpose="exportc-1", command_id="", spki_sha256="ab" * 32),
        b"",
    ],
)
def test_an_envelope_can_not_be_replayed_for_something_else(receiver, other):
    envelope = seal(receiver.public, b"private key", info=INFO)
    with pytest.raises(SealError):
        open_sealed(receiver, envelope, info=other)


def test_info_and_aad_are_not_interchangeable(receiver):
    with pytest.raises(SealError):
        open_sealed(receiver, seal(receiver.public, b"s", info=b"ab", aad=b"c"), info=b"a", aad=b"bc")


def test_another_receiver_can_not_open_it(receiver):
    with pytest.raises(SealError):
        open_sealed(generate_receiver_key(), seal(receiver.public, b"s", info=INFO), info=INFO)


def test_every_damaged_byte_is_noticed(receiver):
    envelope = seal(receiver.public, b"secret", info=INFO)
    for position in range(len(envelope)):
        damaged = bytearray(envelope)
        damaged[position] ^= 1
        with pytest.raises(SealError):
            open_sealed(receiver, bytes(damaged), info=INFO)
    for length in range(len(envelope)):
        with pytest.raises(SealError):
            open_sealed(receiver, envelope[:length], info=INFO)


def test_sizes_are_limited(receiver):
    with pytest.raises(SealError):
        seal(receiver.public, bytes(MAX_PLAINTEXT_BYTES + 1), info=INFO)
    largest = seal(receiver.public, bytes(MAX_PLAINTEXT_BYTES), info=INFO)
    assert len(open_sealed(receiver, largest, info=INFO)) == MAX_PLAINTEXT_BYTES
    with pytest.raises(SealError):
        open_sealed(receiver, largest + b"\x00", info=INFO)


def test_keys_that_are_none_are_refused():
    for public in (b"", bytes(31), bytes(32), (1).to_bytes(32, "little")):  # the last two have small order
        with pytest.raises(SealError):
            seal(public, b"s", info=INFO)
    with pytest.raises(MalformedKey):
        ReceiverKey.from_private_bytes(b"short")
    with pytest.raises(MalformedKey):
        receiver_fingerprint(b"short")


def test_a_stored_key_is_the_same_key(receiver):
    again = ReceiverKey.from_private_bytes(receiver.private_bytes())
    assert again.public == receiver.public
    assert again.fingerprint == receiver_fingerprint(receiver.public)
    assert again.fingerprint.startswith("sha256:")
    assert receiver.private_bytes().hex() not in repr(receiver)
