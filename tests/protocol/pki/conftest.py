"""A small hierarchy from the built-in CA, as material to lint and to damage."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from hub.issuers.private_ca.authority import LeafRequest, PrivateCa
from hub.issuers.private_ca.ceremony import CaMaterial, CaSpec, create_issuing_ca, create_root
from pki.algorithms import SigningKey
from pki.at_rest import KeyEncryptionKey, new_key
from pki.keys import KeyType, generate_key, spki_der
from pki.names import SubjectFields, encode_name
from pki.subject_alt_names import AltNames
from pki.templates import LeafProfile, StatusUrls, SubjectRef, Validity

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Issued:
    """A hierarchy, and a leaf with its key."""

    root: CaMaterial
    issuing: CaMaterial
    ca: PrivateCa
    key: SigningKey
    leaf: bytes
    tbs: bytes


def urls(name: str) -> StatusUrls:
    base = f"http://hub.example.com/{name}"
    return StatusUrls(crl=(f"{base}.crl",), ocsp=(f"{base}/ocsp",), ca_issuers=(f"{base}.cer",))


_SUBJECT = SubjectFields(common_name="www.example.com", organization="Example Ltd", country="DE")


def issue(
    ca_type: KeyType,
    leaf_type: KeyType,
    *,
    names: AltNames | None = None,
    profile: LeafProfile | None = None,
    subject: SubjectFields = _SUBJECT,
) -> Issued:
    kek = KeyEncryptionKey(new_key())
    root = create_root(spec("Example Root", ca_type, 7300, b"\x81" * 16), kek)
    parent = root.authority(urls("root"))
    issuing = create_issuing_ca(spec("Example Issuing CA", ca_type, 3650, b"\x82" * 16), kek, parent=parent)
    ca = issuing.authority(urls("issuing"))
    key = generate_key(leaf_type)
    holder = SubjectRef(
        encode_name(subject),
        spki_der(key.public_key()),
        names or AltNames(("www.example.com", "example.com"), ("192.0.2.7", "2001:db8::7")),
    )
    request = LeafRequest(
        random=b"\x83" * 16,
        validity=Validity(NOW, NOW + timedelta(days=90)),
        subject=holder,
        profile=profile or LeafProfile(),
    )
    tbs = ca.prepare(request).tbs
    return Issued(root, issuing, ca, key, ca.sign(tbs), tbs)


def spec(name: str, key_type: KeyType, days: int, random: bytes) -> CaSpec:
    return CaSpec(
        subject=SubjectFields(common_name=name, organization="Example Ltd", country="DE"),
        key_type=key_type,
        validity=Validity(NOW, NOW + timedelta(days=days)),
        random=random,
    )


@pytest.fixture(scope="session")
def issued() -> Issued:
    return issue(KeyType.EC_P256, KeyType.EC_P256)


@pytest.fixture(scope="session")
def issue_with():
    return issue


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW
