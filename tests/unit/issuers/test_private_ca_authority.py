"""The built-in CA signs exactly what was prepared, and only for itself."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography import x509

from hub.issuers.private_ca.authority import PrivateCa
from hub.issuers.private_ca.errors import (
    BadSignerOutput,
    ForeignTbs,
    NotACertificateAuthority,
    OutlivesIssuer,
    SignerMismatch,
)
from hub.issuers.private_ca.signer import SoftwareSigner
from pki.certificates import parse_certificate
from pki.chains import chain_problems
from pki.crls import CrlEntry, CrlTemplate, RevocationReason, encode_crl_entry
from pki.errors import InvalidTemplate, MalformedCertificate, MalformedDer
from pki.keys import KeyType, generate_key


def test_a_prepared_certificate_is_issued(ca, materials, leaf_request, now):
    root, issuing = materials
    prepared = ca.prepare(leaf_request(90, "www.example.com", "*.example.org"))
    certificate = ca.sign(prepared.tbs)
    facts = parse_certificate(certificate)
    assert facts.serial == prepared.serial
    assert facts.dns_names == ("www.example.com", "*.example.org")
    assert facts.not_after - facts.not_before == timedelta(days=90)
    chain = (certificate, issuing.certificate, root.certificate)
    assert chain_problems(chain, now, host="mail.example.org") == ()


@pytest.mark.parametrize("key_type", [KeyType.EC_P256, KeyType.EC_P384, KeyType.RSA_2048])
def test_signing_again_after_a_crash_gives_the_identical_certificate(
    make_hierarchy, leaf_request, kek, key_type
):
    _, issuing = make_hierarchy(key_type)
    stored = issuing.authority().prepare(leaf_request()).tbs
    first = issuing.authority().sign(stored)
    # Another process: the key comes from the blob, the TBSCertificate from the database.
    facts = parse_certificate(issuing.certificate)
    signer = SoftwareSigner.unlock(issuing.locked_key, kek, key_sha256=facts.spki_sha256)
    assert PrivateCa(issuing.certificate, signer).sign(stored) == first


def test_signing_runs_in_threads(ca, leaf_request):
    prepared = [ca.prepare(leaf_request()).tbs for _ in range(32)]
    with ThreadPoolExecutor(4) as pool:
        serials = {parse_certificate(der).serial for der in pool.map(ca.sign, prepared)}
    assert len(serials) == 32


def test_nothing_outlives_the_ca(ca, leaf_request):
    with pytest.raises(OutlivesIssuer):
        ca.prepare(leaf_request(3651))
    ca.prepare(leaf_request(3650))


def test_a_zero_serial_is_not_prepared(ca, leaf_request):
    with pytest.raises(InvalidTemplate):
        ca.prepare(leaf_request(random=bytes(16)))


def test_only_its_own_certificates_are_signed(ca, materials, leaf_request, now):
    root, _ = materials
    with pytest.raises(ForeignTbs):
        ca.sign(root.authority().prepare(leaf_request()).tbs)
    with pytest.raises(MalformedDer):
        ca.sign(b"")
    with pytest.raises(ForeignTbs):
        ca.sign(b"\x30\x00")


def test_a_crl_is_not_signed_as_a_certificate_nor_the_reverse(ca, crl_template):
    from pki.crls import build_crl_tbs

    with pytest.raises(ForeignTbs):
        ca.sign(build_crl_tbs(crl_template, []))


@pytest.fixture
def crl_template(ca, now):
    return CrlTemplate(
        issuer=ca.issuer,
        signature_algorithm=ca.algorithm,
        number=3,
        this_update=now,
        next_update=now + timedelta(days=7),
    )


def test_revoked_certificates_are_listed(ca, crl_template, leaf_request, now):
    serial = int(ca.prepare(leaf_request()).serial, 16)
    entry = encode_crl_entry(CrlEntry(serial, now, RevocationReason.SUPERSEDED))
    crl = x509.load_der_x509_crl(ca.build_crl(crl_template, [entry]))
    assert crl.is_signature_valid(x509.load_der_x509_certificate(ca.certificate).public_key())
    assert crl.get_revoked_certificate_by_serial_number(serial) is not None
    assert crl.issuer == x509.load_der_x509_certificate(ca.certificate).subject


def test_a_ca_needs_its_own_key(materials):
    root, issuing = materials
    with pytest.raises(SignerMismatch):
        PrivateCa(issuing.certificate, root.signer)
    with pytest.raises(MalformedCertificate):
        PrivateCa(b"rubbish", root.signer)


def test_a_leaf_is_no_ca(ca, leaf_request):
    key = generate_key(KeyType.EC_P256)
    certificate = ca.sign(ca.prepare(leaf_request(key=key)).tbs)
    with pytest.raises(NotACertificateAuthority):
        PrivateCa(certificate, SoftwareSigner(key))


class FaultySigner:
    """A device that flips a bit in its signatures."""

    def __init__(self, inner):
        self._inner = inner
        self.public_key = inner.public_key
        self.algorithm = inner.algorithm

    def sign(self, tbs):
        signature = self._inner.sign(tbs)
        return signature[:-1] + bytes((signature[-1] ^ 1,))


def test_a_wrong_signature_is_never_published(materials, leaf_request):
    faulty = PrivateCa(materials[1].certificate, FaultySigner(materials[1].signer))
    with pytest.raises(BadSignerOutput):
        faulty.sign(faulty.prepare(leaf_request()).tbs)
