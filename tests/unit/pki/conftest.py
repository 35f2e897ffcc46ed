"""A small hierarchy (root, issuing CA, leaf), made once for all tests of the package."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from pki.algorithms import SigningKey, default_signature_algorithm, sign
from pki.issuing import assemble, build_tbs
from pki.keys import KeyType, generate_key, spki_der
from pki.names import SubjectFields, encode_name
from pki.subject_alt_names import AltNames
from pki.templates import (
    CertificateTemplate,
    IssuerRef,
    LeafProfile,
    StatusUrls,
    SubjectRef,
    Validity,
    issuing_ca_template,
    key_identifier,
    leaf_template,
    root_template,
)

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
URLS = StatusUrls(
    crl=("http://hub.example.com/crl/1.crl",),
    ocsp=("http://hub.example.com/ocsp/1",),
    ca_issuers=("http://hub.example.com/aia/1.cer",),
)


@dataclass(frozen=True)
class Party:
    """A key with its certificate."""

    key: SigningKey
    template: CertificateTemplate
    certificate: bytes

    @property
    def ref(self) -> IssuerRef:
        subject = self.template.subject
        return IssuerRef(subject.name_der, key_identifier(subject.spki_der))


def signed(template: CertificateTemplate, key: SigningKey) -> bytes:
    tbs = build_tbs(template)
    return assemble(tbs, template.signature_algorithm, sign(key, template.signature_algorithm, tbs))


def subject_of(key: SigningKey, common_name: str, *dns_names: str, ip: tuple[str, ...] = ()) -> SubjectRef:
    fields = SubjectFields(common_name=common_name, organization="Example Ltd")
    return SubjectRef(encode_name(fields), spki_der(key.public_key()), AltNames(dns_names, ip))


def validity(days: int, start: datetime = NOW) -> Validity:
    return Validity(start, start + timedelta(days=days))


@dataclass(frozen=True)
class Hierarchy:
    root: Party
    issuing: Party
    leaf: Party

    def reissue(self, **changes: object) -> bytes:
        """The leaf again, with some of its template changed."""
        return signed(replace(self.leaf.template, **changes), self.issuing.key)  # type: ignore[arg-type]


def build_hierarchy(key_type: KeyType = KeyType.EC_P256) -> Hierarchy:
    root_key, ca_key, leaf_key = (generate_key(key_type) for _ in range(3))
    algorithm = default_signature_algorithm(root_key.public_key())
    root = root_template(
        serial=1,
        signature_algorithm=algorithm,
        validity=validity(3650),
        subject=subject_of(root_key, "Example Root"),
    )
    root_party = Party(root_key, root, signed(root, root_key))
    issuing = issuing_ca_template(
        serial=2,
        signature_algorithm=algorithm,
        issuer=root_party.ref,
        validity=validity(1825),
        subject=subject_of(ca_key, "Example Issuing CA"),
        urls=URLS,
    )
    issuing_party = Party(ca_key, issuing, signed(issuing, root_key))
    leaf = leaf_template(
        serial=0xFFEE,
        signature_algorithm=algorithm,
        issuer=issuing_party.ref,
        validity=validity(90),
        subject=subject_of(
            leaf_key,
            "www.example.com",
            "www.example.com",
            "*.api.example.com",
            ip=("192.0.2.7", "2001:db8::7"),
        ),
        profile=LeafProfile(policies=("1.3.6.1.4.1.55555.1",)),
        urls=URLS,
    )
    return Hierarchy(root_party, issuing_party, Party(leaf_key, leaf, signed(leaf, ca_key)))


@pytest.fixture(scope="session")
def hierarchy() -> Hierarchy:
    return build_hierarchy()


@pytest.fixture(scope="session")
def new_hierarchy() -> Callable[[KeyType], Hierarchy]:
    return build_hierarchy


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def sign_template() -> Callable[[CertificateTemplate, SigningKey], bytes]:
    return signed
