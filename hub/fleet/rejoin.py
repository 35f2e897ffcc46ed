"""Re-join challenges: made without a row, good once.

A challenge is ``nonce (8) || expiry (4) || truncated HMAC-SHA-256 (20)`` under a key that all replicas share,
bound to the agent's id. Making one writes nothing, so nobody can fill the database or push out another's
challenge; answering one is recorded, so it counts once. Who does not know the key can't tell one for an agent
that exists from one for an agent that does not.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from hub.fleet.errors import ChallengeExpired, RejoinRefused
from pki.errors import PkiError
from pki.keys import decode_public_key

LIFETIME = timedelta(minutes=2)
CONTEXT = b"certwright-rejoin-v1"
_NONCE, _EXPIRY = 8, 4
_BYTES = 32


def _tag(key: bytes, agent_id: str, head: bytes) -> bytes:
    return hmac.digest(key, head + agent_id.encode(), "sha256")[: _BYTES - _NONCE - _EXPIRY]


def make_challenge(key: bytes, agent_id: str, *, now: datetime) -> tuple[bytes, datetime]:
    """Return a challenge for ``agent_id`` and when it ends."""
    expires_at = (now + LIFETIME).replace(microsecond=0)
    head = secrets.token_bytes(_NONCE) + int(expires_at.timestamp()).to_bytes(_EXPIRY, "big")
    return head + _tag(key, agent_id, head), expires_at


def check_challenge(key: bytes, agent_id: str, challenge: bytes, *, now: datetime) -> datetime:
    """Return when a challenge of ours ends.

    Raises:
        ChallengeExpired: it is over, or not ours, or for another agent.
    """
    head, tag = challenge[: _NONCE + _EXPIRY], challenge[_NONCE + _EXPIRY :]
    if len(challenge) != _BYTES or not hmac.compare_digest(tag, _tag(key, agent_id, head)):
        raise ChallengeExpired
    expires_at = datetime.fromtimestamp(int.from_bytes(head[_NONCE:], "big"), UTC)
    if expires_at <= now:
        raise ChallengeExpired
    return expires_at


def to_be_signed(agent_id: str, challenge: bytes) -> bytes:
    """Return what the agent signs."""
    return b"\x00".join((CONTEXT, agent_id.encode(), challenge))


def answered_by(spki: bytes, *, agent_id: str, challenge: bytes, signature: bytes) -> bool:
    """Tell whether the key behind ``spki`` signed the challenge (ECDSA with SHA-256, DER)."""
    try:
        key = decode_public_key(spki)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(signature, to_be_signed(agent_id, challenge), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError, PkiError):
        return False
    return True


def challenge_sha256(challenge: bytes) -> str:
    """Return the name under which a spent challenge is recorded."""
    return hashlib.sha256(challenge).hexdigest()


__all__ = ["RejoinRefused", "answered_by", "challenge_sha256", "check_challenge", "make_challenge"]
