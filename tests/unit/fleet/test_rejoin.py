from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from hub.fleet.errors import ChallengeExpired
from hub.fleet.rejoin import answered_by, check_challenge, make_challenge, to_be_signed
from pki.keys import spki_der

KEY = b"k" * 32
NOW = datetime(2026, 3, 1, 12, 0, 0, 500, tzinfo=UTC)


def test_a_challenge_has_32_bytes_and_ends_in_two_minutes():
    challenge, expires_at = make_challenge(KEY, "a", now=NOW)
    assert len(challenge) == 32
    assert check_challenge(KEY, "a", challenge, now=NOW) == expires_at
    assert expires_at - NOW <= timedelta(minutes=2)
    with pytest.raises(ChallengeExpired):
        check_challenge(KEY, "a", challenge, now=expires_at)


def test_no_two_challenges_are_alike():
    assert len({make_challenge(KEY, "a", now=NOW)[0] for _ in range(100)}) == 100


@given(st.integers(0, 31), st.integers(1, 255))
def test_no_byte_of_it_can_be_changed(place, flip):
    challenge, _ = make_challenge(KEY, "a", now=NOW)
    spoiled = bytearray(challenge)
    spoiled[place] ^= flip
    with pytest.raises(ChallengeExpired):
        check_challenge(KEY, "a", bytes(spoiled), now=NOW)


@given(st.binary(max_size=64))
def test_what_we_did_not_make_is_refused(challenge):
    with pytest.raises(ChallengeExpired):
        check_challenge(KEY, "a", challenge, now=NOW)


def test_the_signature_covers_agent_and_challenge():
    key = ec.generate_private_key(ec.SECP256R1())
    spki = spki_der(key.public_key())
    signature = key.sign(to_be_signed("a", b"c"), ec.ECDSA(hashes.SHA256()))
    assert answered_by(spki, agent_id="a", challenge=b"c", signature=signature)
    assert not answered_by(spki, agent_id="b", challenge=b"c", signature=signature)
    assert not answered_by(spki, agent_id="a", challenge=b"d", signature=signature)
    assert not answered_by(spki, agent_id="a", challenge=b"c", signature=b"")
    assert not answered_by(b"no key", agent_id="a", challenge=b"c", signature=signature)
