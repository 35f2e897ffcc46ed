"""Lists of published keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.errors import MalformedKeyList
from pki.weak_key_lists import NO_KNOWN_KEYS, merged, modulus_digest, read_weak_key_list

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
