"""Keys that are never certified: where they come from, and what reads them."""

import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from hub.access.models import AuditEntry
from hub.db.outbox import OutboxEvent
from hub.http.principal import SYSTEM
from hub.profiles import compromised_keys
from hub.profiles.errors import CompromisedKeyNotFound, InvalidKeyList
from hub.profiles.key_lists import read_keys
from hub.profiles.service import ProfileService
from pki.certificates import parse_certificate
from pki.csr_policy import CSR_CHECKS
from pki.csrs import build_csr, parse_csr
from pki.encodings import certificates_pem, csr_pem
from pki.findings import all_findings
from pki.keys import KeyType, encode_private_key_pem, generate_key, spki_sha256
from pki.names import SubjectFields
from pki.weak_key_lists import modulus_digest, read_weak_key_list
from tests.real_servers.certificates import self_signed

KEY = "ab" * 32


@pytest.fixture
def key():
    return generate_key(KeyType.EC_P256)


def csr_of(key):
    return build_csr(key, SubjectFields(common_name="www.example.com"), ["www.example.com"])


async def test_a_key_is_added_once_told_of_and_taken_off_again(db, profiles):
    async with db.write() as uow:
        first = await profiles.add_compromised(uow, [KEY, "cd" * 32, KEY], source="a list", principal=SYSTEM)
        again = await profiles.add_compromised(uow, [KEY], source="another", principal=SYSTEM)
    assert (first, again) == (2, 0)
    async with db.write() as uow:
        assert await compromised_keys.sources_of(uow.session, [KEY, "ef" * 32]) == {KEY: "a list"}
        await profiles.remove_compromised(uow, KEY.upper(), principal=SYSTEM)
        with pytest.raises(CompromisedKeyNotFound):
            await profiles.remove_compromised(uow, KEY, principal=SYSTEM)
        assert await compromised_keys.sources_of(uow.session, [KEY]) == {}
    async with db.read() as session:
        kinds = (await session.scalars(select(OutboxEvent.kind).order_by(OutboxEvent.id))).all()
        actions = (await session.scalars(select(AuditEntry.action).order_by(AuditEntry.sequence))).all()
    assert kinds == ["CompromisedKeysAdded", "CompromisedKeyRemoved"]
    assert actions == kinds


async def test_thousands_come_at_once(db, profiles):
    keys = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(3000)]
    async with db.write() as uow:
        assert await profiles.add_compromised(uow, keys, source="a list", principal=SYSTEM) == 3000
        assert len(await compromised_keys.sources_of(uow.session, keys[:900])) == 900


async def test_a_request_with_such_a_key_is_refused(db, profiles, profile, key):
    csr = parse_csr(csr_of(key))
    async with db.write() as uow:
        before = await profiles.key_knowledge(uow.session, [csr.spki_sha256])
        await profiles.add_compromised(uow, [csr.spki_sha256], source="pastebin", principal=SYSTEM)
        after = await profiles.key_knowledge(uow.session, [csr.spki_sha256])
    assert all_findings(CSR_CHECKS, before.policy(csr, profile())) == ()
    (finding,) = all_findings(CSR_CHECKS, after.policy(csr, profile()))
    assert finding.reason == "KeyCompromised"
    assert "pastebin" in finding.message


async def test_published_keys_and_the_profiles_trust_are_known_too(db, profile):
    rsa, edwards = generate_key(KeyType.RSA_2048), generate_key(KeyType.ED25519)
    modulus = rsa.public_key().public_numbers().n
    service = ProfileService(db, weak_keys=read_weak_key_list(modulus_digest(modulus).hex()))
    async with db.read() as session:
        known = await service.key_knowledge(session, [])
    (published,) = all_findings(CSR_CHECKS, known.policy(parse_csr(csr_of(rsa)), profile()))
    assert published.reason == "KeyIsPublished"
    (public,) = all_findings(CSR_CHECKS, known.policy(parse_csr(csr_of(edwards)), profile(trust="public")))
    assert public.reason == "KeyNotForPublicTrust"


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=20, unique=True))
def test_a_list_of_digests_is_read_in_any_common_form(digests):
    plain = "\n".join(digest.hex() for digest in digests)
    colons = "# from a tool\r\n\r\n" + "\r\n".join(
        f" {digest.hex(':').upper()}  key.pem" for digest in digests
    )
    assert read_keys(plain) == read_keys(colons) == [digest.hex() for digest in digests]


def test_a_key_is_read_out_of_what_holds_it(key):
    public = key.public_key()
    text = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
    wanted = [spki_sha256(public)]
    assert read_keys(text) == wanted
    assert read_keys("From: somebody\n\n" + csr_pem(csr_of(key)).decode() + text) == wanted


def test_a_certificate_names_its_key():
    der = self_signed("www.example.com").certificate.public_bytes(serialization.Encoding.DER)
    assert read_keys(certificates_pem([der]).decode()) == [parse_certificate(der).spki_sha256]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no key"),
        ("# only words\n", "no key"),
        (f"{KEY}\nnonsense\n", "line 2"),
        (KEY[:-2], "line 1"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "public key can't be read"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate can't be read"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA", "no key"),
    ],
)
def test_what_names_no_key_is_refused_with_the_place(text, words):
    with pytest.raises(InvalidKeyList, match=words):
        read_keys(text)


def test_a_private_key_is_not_taken(key):
    with pytest.raises(InvalidKeyList, match="private key is not taken"):
        read_keys(encode_private_key_pem(key).decode())
