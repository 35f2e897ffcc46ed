"""Renewing, fetching and revoking with nothing but an id and a passphrase."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from hub.access.errors import TooManyLogins
from hub.access.models import AuditEntry
from hub.http.principal import ANONYMOUS, SYSTEM, Origin
from hub.lifecycle.errors import (
    CertificateNotIssued,
    NotRenewable,
    OwnRequest,
    RequestRefused,
    TransitionNotAllowed,
)
from hub.lifecycle.self_service.service import AlreadyRenewed, Credentials, SelfService, SelfServiceRefused
from tests.simulators.hub_world import ADMIN

SECRET = "open sesame 42"


def caller(address="192.0.2.1"):
    return replace(ANONYMOUS, origin=Origin(remote=address))


@pytest.fixture
def service(world):
    return SelfService(world.lifecycle)


def shown(certificate_id, passphrase=SECRET):
    return Credentials(certificate_id=certificate_id, passphrase=passphrase)


async def issue(world, **changes):
    return (await world.lifecycle.request(ADMIN, world.request(passphrase=SECRET, **changes))).id


async def test_a_renewal_has_the_same_information_and_key(world, service):
    old = await issue(world, comments="shop", external_requester="ann@example.com")
    enrolled = await service.renew(caller(), shown(old))
    before, after = await world.certificate(old), await world.certificate(enrolled.id)
    assert (after.status, after.requested_via) == ("Issued", "Self Service")
    assert (after.spki_sha256, after.dns_names) == (before.spki_sha256, before.dns_names)
    assert (after.requester, after.requester_id, after.external_requester) == (
        "alice",
        1,
        "ann@example.com",
    )
    with pytest.raises(AlreadyRenewed, match=str(enrolled.id)):
        await service.renew(caller(), shown(old))
    assert (await service.download(caller(), shown(enrolled.id), format_name="x509CO")).body


async def test_where_people_approve_a_renewal_waits_for_them(world, service):
    old = await issue(world, profile_id=world.manual_profile_id)
    await world.lifecycle.approve(ADMIN, old)
    await world.settle()
    enrolled = await service.renew(caller(), shown(old))
    assert enrolled.status == "Requested"
    with pytest.raises(TransitionNotAllowed):
        await service.renew(caller(), shown(old))
    who_asked_first = replace(ADMIN, privileges=frozenset())
    with pytest.raises(OwnRequest):
        await world.lifecycle.approve(who_asked_first, enrolled.id)
    await world.lifecycle.approve(ADMIN, enrolled.id)
    await world.settle()
    assert (await world.certificate(enrolled.id)).status == "Issued"


async def test_a_profile_that_wants_two_approvals_wants_them_here_too(world, service):
    old = await issue(world)
    async with world.db.write() as uow:
        changes = {"approvals": 2, "auto_approve": False}
        await world.profiles.update(uow, world.profile_id, changes=changes, principal=SYSTEM)
    assert (await service.renew(caller(), shown(old))).status == "Requested"


async def test_the_agreement_is_accepted_by_whoever_renews(world, service):
    old = await issue(world)
    async with world.db.write() as uow:
        changes = {"agreement": "Be good."}
        await world.profiles.update(uow, world.profile_id, changes=changes, principal=SYSTEM)
    with pytest.raises(RequestRefused, match="agreement"):
        await service.renew(caller(), shown(old))
    enrolled = await service.renew(caller(), shown(old), agreement_accepted=True)
    agreement = (await world.certificate(enrolled.id)).agreement
    assert agreement["accepted_by"] == "holder of the passphrase"


async def test_revoking_with_a_reason(world, service):
    old = await issue(world)
    await service.revoke(caller(), shown(old), reason="keyCompromise", comments="laptop stolen")
    row = await world.certificate(old)
    assert (row.status, row.revocation_reason, row.status_message) == (
        "Revoked",
        "keyCompromise",
        "laptop stolen",
    )
    with pytest.raises(NotRenewable):
        await service.renew(caller(), shown(old))
    with pytest.raises(TransitionNotAllowed):
        await service.revoke(caller(), shown(old), reason="keyCompromise", comments="again")


async def test_what_is_not_issued_is_not_there_to_fetch(world, service):
    asked = await issue(world, profile_id=world.manual_profile_id)
    with pytest.raises(CertificateNotIssued):
        await service.download(caller(), shown(asked), format_name="x509CO")


@pytest.mark.parametrize("what", ["unknown id", "wrong passphrase", "no passphrase set"])
async def test_whatever_does_not_fit_is_answered_alike(world, service, what):
    old = await issue(world)
    if what == "no passphrase set":
        old = (await world.lifecycle.request(ADMIN, world.request())).id
    credentials = {
        "unknown id": shown(9_999),
        "wrong passphrase": shown(old, SECRET + "!"),
        "no passphrase set": shown(old, SECRET),
    }[what]
    for act in (
        lambda: service.renew(caller(), credentials),
        lambda: service.download(caller(), credentials, format_name="x509CO"),
        lambda: service.revoke(caller(), credentials, reason="superseded", comments="x"),
    ):
        with pytest.raises(SelfServiceRefused) as refused:
            await act()
        assert refused.value.message == "There is no certificate with this id and passphrase."
    assert (await world.certificate(old)).status == "Issued"
    entries = await world.rows(
        select(AuditEntry.object_id, AuditEntry.remote, AuditEntry.actor_kind).where(
            AuditEntry.action == "SelfServiceRefused"
        )
    )
    assert [tuple(row) for row in entries] == [
        (str(credentials.certificate_id), "192.0.2.1", "applicant")
    ] * 3


async def test_both_cost_the_same_work(world, service, monkeypatch):
    """A guess at an id that does not exist hashes as one at an id that does."""
    old = await issue(world)
    asked = []
    verify = world.lifecycle.passwords._verify
    monkeypatch.setattr(
        world.lifecycle.passwords,
        "_verify",
        lambda stored, passphrase: asked.append(stored) or verify(stored, passphrase),
    )
    for credentials in (shown(9_999), shown(old, "wrong passphrase")):
        with pytest.raises(SelfServiceRefused):
            await service.renew(caller(), credentials)
    assert len(asked) == 2
    assert all(stored.startswith("$argon2id$") for stored in asked)


@pytest.mark.parametrize("exists", [True, False])
async def test_guesses_at_one_id_are_slowed_down_from_wherever_they_come(world, service, exists):
    certificate_id = await issue(world) if exists else 9_999
    for number in range(5):
        with pytest.raises(SelfServiceRefused):
            await service.renew(caller(f"192.0.2.{number}"), shown(certificate_id, "guess guess"))
    with pytest.raises(TooManyLogins):
        await service.renew(caller("192.0.2.99"), shown(certificate_id))
    world.clock.forward(minutes=20)
    if exists:
        assert (await service.renew(caller("192.0.2.99"), shown(certificate_id))).status == "Issued"


async def test_guesses_from_one_address_are_slowed_down_at_whatever_id(world, service):
    for number in range(10):
        with pytest.raises(SelfServiceRefused):
            await service.renew(caller(), shown(1_000 + number))
    with pytest.raises(TooManyLogins):
        await service.renew(caller(), shown(2_000))
    with pytest.raises(SelfServiceRefused):
        await service.renew(caller("192.0.2.2"), shown(2_001))
