"""Whatever somebody changes in an ID token, it is refused by a typed error."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from hub.access.signin.errors import OidcRefused
from hub.access.signin.oidc.tokens import ExpectedToken, load_keys, read_id_token

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
KEY = ECKey.generate_key("P-256", {"kid": "one"})
KEYS = load_keys({"keys": [KEY.as_dict(private=False)]})
EXPECTED = ExpectedToken(issuer="https://op.example", client_id="certwright", nonce="n", now=NOW)
CLAIMS = {
    "iss": "https://op.example",
    "sub": "alice",
    "aud": "certwright",
    "exp": SECONDS + 300,
    "iat": SECONDS,
    "nonce": "n",
}
TOKEN = jwt.encode({"alg": "ES256", "kid": "one"}, CLAIMS, KEY)


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, len(TOKEN) - 1), character=st.characters(codec="utf-8"))
def test_a_character_is_replaced(place, character):
    changed = TOKEN[:place] + character + TOKEN[place + 1 :]
    try:
        claims = read_id_token(changed, KEYS, EXPECTED)
    except OidcRefused:
        return
    # The last bits of a base64 text may say nothing.
    assert claims == CLAIMS


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=200))
def test_noise_is_refused(text):
    with pytest.raises(OidcRefused):
        read_id_token(text, KEYS, EXPECTED)


@settings(max_examples=100, deadline=None)
@given(
    document=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["keys", "kty", "n", "e", "x", "y", "crv", "use"]), inner, max_size=5
            )
        ),
        max_leaves=20,
    )
)
def test_key_sets_that_make_no_sense_hold_no_keys(document):
    assert load_keys({"keys": document}) == []
