"""Responders' certificates: there in time, one at a time, and never used before they are stored."""

import asyncio

import pytest
from cryptography import x509
from sqlalchemy import func, select

from hub.issuers.models import CaSerial, OcspResponder
from hub.issuers.private_ca.authority import PrivateCa


@pytest.fixture
def rows(db):
    async def read():
        async with db.read() as session:
            return (await session.scalars(select(OcspResponder).order_by(OcspResponder.generation))).all()

    return read


async def test_every_issuing_ca_has_one_and_a_new_one_a_week_ahead(make_ca, issuers, rows, clock):
    await make_ca()
    assert [await issuers.roll_over_responders() for _ in range(2)] == [1, 0]
    clock.forward(days=7)
    assert [await issuers.roll_over_responders() for _ in range(2)] == [1, 0]
    first, second = await rows()
    assert (first.generation, second.generation) == (1, 2)
    # They overlap, so there is no moment without one.
    assert second.not_before < clock() < first.not_after < second.not_after
    clock.forward(days=7, hours=1)
    await issuers.roll_over_responders()
    assert [row.generation for row in await rows()] == [2, 3]


async def test_their_keys_are_encrypted_at_rest(make_ca, issuers, rows, kek):
    await make_ca()
    await issuers.roll_over_responders()
    (row,) = await rows()
    assert b"PRIVATE" not in row.locked_key
    assert row.locked_key[1:9].hex() == kek.key_id


async def test_replicas_at_once_make_one(make_ca, start, rows):
    await make_ca()
    await asyncio.gather(*(start().roll_over_responders() for _ in range(4)))
    assert len(await rows()) == 1


async def test_a_crash_before_the_signature_is_stored_leaves_nothing_unknown(
    make_ca, issuers, start, rows, db, monkeypatch
):
    await make_ca()
    signed = []
    sign = PrivateCa.sign

    def sign_and_die(self, tbs):
        signed.append(sign(self, tbs))
        raise ZeroDivisionError

    monkeypatch.setattr(PrivateCa, "sign", sign_and_die)
    with pytest.raises(ZeroDivisionError):
        await issuers.roll_over_responders()
    (row,) = await rows()
    assert row.certificate is None
    async with db.read() as session:
        serials = (await session.scalars(select(CaSerial.serial_hex))).all()
        assert await issuers._responders.current(session, row.authority_id) is None
    lost = x509.load_der_x509_certificate(signed[0])
    assert f"{lost.serial_number:x}" in serials

    monkeypatch.setattr(PrivateCa, "sign", sign)
    await start().roll_over_responders()
    (row,) = await rows()
    # The same certificate, not a second one.
    assert row.certificate == signed[0]


async def test_with_the_end_of_its_ca_in_sight_none_follows(make_ca, issuers, clock, db):
    await make_ca(root_days=30, issuing_days=10)
    for _ in range(9):
        await issuers.roll_over_responders()
        clock.forward(days=1)
    async with db.read() as session:
        assert await session.scalar(select(func.count()).select_from(OcspResponder)) == 1
    clock.forward(days=2)
    assert await issuers.roll_over_responders() == 0
