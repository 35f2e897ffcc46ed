"""Keys keep their names and survive encoding."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa

from pki.errors import InputTooLarge, MalformedKey, UnsupportedKey, WrongPassphrase
from pki.keys import (
    KeyType,
    decode_private_key,
    decode_public_key,
    encode_private_key,
    encode_private_key_pem,
    generate_key,
    key_bits,
    key_matches,
    key_type_of,
    spki_der,
    spki_sha256,
)


@pytest.mark.parametrize(
    ("key_type", "bits"),
    [
        (KeyType.RSA_2048, 2048),
        (KeyType.RSA_3072, 3072),
        (KeyType.RSA_4096, 4096),
        (KeyType.EC_P256, 256),
        (KeyType.EC_P384, 384),
        (KeyType.EC_P521, 521),
        (KeyType.ED25519, 256),
    ],
)
def test_a_generated_key_is_of_the_type_asked_for(key_type, bits):
    public = generate_key(key_type).public_key()
    assert key_type_of(public) == key_type
    assert key_bits(public) == bits


def test_key_types_that_can_not_be_generated_are_still_described():
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
    assert (key_type_of(weak), key_bits(weak)) == ("RSA-1024", 1024)
    koblitz = ec.generate_private_key(ec.SECP256K1()).public_key()
    assert (key_type_of(koblitz), key_bits(koblitz)) == ("EC-secp256k1", 256)
    ed = ed448.Ed448PrivateKey.generate().public_key()
    assert (key_type_of(ed), key_bits(ed)) == ("Ed448", 448)


@pytest.mark.parametrize("key_type", [KeyType.RSA_2048, KeyType.EC_P384, KeyType.ED25519])
@pytest.mark.parametrize("passphrase", [None, b"open sesame"])
def test_pem_round_trip(key_type, passphrase):
    key = generate_key(key_type)
    pem = encode_private_key_pem(key, passphrase)
    label = b"ENCRYPTED PRIVATE KEY" if passphrase else b"PRIVATE KEY"
    assert pem.startswith(b"-----BEGIN %b-----" % label)
    assert encode_private_key(decode_private_key(pem, passphrase)) == encode_private_key(key)


def test_der_and_traditional_forms_are_read():
    key = generate_key(KeyType.RSA_2048)
    assert spki_der(decode_private_key(encode_private_key(key)).public_key()) == spki_der(key.public_key())
    old = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    assert spki_sha256(decode_private_key(old).public_key()) == spki_sha256(key.public_key())


def test_what_does_not_open_says_why():
    key = generate_key(KeyType.EC_P256)
    locked = encode_private_key_pem(key, b"right")
    with pytest.raises(WrongPassphrase):
        decode_private_key(locked, b"wrong")
    with pytest.raises(WrongPassphrase):
        decode_private_key(locked)
    with pytest.raises(WrongPassphrase):
        decode_private_key(encode_private_key_pem(key), b"not needed")
    with pytest.raises(MalformedKey):
        decode_private_key(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    with pytest.raises(InputTooLarge):
        decode_private_key(b"0" * 100_000)


def test_keys_that_can_not_be_certified_are_refused():
    dsa_key = dsa.generate_private_key(2048)
    encoded = dsa_key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(UnsupportedKey):
        decode_private_key(encoded)
    with pytest.raises(UnsupportedKey):
        decode_public_key(spki_der(dsa_key.public_key()))
    with pytest.raises(MalformedKey):
        decode_public_key(b"\x30\x03\x02\x01\x00")


def test_a_key_matches_only_its_own_certificate(hierarchy):
    assert key_matches(hierarchy.leaf.key, hierarchy.leaf.certificate)
    assert not key_matches(hierarchy.root.key, hierarchy.leaf.certificate)
    assert not key_matches(hierarchy.root.key, b"no certificate")
