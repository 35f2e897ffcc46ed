"""Lists of published keys."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.errors import MalformedKeyList
from pki.weak_key_lists import (
    NO_KNOWN_KEYS,
    Blocklist,
    KnownInAny,
    merged,
    modulus_digest,
    read_weak_key_list,
)

moduli = st.integers(2**2047, 2**2048 - 1)


@given(known=st.sets(moduli, max_size=20), others=st.sets(moduli, max_size=20))
def test_a_list_knows_its_keys_and_no_others(known, others):
    keys = read_weak_key_list("\n".join(modulus_digest(modulus).hex() for modulus in known))
    assert len(keys) == len(known)
    assert all(modulus in keys for modulus in known)
    assert not any(modulus in keys for modulus in others - known)


def test_the_empty_list_knows_nothing():
    assert len(NO_KNOWN_KEYS) == 0
    assert 2**2047 + 1 not in NO_KNOWN_KEYS


def test_several_files_become_one_list():
    first, second = (read_weak_key_list(modulus_digest(n).hex().upper()) for n in (2**2047 + 1, 2**2047 + 3))
    both = merged([first, second, first])
    assert len(both) == 2
    assert 2**2047 + 3 in both


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# fine\nnonsense\n", "line 2"),
        ("00005890bc78bcbee3c\n", "line 1"),
        ("00005890bc78bcbee3ca00\n", "line 1"),
        ("a0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3\n", "20 hexadecimal"),
    ],
)
def test_a_line_that_is_no_digest_is_named(text, message):
    with pytest.raises(MalformedKeyList, match=message):
        read_weak_key_list(text)


def records(keys):
    digests = sorted(
        hashlib.sha256(key.to_bytes((key.bit_length() + 7) // 8, "big")).digest()[:15] for key in keys
    )
    return b"".join(digest + b"\x07" for digest in digests)


@given(known=st.sets(moduli, max_size=20), others=st.sets(moduli, max_size=20))
def test_a_block_list_knows_its_keys_and_no_others(known, others):
    keys = Blocklist(records(known))
    assert len(keys) == len(known)
    assert all(modulus in keys for modulus in known)
    assert not any(modulus in keys for modulus in others - known)


def test_a_key_is_known_when_any_list_knows_it():
    text = read_weak_key_list(modulus_digest(2**2047 + 1).hex())
    both = KnownInAny((text, Blocklist(records([2**2047 + 3]))))
    assert 2**2047 + 1 in both
    assert 2**2047 + 3 in both
    assert 2**2047 + 5 not in both
    assert 2**2047 + 1 not in KnownInAny(())


@pytest.mark.parametrize("content", [b"x" * 17, bytes(range(32, 0, -1))], ids=["cut off", "out of order"])
def test_a_file_that_is_no_block_list_is_refused(content):
    with pytest.raises(MalformedKeyList):
        Blocklist(content)
