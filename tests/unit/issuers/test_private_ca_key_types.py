"""Every kind of key as root, issuing CA and leaf: what others say of the certificates."""

import subprocess

import pytest
from cryptography import x509

from pki.algorithms import algorithms_of
from pki.certificates import load_certificate, parse_certificate
from pki.crls import CrlTemplate
from pki.csr_policy import CSR_CHECKS, CsrPolicyInput
from pki.csrs import build_csr, parse_csr
from pki.encodings import certificates_pem
from pki.findings import first_finding
from pki.keys import (
    ML_DSA,
    KeyType,
    decode_private_key,
    encode_private_key,
    generate_key,
    key_type_of,
)
from pki.names import SubjectFields

# RSA-3072 and RSA-4096 differ from RSA-2048 in nothing but patience.
KINDS = [KeyType.EC_P256, KeyType.EC_P384, KeyType.EC_P521, KeyType.RSA_2048, KeyType.ED25519]


@pytest.fixture(scope="module")
def leaf_keys():
    return {kind: generate_key(kind) for kind in (*KINDS, *ML_DSA)}


@pytest.fixture(scope="module")
def hierarchies(make_hierarchy):
    return {kind: make_hierarchy(kind) for kind in (*KINDS, *ML_DSA)}


@pytest.mark.parametrize("ca_kind", KINDS)
@pytest.mark.parametrize("leaf_kind", KINDS)
def test_openssl_verifies_every_combination(
    hierarchies, leaf_keys, leaf_request, tmp_path, now, ca_kind, leaf_kind
):
    root, issuing = hierarchies[ca_kind]
    ca = issuing.authority()
    leaf = ca.sign(ca.prepare(leaf_request(key=leaf_keys[leaf_kind])).tbs)
    for name, certificate in (("root", root.certificate), ("issuing", issuing.certificate), ("leaf", leaf)):
        (tmp_path / f"{name}.pem").write_bytes(certificates_pem([certificate]))
    command = ["openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "issuing.pem"]
    command += ["-attime", str(int(now.timestamp()) + 60), "leaf.pem"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert parse_certificate(leaf).key_type == leaf_kind


# OpenSSL knows ML-DSA from 3.5 on; the library that made the signatures checks them through other code.
@pytest.mark.parametrize("kind", sorted(ML_DSA))
def test_ml_dsa_chains_verify(hierarchies, leaf_keys, leaf_request, now, kind):
    root, issuing = hierarchies[kind]
    ca = issuing.authority()
    leaf = load_certificate(ca.sign(ca.prepare(leaf_request(key=leaf_keys[kind])).tbs))
    leaf.verify_directly_issued_by(load_certificate(issuing.certificate))
    load_certificate(issuing.certificate).verify_directly_issued_by(load_certificate(root.certificate))
    facts = parse_certificate(issuing.certificate)
    assert (facts.key_type, facts.signature_algorithm) == (kind, kind)
    crl = ca.build_crl(
        CrlTemplate(
            issuer=ca.issuer,
            signature_algorithm=ca.algorithm,
            number=1,
            this_update=now,
            next_update=now.replace(year=now.year + 1),
        ),
        [],
    )
    public_key = load_certificate(issuing.certificate).public_key()
    assert x509.load_der_x509_crl(crl).is_signature_valid(public_key)


@pytest.mark.parametrize("kind", sorted(ML_DSA))
def test_ml_dsa_keys_are_stored_and_requests_of_them_read(leaf_keys, kind):
    key = leaf_keys[kind]
    again = decode_private_key(encode_private_key(key))
    assert key_type_of(again.public_key()) == kind
    csr = parse_csr(build_csr(key, SubjectFields(common_name="www.example.com"), ["www.example.com"]))
    assert csr.key_type == kind
    assert first_finding(CSR_CHECKS, CsrPolicyInput(csr)) is None
    refused = first_finding(CSR_CHECKS, CsrPolicyInput(csr, allowed_key_types=frozenset({"EC-P256"})))
    assert refused.reason == "KeyTypeNotInProfile"
    public = first_finding(CSR_CHECKS, CsrPolicyInput(csr, public_trust=True))
    assert public.reason == "KeyNotForPublicTrust"


def test_a_key_says_what_it_can_sign_with(leaf_keys):
    ec = algorithms_of(leaf_keys[KeyType.EC_P384].public_key())
    assert ec == ("ecdsa-with-SHA384", "ecdsa-with-SHA256", "ecdsa-with-SHA512")
    assert algorithms_of(leaf_keys[KeyType.ML_DSA_65].public_key()) == ("ML-DSA-65",)
