"""Revocation: in the list with the commit, once, and never backwards."""

import asyncio
from datetime import timedelta

import pytest
from cryptography import x509
from sqlalchemy import select

from hub.db.outbox import OutboxEvent
from hub.issuers.errors import AuthorityNotFound, InvalidRevocation
from hub.issuers.models import CaSerial
from pki.crls import RevocationReason


@pytest.fixture
def revoke(db, issuers, clock):
    async def make(backend_id, *serials, reason="keyCompromise"):
        async with db.write() as uow:
            for serial in serials:
                await issuers.certificate_revoked(
                    uow, backend_id=backend_id, serial_hex=serial, reason=reason, at=clock()
                )

    return make


def number(crl):
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def serials(crl):
    return {f"{entry.serial_number:x}" for entry in crl}


async def test_a_new_ca_has_empty_lists_out(make_ca, published, issuers, db, clock):
    backend_id = await make_ca()
    lists = await published(backend_id)
    async with db.read() as session:
        certificates = {
            item.role: x509.load_der_x509_certificate(item.certificate)
            for item in await issuers.authorities(session, backend_id)
        }
    for role, crl in lists.items():
        assert serials(crl) == set()
        assert number(crl) == int(clock().timestamp())
        assert crl.is_signature_valid(certificates[role].public_key())
        assert crl.last_update_utc == clock().replace(microsecond=0)
    assert lists["issuing"].next_update_utc - lists["issuing"].last_update_utc == timedelta(days=7)
    assert lists["root"].next_update_utc - lists["root"].last_update_utc == timedelta(days=90)


async def test_a_revoked_certificate_is_in_the_list(make_ca, issue, revoke, published, clock):
    backend_id = await make_ca()
    first = number((await published(backend_id))["root"])
    serial = (await issue(backend_id)).order_number
    await revoke(backend_id, serial)
    lists = await published(backend_id)
    (entry,) = lists["issuing"]
    assert f"{entry.serial_number:x}" == serial
    assert entry.revocation_date_utc == clock().replace(microsecond=0)
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value == "keyCompromise"
    assert (number(lists["issuing"]), number(lists["root"])) == (first + 1, first)


async def test_repeating_keeps_the_first_revocation(make_ca, revoke, published, clock):
    backend_id = await make_ca()
    await revoke(backend_id, "abc")
    first = await published(backend_id)
    clock.forward(hours=1)
    await revoke(backend_id, "0ABC", reason="superseded")
    assert await published(backend_id) == first


async def test_many_in_one_transaction_make_one_list(make_ca, revoke, published):
    backend_id = await make_ca()
    first = number((await published(backend_id))["issuing"])
    await revoke(backend_id, *(f"{serial:x}" for serial in range(1, 101)))
    crl = (await published(backend_id))["issuing"]
    assert (len(crl), number(crl)) == (100, first + 1)


async def test_revocations_at_once_are_all_in_the_last_list(make_ca, revoke, published):
    backend_id = await make_ca()
    first = number((await published(backend_id))["issuing"])
    await asyncio.gather(*(revoke(backend_id, f"{serial:x}") for serial in range(1, 21)))
    crl = (await published(backend_id))["issuing"]
    assert (len(crl), number(crl)) == (20, first + 20)


