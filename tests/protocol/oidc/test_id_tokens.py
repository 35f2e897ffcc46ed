"""ID tokens, good and hostile, against the rules of OpenID Connect Core 3.1.3.7."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from joserfc import jws, jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, RSAKey

from hub.access.signin.errors import OidcRefused
from hub.access.signin.oidc.client import Request
from hub.access.signin.oidc.tokens import ExpectedToken, UnknownKey, load_keys, read_id_token

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ISSUER, CLIENT, NONCE = "https://op.example", "certwright", "nonce-of-this-sign-in"
CLAIMS = {
    "iss": ISSUER,
    "sub": "alice",
    "aud": CLIENT,
    "exp": SECONDS + 300,
    "iat": SECONDS,
    "nonce": NONCE,
}


@pytest.fixture(scope="module")
def key():
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


@pytest.fixture(scope="module")
def published(key):
    return load_keys({"keys": [key.as_dict(private=False)]})


EXPECTED = ExpectedToken(issuer=ISSUER, client_id=CLIENT, nonce=NONCE, now=NOW)


def _token(key, header=None, **claims):
    merged = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    head = {"alg": "RS256", "kid": "one", **(header or {})}
    algorithms = ["RS256", "RS512", "PS256", "ES256", "HS256"]
    return jwt.encode(head, merged, key, algorithms=algorithms)


def _reason(token, keys, expected=EXPECTED):
    with pytest.raises(OidcRefused) as caught:
        read_id_token(token, keys, expected)
    assert caught.value.code == "oidc_refused"
    return caught.value.reason


def test_a_good_token_is_read(key, published):
    assert read_id_token(_token(key), published, EXPECTED)["sub"] == "alice"
    assert read_id_token(_token(key, {"alg": "PS256"}), published, EXPECTED)["sub"] == "alice"
    assert read_id_token(_token(key, aud=[CLIENT, "other"], azp=CLIENT), published, EXPECTED)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://evil.example"}, "WrongIssuer"),
        ({"iss": ISSUER + "/"}, "WrongIssuer"),
        ({"iss": None}, "WrongIssuer"),
        ({"aud": "other"}, "WrongAudience"),
        ({"aud": None}, "WrongAudience"),
        ({"aud": [CLIENT, "other"]}, "WrongParty"),
        ({"aud": [CLIENT, "other"], "azp": "other"}, "WrongParty"),
        ({"azp": "other"}, "WrongParty"),
        ({"exp": SECONDS - 61}, "Expired"),
        ({"exp": None}, "ClaimMissing"),
        ({"exp": "tomorrow"}, "ClaimMissing"),
        ({"exp": True}, "ClaimMissing"),
        ({"iat": SECONDS + 120}, "NotJustIssued"),
        ({"iat": SECONDS - 3600}, "NotJustIssued"),
        ({"nbf": SECONDS + 120}, "NotYetValid"),
        ({"nonce": "another"}, "WrongNonce"),
        ({"nonce": None}, "WrongNonce"),
        ({"nonce": ["x"]}, "WrongNonce"),
        ({"sub": ""}, "ClaimMissing"),
        ({"sub": None}, "ClaimMissing"),
        ({"sub": "x" * 300}, "ClaimMissing"),
    ],
)
def test_a_well_signed_token_that_is_not_for_us_now_is_refused(key, published, claims, reason):
    assert _reason(_token(key, **claims), published) == reason


def _b64(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


@pytest.mark.parametrize("name", ["none", "None", "NONE", "", None])
def test_an_unsigned_token_is_refused(published, name):
    for signature in ("", _b64(b"x")):
        token = f"{_b64({'alg': name})}.{_b64(CLAIMS)}.{signature}"
        assert _reason(token, published) in {"AlgorithmNotAllowed", "NotAToken"}


@pytest.mark.parametrize("name", ["HS256", "HS512"])
def test_the_public_key_is_no_hmac_secret(key, published, name):
    for secret in (key.as_pem(private=False), json.dumps(key.as_dict(private=False)).encode()):
        signing = f"{_b64({'alg': name, 'kid': 'one'})}.{_b64(CLAIMS)}"
        mac = hmac.new(secret, signing.encode(), getattr(hashlib, f"sha{name[2:]}")).digest()
        assert _reason(f"{signing}.{_b64(mac)}", published) == "AlgorithmNotAllowed"


def test_a_key_that_the_token_brings_along_counts_for_nothing(published):
    mine = RSAKey.generate_key(2048, {"kid": "one"})
    token = _token(mine, {"jwk": mine.as_dict(private=False)})
    assert _reason(token, published) == "SignatureInvalid"


def test_headers_that_are_not_understood_and_long_lists_are_taken(key, published):
    groups = [f"a-group-with-a-long-name-{number}" for number in range(500)]
    registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    head = {"alg": "RS256", "kid": "one", "x5t": "abc", "vendor": "x" * 2000}
    body = json.dumps({**CLAIMS, "groups": groups}).encode()
    token = jws.serialize_compact(head, body, key, registry=registry)
    assert read_id_token(token, published, EXPECTED)["groups"] == groups


def test_critical_headers_are_refused(key, published):
    signing = {"alg": "RS256", "kid": "one", "crit": ["exp"], "exp": 1}
    body = f"{_b64(signing)}.{_b64(CLAIMS)}"
    assert _reason(f"{body}.{_b64(b'x' * 256)}", published) in {"CriticalHeader", "NotAToken"}


def test_a_changed_body_is_found(key, published):
    head, _, signature = _token(key).split(".")
    forged = f"{head}.{_b64({**CLAIMS, 'sub': 'mallory'})}.{signature}"
    assert _reason(forged, published) == "SignatureInvalid"


def test_an_unknown_key_asks_for_new_ones(published):
    new = RSAKey.generate_key(2048, {"kid": "two"})
    with pytest.raises(UnknownKey):
        read_id_token(_token(new, {"kid": "two"}), published, EXPECTED)


def test_an_algorithm_that_the_provider_does_not_announce_is_refused(key, published):
    narrow = ExpectedToken(
        issuer=ISSUER, client_id=CLIENT, nonce=NONCE, now=NOW, algorithms=("ES256", "HS256", "none")
    )
    assert _reason(_token(key), published, narrow) == "AlgorithmNotAllowed"


def test_keys_that_must_not_sign_are_left_out():
    secret = OctKey.generate_key(256)
    with pytest.warns(SecurityWarning):
        weak = RSAKey.generate_key(1024)
    encryption = RSAKey.generate_key(2048, {"use": "enc"})
    good = ECKey.generate_key("P-256", {"kid": "ec"})
    document = {
        "keys": [
            secret.as_dict(private=True),
            weak.as_dict(private=False),
            encryption.as_dict(private=False),
            good.as_dict(private=True),
            {"kty": "RSA", "n": "!!", "e": "AQAB"},
            {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"},
            "nonsense",
        ]
    }
    keys = load_keys(document)
    assert [key.kid for key in keys] == ["ec"]
    assert keys[0].is_private is False
    assert load_keys({"keys": "nonsense"}) == load_keys({}) == []


@pytest.mark.parametrize(
    "token", ["", "a", "a.b", "a.b.c", "....", "\u00e9.a.b", "x" * 70_000, "e30.e30.e30"]
)
def test_what_is_no_token_is_refused(published, token):
    assert _reason(token, published) in {"NotAToken", "TooLarge", "AlgorithmNotAllowed"}


def test_a_body_that_is_no_object_is_refused(key, published):
    token = jws.serialize_compact({"alg": "RS256", "kid": "one"}, b"[1]", key, algorithms=["RS256"])
    assert _reason(token, published) == "SignatureInvalid"


def test_pkce_is_that_of_the_rfc():
    # RFC 7636, appendix B.
    request = Request(state="s", nonce="n", verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert request.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    made = {getattr(Request.new(), name) for name in ("state", "nonce", "verifier") for _ in range(2)}
    assert len(made) == 6
