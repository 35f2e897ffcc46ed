"""New CAs: their certificates, their limits, and that their keys stay locked."""

import subprocess
from datetime import timedelta

import pytest
from cryptography import x509

from hub.issuers.private_ca.ceremony import CA_KEY_TYPES, CaSpec, create_issuing_ca
from hub.issuers.private_ca.errors import OutlivesIssuer
from hub.issuers.private_ca.signer import SoftwareSigner
from pki.at_rest import KeyEncryptionKey, new_key
from pki.certificates import parse_certificate
from pki.encodings import certificates_pem
from pki.errors import UnwrapError, WrongEncryptionKey
from pki.keys import ML_DSA, KeyType, encode_private_key
from pki.names import SubjectFields
from pki.templates import NameConstraints, StatusUrls, Validity


@pytest.mark.parametrize("key_type", sorted(CA_KEY_TYPES - {KeyType.RSA_4096} - ML_DSA))
def test_openssl_accepts_the_hierarchy(make_hierarchy, leaf_request, tmp_path, now, key_type):
    root, issuing = make_hierarchy(key_type)
    ca = issuing.authority()
    leaf = ca.sign(ca.prepare(leaf_request()).tbs)
    for name, certificate in (("root", root.certificate), ("issuing", issuing.certificate), ("leaf", leaf)):
        (tmp_path / f"{name}.pem").write_bytes(certificates_pem([certificate]))
    command = ["openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "issuing.pem"]
    command += ["-attime", str(int(now.timestamp()) + 60), "leaf.pem"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_key_is_of_the_type_asked_for_and_locked(materials, kek):
    root, _ = materials
    facts = parse_certificate(root.certificate)
    assert facts.key_type == KeyType.EC_P256
    assert encode_private_key(root.signer.private_key) not in root.locked_key
    unlocked = SoftwareSigner.unlock(root.locked_key, kek, key_sha256=facts.spki_sha256)
    assert encode_private_key(unlocked.private_key) == encode_private_key(root.signer.private_key)


def test_a_locked_key_opens_only_as_its_own_ca(materials, kek):
    root, issuing = materials
    other = parse_certificate(issuing.certificate).spki_sha256
    with pytest.raises(UnwrapError):
        SoftwareSigner.unlock(root.locked_key, kek, key_sha256=other)
    own = parse_certificate(root.certificate).spki_sha256
    with pytest.raises(WrongEncryptionKey):
        SoftwareSigner.unlock(root.locked_key, KeyEncryptionKey(new_key()), key_sha256=own)


def test_no_secret_shows(materials):
    root, _ = materials
    shown = repr(root) + repr(root.signer)
    assert "private" not in shown.lower().replace("privateca", "")
    assert root.locked_key.hex() not in shown


def spec(now, days=3650, **changes):
    return CaSpec(
        **{
            "subject": SubjectFields(common_name="Sub CA", country="DE"),
            "key_type": KeyType.EC_P256,
            "validity": Validity(now, now + timedelta(days=days)),
            "random": b"\x01" * 16,
            **changes,
        }
    )


def test_limits_are_certified(materials, kek, now):
    root, _ = materials
    limited = spec(now, path_length=1, name_constraints=NameConstraints(permitted_dns=("example.com",)))
    parent = root.authority(StatusUrls(crl=("http://hub.example.com/root.crl",)))
    certificate = x509.load_der_x509_certificate(create_issuing_ca(limited, kek, parent=parent).certificate)
    extensions = certificate.extensions
    assert extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 1
    assert extensions.get_extension_for_class(x509.NameConstraints).critical
    points = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert points[0].full_name[0].value == "http://hub.example.com/root.crl"


def test_an_issuing_ca_does_not_outlive_its_root(materials, kek, now):
    with pytest.raises(OutlivesIssuer):
        create_issuing_ca(spec(now, days=7301), kek, parent=materials[0].authority())
