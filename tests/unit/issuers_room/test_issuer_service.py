"""Making private CAs, and backends of any kind: settings, secrets, names."""

from typing import ClassVar

import pytest
from pydantic import BaseModel, Field, SecretStr
from sqlalchemy import select, update

from hub.http.principal import SYSTEM
from hub.issuers import backend_settings
from hub.issuers.contract import CanRevoke, Intent, Issued
from hub.issuers.errors import (
    AuthorityNotFound,
    BackendNameTaken,
    BackendNotFound,
    InvalidBackendSettings,
    InvalidHierarchy,
    UnknownBackendKind,
)
from hub.issuers.models import CaAuthority, CaBackendRow
from hub.issuers.private_ca.backend import PrivateCaBackend
from hub.issuers.registry import installed_kinds
from pki.at_rest import KeyEncryptionKey, new_key
from pki.certificates import parse_certificate
from pki.encodings import read_certificates
from pki.errors import UnwrapError


class DummySettings(BaseModel):
    url: str = Field(pattern="^https://")
    token: SecretStr


class DummyBackend:
    """A third party's plug-in: a remote CA that answers at once."""

    kind = "dummy"
    settings_model: ClassVar = DummySettings

    def __init__(self, settings):
        self.settings = settings

    @classmethod
    def open(cls, settings, context):
        return cls(settings)

    async def prepare(self, order):
        return Intent(serial_hex=None, document={"key": order.order_id})

    async def submit(self, order, intent):
        return Issued(
            chain=(self.settings.token.get_secret_value().encode(),), order_number=intent.document["key"]
        )

    async def test(self):
        return None


@pytest.fixture
def with_dummy(start):
    return start(kinds={"dummy": DummyBackend, "private_ca": PrivateCaBackend})


async def create_dummy(db, service, name="Remote", **settings):
    values = {"url": "https://ca.example.com", "token": "s3cret"} | settings
    async with db.write() as uow:
        return await service.create_backend(uow, name=name, kind="dummy", settings=values, principal=SYSTEM)


def test_the_private_ca_is_found_by_its_entry_point():
    assert installed_kinds()["private_ca"] is PrivateCaBackend


async def test_a_hierarchy_is_a_root_and_an_issuing_ca(make_ca, issuers, db):
    backend_id = await make_ca(
        "Bücher & Söhne", root_key_type="EC-P384", organization="Example Ltd", country="DE"
    )
    async with db.read() as session:
        record = await issuers.get(session, backend_id)
        assert await issuers.list(session) == [record]
        issuing, root = await issuers.authorities(session, backend_id)
        pem = await issuers.chain_pem(session, backend_id)
    assert (record.kind, record.status, record.settings["status_url"]) == ("private_ca", "active", "")
    facts = [parse_certificate(item.certificate) for item in (issuing, root)]
    assert [item.key_type for item in facts] == ["EC-P256", "EC-P384"]
    assert facts[0].subject == "CN=Bücher & Söhne Issuing CA,O=Example Ltd,C=DE"
    assert facts[0].issuer == facts[1].subject == facts[1].issuer
    assert issuing.slug.startswith("bucher-sohne-issuing-")
    assert [item.der for item in map(parse_certificate, read_certificates(pem))] == [
        issuing.certificate,
        root.certificate,
    ]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a" * 51}, "name"),
        ({"name": "a\x07"}, "name"),
        ({"key_type": "RSA-1024"}, "key_type"),
        ({"root_key_type": "RSA-1024"}, "root_key_type"),
        ({"root_days": 0}, "root_days"),
        ({"root_days": 10, "issuing_days": 11}, "issuing_days"),
        ({"country": "Germany"}, "name"),
    ],
)
async def test_a_hierarchy_that_can_not_be_is_refused_with_the_field(make_ca, spec, field):
    with pytest.raises(InvalidHierarchy) as caught:
        await make_ca(**spec)
    assert caught.value.field == field


async def test_a_failed_hierarchy_leaves_nothing(make_ca, db):
    await make_ca("Example")
    with pytest.raises(BackendNameTaken):
        await make_ca("Example")
    async with db.read() as session:
        assert len((await session.scalars(select(CaAuthority.id))).all()) == 2


async def test_no_key_is_stored_in_the_clear(make_ca, issuers, db, kek):
    from pki.at_rest import key_id_of

    await make_ca()
    async with db.read() as session:
        blobs = (await session.scalars(select(CaAuthority.locked_key))).all()
    assert [key_id_of(blob) for blob in blobs] == [kek.key_id] * 2


async def test_a_third_partys_backend_is_driven_end_to_end(db, with_dummy, start, order):
    backend_id = await create_dummy(db, with_dummy)
    async with db.read() as session:
        backend = await with_dummy.backend(session, backend_id)
        shown = await with_dummy.get(session, backend_id)
        stored = (await session.scalars(select(CaBackendRow.secrets))).one()
        with pytest.raises(AuthorityNotFound):
            await with_dummy.chain_pem(session, backend_id)
    wanted = order(order_id="7")
    intent = await backend.prepare(wanted)
    async with db.write() as uow:
        await with_dummy.record_intent(uow, intent)
        await with_dummy.certificate_revoked(
            uow, backend_id=backend_id, serial_hex="abc", reason="superseded", at=uow.now
        )
    assert await backend.submit(wanted, intent) == Issued(chain=(b"s3cret",), order_number="7")
    assert not isinstance(backend, CanRevoke)
    assert shown.settings == {"url": "https://ca.example.com"}
    assert b"s3cret" not in stored
    async with db.read() as session:
        with pytest.raises(UnknownBackendKind):
            await start(kinds={}).backend(session, backend_id)


async def test_settings_are_checked_with_the_field(db, with_dummy):
    with pytest.raises(InvalidBackendSettings) as caught:
        await create_dummy(db, with_dummy, url="ftp://ca.example.com")
    assert caught.value.field == "settings.url"
    async with db.write() as uow:
        with pytest.raises(UnknownBackendKind):
            await with_dummy.create_backend(uow, name="X", kind="nothing", settings={}, principal=SYSTEM)


async def test_secrets_can_not_be_put_in_another_backends_place(db, with_dummy, clock):
    one = await create_dummy(db, with_dummy, "One")
    two = await create_dummy(db, with_dummy, "Two", token="other")
    async with db.write() as uow:
        secrets = (
            await uow.session.scalars(select(CaBackendRow.secrets).where(CaBackendRow.id == two))
        ).one()
        await uow.session.execute(update(CaBackendRow).where(CaBackendRow.id == one).values(secrets=secrets))
    async with db.read() as session:
        with pytest.raises(UnwrapError):
            await with_dummy.backend(session, one)


def test_settings_without_secrets_need_no_key():
    settings = PrivateCaBackend.settings_model()
    shown, hidden = backend_settings.store(settings, key=KeyEncryptionKey(new_key()), uid="u")
    assert hidden is None
    other_key = KeyEncryptionKey(new_key())
    restored = backend_settings.restore(
        PrivateCaBackend.settings_model, shown, hidden, key=other_key, uid="u"
    )
    assert restored == settings


@pytest.mark.parametrize("url", ["pki.example.com", "http://pki.example.com/", "ldap://pki", "http://a b"])
def test_a_status_url_must_be_one(url):
    with pytest.raises(InvalidBackendSettings):
        backend_settings.validate(PrivateCaBackend.settings_model, {"status_url": url})


async def test_an_unknown_backend_is_not_found(issuers, db):
    async with db.read() as session:
        for read in (issuers.backend, issuers.get, issuers.chain_pem):
            with pytest.raises(BackendNotFound):
                await read(session, 99)
