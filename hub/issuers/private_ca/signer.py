"""What holds a CA's private key and signs with it.

A signer is called from worker threads: it blocks, and it must be safe to call from several at once. The
software signer keeps the key in memory; a hardware token only has to offer the same three things.
"""

from dataclasses import dataclass, field
from typing import Protocol

from pki import algorithms
from pki.algorithms import SignatureAlgorithm, SigningKey, VerifyingKey, default_signature_algorithm
from pki.at_rest import KeyEncryptionKey
from pki.keys import decode_private_key, encode_private_key, spki_sha256

_PURPOSE = b"certwright private ca key v1\x00"


def at_rest_purpose(key_sha256: str) -> bytes:
    """Return what a CA key is encrypted for, by the hex SHA-256 of its SubjectPublicKeyInfo."""
    return _PURPOSE + key_sha256.encode()


class Signer(Protocol):
    """Signs for one CA."""

    @property
    def public_key(self) -> VerifyingKey:
        """The public half of the signing key."""

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """What ``sign`` signs with."""

    def sign(self, tbs: bytes) -> bytes:
        """Return the signature over the bytes; blocks."""


@dataclass(frozen=True, slots=True)
class SoftwareSigner:
    """Signs with a private key held in memory."""

    private_key: SigningKey = field(repr=False)
    chosen: SignatureAlgorithm | None = None
    """None: what suits the key."""

    @classmethod
    def unlock(
        cls,
        blob: bytes,
        key: KeyEncryptionKey,
        *,
        key_sha256: str,
        algorithm: SignatureAlgorithm | None = None,
    ) -> "SoftwareSigner":
        """Decrypt a CA key that ``lock`` encrypted; raise WrongEncryptionKey or UnwrapError.

        The hex SHA-256 of the CA's SubjectPublicKeyInfo is authenticated, so that the blob of one CA can't
        take the place of another's.
        """
        return cls(decode_private_key(key.unwrap(blob, at_rest_purpose(key_sha256))), algorithm)

    def lock(self, key: KeyEncryptionKey) -> bytes:
        """Return the private key encrypted for storage."""
        return key.wrap(encode_private_key(self.private_key), at_rest_purpose(spki_sha256(self.public_key)))

    @property
    def public_key(self) -> VerifyingKey:
        """The public half of the signing key."""
        return self.private_key.public_key()

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """The algorithm that was chosen, or else the one that suits the key."""
        return self.chosen or default_signature_algorithm(self.public_key)

    def sign(self, tbs: bytes) -> bytes:
        """Return the signature, the same one every time for the same bytes (RFC 6979), save for ML-DSA."""
        return algorithms.sign(self.private_key, self.algorithm, tbs)
