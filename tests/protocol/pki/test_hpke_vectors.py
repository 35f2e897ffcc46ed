"""Envelopes are HPKE as RFC 9180 defines it, so that a receiver in another language can open them.

A second implementation of base mode, written from the RFC's pseudo code, is checked against the RFC's vectors
and then opens and makes envelopes in our suite, for which the RFC prints no vector.
"""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from pki.sealing import ReceiverKey, generate_receiver_key, open_sealed, seal, seal_info

AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305 = 1, 2, 3
AEADS = {AES_128_GCM: (AESGCM, 16), AES_256_GCM: (AESGCM, 32), CHACHA20_POLY1305: (ChaCha20Poly1305, 32)}


def extract(salt, ikm):
    return hmac.digest(salt or bytes(32), ikm, hashlib.sha256)


def expand(prk, info, length):
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.digest(prk, block + info + bytes((counter,)), hashlib.sha256)
        output, counter = output + block, counter + 1
    return output[:length]


def labeled_extract(suite, salt, label, ikm):
    return extract(salt, b"HPKE-v1" + suite + label + ikm)


def labeled_expand(suite, prk, label, info, length):
    return expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)


def shared_secret(dh, enc, receiver):
    suite = b"KEM" + (0x20).to_bytes(2, "big")
    return labeled_expand(
        suite, labeled_extract(suite, b"", b"eae_prk", dh), b"shared_secret", enc + receiver, 32
    )


def key_schedule(aead_id, secret, info):
    suite = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (0x20, 1, aead_id))
    context = (
        b"\x00"
        + labeled_extract(suite, b"", b"psk_id_hash", b"")
        + labeled_extract(suite, b"", b"info_hash", info)
    )
    secret = labeled_extract(suite, secret, b"secret", b"")
    cipher, key_bytes = AEADS[aead_id]
    key = labeled_expand(suite, secret, b"key", context, key_bytes)
    return cipher(key), labeled_expand(suite, secret, b"base_nonce", context, 12)


def reference_open(aead_id, private, enc, ciphertext, *, info, aad):
    dh = private.exchange(X25519PublicKey.from_public_bytes(enc))
    secret = shared_secret(dh, enc, private.public_key().public_bytes_raw())
    cipher, nonce = key_schedule(aead_id, secret, info)
    return cipher.decrypt(nonce, ciphertext, aad)


def reference_seal(aead_id, ephemeral, receiver, plaintext, *, info, aad):
    enc = ephemeral.public_key().public_bytes_raw()
    dh = ephemeral.exchange(X25519PublicKey.from_public_bytes(receiver))
    cipher, nonce = key_schedule(aead_id, shared_secret(dh, enc, receiver), info)
    return enc + cipher.encrypt(nonce, plaintext, aad)


INFO = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
PLAINTEXT = bytes.fromhex("4265617574792069732074727574682c20747275746820626561757479")
AAD = bytes.fromhex("436f756e742d30")
# RFC 9180, A.1.1 and A.2.1, first encryption: aead, skEm, skRm, enc, ct
VECTORS = [
    (
        AES_128_GCM,
        "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736",
        "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
        "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
        "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
    ),
    (
        CHACHA20_POLY1305,
        "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600",
        "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
        "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
        "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
    ),
]


@pytest.mark.parametrize(("aead", "ephemeral", "receiver", "enc", "ciphertext"), VECTORS)
def test_the_second_implementation_agrees_with_the_rfc(aead, ephemeral, receiver, enc, ciphertext):
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(receiver))
    sent = bytes.fromhex(enc + ciphertext)
    opened = reference_open(aead, private, sent[:32], sent[32:], info=INFO, aad=AAD)
    assert opened == PLAINTEXT
    sender = X25519PrivateKey.from_private_bytes(bytes.fromhex(ephemeral))
    public = private.public_key().public_bytes_raw()
    assert reference_seal(aead, sender, public, PLAINTEXT, info=INFO, aad=AAD) == sent


def bound(info, aad):
    """How an envelope's info is composed; part of the format."""
    parts = (len(info).to_bytes(4, "big"), info, len(aad).to_bytes(4, "big"), aad)
    return b"certwright seal v1\x00" + b"".join(parts)


@pytest.mark.parametrize("aad", [b"", b"more"])
def test_envelopes_are_hpke_for_another_implementation(aad):
    receiver = generate_receiver_key()
    info = seal_info(purpose="export", command_id="c-1", spki_sha256="00" * 32)
    envelope = seal(receiver.public, b"secret", info=info, aad=aad)
    opened = reference_open(
        AES_256_GCM, receiver.private, envelope[1:33], envelope[33:], info=bound(info, aad), aad=b""
    )
    assert opened == b"secret"
    foreign = reference_seal(
        AES_256_GCM, X25519PrivateKey.generate(), receiver.public, b"secret", info=bound(info, aad), aad=b""
    )
    assert open_sealed(receiver, b"\x01" + foreign, info=info, aad=aad) == b"secret"


VERSION_1_ENVELOPE = bytes.fromhex(
    "018f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f"
    "36eedcc77b83debfb533f0bc4be4fd10d897427d32de"
)


def test_an_envelope_of_version_1_still_opens():
    receiver = ReceiverKey.from_private_bytes(bytes(range(32, 64)))
    assert open_sealed(receiver, VERSION_1_ENVELOPE, info=b"info", aad=b"aad") == b"secret"
