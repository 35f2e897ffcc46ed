"""Which challenge proves a name, and what has to be shown where (RFC 8555, 8; RFC 8737; RFC 8738)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from hub.issuers.acme.jws import b64u
from hub.issuers.acme.objects import Authorization, Challenge

DNS, HTTP, TLS_ALPN = "dns-01", "http-01", "tls-alpn-01"
_SUPPORTED = frozenset({DNS, HTTP, TLS_ALPN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A challenge that is being answered, as it is kept with the order.

    ``proof`` is the TXT value of dns-01, and the key authorization of the others.
    """

    type: str
    identifier: str
    token: str
    proof: str

    def dump(self) -> dict[str, str]:
        """Return it as JSON."""
        return asdict(self)


def key_authorization(token: str, thumbprint: str) -> str:
    """Join a token and the account key's thumbprint (RFC 8555, 8.1)."""
    return f"{token}.{thumbprint}"


def dns_value(authorization: str) -> str:
    """Return the TXT value for a key authorization (8.4)."""
    return b64u(hashlib.sha256(authorization.encode("ascii")).digest())


def record_name(identifier: str, alias_zone: str) -> str:
    """Return the name of the TXT record, or of what that is a CNAME to."""
    return f"{identifier}.{alias_zone}" if alias_zone else f"_acme-challenge.{identifier}"


def usable(method: str, *, kind: str, wildcard: bool) -> bool:
    """Tell whether a method can prove such an identifier at all.

    Wildcards need dns-01 (RFC 8555, 7.1.3 and the Baseline Requirements, 3.2.2.4); addresses have no records
    (RFC 8738, 7).
    """
    if kind == "ip":
        return method in {HTTP, TLS_ALPN}
    return method in _SUPPORTED and (method == DNS or not wildcard)


def choose(
    authorization: Authorization,
    methods: Sequence[str],
    *,
    failures: Mapping[str, int],
    attempts: int,
) -> Challenge | None:
    """Return the first offered challenge, in the order of ``methods``, that has not failed too often."""
    identifier = authorization.identifier
    offered = {challenge.type: challenge for challenge in authorization.challenges}
    for method in methods:
        fits = usable(method, kind=identifier.type, wildcard=authorization.wildcard)
        tried = failures.get(failure_key(authorization, method), 0)
        if fits and method in offered and tried < attempts:
            return offered[method]
    return None


def failure_key(authorization: Authorization, method: str) -> str:
    """Return what failures of a method for an identifier are counted under."""
    star = "*." if authorization.wildcard else ""
    return f"{star}{authorization.identifier.value} {method}"


def presented(authorization: Authorization, challenge: Challenge, thumbprint: str) -> Presented:
    """Return what has to be shown for a challenge."""
    proof = key_authorization(challenge.token, thumbprint)
    return Presented(
        type=challenge.type,
        identifier=authorization.identifier.value,
        token=challenge.token,
        proof=dns_value(proof) if challenge.type == DNS else proof,
    )
