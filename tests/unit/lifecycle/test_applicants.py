"""Agreements, passphrases, requesters, and what is never approved by itself."""

from dataclasses import replace

import pytest

from hub.http.principal import SYSTEM, Principal
from hub.lifecycle.agreements import agreement_sha256
from hub.lifecycle.errors import RequestRefused
from hub.lifecycle.renewal import Renewal
from hub.lifecycle.requests import AutoRenew
from hub.profiles.service import RenewalPolicy
from tests.simulators.hub_world import ADMIN, csr

APPLICANT = Principal(kind="anonymous", id="", name="ann@example.com")
TEXT = "You keep the key to yourself."


async def profile(world, name="Agreed", **fields):
    async with world.db.write() as uow:
        return await world._profile(uow, name, **{"auto_approve": True, **fields})


async def reasons(world, principal, request):
    with pytest.raises(RequestRefused) as refused:
        await world.lifecycle.take(principal, request)
    return [finding.reason for finding in refused.value.findings]


async def test_an_agreement_has_to_be_accepted_and_is_stored_as_it_was(world):
    agreed = await profile(world, agreement=TEXT)
    assert await reasons(world, ADMIN, world.request(profile_id=agreed)) == ["AgreementNotAccepted"]
    request = world.request(profile_id=agreed, agreement_accepted=True)
    row = await world.certificate((await world.lifecycle.request(ADMIN, request)).id)
    assert row.agreement == {
        "sha256": agreement_sha256(TEXT),
        "accepted_by": "alice",
        "accepted_at": row.requested_at.isoformat(),
    }


async def test_the_hub_renews_under_the_same_agreement_and_people_accept_it_again(world):
    agreed = await profile(world, agreement=TEXT)
    request = world.request(profile_id=agreed, agreement_accepted=True)
    old = (await world.lifecycle.request(ADMIN, request)).id
    same_key = Renewal(new_key_pair=False)
    with pytest.raises(RequestRefused, match="agreement"):
        await world.lifecycle.renew(ADMIN, old, same_key)
    renewed = await world.lifecycle.renew(SYSTEM, old, same_key)
    before, after = await world.certificate(old), await world.certificate(renewed.id)
    assert after.agreement == before.agreement
    assert (after.requester, after.requester_id) == ("alice", 1)
    again = await world.lifecycle.renew(ADMIN, old, replace(same_key, agreement_accepted=True))
    assert (await world.certificate(again.id)).agreement["accepted_at"] != before.agreement["accepted_at"]


async def test_a_changed_agreement_is_accepted_by_nobody_yet(world):
    agreed = await profile(world, agreement=TEXT)
    request = world.request(profile_id=agreed, agreement_accepted=True)
    old = (await world.lifecycle.request(ADMIN, request)).id
    async with world.db.write() as uow:
        changes = {"agreement": TEXT + " Really."}
        await world.profiles.update(uow, agreed, changes=changes, principal=SYSTEM)
    with pytest.raises(RequestRefused, match="agreement"):
        await world.lifecycle.renew(SYSTEM, old, Renewal(new_key_pair=False))


async def test_an_applicants_request_waits_even_where_profiles_approve_by_themselves(world):
    request = world.request(by_applicant=True, requested_via="Enrollment Form")
    enrolled = await world.lifecycle.take(APPLICANT, request)
    row = await world.certificate(enrolled.id)
    assert (row.status, row.requester, row.requester_id) == ("Requested", "ann@example.com", None)
    await world.lifecycle.approve(ADMIN, enrolled.id)
    await world.settle()
    assert (await world.certificate(enrolled.id)).status == "Issued"


async def test_administrators_are_recorded_by_id(world):
    row = await world.certificate((await world.lifecycle.request(ADMIN, world.request())).id)
    assert (row.requester, row.requester_id) == ("alice", 1)
    token = replace(ADMIN, kind="api_token", id="5")
    row = await world.certificate((await world.lifecycle.request(token, world.request())).id)
    assert row.requester_id == 5


@pytest.mark.parametrize(
    ("passphrase", "reason"), [("short", "PassphraseTooShort"), ("x" * 257, "PassphraseTooLong")]
)
async def test_passphrases_have_a_length(world, passphrase, reason):
    assert await reasons(world, ADMIN, world.request(passphrase=passphrase)) == [reason]


async def test_a_passphrase_is_stored_as_a_hash_and_told_to_nobody(world):
    from sqlalchemy import text

    secret = "open sesame 42"
    enrolled = await world.lifecycle.request(ADMIN, world.request(passphrase=secret))
    row = await world.certificate(enrolled.id)
    assert row.passphrase_hash.startswith("$argon2id$")
    assert await world.lifecycle.passwords.verify(row.passphrase_hash, secret)
    tables = await world.rows(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
    assert len(tables) > 20
    for (table,) in tables:
        for values in await world.rows(text(f"SELECT * FROM {table}")):
            assert secret not in str(tuple(values)), table
    assert secret not in repr(world.request(passphrase=secret))


async def test_a_successor_has_the_same_passphrase(world):
    old = (await world.lifecycle.request(ADMIN, world.request(passphrase="open sesame 42"))).id
    renewed = await world.lifecycle.renew(ADMIN, old, Renewal(csr=csr()))
    assert (await world.certificate(renewed.id)).passphrase_hash == (
        await world.certificate(old)
    ).passphrase_hash


@pytest.mark.parametrize(
    ("asked", "state"),
    [
        (None, "Scheduled"),
        (AutoRenew(enabled=False), "Not Scheduled"),
        (AutoRenew(enabled=True), "Scheduled"),
    ],
)
async def test_a_request_that_says_nothing_renews_itself_as_its_profile_says(world, asked, state):
    renews = await profile(world, renewal=RenewalPolicy(enabled=True))
    enrolled = await world.lifecycle.request(ADMIN, world.request(profile_id=renews, auto_renew=asked))
    assert (await world.certificate(enrolled.id)).renewal_state == state
    other = await world.lifecycle.request(ADMIN, world.request())
    assert (await world.certificate(other.id)).renewal_state == "Not Scheduled"
