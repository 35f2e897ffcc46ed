"""Certificates of public shape against the CA/Browser Forum's server rules, as pkilint knows them.

What a private CA does differently on purpose is listed with its reason; anything else fails.
"""

import csv
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from pki.certificate_transparency import with_poison
from pki.keys import KeyType, spki_der
from pki.names import SubjectFields, encode_name
from pki.subject_alt_names import AltNames
from pki.templates import LeafProfile, SubjectRef, Validity

_RULES = "cabf.serverauth."
EXPLAINED = {
    "ca.extended_key_usage_extension_absent": "one private issuing CA serves servers, clients and programs;"
    " what each certificate is for stands in the certificate itself",
    "root.authority_key_identifier_extension_absent": "a root is found by its subject; its own identifier"
    " says nothing (RFC 5280, 4.2.1.1, lets self-signed certificates leave it out)",
    "dv.common_name_attribute_present": "not recommended, yet allowed: old clients show and search it",
    "ov.common_name_attribute_present": "as above",
    "subscriber.subject_key_identifier_extension_present": "not recommended, yet allowed: RFC 5280, 4.2.1.2,"
    " wants it, and tools find a key's certificates by it",
    "subscriber_rsa_digitalsignature_and_keyencipherment_present": "not recommended, yet allowed: clients"
    " without forward secrecy encipher with the key",
}
"""What the linter may find, and why that is meant."""
_LEAF = {"subscriber.subject_key_identifier_extension_present"}
_RSA_LEAF = {*_LEAF, "subscriber_rsa_digitalsignature_and_keyencipherment_present"}

NAMES = AltNames(("www.example.com", "example.com"))
DOMAIN = SubjectFields(common_name="www.example.com")
ORGANIZATION = SubjectFields(
    common_name="www.example.com", organization="Example Ltd", locality="Berlin", state="Berlin", country="DE"
)
VALIDATED = {
    "DV": (DOMAIN, "2.23.140.1.2.1"),
    "OV": (ORGANIZATION, "2.23.140.1.2.2"),
}
PAIRS = [
    (KeyType.EC_P256, KeyType.EC_P256),
    (KeyType.EC_P384, KeyType.RSA_2048),
    (KeyType.RSA_2048, KeyType.RSA_3072),
    (KeyType.RSA_4096, KeyType.EC_P384),
]


def found(tmp_path, der, kind):
    """The codes of all findings of severity WARNING or worse, without what all of them begin with."""
    file = tmp_path / "subject.der"
    file.write_bytes(der)
    program = Path(sys.executable).parent / "lint_cabf_serverauth_cert"
    command = [program, "lint", "-t", kind, "-s", "WARNING", "-f", "CSV", "--document-format", "DER", file]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not result.stderr, result.stderr
    return {row["code"].removeprefix(_RULES) for row in csv.DictReader(result.stdout.splitlines())}


@pytest.mark.parametrize("validation", sorted(VALIDATED))
@pytest.mark.parametrize(("ca_type", "leaf_type"), PAIRS)
def test_server_certificates_and_their_precertificates(issue_with, tmp_path, ca_type, leaf_type, validation):
    subject, policy = VALIDATED[validation]
    issued = issue_with(
        ca_type, leaf_type, names=NAMES, profile=LeafProfile(policies=(policy,)), subject=subject
    )
    meant = _RSA_LEAF if leaf_type.startswith("RSA") else _LEAF
    meant = {*meant, f"{validation.lower()}.common_name_attribute_present"}
    assert found(tmp_path, issued.leaf, f"{validation}-FINAL-CERTIFICATE") == meant
    precertificate = issued.ca.sign(with_poison(issued.tbs))
    assert found(tmp_path, precertificate, f"{validation}-PRE-CERTIFICATE") == meant
    assert meant <= EXPLAINED.keys()


def test_without_a_common_name_less_is_remarked(issue_with, tmp_path):
    profile = LeafProfile(policies=("2.23.140.1.2.1",))
    leaf = issue_with(
        KeyType.EC_P256, KeyType.EC_P256, names=NAMES, profile=profile, subject=SubjectFields()
    ).leaf
    assert found(tmp_path, leaf, "DV-FINAL-CERTIFICATE") == _LEAF


@pytest.mark.parametrize("ca_type", sorted({ca_type for ca_type, _ in PAIRS}))
def test_certification_authorities(issue_with, tmp_path, ca_type):
    issued = issue_with(ca_type, KeyType.EC_P256)
    roots = found(tmp_path, issued.root.certificate, "ROOT-CA")
    issuing = found(tmp_path, issued.issuing.certificate, "INTERNAL-UNCONSTRAINED-TLS-CA")
    assert roots == {"root.authority_key_identifier_extension_absent"}
    assert issuing == {"ca.extended_key_usage_extension_absent"}
    assert roots | issuing <= EXPLAINED.keys()


def test_the_linter_would_see_what_the_rules_forbid(issue_with, tmp_path):
    leaf = issue_with(
        KeyType.EC_P256,
        KeyType.EC_P256,
        names=AltNames(("www.example.com",), ("192.0.2.7",), ("jane@example.com",)),
        profile=LeafProfile(("serverAuth", "codeSigning"), policies=("2.23.140.1.2.1",)),
        subject=ORGANIZATION,
    ).leaf
    assert found(tmp_path, leaf, "DV-FINAL-CERTIFICATE") - EXPLAINED.keys()


@pytest.mark.parametrize("ca_type", [KeyType.EC_P256, KeyType.RSA_2048])
def test_delegated_responders(issue_with, tmp_path, now, ca_type):
    issued = issue_with(ca_type, KeyType.EC_P256)
    subject = SubjectRef(
        encode_name(SubjectFields(common_name="Example OCSP", organization="Example Ltd", country="DE")),
        spki_der(issued.key.public_key()),
    )
    validity = Validity(now, now + timedelta(days=14))
    prepared = issued.ca.prepare_responder(random=b"\x84" * 16, validity=validity, subject=subject)
    assert found(tmp_path, issued.ca.sign(prepared.tbs), "OCSP-RESPONDER") - EXPLAINED.keys() == set()
