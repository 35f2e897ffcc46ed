"""Encryption of secrets at rest: AES-256-GCM under a key-encryption key (KEK).

A blob is ``version (1) || key id (8) || nonce (12) || ciphertext and tag``. Header and purpose are
authenticated, so that a blob can not be moved to another place or purpose. The key id tells which KEK is
needed before anything is decrypted, which makes rotation possible. One KEK must not encrypt more than 2**32
blobs (random nonces).
"""

import hashlib
import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from pki.errors import MalformedKey, UnwrapError, WrongEncryptionKey

KEY_BYTES = 32
SALT_BYTES = 16
_VERSION = 1
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEADER_BYTES = 1 + _KEY_ID_BYTES
_DOMAIN = b"certwright at rest v1\x00"
# OWASP's first recommendation for scrypt: 128 MiB and about a fifth of a second.
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**17, 8, 1


def new_key() -> bytes:
    """Return 32 fresh random bytes for a key-encryption key."""
    return os.urandom(KEY_BYTES)


def new_salt() -> bytes:
    """Return a fresh salt, to be stored in the clear beside what a passphrase protects."""
    return os.urandom(SALT_BYTES)


def key_id_of(blob: bytes) -> str:
    """Return the hex id of the key that a blob was encrypted under; raise UnwrapError if it is no blob."""
    _check_header(blob)
    return blob[1:_HEADER_BYTES].hex()


def _check_header(blob: bytes) -> None:
    if len(blob) < _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES:
        raise UnwrapError("the blob is cut short")
    if blob[0] != _VERSION:
        raise UnwrapError(f"version {blob[0]} of encryption at rest is not known")


def _associated_data(header: bytes, purpose: bytes) -> bytes:
    return b"".join((_DOMAIN, header, purpose))


@dataclass(frozen=True, slots=True)
class KeyEncryptionKey:
    """A 32-byte key that only ever encrypts other secrets."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise MalformedKey(f"a key-encryption key has {KEY_BYTES} bytes, not {len(self.key)}")

    @classmethod
    def from_passphrase(cls, passphrase: bytes, *, salt: bytes) -> "KeyEncryptionKey":
        """Derive a key with scrypt; takes 128 MiB and some tenths of a second. Raises MalformedKey."""
        if len(salt) < SALT_BYTES or not passphrase:
            raise MalformedKey(f"a passphrase and a salt of at least {SALT_BYTES} bytes are needed")
        kdf = Scrypt(salt=salt, length=KEY_BYTES, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P)
        return cls(kdf.derive(passphrase))

    @property
    def key_id(self) -> str:
        """Hex id of the key; reveals nothing about it."""
        return self._key_id().hex()

    def _key_id(self) -> bytes:
        return hashlib.sha256(b"certwright kek id v1\x00" + self.key).digest()[:_KEY_ID_BYTES]

    @property
    def blob_prefix(self) -> bytes:
        """What every blob under this key begins with."""
        return bytes((_VERSION,)) + self._key_id()

    def wrap(self, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt a secret for one purpose; the same purpose is needed to decrypt it."""
        header = self.blob_prefix
        nonce = os.urandom(_NONCE_BYTES)
        return header + nonce + AESGCM(self.key).encrypt(nonce, plaintext, _associated_data(header, aad))

    def unwrap(self, blob: bytes, aad: bytes) -> bytes:
        """Decrypt a secret; raise WrongEncryptionKey, or UnwrapError if damaged or for another purpose."""
        _check_header(blob)
        header, rest = blob[:_HEADER_BYTES], blob[_HEADER_BYTES:]
        if header[1:] != self._key_id():
            raise WrongEncryptionKey(f"encrypted under key {header[1:].hex()}, this is key {self.key_id}")
        nonce, ciphertext = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
        try:
            return AESGCM(self.key).decrypt(nonce, ciphertext, _associated_data(header, aad))
        except InvalidTag as fault:
            raise UnwrapError from fault
