"""Secrets at rest open only with the right key, for the right purpose, undamaged."""

import pytest

from pki.at_rest import KeyEncryptionKey, key_id_of, new_key, new_salt
from pki.errors import MalformedKey, UnwrapError, WrongEncryptionKey


@pytest.fixture(scope="module")
def key():
    return KeyEncryptionKey(new_key())


def test_round_trip(key):
    blob = key.wrap(b"secret", b"purpose")
    assert b"secret" not in blob
    assert key.unwrap(blob, b"purpose") == b"secret"
    assert key_id_of(blob) == key.key_id
    assert key.wrap(b"secret", b"purpose") != blob


def test_another_purpose_does_not_open_it(key):
    with pytest.raises(UnwrapError):
        key.unwrap(key.wrap(b"secret", b"one"), b"other")


def test_another_key_is_recognized_as_such(key):
    other = KeyEncryptionKey(new_key())
    with pytest.raises(WrongEncryptionKey):
        other.unwrap(key.wrap(b"secret", b"p"), b"p")


def test_every_damaged_byte_is_noticed(key):
    blob = key.wrap(b"secret", b"p")
    for position in range(len(blob)):
        damaged = bytearray(blob)
        damaged[position] ^= 1
        with pytest.raises((UnwrapError, WrongEncryptionKey)):
            key.unwrap(bytes(damaged), b"p")
    for length in range(len(blob)):
        with pytest.raises((UnwrapError, WrongEncryptionKey)):
            key.unwrap(blob[:length], b"p")


def test_a_passphrase_gives_the_same_key_for_the_same_salt():
    salt = new_salt()
    first = KeyEncryptionKey.from_passphrase(b"correct horse", salt=salt)
    again = KeyEncryptionKey.from_passphrase(b"correct horse", salt=salt)
    assert again.unwrap(first.wrap(b"s", b"p"), b"p") == b"s"
    assert KeyEncryptionKey.from_passphrase(b"battery staple", salt=salt).key_id != first.key_id


def test_weak_material_is_refused():
    with pytest.raises(MalformedKey):
        KeyEncryptionKey(b"short")
    with pytest.raises(MalformedKey):
        KeyEncryptionKey.from_passphrase(b"", salt=new_salt())
    with pytest.raises(MalformedKey):
        KeyEncryptionKey.from_passphrase(b"x", salt=b"1234")


def test_the_key_does_not_show(key):
    assert key.key.hex() not in repr(key)
    assert repr(key.key) not in repr(key)
