"""Sealing a secret to a receiver's public key: HPKE base mode (RFC 9180).

Suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, all of which WebCrypto has. An envelope is
``version (1) || encapsulated key (32) || ciphertext and tag``. ``info`` says what the envelope is for
(purpose, command, key pair), so that one made for a command can not be replayed in another; ``aad`` is bound
in the same way. Base mode does not say who sealed: whoever relays must authenticate that otherwise.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from pki.errors import LIBRARY_FAULTS, MalformedKey, SealError

PUBLIC_KEY_BYTES = 32
MAX_PLAINTEXT_BYTES = 1024 * 1024
_VERSION = 1
_OVERHEAD = 1 + PUBLIC_KEY_BYTES + 16
_DOMAIN = b"certwright seal v1\x00"
_OPEN_FAULTS: tuple[type[Exception], ...] = (InvalidTag, *LIBRARY_FAULTS)
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass(frozen=True, slots=True)
class ReceiverKey:
    """A receiver's X25519 key pair."""

    private: X25519PrivateKey = field(repr=False)

    @property
    def public(self) -> bytes:
        """The 32 raw bytes that senders seal to."""
        return self.private.public_key().public_bytes_raw()

    @property
    def fingerprint(self) -> str:
        """``sha256:`` and the hex digest of the public key."""
        return receiver_fingerprint(self.public)

    def private_bytes(self) -> bytes:
        """Return the 32 secret bytes; only for encryption at rest."""
        return self.private.private_bytes_raw()

    @classmethod
    def from_private_bytes(cls, raw: bytes) -> Self:
        """Load the key pair from its 32 secret bytes; raise MalformedKey."""
        try:
            return cls(X25519PrivateKey.from_private_bytes(raw))
        except ValueError as fault:
            raise MalformedKey("an X25519 private key has 32 bytes") from fault


def generate_receiver_key() -> ReceiverKey:
    """Generate a receiver's key pair."""
    return ReceiverKey(X25519PrivateKey.generate())


def receiver_fingerprint(public: bytes) -> str:
    """Return ``sha256:<hex>`` of a receiver's raw public key; raise MalformedKey."""
    if len(public) != PUBLIC_KEY_BYTES:
        raise MalformedKey("an X25519 public key has 32 bytes")
    return f"sha256:{hashlib.sha256(public).hexdigest()}"


def seal_info(*, purpose: str, command_id: str, spki_sha256: str) -> bytes:
    """Compose the ``info`` of an envelope that carries one key pair's private key for one command."""
    return _joined(purpose.encode(), command_id.encode(), spki_sha256.encode())


def seal(public: bytes, plaintext: bytes, *, info: bytes, aad: bytes = b"") -> bytes:
    """Encrypt a secret so that only the receiver can read it; raise SealError."""
    if len(plaintext) > MAX_PLAINTEXT_BYTES:
        raise SealError(f"at most {MAX_PLAINTEXT_BYTES} bytes can be sealed")
    try:
        receiver = X25519PublicKey.from_public_bytes(public)
        sealed = _SUITE.encrypt(plaintext, receiver, info=_bound_info(info, aad))
    except LIBRARY_FAULTS as fault:
        raise SealError("this is not a public key that can be sealed to") from fault
    return bytes((_VERSION,)) + sealed


def open_sealed(private: ReceiverKey, envelope: bytes, *, info: bytes, aad: bytes = b"") -> bytes:
    """Decrypt an envelope; raise SealError if it is damaged or meant for another key, info or aad."""
    if not _OVERHEAD <= len(envelope) <= MAX_PLAINTEXT_BYTES + _OVERHEAD:
        raise SealError("the envelope is cut short or too large")
    if envelope[0] != _VERSION:
        raise SealError(f"envelope version {envelope[0]} is not known")
    try:
        return _SUITE.decrypt(envelope[1:], private.private, info=_bound_info(info, aad))
    except _OPEN_FAULTS as fault:
        raise SealError from fault


def _bound_info(info: bytes, aad: bytes) -> bytes:
    # The library's one-shot call takes no aad. In base mode with one message per key schedule, binding it in
    # info is as strong: the AEAD key depends on it.
    return _DOMAIN + _joined(info, aad)


def _joined(*parts: bytes) -> bytes:
    # Lengths make the joining injective: no two lists of parts give the same bytes.
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
