"""Ed25519 detached signatures with domain separation, for commands and approvals.

What is signed is a fixed prefix, the context with its length, and the message: a signature made for one
context can not be shown as one for another, whatever the messages are.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pki.errors import BadSignature, MalformedKey

_PREFIX = b"certwright signature v1\x00"
SIGNATURE_BYTES = 64
PUBLIC_KEY_BYTES = 32


def _to_be_signed(context: bytes, message: bytes) -> bytes:
    return b"".join((_PREFIX, len(context).to_bytes(4, "big"), context, message))


def sign_message(private_key: Ed25519PrivateKey, *, context: bytes, message: bytes) -> bytes:
    """Return the 64-byte signature of a message for one context (a protocol's or message type's name)."""
    return private_key.sign(_to_be_signed(context, message))


def verify_message(public_key: Ed25519PublicKey, *, context: bytes, message: bytes, signature: bytes) -> None:
    """Return nothing when the signature is good; raise BadSignature otherwise."""
    try:
        public_key.verify(signature, _to_be_signed(context, message))
    except InvalidSignature as fault:
        raise BadSignature from fault


def encode_verifying_key(public_key: Ed25519PublicKey) -> bytes:
    """Return the 32 raw bytes of a public key."""
    return public_key.public_bytes_raw()


def decode_verifying_key(raw: bytes) -> Ed25519PublicKey:
    """Load a public key from its 32 raw bytes; raise MalformedKey."""
    try:
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as fault:
        raise MalformedKey("an Ed25519 public key has 32 bytes") from fault
