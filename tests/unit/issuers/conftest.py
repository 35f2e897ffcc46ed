"""A root and an issuing CA, made once."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from hub.issuers.private_ca.authority import LeafRequest, PrivateCa
from hub.issuers.private_ca.ceremony import CaMaterial, CaSpec, create_issuing_ca, create_root
from pki.at_rest import KeyEncryptionKey, new_key
from pki.keys import KeyType, generate_key, spki_der
from pki.names import SubjectFields, encode_name
from pki.subject_alt_names import AltNames
from pki.templates import StatusUrls, SubjectRef, Validity

_NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
_SERIALS = itertools.count(1 << 127)


def _random() -> bytes:
    return next(_SERIALS).to_bytes(16, "big")


def _urls(name: str) -> StatusUrls:
    base = f"http://hub.example.com/{name}"
    return StatusUrls(crl=(f"{base}.crl",), ocsp=(f"{base}/ocsp",), ca_issuers=(f"{base}.cer",))


@pytest.fixture(scope="session")
def now() -> datetime:
    return _NOW


@pytest.fixture(scope="session")
def kek() -> KeyEncryptionKey:
    return KeyEncryptionKey(new_key())


@pytest.fixture(scope="session")
def make_hierarchy(kek) -> Callable[[KeyType], tuple[CaMaterial, CaMaterial]]:
    def make(key_type: KeyType) -> tuple[CaMaterial, CaMaterial]:
        root = create_root(
            CaSpec(
                subject=SubjectFields(common_name="Example Root", organization="Example Ltd"),
                key_type=key_type,
                validity=Validity(_NOW, _NOW + timedelta(days=7300)),
                random=_random(),
            ),
            kek,
        )
        issuing = create_issuing_ca(
            CaSpec(
                subject=SubjectFields(common_name="Example Issuing CA", organization="Example Ltd"),
                key_type=key_type,
                validity=Validity(_NOW, _NOW + timedelta(days=3650)),
                random=_random(),
            ),
            kek,
            parent=root.authority(_urls("root")),
        )
        return root, issuing

    return make


@pytest.fixture(scope="session")
def materials(make_hierarchy) -> tuple[CaMaterial, CaMaterial]:
    return make_hierarchy(KeyType.EC_P256)


@pytest.fixture(scope="session")
def ca(materials) -> PrivateCa:
    return materials[1].authority(_urls("issuing"))


@pytest.fixture(scope="session")
def leaf_request() -> Callable[..., LeafRequest]:
    key = generate_key(KeyType.EC_P256)

    def make(days: int = 90, *names: str, random: bytes | None = None, key=key) -> LeafRequest:
        dns_names = names or ("www.example.com",)
        return LeafRequest(
            random=random or _random(),
            validity=Validity(_NOW, _NOW + timedelta(days=days)),
            subject=SubjectRef(
                encode_name(SubjectFields(common_name=dns_names[0])),
                spki_der(key.public_key()),
                AltNames(dns_names),
            ),
        )

    return make
