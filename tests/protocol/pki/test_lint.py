"""What the built-in CA signs passes pkilint without errors.

The RFC 5280 profile of the linter knows no wildcards (the RFC leaves them to the protocols), so the leaf with
one is held against the CA/Browser Forum's server profile instead, in what that says of names.
"""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from pki.crls import REASON_CODES, CrlEntry, CrlTemplate, encode_crl_entry
from pki.keys import KeyType
from pki.subject_alt_names import AltNames
from pki.templates import LeafProfile

PROGRAMS = Path(sys.executable).parent


def errors(tmp_path, program, der, *arguments):
    """The linter's findings of severity ERROR and FATAL."""
    file = tmp_path / "subject.der"
    file.write_bytes(der)
    command = [PROGRAMS / program, "lint", *arguments, "-s", "ERROR", "--document-format", "DER", file]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not result.stderr, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("leaf_type", [KeyType.RSA_2048, KeyType.EC_P521, KeyType.ED25519, KeyType.ML_DSA_65])
@pytest.mark.parametrize("ca_type", [KeyType.EC_P384, KeyType.RSA_3072])
def test_leaves(issue_with, tmp_path, ca_type, leaf_type):
    assert errors(tmp_path, "lint_pkix_cert", issue_with(ca_type, leaf_type).leaf) == ""


@pytest.mark.parametrize(
    "ca_type",
    [
        KeyType.EC_P256,
        KeyType.EC_P521,
        KeyType.RSA_2048,
        KeyType.ED25519,
        KeyType.ML_DSA_44,
        KeyType.ML_DSA_87,
    ],
)
def test_certification_authorities(issue_with, tmp_path, ca_type):
    issued = issue_with(ca_type, KeyType.EC_P256)
    assert errors(tmp_path, "lint_pkix_cert", issued.root.certificate) == ""
    assert errors(tmp_path, "lint_pkix_cert", issued.issuing.certificate) == ""


@pytest.mark.parametrize(
    ("names", "profile"),
    [
        (AltNames(emails=("jane@example.com",)), LeafProfile(("emailProtection", "clientAuth"))),
        (AltNames(("device.example.com",)), LeafProfile(("clientAuth",), policies=("2.23.140.1.2.2",))),
        (AltNames(("xn--bcher-kva.example",)), LeafProfile(("serverAuth", "clientAuth"))),
    ],
)
def test_profiles(issue_with, tmp_path, names, profile):
    leaf = issue_with(KeyType.EC_P256, KeyType.EC_P256, names=names, profile=profile).leaf
    assert errors(tmp_path, "lint_pkix_cert", leaf) == ""


def test_wildcards(issue_with, tmp_path):
    names = AltNames(("*.example.com", "example.com"))
    profile = LeafProfile(policies=("2.23.140.1.2.1",))
    leaf = issue_with(KeyType.EC_P256, KeyType.EC_P256, names=names, profile=profile).leaf
    found = errors(tmp_path, "lint_cabf_serverauth_cert", leaf, "-t", "DV-FINAL-CERTIFICATE")
    assert "wildcard" not in found.lower()
    assert "domain_name_syntax" not in found


def test_a_chain_agrees_with_itself(issued, tmp_path):
    (tmp_path / "issuer.der").write_bytes(issued.issuing.certificate)
    (tmp_path / "leaf.der").write_bytes(issued.leaf)
    command = [PROGRAMS / "lint_pkix_signer_signee_cert_chain", "lint", "-s", "ERROR"]
    command += [tmp_path / "issuer.der", tmp_path / "leaf.der"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.stdout.strip(), result.stderr) == ("", "")


@pytest.mark.parametrize("profile", ["PKIX", "BR"])
@pytest.mark.parametrize("url", ["", "http://hub.example.com/issuing.crl"])
@pytest.mark.parametrize("revoked", [False, True])
def test_revocation_lists(issued, tmp_path, now, profile, url, revoked):
    template = CrlTemplate(
        issuer=issued.ca.issuer,
        signature_algorithm=issued.ca.algorithm,
        number=1,
        this_update=now,
        next_update=now + timedelta(days=7),
        distribution_url=url,
    )
    # The Baseline Requirements forbid three of RFC 5280's reasons for server certificates.
    reasons = [
        reason for reason in REASON_CODES if reason not in {"certificateHold", "cACompromise", "aACompromise"}
    ]
    entries = [CrlEntry(serial, now, reason) for serial, reason in enumerate(reasons, 1)] if revoked else []
    crl = issued.ca.build_crl(template, map(encode_crl_entry, entries))
    assert errors(tmp_path, "lint_crl", crl, "-t", "CRL", "-p", profile) == ""
