"""A signature is good for one key, one context and one message."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pki.errors import BadSignature, MalformedKey
from pki.signatures import decode_verifying_key, encode_verifying_key, sign_message, verify_message

KEY = Ed25519PrivateKey.generate()


def test_a_good_signature_verifies():
    signature = sign_message(KEY, context=b"command", message=b"scan")
    public = decode_verifying_key(encode_verifying_key(KEY.public_key()))
    verify_message(public, context=b"command", message=b"scan", signature=signature)


@pytest.mark.parametrize(
    ("context", "message"),
    [(b"command", b"install"), (b"approval", b"scan"), (b"commands", b"can"), (b"", b"commandscan")],
)
def test_another_context_or_message_does_not(context, message):
    signature = sign_message(KEY, context=b"command", message=b"scan")
    with pytest.raises(BadSignature):
        verify_message(KEY.public_key(), context=context, message=message, signature=signature)


def test_another_key_or_damage_does_not():
    signature = sign_message(KEY, context=b"c", message=b"m")
    other = Ed25519PrivateKey.generate().public_key()
    with pytest.raises(BadSignature):
        verify_message(other, context=b"c", message=b"m", signature=signature)
    for damaged in (b"", signature[:-1], signature + b"\x00", bytes(64)):
        with pytest.raises(BadSignature):
            verify_message(KEY.public_key(), context=b"c", message=b"m", signature=damaged)


def test_a_plain_signature_of_the_message_is_not_enough():
    with pytest.raises(BadSignature):
        verify_message(KEY.public_key(), context=b"", message=b"m", signature=KEY.sign(b"m"))


def test_a_key_of_the_wrong_size_is_refused():
    with pytest.raises(MalformedKey):
        decode_verifying_key(b"short")
