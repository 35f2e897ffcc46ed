"""Issued certificates say what the template says, and nothing that must not be signed is encoded."""

import ipaddress
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from pki.algorithms import SignatureAlgorithm
from pki.encodings import certificates_pem
from pki.errors import InvalidTemplate
from pki.issuing import assemble, build_tbs
from pki.keys import KeyType, generate_key, spki_der
from pki.subject_alt_names import AltNames
from pki.templates import (
    IssuerRef,
    LeafProfile,
    NameConstraints,
    StatusUrls,
    SubjectRef,
    Validity,
    default_key_usage,
    issuing_ca_template,
    leaf_template,
    serial_from_random,
)


def loaded(certificate):
    return x509.load_der_x509_certificate(certificate)


def extension(certificate, oid):
    return loaded(certificate).extensions.get_extension_for_oid(oid)


def test_the_leaf_says_what_the_template_says(hierarchy):
    leaf, issuing = hierarchy.leaf, hierarchy.issuing
    certificate = loaded(leaf.certificate)
    assert certificate.version is x509.Version.v3
    assert certificate.serial_number == 0xFFEE
    assert certificate.issuer == loaded(issuing.certificate).subject
    names = extension(leaf.certificate, ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    assert not names.critical
    assert names.value.get_values_for_type(x509.DNSName) == ["www.example.com", "*.api.example.com"]
    assert names.value.get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address("192.0.2.7"),
        ipaddress.ip_address("2001:db8::7"),
    ]
    constraints = extension(leaf.certificate, ExtensionOID.BASIC_CONSTRAINTS)
    assert constraints.critical
    assert not constraints.value.ca
    assert extension(leaf.certificate, ExtensionOID.KEY_USAGE).critical
    points = extension(leaf.certificate, ExtensionOID.CRL_DISTRIBUTION_POINTS).value
    assert points[0].full_name[0].value == "http://hub.example.com/crl/1.crl"
    access = extension(leaf.certificate, ExtensionOID.AUTHORITY_INFORMATION_ACCESS).value
    assert {item.access_method: item.access_location.value for item in access} == {
        AuthorityInformationAccessOID.OCSP: "http://hub.example.com/ocsp/1",
        AuthorityInformationAccessOID.CA_ISSUERS: "http://hub.example.com/aia/1.cer",
    }
    policies = extension(leaf.certificate, ExtensionOID.CERTIFICATE_POLICIES).value
    assert policies[0].policy_identifier.dotted_string == "1.3.6.1.4.1.55555.1"
    authority = extension(leaf.certificate, ExtensionOID.AUTHORITY_KEY_IDENTIFIER).value
    assert (
        authority.key_identifier
        == extension(issuing.certificate, ExtensionOID.SUBJECT_KEY_IDENTIFIER).value.digest
    )


def test_ca_certificates_are_limited_to_their_role(hierarchy):
    constraints = extension(hierarchy.issuing.certificate, ExtensionOID.BASIC_CONSTRAINTS)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    usage = extension(hierarchy.issuing.certificate, ExtensionOID.KEY_USAGE).value
    assert usage.key_cert_sign
    assert usage.crl_sign
    assert not usage.key_encipherment


