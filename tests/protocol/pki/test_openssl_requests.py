"""Signing requests of the real openssl command, good and bad, against the policy."""

import subprocess

import pytest

from pki.csr_policy import CSR_CHECKS, CsrPolicyInput
from pki.csrs import parse_csr
from pki.errors import BadCsrSignature, PkiError, UnsupportedKey
from pki.findings import all_findings
from pki.keys import KeyType
from pki.weak_key_lists import NO_KNOWN_KEYS, read_weak_key_list

RSA = ["-algorithm", "RSA", "-pkeyopt"]
EC = ["-algorithm", "EC", "-pkeyopt"]
NAMES = "subjectAltName=DNS:www.example.com,DNS:example.com"
TOO_SMALL = "RsaKeyTooSmall"


def openssl(*arguments, given=b""):
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


@pytest.fixture
def make(tmp_path):
    def request(*algorithm, digest="-sha256"):
        key = tmp_path / "key.pem"
        openssl("genpkey", *algorithm, "-out", key)
        subject = ["-subj", "/CN=www.example.com/O=Example Ltd", "-addext", NAMES]
        return openssl("req", "-new", "-key", key, *([digest] if digest else []), *subject)

    return request


def reasons(request, **facts):
    csr = parse_csr(request)
    facts.setdefault("allowed_key_types", frozenset(KeyType))
    return [finding.reason for finding in all_findings(CSR_CHECKS, CsrPolicyInput(csr, **facts))]


@pytest.mark.parametrize(
    "algorithm",
    [
        [*RSA, "rsa_keygen_bits:2048"],
        [*RSA, "rsa_keygen_bits:4096"],
        [*EC, "ec_paramgen_curve:P-256"],
        [*EC, "ec_paramgen_curve:P-384"],
        [*EC, "ec_paramgen_curve:P-521"],
    ],
    ids=lambda algorithm: algorithm[-1],
)
def test_good_keys_pass_for_both_trusts(make, algorithm):
    request = make(*algorithm)
    assert reasons(request) == []
    assert reasons(request, public_trust=True) == []
    parsed = parse_csr(request)
    assert (parsed.common_name, parsed.dns_names) == ("www.example.com", ("www.example.com", "example.com"))


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ([*RSA, "rsa_keygen_bits:1024"], [TOO_SMALL, "KeyTypeNotInProfile"]),
        (
            [*RSA, "rsa_keygen_bits:2047"],
            [TOO_SMALL, "RsaModulusNotWholeOctets", "KeyTypeNotInProfile"],
        ),
        ([*RSA, "rsa_keygen_bits:2052"], ["RsaModulusNotWholeOctets", "KeyTypeNotInProfile"]),
        (
            [*RSA, "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:3"],
            ["RsaExponentUnsafe"],
        ),
        ([*EC, "ec_paramgen_curve:secp224r1"], ["CurveNotAllowed", "KeyTypeNotInProfile"]),
        ([*EC, "ec_paramgen_curve:secp256k1"], ["CurveNotAllowed", "KeyTypeNotInProfile"]),
        ([*EC, "ec_paramgen_curve:brainpoolP256r1"], ["CurveNotAllowed", "KeyTypeNotInProfile"]),
    ],
    ids=lambda value: value[-1] if value and "-" in value[0] else "",
)
def test_bad_keys_are_refused(make, algorithm, expected):
    assert reasons(make(*algorithm)) == expected


@pytest.mark.parametrize("algorithm", ["ED25519", "ED448"])
def test_edwards_curves_are_for_private_trust_at_most(make, algorithm):
    request = make("-algorithm", algorithm, digest=None)
    private = [] if algorithm == "ED25519" else ["KeyTypeNotInProfile"]
    assert reasons(request) == private
    assert reasons(request, public_trust=True) == ["KeyNotForPublicTrust", *private]


@pytest.mark.parametrize("digest", ["-sha1", "-md5"])
def test_a_request_signed_over_a_broken_hash(make, digest):
    assert reasons(make(*RSA, "rsa_keygen_bits:2048", digest=digest)) == ["WeakSignatureHash"]


@pytest.mark.parametrize(
    "algorithm",
    [
        # CVE-2020-0601 lived on such parameters.
        [*EC, "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"],
        ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
    ],
    ids=["curve by its numbers", "RSA-PSS"],
)
def test_a_key_that_no_certificate_would_write_so(make, algorithm):
    assert reasons(make(*algorithm)) == ["KeyEncodingUnusual"]


def test_a_point_off_its_curve(make):
    der = bytearray(parse_csr(make(*EC, "ec_paramgen_curve:P-256")).der)
    # The last octet of the point, which ends the key's BIT STRING of 65 octets.
    start = der.index(b"\x03\x42\x00\x04")
    der[start + 3 + 64] ^= 1
    with pytest.raises(UnsupportedKey):
        parse_csr(bytes(der))


def test_whoever_sends_a_request_must_have_the_key(make):
    der = bytearray(parse_csr(make(*RSA, "rsa_keygen_bits:2048")).der)
    der[-1] ^= 1
    with pytest.raises(BadCsrSignature):
        parse_csr(bytes(der))
    other = parse_csr(make(*RSA, "rsa_keygen_bits:2048"))
    victim = parse_csr(make(*RSA, "rsa_keygen_bits:2048"))
    stolen = other.der.replace(other.spki_der, victim.spki_der)
    with pytest.raises(PkiError):
        parse_csr(stolen)


def test_a_published_key_is_known_by_what_the_command_prints_of_it(make, tmp_path):
    request = make(*RSA, "rsa_keygen_bits:2048")
    printed = openssl("req", "-noout", "-modulus", given=request)
    digest = openssl("dgst", "-sha1", "-r", given=printed).split()[0].decode()
    known = read_weak_key_list(f"# one key\n\n00005890bc78bcbee3ca\n{digest[20:]}\n")
    assert len(known) == 2
    assert reasons(request, weak_keys=known) == ["KeyIsPublished"]
    assert reasons(make(*RSA, "rsa_keygen_bits:2048"), weak_keys=known) == []
    assert reasons(request, weak_keys=NO_KNOWN_KEYS) == []


def test_a_compromised_key_is_refused_with_where_that_is_known_from(make):
    csr = parse_csr(make(*EC, "ec_paramgen_curve:P-256"))
    found = all_findings(CSR_CHECKS, CsrPolicyInput(csr, compromised="certificate 7 was revoked"))
    assert [finding.reason for finding in found] == ["KeyCompromised"]
    assert "certificate 7 was revoked" in found[0].message
