"""What backends keep: once, encrypted, and carried over to another key-encryption key."""

import asyncio
import secrets
from datetime import timedelta

import pytest

from hub.db.tables import all_tables
from hub.db.uow import Database
from hub.issuers.keepsakes import KeepsakeStore
from hub.rekey import rekey
from pki.at_rest import KeyEncryptionKey
from tests.integration.acme_upstream.conftest import KEK
from tests.integration.issuers.private_postgres import running_postgres
from tests.integration.lifecycle.conftest import new_database


@pytest.fixture(scope="session")
def postgres():
    with running_postgres() as folder:
        yield folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
async def db(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    if request.param == "postgresql":
        url = await new_database(request.getfixturevalue("postgres"))
    database = Database.open(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(all_tables().create_all)
    yield database
    await database.close()


async def test_of_many_who_keep_at_once_one_wins(bench, pebble, db):
    await bench.configure(pebble)
    stores = [KeepsakeStore(db, KEK, backend_id=bench.backend_id) for _ in range(5)]
    found = await asyncio.gather(
        *(store.put_if_absent("a", str(number).encode()) for number, store in enumerate(stores))
    )
    assert len(set(found)) == 1
    swapped = await asyncio.gather(
        *(store.swap("a", found[0], f"new {number}".encode()) for number, store in enumerate(stores))
    )
    assert swapped.count(True) == 1


async def test_names_are_listed_counted_and_dropped_by_prefix(bench, pebble, db):
    await bench.configure(pebble)
    store = KeepsakeStore(db, KEK, backend_id=bench.backend_id)
    for name in ("x:1", "x:2", "xy", "x%"):
        await store.put_if_absent(name, name.encode())
    assert await store.under("x:") == {"x:1": b"x:1", "x:2": b"x:2"}
    now = db.clock()
    assert await store.count_since("x:", now - timedelta(minutes=1)) == 2
    assert await store.count_since("x:", now + timedelta(minutes=1)) == 0
    await store.drop_before("x:", now + timedelta(minutes=1))
    assert await store.under("x") == {"xy": b"xy", "x%": b"x%"}


async def test_a_backend_sees_nothing_of_another_s(bench, pebble, db):
    await bench.configure(pebble)
    first = bench.backend_id
    await bench.configure(pebble)
    await KeepsakeStore(db, KEK, backend_id=first).put_if_absent("a", b"1")
    assert await KeepsakeStore(db, KEK, backend_id=bench.backend_id).get("a") is None


async def test_another_key_encryption_key_takes_everything_along(bench, pebble, db):
    backend = await bench.configure(pebble)
    await backend.test()
    new = KeyEncryptionKey(secrets.token_bytes(32))
    await rekey(db, old=KEK, new=new)
    kept = await KeepsakeStore(db, new, backend_id=bench.backend_id).under("account:")
    assert len(kept) == 1
