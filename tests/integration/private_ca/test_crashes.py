"""Crashes between a signature and its commit, and a key change, on both databases."""

import pytest
from sqlalchemy import select

from hub.issuers.contract import CertificateOrder
from hub.issuers.errors import AuthorityKeyUnavailable
from hub.issuers.models import CaAuthority, CaSerial
from hub.rekey import rekey
from pki.at_rest import KeyEncryptionKey, new_key
from pki.certificates import load_certificate, parse_certificate
from pki.csrs import build_csr
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields
from tests.integration.private_ca.conftest import Hub


@pytest.mark.parametrize("template", ["ec-p256-issuing", "ed25519-issuing", "ml-dsa-44-issuing"])
async def test_signing_the_same_intent_again_gives_the_same_certificate(hub, template):
    root = await hub.create("Root")
    issuing = await hub.ca(await hub.create("Issuing", parent_id=root, template=template))
    order = CertificateOrder(
        order_id="1",
        certificate_type="ssl",
        csr=build_csr(generate_key(KeyType.EC_P256), SubjectFields(common_name="a")),
        subject={},
        dns_names=("www.example.com",),
        term_days=30,
        not_before=hub.db.clock(),
    )
    async with hub.db.read() as session:
        backend = await hub.issuers.backend(session, issuing.backend_id)
    intent = await backend.prepare(order)
    async with hub.db.write() as uow:
        await hub.issuers.record_intent(uow, intent)
    # The hub dies after the signature; another one finds the intent and signs again.
    lost = (await backend.submit(order, intent)).chain[0]
    again = Hub(hub.db)
    again.open(hub.kek)
    async with again.db.read() as session:
        other = await again.issuers.backend(session, issuing.backend_id)
    kept = (await other.submit(order, intent)).chain[0]
    one, two = load_certificate(lost), load_certificate(kept)
    assert one.tbs_certificate_bytes == two.tbs_certificate_bytes
    # ML-DSA signatures differ; everything that is signed does not.
    assert (lost == kept) is not template.startswith("ml-dsa")
    two.verify_directly_issued_by(load_certificate(issuing.certificate))
    async with hub.db.read() as session:
        serials = await session.scalars(
            select(CaSerial.serial_hex).where(
                CaSerial.authority_id == issuing.id, CaSerial.serial_hex == parse_certificate(kept).serial
            )
        )
        assert len(serials.all()) == 1


async def test_a_crash_before_a_ca_is_stored_leaves_nothing(hub, monkeypatch):
    root = await hub.create("Root")

    async def die(*_arguments, **_options):
        raise ConnectionResetError("the machine lost its power")

    with monkeypatch.context() as patched:
        patched.setattr("hub.issuers.hierarchies.ceremonies.note", die)
        with pytest.raises(ConnectionResetError):
            await hub.create("Issuing", parent_id=root)
        with pytest.raises(ConnectionResetError):
            await hub.create("Another root")
    async with hub.db.read() as session:
        assert len((await session.scalars(select(CaAuthority.id))).all()) == 1
        assert (await hub.issuers.list(session))[0].name == "Root"
    issuing = await hub.ca(await hub.create("Issuing", parent_id=root))
    assert await hub.issue(issuing.backend_id)


async def test_ca_keys_open_under_the_new_key_only(hub):
    root = await hub.create("Root")
    issuing = await hub.ca(await hub.create("Issuing", parent_id=root))
    old, new = hub.kek, KeyEncryptionKey(new_key())
    assert await rekey(hub.db, old=old, new=new) >= 3
    hub.open(new)
    assert await hub.issue(issuing.backend_id)
    hub.open(old)
    with pytest.raises(AuthorityKeyUnavailable, match="encrypted under key"):
        await hub.issue(issuing.backend_id)
