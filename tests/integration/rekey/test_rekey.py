"""A hub whose key is changed: everything opens under the new one, and nothing under the old."""

import asyncio
import os

import pytest
from sqlalchemy import select, update

from hub.bootstrap import InitOptions, initialize
from hub.cli.main import main
from hub.config import Settings
from hub.db.uow import Database
from hub.fleet.authority import load_authority
from hub.issuers.models import CaAuthority, OcspResponder
from hub.issuers.service import IssuerService
from hub.key_encryption import open_kek
from hub.rekey import SecretsLeftBehind, rekey
from pki.at_rest import KeyEncryptionKey, key_id_of, new_key
from pki.errors import WrongEncryptionKey


@pytest.fixture(autouse=True)
def _own_mask():
    """The command line sets the process's mask; other tests go on with the one they had."""
    mask = os.umask(0o077)
    os.umask(mask)
    yield
    os.umask(mask)


@pytest.fixture
def hub_settings(tmp_path):
    settings = Settings(data_dir=tmp_path / "hub")
    asyncio.run(initialize(settings, InitOptions()))
    return settings


async def _locked(settings):
    db = Database.open(settings.database)
    try:
        async with db.read() as session:
            return list(await session.scalars(select(CaAuthority.locked_key)))
    finally:
        await db.close()


async def _signs(settings, kek):
    db = Database.open(settings.database)
    try:
        issuers = IssuerService(db, kek, public_url="http://hub.example")
        await issuers.roll_over_responders()
        async with db.write() as uow:
            await issuers._crls.refresh_due(db, issuers._authorities.open)
            await load_authority(db, kek)
            backend = await issuers.backend(uow.session, 1)
        await backend.test()
        async with db.read() as session:
            return list(await session.scalars(select(OcspResponder.locked_key)))
    finally:
        await db.close()


def test_the_command_changes_the_key_and_the_hub_goes_on(hub_settings, capsys):
    before = open_kek(hub_settings)
    assert main(["hub", "rekey", "--data-dir", str(hub_settings.data_dir)]) == 0
    after = open_kek(hub_settings)
    assert after.key_id != before.key_id
    assert after.key_id in capsys.readouterr().out
    assert {key_id_of(blob) for blob in asyncio.run(_locked(hub_settings))} == {after.key_id}
    assert (hub_settings.data_dir / "hub.key.old").read_text().strip() == before.key.hex()
    assert asyncio.run(_signs(hub_settings, after))
    with pytest.raises(WrongEncryptionKey, match="encrypted under key"):
        asyncio.run(_signs(hub_settings, before))


def test_from_a_file_to_a_passphrase(hub_settings, monkeypatch, capsys):
    monkeypatch.setenv("NEW_PASSPHRASE", "correct horse battery")
    source = "passphrase:env:NEW_PASSPHRASE"
    arguments = ["hub", "rekey", "--data-dir", str(hub_settings.data_dir), "--new-key-source", source]
    assert main(arguments) == 0
    assert f'key_source = "{source}"' in capsys.readouterr().out
    moved = hub_settings.model_copy(update={"key_source": source})
    assert asyncio.run(_signs(moved, open_kek(moved)))


def test_a_secret_under_another_key_stops_the_change(hub_settings):
    async def run():
        old, new = open_kek(hub_settings), KeyEncryptionKey(new_key())
        db = Database.open(hub_settings.database)
        try:
            async with db.write() as uow:
                await uow.session.execute(
                    update(CaAuthority).where(CaAuthority.id == 1).values(locked_key=new.wrap(b"x", b"y"))
                )
            with pytest.raises(SecretsLeftBehind, match="nothing was changed"):
                await rekey(db, old=old, new=new)
            async with db.read() as session:
                blob = await session.scalar(select(CaAuthority.locked_key).where(CaAuthority.id == 2))
            assert key_id_of(blob) == old.key_id
        finally:
            await db.close()

    asyncio.run(run())


def test_a_secret_that_nobody_thought_of_stops_the_change(hub_settings):
    async def run():
        old, new = open_kek(hub_settings), KeyEncryptionKey(new_key())
        db = Database.open(hub_settings.database)
        try:
            async with db.write() as uow:
                await uow.session.execute(
                    update(CaAuthority).where(CaAuthority.id == 1).values(certificate=old.wrap(b"x", b"y"))
                )
            with pytest.raises(SecretsLeftBehind, match=r"ca_authorities\.certificate"):
                await rekey(db, old=old, new=new)
        finally:
            await db.close()

    asyncio.run(run())