@pytest.mark.parametrize(
    "key_type", [KeyType.RSA_2048, KeyType.EC_P256, KeyType.EC_P384, KeyType.EC_P521, KeyType.ED25519]
)
def test_every_signature_algorithm_is_accepted_by_openssl(key_type, new_hierarchy, tmp_path, now):
    parties = new_hierarchy(key_type)
    paths = {}
    for name in ("root", "issuing", "leaf"):
        paths[name] = tmp_path / f"{name}.pem"
        paths[name].write_bytes(certificates_pem([getattr(parties, name).certificate]))
    command = [
        "openssl",
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-verify_hostname",
        "www.example.com",
    ]
    command += [
        "-attime",
        str(int(now.timestamp()) + 60),
        "-CAfile",
        paths["root"],
        "-untrusted",
        paths["issuing"],
    ]
    result = subprocess.run([*command, paths["leaf"]], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_same_template_always_gives_the_same_certificate(hierarchy):
    assert hierarchy.reissue() == hierarchy.leaf.certificate
    assert build_tbs(hierarchy.leaf.template) == loaded(hierarchy.leaf.certificate).tbs_certificate_bytes


def test_the_alternative_name_is_critical_when_there_is_no_subject(hierarchy):
    subject = replace(hierarchy.leaf.template.subject, name_der=b"\x30\x00")
    assert extension(hierarchy.reissue(subject=subject), ExtensionOID.SUBJECT_ALTERNATIVE_NAME).critical


def test_mailboxes_and_no_names_at_all(hierarchy):
    subject = hierarchy.leaf.template.subject
    with_mail = hierarchy.reissue(subject=replace(subject, names=AltNames(emails=("jane@example.com",))))
    names = extension(with_mail, ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    assert names.get_values_for_type(x509.RFC822Name) == ["jane@example.com"]
    without = hierarchy.reissue(subject=replace(subject, names=AltNames()))
    with pytest.raises(x509.ExtensionNotFound):
        extension(without, ExtensionOID.SUBJECT_ALTERNATIVE_NAME)


def test_name_constraints(hierarchy, sign_template, now, tmp_path):
    constraints = NameConstraints(
        permitted_dns=("example.com",),
        excluded_dns=("secret.example.com",),
        permitted_networks=("192.0.2.0/24", "2001:db8::/32"),
    )
    template = hierarchy.issuing.template
    limited = replace(template, extensions=replace(template.extensions, name_constraints=constraints))
    certificate = sign_template(limited, hierarchy.root.key)
    found = extension(certificate, ExtensionOID.NAME_CONSTRAINTS)
    assert found.critical
    assert [name.value for name in found.value.excluded_subtrees] == ["secret.example.com"]
    assert [str(name.value) for name in found.value.permitted_subtrees] == [
        "example.com",
        "192.0.2.0/24",
        "2001:db8::/32",
    ]


def test_dates_after_2049_and_microseconds(hierarchy, sign_template):
    validity = Validity(datetime(2026, 1, 1, 0, 0, 0, 999, tzinfo=UTC), datetime(2051, 1, 1, tzinfo=UTC))
    certificate = loaded(
        sign_template(replace(hierarchy.root.template, validity=validity), hierarchy.root.key)
    )
    assert certificate.not_valid_before_utc == datetime(2026, 1, 1, tzinfo=UTC)
    assert certificate.not_valid_after_utc == datetime(2051, 1, 1, tzinfo=UTC)


def broken(template):
    start = template.validity.not_before
    subject, extensions = template.subject, template.extensions
    usage = ("digitalSignature",)
    yield "SerialOutOfRange", {"serial": 0}
    yield "SerialOutOfRange", {"serial": -5}
    yield "SerialOutOfRange", {"serial": 1 << 159}
    yield "ValidityReversed", {"validity": Validity(start, start)}
    yield "ValidityNotAware", {"validity": Validity(start.replace(tzinfo=None), start.replace(tzinfo=None))}
    yield "NameMissing", {"subject": SubjectRef(b"\x30\x00", subject.spki_der)}
    yield "AltNameKindUnsupported", {"subject": replace(subject, names=AltNames(other_names=("uri:x",)))}
    yield "UsageContradictsRole", {"extensions": replace(extensions, ca=True)}
    yield "UsageContradictsRole", {"extensions": replace(extensions, key_usage=("keyCertSign",))}
    yield "UsageContradictsRole", {"extensions": replace(extensions, path_length=0)}
    yield "not a key usage: sing", {"extensions": replace(extensions, key_usage=("sing",))}
    yield "not an extended key usage", {"extensions": replace(extensions, extended_key_usage=("server",))}
    yield "encipher_only", {"extensions": replace(extensions, key_usage=(*usage, "encipherOnly"))}
    yield "can not be encoded", {"extensions": replace(extensions, policies=("1.x",))}
    yield "can not be encoded", {"extensions": replace(extensions, urls=StatusUrls(crl=("http://bücher/",)))}
    yield "not normalized", {"subject": replace(subject, names=AltNames(dns_names=("bücher.example",)))}
    yield "not normalized", {"subject": replace(subject, names=AltNames(ip_addresses=("1.2.3",)))}


def test_what_must_not_be_signed_is_refused(hierarchy):
    for reason, changes in broken(hierarchy.leaf.template):
        with pytest.raises(InvalidTemplate, match=reason):
            build_tbs(replace(hierarchy.leaf.template, **changes))


def test_a_signature_by_another_algorithm_is_not_assembled(hierarchy):
    tbs = build_tbs(hierarchy.leaf.template)
    with pytest.raises(InvalidTemplate):
        assemble(tbs, SignatureAlgorithm.RSA_SHA256, b"signature")


def test_serial_numbers_carry_all_their_random_bits():
    assert serial_from_random(b"\xff" * 16) == (1 << 128) - 1
    assert serial_from_random(b"\x00" * 15 + b"\x01") == 1
    for random in (bytes(16), b"\x01" * 15, b"\x01" * 17):
        with pytest.raises(InvalidTemplate):
            serial_from_random(random)


def test_a_leafs_usage_suits_its_key():
    rsa, ec = (spki_der(generate_key(kind).public_key()) for kind in (KeyType.RSA_2048, KeyType.EC_P256))
    assert default_key_usage(rsa) == ("digitalSignature", "keyEncipherment")
    assert default_key_usage(ec) == ("digitalSignature",)


def test_builders_leave_the_authority_identifier_out_when_the_issuer_has_none(hierarchy, now):
    subject = hierarchy.leaf.template.subject
    common = {
        "serial": 5,
        "signature_algorithm": SignatureAlgorithm.ECDSA_SHA256,
        "issuer": IssuerRef(subject.name_der, b""),
        "validity": Validity(now, now + timedelta(days=1)),
        "subject": subject,
        "urls": StatusUrls(),
    }
    leaf = leaf_template(**common, profile=LeafProfile(extended_key_usage=("clientAuth",)))
    intermediate = issuing_ca_template(**common, path_length=None)
    for template in (leaf, intermediate):
        certificate = assemble(build_tbs(template), SignatureAlgorithm.ECDSA_SHA256, b"\x30\x00")
        oids = {item.oid for item in loaded(certificate).extensions}
        assert ExtensionOID.AUTHORITY_KEY_IDENTIFIER not in oids
        assert ExtensionOID.CRL_DISTRIBUTION_POINTS not in oids
