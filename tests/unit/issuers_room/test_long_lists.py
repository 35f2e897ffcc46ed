"""Long lists follow their revocations; several lists share them; numbers survive a restored database."""

import asyncio
from datetime import timedelta

import pytest
from cryptography import x509
from sqlalchemy import select, update

from hub.issuers.addresses import list_name, read_list_name, shard_of
from hub.issuers.crls import CRLS_DUE
from hub.issuers.models import CaBackendRow, CaCrl, CaSerial

LONG = 10


@pytest.fixture
def start(start):
    """Hub processes for which ten entries are a long list."""

    def make(**options):
        service = start(**options)
        service._crls._long_list = LONG
        return service

    return make


@pytest.fixture
def revoke(db, issuers, clock):
    async def make(backend_id, *serials, service=None):
        async with db.write() as uow:
            for serial in serials:
                await (service or issuers).certificate_revoked(
                    uow, backend_id=backend_id, serial_hex=f"{serial:x}", reason="superseded", at=clock()
                )

    return make


@pytest.fixture
def lists(db, issuers):
    """The issuing CA's lists, as the library reads them."""

    async def read(backend_id):
        async with db.read() as session:
            record = (await issuers.authorities(session, backend_id))[0]
            names = [list_name(record.slug, item.shard) for item in record.crls]
            ders = [(await issuers.crl(session, name)).der for name in names]
        return [x509.load_der_x509_crl(der) for der in ders]

    return read


def serials(crl):
    return {entry.serial_number for entry in crl}


def number(crl):
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


async def test_a_long_list_follows_within_seconds_and_many_at_once(
    make_ca, revoke, lists, issuers, clock, db
):
    backend_id = await make_ca()
    await revoke(backend_id, *range(1, LONG + 1))
    (crl,) = await lists(backend_id)
    assert len(crl) == LONG
    async with db.notifier.subscribe(CRLS_DUE) as notices:
        for serial in range(LONG + 1, LONG + 6):
            await revoke(backend_id, serial)
        assert await notices.get(timeout_s=5) is not None
    assert number((await lists(backend_id))[0]) == number(crl)
    clock.forward(seconds=2)
    assert await issuers.refresh_crls() == 1
    (later,) = await lists(backend_id)
    assert serials(later) == set(range(1, LONG + 6))
    assert number(later) > number(crl)
    assert await issuers.refresh_crls() == 0


async def test_what_is_in_memory_is_what_is_in_the_database(make_ca, revoke, lists, start, clock):
    backend_id = await make_ca()
    here, there = start(), start()
    expected = set()
    for round_ in range(1, 7):
        new = set(range(round_ * 100, round_ * 100 + 7))
        await revoke(backend_id, *new, service=here if round_ % 2 else there)
        expected |= new
        clock.forward(seconds=3)
        made = await asyncio.gather(here.refresh_crls(), there.refresh_crls())
        assert sum(made) <= 1
        (crl,) = await lists(backend_id)
        assert serials(crl) == expected
        assert len(crl) == len(expected)
    # A process that has nothing in memory yet makes the same list.
    clock.forward(hours=24)
    assert await start().refresh_crls() == 1
    assert serials((await lists(backend_id))[0]) == expected


async def test_expired_certificates_leave_a_long_list_as_well(make_ca, revoke, lists, issuers, clock, db):
    backend_id = await make_ca()
    await revoke(backend_id, *range(1, 21))
    async with db.write() as uow:
        await uow.session.execute(
            update(CaSerial)
            .where(CaSerial.serial_hex.in_([f"{serial:x}" for serial in range(1, 6)]))
            .values(not_after=uow.now + timedelta(hours=30))
        )
    shown = []
    for _ in range(5):
        clock.forward(days=1)
        await issuers.refresh_crls()
        (crl,) = await lists(backend_id)
        shown.append(len(crl))
    # Ended in the evening of the first day: the list of the second is the one beyond the end.
    assert shown == [20, 20, 15, 15, 15]


async def test_a_number_never_goes_back_even_with_a_restored_database(make_ca, revoke, lists, clock, db):
    backend_id = await make_ca()
    async with db.read() as session:
        backup = (await session.execute(select(CaCrl.number, CaCrl.shard).limit(1))).one()
    clock.forward(hours=1)
    for serial in range(1, 6):
        await revoke(backend_id, serial)
    published = number((await lists(backend_id))[0])
    async with db.write() as uow:
        await uow.session.execute(update(CaCrl).values(number=backup.number))
    clock.forward(minutes=1)
    await revoke(backend_id, 99)
    assert number((await lists(backend_id))[0]) > published
    # Nor with a clock that was set back.
    ahead = number((await lists(backend_id))[0])
    clock.forward(days=-2)
    await revoke(backend_id, 100)
    assert number((await lists(backend_id))[0]) == ahead + 1


@pytest.mark.parametrize("shards", [2, 16])
async def test_lists_share_the_revocations(make_ca, revoke, lists, issuers, clock, shards):
    backend_id = await make_ca(crl_shards=shards)
    await revoke(backend_id, *range(1, 101))
    clock.forward(seconds=2)
    await issuers.refresh_crls()
    found = await lists(backend_id)
    assert len(found) == shards
    assert sorted(serial for crl in found for serial in serials(crl)) == list(range(1, 101))
    for shard, crl in enumerate(found, 1):
        assert serials(crl) == {serial for serial in range(1, 101) if shard_of(serial, shards) == shard}
        point = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
        assert point.critical
        assert point.value.full_name[0].value.endswith(f".{shard}.crl")


async def test_a_certificate_names_its_list_wherever_status_moves_to(
    make_ca, order, open_backend, revoke, lists, db, clock
):
    backend_id = await make_ca(crl_shards=4)
    async with db.write() as uow:
        settings = (await uow.session.scalars(select(CaBackendRow.settings))).one()
        moved = settings | {"status_url": "http://elsewhere.example.com"}
        await uow.session.execute(update(CaBackendRow).values(settings=moved))
    clock.forward(seconds=6)
    for _ in range(8):
        backend = await open_backend(backend_id)
        wanted = order()
        issued = await backend.submit(wanted, await backend.prepare(wanted))
        leaf = x509.load_der_x509_certificate(issued.chain[0])
        (named,) = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        await revoke(backend_id, leaf.serial_number)
        (showing,) = [crl for crl in await lists(backend_id) if leaf.serial_number in serials(crl)]
        point = showing.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
        assert point.full_name[0].value == named.full_name[0].value


@pytest.mark.parametrize("shard", [0, 1, 256])
def test_names_of_lists_are_read_back(shard):
    assert read_list_name(list_name("example-issuing-0a1b2c3d", shard)) == ("example-issuing-0a1b2c3d", shard)


@pytest.mark.parametrize("name", ["a.", "a.x", "a.²", "a.99999", ".1.x", ""])
def test_other_names_are_no_lists(name):
    assert read_list_name(name) == (name, 0)


async def test_a_hub_that_kept_lists_elsewhere_makes_them_anew(make_ca, issuers, lists, db):
    backend_id = await make_ca()
    async with db.write() as uow:
        await uow.session.execute(CaCrl.__table__.delete())
    assert await issuers.refresh_crls() == 2
    assert len(await lists(backend_id)) == 1
