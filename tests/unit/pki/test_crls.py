"""Revocation lists say what was revoked, why and when."""

import subprocess
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509

from pki.algorithms import SignatureAlgorithm, sign
from pki.crls import REASON_CODES, CrlEntry, CrlTemplate, RevocationReason, build_crl_tbs, encode_crl_entry
from pki.encodings import certificates_pem, pem_block
from pki.errors import InvalidTemplate
from pki.issuing import assemble


@pytest.fixture(scope="module")
def template(hierarchy, now):
    return CrlTemplate(
        issuer=hierarchy.issuing.ref,
        signature_algorithm=SignatureAlgorithm.ECDSA_SHA256,
        number=7,
        this_update=now,
        next_update=now + timedelta(days=7),
    )


@pytest.fixture(scope="module")
def make(hierarchy):
    def make(template, *entries):
        tbs = build_crl_tbs(template, map(encode_crl_entry, entries))
        key, algorithm = hierarchy.issuing.key, template.signature_algorithm
        return assemble(tbs, algorithm, sign(key, algorithm, tbs))

    return make


def test_entries_are_listed_with_their_reasons(template, make, hierarchy, now):
    entries = [CrlEntry(1 << n, now - timedelta(days=n), reason) for n, reason in enumerate(REASON_CODES, 1)]
    crl = x509.load_der_x509_crl(make(template, *entries))
    assert crl.is_signature_valid(hierarchy.issuing.key.public_key())
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 7
    assert (crl.last_update_utc, crl.next_update_utc) == (now, now + timedelta(days=7))
    assert len(crl) == len(entries)
    for entry in entries:
        found = crl.get_revoked_certificate_by_serial_number(entry.serial)
        assert found.revocation_date_utc == entry.revoked_at
        if entry.reason is RevocationReason.UNSPECIFIED:
            assert len(found.extensions) == 0
        else:
            assert found.extensions.get_extension_for_class(x509.CRLReason).value.reason.value == entry.reason


def test_an_empty_list_is_valid(template, make):
    assert len(x509.load_der_x509_crl(make(template))) == 0


def test_a_distribution_point_can_be_named(template, make):
    crl = x509.load_der_x509_crl(make(replace(template, distribution_url="http://hub.example.com/crl/1.crl")))
    found = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert found.critical
    assert found.value.full_name[0].value == "http://hub.example.com/crl/1.crl"


@pytest.mark.parametrize("url", ["", "http://hub.example.com/crl/1.crl"])
@pytest.mark.parametrize("revoked", [True, False])
def test_openssl_refuses_exactly_the_revoked_certificate(
    template, make, hierarchy, now, tmp_path, url, revoked
):
    entries = [CrlEntry(0xFFEE if revoked else 0xFFEF, now, RevocationReason.KEY_COMPROMISE)]
    crl = make(replace(template, distribution_url=url), *entries)
    (tmp_path / "crl.pem").write_bytes(pem_block("X509 CRL", crl))
    for name in ("root", "issuing", "leaf"):
        (tmp_path / f"{name}.pem").write_bytes(certificates_pem([getattr(hierarchy, name).certificate]))
    command = ["openssl", "verify", "-crl_check", "-CRLfile", "crl.pem", "-CAfile", "root.pem"]
    command += ["-untrusted", "issuing.pem", "-attime", str(int(now.timestamp()) + 60), "leaf.pem"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ("certificate revoked" in result.stderr + result.stdout) is revoked
    assert (result.returncode == 0) is not revoked


def test_a_list_that_makes_no_sense_is_refused(template, now):
    for changes in ({"number": -1}, {"number": 1 << 159}, {"next_update": now}):
        with pytest.raises(InvalidTemplate):
            build_crl_tbs(replace(template, **changes), [])
