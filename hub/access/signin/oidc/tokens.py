"""Checking an ID token (OpenID Connect Core 3.1.3.7): pure, with keys, clock and expectations passed in.

Algorithms are a fixed list of public-key ones. A token never chooses how it is checked: ``none`` and the
HMAC family are not in the list, and symmetric keys are dropped from key sets before anything is tried.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from hub.access.signin.errors import OidcRefused

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
SKEW_S = 60
MAX_AGE_S = 600
_MAX_TOKEN = 64 * 1024
_MIN_RSA_BITS = 2048
_KEY_TYPES: dict[str, tuple[str, ...]] = {"RSA": ("RS", "PS"), "EC": ("ES",), "OKP": ("Ed",)}

# Providers put certificates into headers and long lists of groups into claims.
_MAX_HEADER = 16 * 1024


class _Registry(JWSRegistry):
    max_header_length = _MAX_HEADER
    max_payload_length = _MAX_TOKEN


def _registry() -> JWSRegistry:
    # Headers that are not understood are to be ignored (RFC 7515, 4); those in "crit" are refused before.
    return _Registry(algorithms=list(ALGORITHMS), strict_check_header=False)


PublicKey = RSAKey | ECKey | OKPKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedToken:
    """What an ID token is held against."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    now: datetime
    algorithms: Sequence[str] = ALGORITHMS


class UnknownKey(OidcRefused):
    """No key of the provider fits; perhaps it has new ones."""


def load_keys(document: Mapping[str, Any]) -> list[PublicKey]:
    """Return the public keys of a JWK set that may sign; others, and broken ones, are left out."""
    found: list[PublicKey] = []
    entries = document.get("keys")
    for entry in entries if isinstance(entries, list) else []:
        if (
            not isinstance(entry, dict)
            or entry.get("kty") not in tuple(_KEY_TYPES)
            or entry.get("use", "sig") != "sig"
        ):
            continue
        public = {name: value for name, value in entry.items() if name != "d"}
        try:
            if entry["kty"] == "RSA" and _bits(entry["n"]) < _MIN_RSA_BITS:
                continue
            key = KeySet.import_key_set({"keys": [public]}).keys[0]
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, RSAKey | ECKey | OKPKey):
            found.append(key)
    return found


def _bits(modulus: str) -> int:
    return int.from_bytes(urlsafe_b64decode(modulus.encode())).bit_length()


def read_id_token(token: str, keys: Sequence[PublicKey], expected: ExpectedToken) -> dict[str, Any]:
    """Return the claims of an ID token that passes all checks.

    Raises:
        UnknownKey: none of the keys made it; fetch them again, once.
        OidcRefused: the reason says which check it does not pass.
    """
    if len(token) > _MAX_TOKEN:
        raise OidcRefused("TooLarge", "the ID token is too large")
    header = _header(token)
    algorithm = header.get("alg")
    if algorithm not in expected.algorithms or algorithm not in ALGORITHMS:
        raise OidcRefused("AlgorithmNotAllowed", f"the ID token is signed with {str(algorithm)[:20]!r}")
    if "crit" in header:
        raise OidcRefused("CriticalHeader", "the ID token has critical headers that are not understood")
    claims = _verified(token, keys, str(algorithm), header.get("kid"))
    for check in (_check_issuer, _check_audience, _check_times, _check_nonce, _check_subject):
        check(claims, expected)
    return claims


def _header(token: str) -> Mapping[str, Any]:
    try:
        return dict(jws.extract_compact(token.encode(), registry=_registry()).headers())
    except (JoseError, ValueError, TypeError, UnicodeError):
        raise OidcRefused("NotAToken", "the ID token can't be read") from None


def _verified(token: str, keys: Sequence[PublicKey], algorithm: str, kid: object) -> dict[str, Any]:
    fitting = [
        key
        for key in keys
        if algorithm.startswith(_KEY_TYPES[key.key_type])
        and (kid is None or key.kid is None or key.kid == kid)
        and key.as_dict().get("alg", algorithm) == algorithm
    ]
    if not fitting:
        raise UnknownKey("UnknownKey", "the ID token is signed with a key that the provider does not show")
    for key in fitting:
        try:
            return dict(jwt.decode(token, key, algorithms=[algorithm], registry=_registry()).claims)
        except (JoseError, ValueError, TypeError):
            continue
    raise UnknownKey("SignatureInvalid", "the ID token's signature is wrong")


def _check_issuer(claims: Mapping[str, Any], expected: ExpectedToken) -> None:
    if claims.get("iss") != expected.issuer:
        raise OidcRefused("WrongIssuer", "the ID token is of another issuer")


def _check_audience(claims: Mapping[str, Any], expected: ExpectedToken) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences:
        raise OidcRefused("WrongAudience", "the ID token is for another client")
    party = claims.get("azp")
    if (len(audiences) > 1 and party is None) or party not in (None, expected.client_id):
        raise OidcRefused("WrongParty", "the ID token was given to another client")


def _check_times(claims: Mapping[str, Any], expected: ExpectedToken) -> None:
    now = expected.now.timestamp()
    if now - SKEW_S >= _number(claims, "exp"):
        raise OidcRefused("Expired", "the ID token has expired; compare the clocks")
    issued = _number(claims, "iat")
    if issued > now + SKEW_S or issued < now - MAX_AGE_S:
        raise OidcRefused("NotJustIssued", "the ID token was not issued just now; compare the clocks")
    if "nbf" in claims and _number(claims, "nbf") > now + SKEW_S:
        raise OidcRefused("NotYetValid", "the ID token is not valid yet; compare the clocks")


def _number(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OidcRefused("ClaimMissing", f"the ID token has no {name}")
    return float(value)


def _check_nonce(claims: Mapping[str, Any], expected: ExpectedToken) -> None:
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise OidcRefused("WrongNonce", "the ID token belongs to another sign-in")


def _check_subject(claims: Mapping[str, Any], _expected: ExpectedToken) -> None:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
        raise OidcRefused("ClaimMissing", "the ID token has no sub")
