"""Requests: what people paste is read, possession is proven, faults are named."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.x509.oid import NameOID

from pki import der
from pki.csr_policy import CSR_CHECKS, CsrPolicyInput
from pki.csrs import MAX_CSR_BYTES, build_csr, parse_csr
from pki.encodings import csr_pem
from pki.errors import (
    BadCsrSignature,
    InputTooLarge,
    InvalidName,
    MalformedCsr,
    PrivateKeyDisclosed,
)
from pki.findings import first_finding
from pki.keys import KeyType, encode_private_key_pem, generate_key, spki_der, spki_sha256
from pki.names import SubjectFields


@pytest.fixture(scope="module")
def key():
    return generate_key(KeyType.EC_P256)


@pytest.fixture(scope="module")
def request_der(key):
    subject = SubjectFields(common_name="www.example.com", organization="Example")
    return build_csr(key, subject, ["WWW.example.com", "bücher.example"], ["192.0.2.1", "2001:db8::1"])


@pytest.mark.parametrize("key_type", [KeyType.RSA_2048, *(t for t in KeyType if not t.startswith("RSA"))])
def test_every_key_type_can_request(key_type):
    key = generate_key(key_type)
    parsed = parse_csr(build_csr(key, SubjectFields(common_name="a.example"), ["a.example"]))
    assert parsed.key_type == key_type
    assert parsed.spki_sha256 == spki_sha256(key.public_key())
    assert parsed.spki_der == spki_der(key.public_key())


def test_the_fields_are_read(request_der):
    parsed = parse_csr(request_der)
    assert parsed.subject == "CN=www.example.com,O=Example"
    assert parsed.common_name == "www.example.com"
    assert parsed.dns_names == ("www.example.com", "xn--bcher-kva.example")
    assert parsed.ip_addresses == ("192.0.2.1", "2001:db8::1")
    assert parsed.signature_algorithm == "ecdsa-with-SHA256"
    assert parsed.rsa_modulus is None
    assert parsed.der == request_der


def test_other_kinds_of_names_are_not_lost(key):
    csr = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.RFC822Name("jane@example.com"),
                    x509.UniformResourceIdentifier("urn:x:y"),
                    x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x01a"),
                    x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
                    x509.DirectoryName(x509.Name([])),
                ]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    parsed = parse_csr(csr.public_bytes(serialization.Encoding.DER))
    assert parsed.common_name == ""
    assert parsed.emails == ("jane@example.com",)
    assert parsed.other_names == ("uri:urn:x:y", "otherName:1.3.6.1.4.1.311.20.2.3", "rid:1.2.3", "dirName:")


def test_control_characters_never_leave_the_parser(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bank.example\x00.evil.example")])
    names = x509.SubjectAlternativeName(
        [x509.DNSName("bank.example\x00.evil.example"), x509.RFC822Name("a@b\n")]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(name).add_extension(names, critical=False)
    parsed = parse_csr(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
    assert parsed.common_name == "bank.example\ufffd.evil.example"
    assert parsed.dns_names == ("bank.example\ufffd.evil.example",)
    assert "\x00" not in parsed.subject
    assert parsed.emails == ("a@b\ufffd",)
    finding = first_finding(CSR_CHECKS, CsrPolicyInput(parsed))
    assert finding is not None
    assert finding.reason == "DnsNameInvalid"


def as_pasted(pem: bytes):
    yield pem
    yield pem.replace(b"\n", b"\r\n")
    yield b"Subject: my request\r\n\r\nHello,\r\n" + pem + b"\r\n-- \r\nJane"
    yield pem.replace(b"BEGIN CERT", b"BEGIN NEW CERT").replace(b"END CERT", b"END NEW CERT")
    yield b"\xef\xbb\xbf" + pem
    yield pem.replace(b"\n", b"\n   ")


def test_what_people_paste_is_read(request_der):
    for text in as_pasted(csr_pem(request_der)):
        assert parse_csr(text).der == request_der
    assert parse_csr(base64.encodebytes(request_der)).der == request_der


def test_a_wrong_paste_is_explained(key, hierarchy):
    from pki.encodings import certificates_pem

    with pytest.raises(MalformedCsr, match="certificate, not"):
        parse_csr(certificates_pem([hierarchy.leaf.certificate]))
    with pytest.raises(PrivateKeyDisclosed):
        parse_csr(encode_private_key_pem(key) + csr_pem(build_csr(key, SubjectFields(common_name="a"))))
    for text in (
        b"",
        b"hello",
        b"\x30\x00",
        b"-----BEGIN CERTIFICATE REQUEST-----\n!!\n-----END CERTIFICATE REQUEST-----",
    ):
        with pytest.raises(MalformedCsr):
            parse_csr(text)
    with pytest.raises(InputTooLarge):
        parse_csr(b"0" * (MAX_CSR_BYTES + 1))


def test_a_request_signed_by_another_key_is_refused(request_der):
    other = build_csr(generate_key(KeyType.EC_P256), SubjectFields(common_name="www.example.com"))
    info, algorithm, _ = der.read_children(der.read_element(request_der).content)
    *_, foreign = der.read_children(der.read_element(other).content)
    forged = der.sequence(info.encoded, algorithm.encoded, foreign.encoded)
    with pytest.raises(BadCsrSignature):
        parse_csr(forged)


SHA1_RSA, SHA1_ECDSA, MD5_RSA = "1.2.840.113549.1.1.5", "1.2.840.10045.4.1", "1.2.840.113549.1.1.4"


def resigned(key, oid, algorithm):
    """The key's request again, signed with an old hash."""
    request = build_csr(key, SubjectFields(common_name="old.example"))
    info, *_ = der.read_children(der.read_element(request).content)
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(info.encoded, padding.PKCS1v15(), algorithm)
        parameters = der.tlv(der.NULL)
    else:
        signature = key.sign(info.encoded, ec.ECDSA(algorithm))
        parameters = b""
    identifier = der.sequence(der.object_identifier(oid), parameters)
    return info.encoded, identifier, signature


@pytest.mark.parametrize(
    ("key_type", "oid", "algorithm", "name"),
    [
        (KeyType.RSA_2048, SHA1_RSA, hashes.SHA1(), "sha1WithRSAEncryption"),
        (KeyType.RSA_2048, MD5_RSA, hashes.MD5(), "md5WithRSAEncryption"),
        (KeyType.EC_P256, SHA1_ECDSA, hashes.SHA1(), "ecdsa-with-SHA1"),
    ],
)
def test_old_hashes_are_verified_and_named(key_type, oid, algorithm, name):
    info, identifier, signature = resigned(generate_key(key_type), oid, algorithm)
    assert parse_csr(der.sequence(info, identifier, der.bit_string(signature))).signature_algorithm == name
    with pytest.raises(BadCsrSignature):
        parse_csr(der.sequence(info, identifier, der.bit_string(signature[:-1] + b"\x00")))


def test_keys_of_other_kinds_are_described_not_certified():
    key = dsa.generate_private_key(2048)
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    assert parse_csr(csr.public_bytes(serialization.Encoding.DER)).key_type == "DSA-2048"


def test_a_request_for_an_impossible_name_is_not_made(key):
    with pytest.raises(InvalidName):
        build_csr(key, SubjectFields(common_name="a"), ["a_b.example"])
    with pytest.raises(InvalidName):
        build_csr(key, SubjectFields(common_name="a"), [], ["10.0.0.0/8"])
