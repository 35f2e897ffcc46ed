"""Signed requests of ACME: flattened JWS (RFC 7515), account keys as JWK (RFC 7517), thumbprints (RFC 7638).

Made of ``cryptography`` alone: the few algorithms that RFC 8555, 6.2 asks for fit on a page, and nothing here
ever verifies what somebody else signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

_P256_BYTES = 32
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")
Jws = dict[str, str]


def b64u(data: bytes) -> str:
    """Encode as base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64u(text: str) -> bytes:
    """Decode base64url, with or without padding; raise ValueError."""
    data = text.rstrip("=")
    if not _BASE64URL.match(data):
        raise ValueError("this is not base64url")
    return base64.b64decode(data + "=" * (-len(data) % 4), altchars=b"-_", validate=True)


def compact_json(value: Any) -> bytes:
    """Encode as JSON without blanks, members in the order given."""
    return json.dumps(value, separators=(",", ":")).encode()


def public_jwk(key: ec.EllipticCurvePublicKey | RSAPublicKey) -> dict[str, str]:
    """Return the required members of a public key's JWK (RFC 7518, 6); raise ValueError for other curves."""
    if isinstance(key, RSAPublicKey):
        numbers = key.public_numbers()
        return {"e": _uint(numbers.e), "kty": "RSA", "n": _uint(numbers.n)}
    if not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("account keys are EC P-256")  # noqa: TRY004 - the type is right, the curve is not
    point = key.public_numbers()
    return {
        "crv": "P-256",
        "kty": "EC",
        "x": b64u(point.x.to_bytes(_P256_BYTES)),
        "y": b64u(point.y.to_bytes(_P256_BYTES)),
    }


def _uint(number: int) -> str:
    return b64u(number.to_bytes((number.bit_length() + 7) // 8))


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the SHA-256 thumbprint of a JWK that has only its required members (RFC 7638, 3)."""
    return b64u(hashlib.sha256(compact_json(dict(sorted(jwk.items())))).digest())


def signing_input(protected: Mapping[str, Any], payload: bytes) -> tuple[str, str]:
    """Return header and payload as they are signed, joined by a dot."""
    return b64u(compact_json(protected)), b64u(payload)


class AccountKey:
    """The key of an ACME account: EC P-256, which every ACME server must accept (RFC 8555, 6.2)."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self.jwk = public_jwk(key.public_key())
        self.thumbprint = thumbprint(self.jwk)

    @classmethod
    def generate(cls) -> AccountKey:
        """Make a new key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_pem(cls, pem: str) -> AccountKey:
        """Read what :meth:`pem` wrote; raise ValueError."""
        key = serialization.load_pem_private_key(pem.encode("ascii"), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("the account key is not an EC key")  # noqa: TRY004 - the input is a text
        return cls(key)

    def pem(self) -> str:
        """Return the private key as PKCS#8 in PEM, unencrypted: for storage under the hub's own key."""
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode("ascii")

    def sign(self, payload: bytes, *, url: str, nonce: str | None, kid: str | None) -> Jws:
        """Sign a request to ``url``; without ``kid`` the key itself goes with it (RFC 8555, 6.2)."""
        header: dict[str, Any] = {"alg": "ES256"}
        header |= {"kid": kid} if kid is not None else {"jwk": self.jwk}
        if nonce is not None:
            header["nonce"] = nonce
        protected, body = signing_input(header | {"url": url}, payload)
        signature = self._key.sign(f"{protected}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
        r, s = decode_dss_signature(signature)
        raw = r.to_bytes(_P256_BYTES) + s.to_bytes(_P256_BYTES)
        return {"protected": protected, "payload": body, "signature": b64u(raw)}


def external_account_binding(jwk: Mapping[str, str], *, key_id: str, mac_key: str, url: str) -> Jws:
    """Bind an account key to an account that the CA knows already (RFC 8555, 7.3.4).

    ``mac_key`` is base64url, as CAs hand it out; raise ValueError if it is not.
    """
    protected, body = signing_input({"alg": "HS256", "kid": key_id, "url": url}, compact_json(dict(jwk)))
    mac = hmac.new(unb64u(mac_key), f"{protected}.{body}".encode(), hashlib.sha256).digest()
    return {"protected": protected, "payload": body, "signature": b64u(mac)}


def key_change(old: AccountKey, new: AccountKey, *, account: str, url: str) -> Jws:
    """Return the inner JWS of a key rollover, by which the new key agrees (RFC 8555, 7.3.5)."""
    return new.sign(compact_json({"account": account, "oldKey": old.jwk}), url=url, nonce=None, kid=None)
