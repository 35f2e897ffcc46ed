"""The inventory's view of a certificate."""

import hashlib
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pki import der
from pki.certificates import MAX_CERTIFICATE_BYTES, parse_certificate
from pki.errors import InputTooLarge, MalformedCertificate


def test_a_leaf_is_read(hierarchy, now):
    facts = parse_certificate(hierarchy.leaf.certificate)
    assert facts.sha256 == hashlib.sha256(hierarchy.leaf.certificate).hexdigest()
    assert (len(facts.sha1), len(facts.md5)) == (40, 32)
    assert facts.serial == "ffee"
    assert facts.subject == "CN=www.example.com,O=Example Ltd"
    assert facts.issuer == "CN=Example Issuing CA,O=Example Ltd"
    assert facts.common_name == "www.example.com"
    assert facts.dns_names == ("www.example.com", "*.api.example.com")
    assert facts.ip_addresses == ("192.0.2.7", "2001:db8::7")
    assert (facts.not_before, facts.not_after) == (now, now + timedelta(days=90))
    assert (facts.key_type, facts.key_bits) == ("EC-P256", 256)
    assert facts.signature_algorithm == "ecdsa-with-SHA256"
    assert facts.key_usage == ("digitalSignature",)
    assert facts.extended_key_usage == ("serverAuth",)
    assert not facts.is_ca
    assert not facts.self_signed
    assert facts.aki == parse_certificate(hierarchy.issuing.certificate).ski
    assert facts.unreadable == ()


def test_a_root_is_recognized(hierarchy):
    facts = parse_certificate(hierarchy.root.certificate)
    assert facts.is_ca
    assert facts.self_signed
    assert facts.key_usage == ("keyCertSign", "cRLSign")
    assert facts.aki == ""


def self_made(*, curve=None, extensions=(), common_name="odd", serial=1):
    key = ec.generate_private_key(curve or ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    from datetime import UTC, datetime

    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    )
    for value in extensions:
        builder = builder.add_extension(value, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_a_broken_extension_leaves_the_rest_listed():
    broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\x30\x05garbage")
    facts = parse_certificate(self_made(extensions=[broken]))
    assert facts.unreadable == ("extensions",)
    assert facts.common_name == "odd"
    assert facts.self_signed
    assert facts.key_type == "EC-P256"


def test_a_key_that_can_not_be_loaded_leaves_the_rest_listed(hierarchy):
    # The curve's identifier replaced by one of the same length that nobody knows.
    known = der.object_identifier("1.2.840.10045.3.1.7")
    foreign = der.object_identifier("1.2.840.10045.3.1.99")
    facts = parse_certificate(hierarchy.leaf.certificate.replace(known, foreign))
    assert facts.unreadable == ("public key",)
    assert (facts.key_type, facts.key_bits) == ("unknown", 0)
    assert facts.dns_names == ("www.example.com", "*.api.example.com")
    assert len(facts.spki_sha256) == 64


def test_uncommon_curves_and_usages_are_described():
    usage = x509.ExtendedKeyUsage(
        [x509.ObjectIdentifier("1.2.3.4"), x509.ObjectIdentifier("1.3.6.1.5.5.7.3.3")]
    )
    facts = parse_certificate(self_made(curve=ec.SECP256K1(), extensions=[usage]))
    assert facts.key_type == "EC-secp256k1"
    assert facts.extended_key_usage == ("1.2.3.4", "codeSigning")


def test_control_characters_never_reach_the_inventory():
    facts = parse_certificate(self_made(common_name="bank.example\x00.evil.example"))
    assert facts.common_name == "bank.example\ufffd.evil.example"
    assert "\x00" not in facts.subject


def test_what_is_no_certificate_is_refused(hierarchy):
    for data in (
        b"",
        b"\x30\x00",
        b"hello",
        hierarchy.leaf.certificate[:-1],
        hierarchy.leaf.certificate + b"\x00",
    ):
        with pytest.raises(MalformedCertificate):
            parse_certificate(data)
    with pytest.raises(InputTooLarge):
        parse_certificate(b"\x30" * (MAX_CERTIFICATE_BYTES + 1))
