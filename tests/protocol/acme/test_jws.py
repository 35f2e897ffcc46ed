"""Signed requests against the RFCs' own examples, and against an independent implementation (joserfc)."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws as reference
from joserfc.jwk import ECKey, OctKey

from hub.issuers.acme.challenges import dns_value, key_authorization
from hub.issuers.acme.jws import (
    AccountKey,
    b64u,
    external_account_binding,
    key_change,
    public_jwk,
    thumbprint,
    unb64u,
)

URL = "https://ca.example/acme/new-order"


def opened(value, key):
    """Verify a flattened JWS with joserfc; return header and payload."""
    registry = reference.JWSRegistry(algorithms=["ES256", "HS256"], strict_check_header=False)
    found = reference.deserialize_json(value, key, registry=registry)
    return json.loads(unb64u(value["protected"])), found.payload


def reference_key(jwk):
    return ECKey.import_key(dict(jwk))


def test_thumbprint_of_rfc_7638_section_3_1():
    jwk = {
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJE"
        "CPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Q"
        "vzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6"
        "WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB",
    }
    assert thumbprint(jwk) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    numbers = rsa.RSAPublicNumbers(65537, int.from_bytes(unb64u(jwk["n"])))
    assert public_jwk(numbers.public_key()) == jwk


def test_key_of_rfc_7517_appendix_a_1():
    """The public key of the RFC's EC example, from its coordinates."""
    x, y = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(unb64u(x)), int.from_bytes(unb64u(y)), ec.SECP256R1()
    )
    assert public_jwk(numbers.public_key()) == {"crv": "P-256", "kty": "EC", "x": x, "y": y}


def test_dns_value_of_rfc_8555_section_8_4():
    """The example's digest is over its key authorization, base64url without padding, 43 characters."""
    value = dns_value(key_authorization("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA", "x"))
    assert len(value) == 43
    assert "=" not in value


def test_requests_verify_elsewhere():
    key = AccountKey.generate()
    value = key.sign(b'{"a":1}', url=URL, nonce="n", kid="https://ca.example/acct/1")
    header, payload = opened(value, reference_key(key.jwk))
    assert header == {"alg": "ES256", "kid": "https://ca.example/acct/1", "nonce": "n", "url": URL}
    assert payload == b'{"a":1}'


def test_a_request_without_account_carries_its_key():
    key = AccountKey.generate()
    header, payload = opened(key.sign(b"", url=URL, nonce="n", kid=None), reference_key(key.jwk))
    assert header == {"alg": "ES256", "jwk": key.jwk, "nonce": "n", "url": URL}
    assert payload == b""
    assert "d" not in header["jwk"]


def test_thumbprints_agree_with_another_implementation():
    key = AccountKey.generate()
    assert key.thumbprint == reference_key(key.jwk).thumbprint()


def test_the_external_binding_is_a_mac_over_the_account_s_key():
    key, secret = AccountKey.generate(), b"0123456789abcdef0123456789abcdef"
    value = external_account_binding(key.jwk, key_id="kid-1", mac_key=b64u(secret), url=URL)
    header, payload = opened(value, OctKey.import_key(secret))
    assert header == {"alg": "HS256", "kid": "kid-1", "url": URL}
    assert json.loads(payload) == key.jwk
    padded = base64.urlsafe_b64encode(secret).decode()
    assert external_account_binding(key.jwk, key_id="kid-1", mac_key=padded, url=URL) == value


def test_the_new_key_agrees_to_a_rollover():
    old, new = AccountKey.generate(), AccountKey.generate()
    value = key_change(old, new, account="https://ca.example/acct/1", url=URL)
    header, payload = opened(value, reference_key(new.jwk))
    assert header == {"alg": "ES256", "jwk": new.jwk, "url": URL}
    assert json.loads(payload) == {"account": "https://ca.example/acct/1", "oldKey": old.jwk}


def test_a_key_is_the_same_after_storage():
    key = AccountKey.generate()
    assert AccountKey.from_pem(key.pem()).jwk == key.jwk


@pytest.mark.parametrize("text", ["", "not pem"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        AccountKey.from_pem(text)


def test_other_curves_are_refused():
    with pytest.raises(ValueError, match="P-256"):
        public_jwk(ec.generate_private_key(ec.SECP384R1()).public_key())


@given(st.binary(max_size=100))
def test_base64url_round_trip(data):
    assert unb64u(b64u(data)) == data


@pytest.mark.parametrize("text", ["a", "a+b=", "ä", "a b"])
def test_other_text_is_no_base64url(text):
    with pytest.raises(ValueError, match=r"."):
        unb64u(text)