async def test_a_transaction_that_fails_revokes_nothing(make_ca, published, issuers, db, clock):
    backend_id = await make_ca()
    before = await published(backend_id)

    async def revoke_and_fail():
        async with db.write() as uow:
            await issuers.certificate_revoked(
                uow, backend_id=backend_id, serial_hex="abc", reason="unspecified", at=clock()
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await revoke_and_fail()
    assert await published(backend_id) == before
    assert len(before["issuing"]) == 0


async def test_the_backend_revokes_by_itself_too(make_ca, open_backend, published, clock):
    backend_id = await make_ca()
    backend = await open_backend(backend_id)
    for _ in range(2):
        await backend.revoke("abc", reason="superseded", at=clock())
    assert serials((await published(backend_id))["issuing"]) == {"abc"}


@pytest.mark.parametrize("serial", ["", "0", "xyz", "-1", "ff" * 21, "8" + "0" * 39])
async def test_what_is_no_serial_number_is_refused(make_ca, revoke, serial):
    with pytest.raises(InvalidRevocation) as caught:
        await revoke(await make_ca(), serial)
    assert caught.value.field == "serial_hex"


async def test_reasons_are_those_of_rfc_5280(make_ca, revoke, published):
    backend_id = await make_ca()
    for index, reason in enumerate(RevocationReason, start=1):
        await revoke(backend_id, f"{index:x}", reason=reason)
    assert len((await published(backend_id))["issuing"]) == len(RevocationReason)
    with pytest.raises(InvalidRevocation) as caught:
        await revoke(backend_id, "abc", reason="removeFromCRL")
    assert caught.value.field == "reason"


async def test_a_list_is_made_anew_before_the_one_that_is_out_ends(make_ca, issuers, published, clock):
    backend_id = await make_ca()
    lists = await published(backend_id)
    assert await issuers.refresh_crls() == 0
    clock.forward(hours=24)
    assert await issuers.refresh_crls() == 1
    first, lists = lists, await published(backend_id)
    assert number(lists["issuing"]) == int(clock().timestamp()) > number(first["issuing"])
    assert lists["root"] == first["root"]
    assert lists["issuing"].last_update_utc == clock().replace(microsecond=0)
    clock.forward(days=29)
    assert await issuers.refresh_crls() == 2
    assert await issuers.refresh_crls() == 0


async def test_two_replicas_do_not_make_the_same_list_twice(make_ca, start, published, clock):
    backend_id = await make_ca()
    clock.forward(hours=24)
    made = await asyncio.gather(start().refresh_crls(), start().refresh_crls())
    assert sorted(made) == [0, 1]
    assert number((await published(backend_id))["issuing"]) == int(clock().timestamp())


async def test_an_ended_ca_makes_no_more_lists(make_ca, issuers, clock):
    await make_ca(root_days=30, issuing_days=30)
    clock.forward(days=30)
    assert await issuers.refresh_crls() == 0


async def test_an_expired_certificate_leaves_after_a_list_of_a_later_day_has_shown_it(
    make_ca, open_backend, order, issuers, revoke, published, db, clock
):
    backend_id = await make_ca()
    intent = await (await open_backend(backend_id)).prepare(order(term_days=2))
    async with db.write() as uow:
        await issuers.record_intent(uow, intent)
    await revoke(backend_id, intent.serial_hex)
    shown = []
    for _ in range(5):
        clock.forward(days=1)
        await issuers.refresh_crls()
        shown.append(serials((await published(backend_id))["issuing"]) == {intent.serial_hex})
    assert shown == [True, True, True, False, False]


async def test_serials_are_recorded_with_the_intent_and_once(make_ca, open_backend, order, issuers, db):
    backend_id = await make_ca()
    intent = await (await open_backend(backend_id)).prepare(order())
    for _ in range(2):
        async with db.write() as uow:
            await issuers.record_intent(uow, intent)
    async with db.read() as session:
        rows = (await session.execute(select(CaSerial.serial_hex, CaSerial.revoked_at))).all()
    assert [tuple(row) for row in rows] == [(intent.serial_hex, None)]


async def test_a_list_is_told_to_who_reads_events(make_ca, revoke, db):
    backend_id = await make_ca()
    await revoke(backend_id, "abc")
    async with db.read() as session:
        kinds = (await session.scalars(select(OutboxEvent.kind).order_by(OutboxEvent.id))).all()
    assert kinds == ["CaBackendCreated", "CrlPublished", "CrlPublished", "CrlPublished"]


async def test_an_unknown_list_is_not_found(issuers, db):
    async with db.read() as session:
        with pytest.raises(AuthorityNotFound):
            await issuers.crl(session, "nobody")
        with pytest.raises(AuthorityNotFound):
            await issuers.authority_certificate(session, "nobody")
