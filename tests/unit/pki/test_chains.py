"""Chains are put in order, and what is wrong with one is said."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from pki.chains import chain_problems, is_issued_by, order_chain
from pki.errors import MalformedCertificate
from pki.keys import KeyType, spki_der
from pki.templates import IssuerRef, Validity


@pytest.fixture(scope="module")
def chain(hierarchy):
    return (hierarchy.leaf.certificate, hierarchy.issuing.certificate, hierarchy.root.certificate)


def reasons(chain, at, host=""):
    return [finding.reason for finding in chain_problems(chain, at, host=host)]


def test_loose_certificates_are_put_in_order(chain, new_hierarchy):
    strangers = new_hierarchy(KeyType.EC_P256)
    pool = [*chain, strangers.root.certificate, strangers.issuing.certificate, b"rubbish"]
    for seed in range(5):
        random.Random(seed).shuffle(pool)
        assert order_chain(chain[0], pool) == chain
    assert order_chain(chain[0], [chain[2]]) == chain[:1]
    assert order_chain(chain[2], pool) == chain[2:]
    with pytest.raises(MalformedCertificate):
        order_chain(b"rubbish", pool)


def test_an_issuer_must_have_signed_not_only_have_the_name(chain, new_hierarchy):
    namesake = new_hierarchy(KeyType.EC_P256).issuing.certificate
    assert is_issued_by(chain[0], chain[1])
    assert not is_issued_by(chain[0], namesake)
    assert not is_issued_by(chain[0], b"rubbish")


def test_of_two_issuers_with_one_key_the_longer_lived_is_taken(hierarchy, chain, sign_template, now):
    renewed = replace(
        hierarchy.issuing.template, serial=99, validity=Validity(now, now + timedelta(days=2000))
    )
    longer = sign_template(renewed, hierarchy.root.key)
    assert order_chain(chain[0], [chain[1], longer, chain[2]])[1] == longer
    assert order_chain(chain[0], [longer, chain[1], chain[2]])[1] == longer


def test_cross_signed_cas_do_not_loop(hierarchy, sign_template):
    root, issuing = hierarchy.root, hierarchy.issuing
    # The root again, but certified by the issuing CA: a cycle of issuers.
    cross = sign_template(replace(root.template, serial=77, issuer=issuing.ref), issuing.key)
    ordered = order_chain(hierarchy.leaf.certificate, [cross, issuing.certificate])
    assert ordered == (hierarchy.leaf.certificate, issuing.certificate, cross)


def test_a_good_chain_has_no_problems(chain, now):
    assert reasons(chain, now, "www.example.com") == []
    assert reasons(chain[:2], now, "v1.api.example.com") == []
    assert reasons(chain, now, "2001:db8::7") == []


def test_time(chain, now):
    assert reasons(chain, now + timedelta(days=91)) == ["CertificateExpired"]
    assert reasons(chain, now - timedelta(seconds=1)) == ["CertificateNotYetValid"]
    assert reasons(chain, now + timedelta(days=90)) == []


def test_order_gaps_and_strangers(chain, now, new_hierarchy):
    leaf, issuing, root = chain
    assert reasons((leaf,), now) == ["ChainIncomplete"]
    assert reasons((leaf, root, issuing), now) == ["ChainOutOfOrder"]
    assert reasons((leaf, root), now) == ["ChainHasStrangers", "ChainIncomplete"]
    stranger = new_hierarchy(KeyType.EC_P256).root.certificate
    assert reasons((leaf, issuing, stranger), now) == ["ChainHasStrangers"]
    assert reasons((), now) == ["ChainEmpty"]
    with pytest.raises(MalformedCertificate):
        chain_problems([b"rubbish"], now)


def test_names(chain, now):
    assert reasons(chain, now, "other.example.com") == ["NameMismatch"]
    assert reasons(chain, now, "192.0.2.8") == ["NameMismatch"]


def test_a_self_signed_leaf(hierarchy, sign_template, now):
    leaf = hierarchy.leaf.template
    lonely = replace(leaf, issuer=IssuerRef(leaf.subject.name_der, b""))
    certificate = sign_template(lonely, hierarchy.leaf.key)
    assert reasons((certificate,), now) == ["SelfSignedLeaf"]


def test_weak_keys_and_hashes(hierarchy, now):
    from cryptography.hazmat.primitives.asymmetric import rsa

    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
    subject = replace(hierarchy.leaf.template.subject, spki_der=spki_der(weak))
    certificate = hierarchy.reissue(subject=subject)
    assert reasons((certificate, hierarchy.issuing.certificate), now) == ["WeakKey"]


def test_sha1_is_found_except_in_a_root(new_hierarchy, now):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    from pki import der

    rsa_hierarchy = new_hierarchy(KeyType.RSA_2048)
    sha256, sha1 = (der.object_identifier(f"1.2.840.113549.1.1.{n}") for n in (11, 5))

    def with_sha1(certificate, key):
        tbs, *_ = der.read_children(der.read_element(certificate).content)
        old = tbs.encoded.replace(sha256, sha1)
        signature = key.sign(old, padding.PKCS1v15(), hashes.SHA1())
        return der.sequence(old, der.sequence(sha1, der.tlv(der.NULL)), der.bit_string(signature))

    leaf, issuing, root = (
        with_sha1(rsa_hierarchy.leaf.certificate, rsa_hierarchy.issuing.key),
        rsa_hierarchy.issuing.certificate,
        with_sha1(rsa_hierarchy.root.certificate, rsa_hierarchy.root.key),
    )
    assert reasons((leaf, issuing, root), now) == ["WeakSignatureHash"]
    assert reasons((rsa_hierarchy.leaf.certificate, issuing, root), now) == []
