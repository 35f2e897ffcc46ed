"""Setting automatic renewal: by certificate, by profile, of found ones; freezes and the CA's windows."""

import hashlib
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from sqlalchemy import select

from hub.db.outbox import OutboxEvent
from hub.http.principal import SYSTEM
from hub.issuers.contract import RenewalInfo
from hub.issuers.private_ca.backend import PrivateCaBackend
from hub.lifecycle.errors import CertificateNotFound
from hub.lifecycle.found import Find
from hub.lifecycle.renewal import Renewal
from hub.lifecycle.requests import AutoRenew, KeyLocation, Method, TargetNode
from hub.profiles.service import RenewalPolicy
from hub.renewals.calendar_port import Interval
from hub.renewals.errors import AutoRenewalImpossible, InvalidAutoRenewal
from hub.renewals.service import FoundRenewal
from pki.keys import KeyType, generate_key
from tests.simulators.hub_world import ADMIN, csr, rao

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def plain(world, **changes):
    return await world.issued(await world.profile(renewal={"enabled": False}), **changes)


async def test_switched_on_by_hand_it_is_planned_at_once_and_off_again_it_is_not(world):
    first = await plain(world)
    await world.renewals.set_auto_renewal(ADMIN, first, AutoRenew(enabled=True, days_before=10))
    row = await world.certificate(first)
    assert row.renewal_state == "Scheduled"
    assert row.not_after - 11 * DAY <= row.renewal_due_at <= row.not_after - 10 * DAY
    answer = await world.renewals.why(ADMIN, first)
    assert answer.why.reason == "NotYetDue"
    assert answer.rules.sources["when"] == "the certificate's own setting"
    assert answer.plan.due_at == row.renewal_due_at
    await world.renewals.set_auto_renewal(ADMIN, first, AutoRenew(enabled=False))
    row = await world.certificate(first)
    assert (row.renewal_state, row.renewal_due_at) == ("Not Scheduled", None)
    assert (await world.answer(first)).reason == "AutoRenewalOff"
    kinds = [kind for kind, _ in await world.events()]
    assert kinds.count("AutoRenewalChanged") == 2
    assert {"RenewalScheduled", "RenewalCanceled"} <= set(kinds)


async def test_what_can_never_work_is_refused_with_the_reason(world):
    first = await plain(world)
    with pytest.raises(InvalidAutoRenewal, match="at most 31 days"):
        await world.renewals.set_auto_renewal(ADMIN, first, AutoRenew(enabled=True, days_before=40))
    with pytest.raises(InvalidAutoRenewal, match="not both"):
        await world.renewals.set_auto_renewal(ADMIN, first, AutoRenew(enabled=True, days_before=3, share=0.5))
    with pytest.raises(CertificateNotFound):
        await world.renewals.set_auto_renewal(
            rao(world.other_organization_id), first, AutoRenew(enabled=True)
        )
    with pytest.raises(CertificateNotFound):
        await world.renewals.why(rao(world.other_organization_id), first)
    await world.lifecycle.revoke(ADMIN, first, reason="superseded")
    with pytest.raises(AutoRenewalImpossible, match="revoked"):
        await world.renewals.set_auto_renewal(ADMIN, first, AutoRenew(enabled=True))


async def test_set_while_it_is_requested_it_is_planned_when_it_is_issued(world):
    profile_id = await world.profile(auto_approve=False, renewal={"enabled": False})
    enrolled = await world.lifecycle.request(ADMIN, world.request(profile_id=profile_id, term_days=47))
    await world.renewals.set_auto_renewal(ADMIN, enrolled.id, AutoRenew(enabled=True))
    assert (await world.certificate(enrolled.id)).renewal_due_at is None
    assert (await world.answer(enrolled.id)).reason == "NotIssuedYet"
    await world.lifecycle.approve(ADMIN, enrolled.id)
    await world.settle()
    assert (await world.certificate(enrolled.id)).renewal_due_at is not None


async def test_a_changed_profile_plans_its_certificates_again(world):
    profile_id = await world.profile()
    first = await world.issued(profile_id)
    before = (await world.certificate(first)).renewal_due_at
    policy = RenewalPolicy(enabled=True, days_before=5)
    async with world.db.write() as uow:
        await world.profiles.update(uow, profile_id, changes={"renewal": policy}, principal=SYSTEM)
    await world.settle()
    after = (await world.certificate(first)).renewal_due_at
    assert after > before + 5 * DAY
    async with world.db.write() as uow:
        await world.profiles.update(
            uow, profile_id, changes={"renewal": RenewalPolicy(enabled=False)}, principal=SYSTEM
        )
    await world.settle()
    assert (await world.certificate(first)).renewal_state == "Not Scheduled"


async def test_a_freeze_that_is_set_afterwards_pulls_the_renewal_ahead(world):
    first = await world.issued(await world.profile())
    due = (await world.certificate(first)).renewal_due_at
    freeze = Interval(start=due - 3 * DAY, end=due + 6 * DAY, name="year end")
    world.calendar.intervals = [freeze]
    async with world.db.write() as uow:
        await world.renewals.plan_again(uow)
    await world.settle()
    moved = (await world.certificate(first)).renewal_due_at
    assert moved < freeze.start
    answer = await world.renewals.why(ADMIN, first)
    assert "year end" in answer.why.sentence
    await world.advance(due)
    assert (await world.certificate(first)).renewal_state == "Successful"


async def test_a_freeze_that_nobody_planned_for_holds_a_renewal_back_while_that_is_safe(world):
    first = await world.issued(await world.profile())
    due = (await world.certificate(first)).renewal_due_at
    world.calendar.intervals = [Interval(start=due - HOUR, end=due + 2 * DAY, name="incident")]
    await world.advance(due + DAY)
    row = await world.certificate(first)
    assert row.renewal_state == "Scheduled"
    assert row.renewal_due_at >= due + 2 * DAY
    await world.advance(due + 4 * DAY)
    assert (await world.certificate(first)).renewal_state == "Successful"


async def test_the_cas_window_decides_and_is_asked_for_again(world, monkeypatch):
    asked = []

    async def renewal_info(self, certificate_der, issuer_der):
        asked.append(world.clock.now)
        start = first_seen + (3 * DAY if len(asked) < 6 else -2 * DAY)
        return RenewalInfo(
            start=start, end=start + DAY, explanation_url="https://ca.example/why", retry_after_s=6 * 3600
        )

    first_seen = world.clock.now
    monkeypatch.setattr(PrivateCaBackend, "renewal_info", renewal_info, raising=False)
    first = await world.issued(await world.profile())
    row = await world.certificate(first)
    assert first_seen + 3 * DAY <= row.renewal_due_at <= first_seen + 4 * DAY
    assert (await world.renewals.why(ADMIN, first)).plan.evidence[
        "ca_explanation"
    ] == "https://ca.example/why"
    # The sixth answer lies in the past: the CA will revoke, so it is renewed at once.
    await world.advance(first_seen + 31 * HOUR)
    row = await world.certificate(first)
    assert row.renewal_state == "Successful"
    assert len(asked) >= 6
    # Its successor is asked for at once too, and waits until it is a day old.
    new = await world.successor(first)
    assert new.issued_at > first_seen + 29 * HOUR
    assert new.renewal_state == "Scheduled"
    assert new.renewal_due_at >= new.not_before + DAY


async def found(world):
    """The id of a certificate of ninety days that was found, thirty before its end."""
    key = generate_key(KeyType.EC_P256)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.example.com")])
    begin = world.clock.now - 60 * DAY
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(4711)
        .not_valid_before(begin)
        .not_valid_after(begin + 90 * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("www.example.com")]), critical=False)
    )
    der = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    sha256 = hashlib.sha256(der).hexdigest()
    async with world.db.write() as uow:
        recorded = await world.lifecycle.record_found(
            uow,
            Find(chains={sha256: [sha256]}, bodies={sha256: der}, organization_id=world.organization_id),
        )
    return recorded.ids[sha256]


async def test_a_found_certificate_becomes_a_managed_one(world):
    profile_id = await world.profile(renewal={"enabled": False})
    network = await world.fleet.enroll("network", organization_id=world.organization_id)
    world.fleet.add_node(network)
    old = await found(world)
    assert (await world.certificate(old)).status == "External"
    wanted = AutoRenew(enabled=True, days_before=10)
    with pytest.raises(InvalidAutoRenewal, match="needs a profile"):
        await world.renewals.set_auto_renewal(ADMIN, old, wanted)
    how = FoundRenewal(
        profile_id=profile_id,
        term_days=47,
        method=Method.AUTO_INSTALL,
        key_type="EC-P256",
        key_location=KeyLocation.TARGET,
        targets=(TargetNode(agent_id=network, server="web", node_id="a:443"),),
    )
    await world.renewals.set_auto_renewal(ADMIN, old, wanted, found=how)
    due = (await world.certificate(old)).renewal_due_at
    await world.advance(due + HOUR)
    row, new = await world.certificate(old), await world.successor(old)
    assert (row.status, row.renewal_state, row.renewed_by_id) == ("Replaced", "Successful", new.id)
    assert (new.status, new.install_state, new.renewal_state) == ("Issued", "Successful", "Scheduled")
    # What it is renewed with next is known now.
    await world.advance(new.renewal_due_at + HOUR)
    assert (await world.certificate(new.id)).renewal_state == "Successful"


async def test_a_manual_renewal_takes_the_place_of_the_automatic_one(world):
    first = await world.issued(await world.profile())
    renewal = Renewal(new_key_pair=True, csr=csr())
    await world.lifecycle.renew(ADMIN, first, renewal)
    row = await world.certificate(first)
    assert (row.renewal_state, row.renewal_due_at) == ("Successful", None)
    assert (await world.answer(first)).reason == "Superseded"
    await world.advance(row.not_after)
    new = await world.successor(first)
    assert new.id == row.renewed_by_id


async def test_warnings_come_at_each_threshold_and_say_what_it_waits_for(world):
    first = await world.issued(await world.profile(auto_approve=False))
    row = await world.certificate(first)
    await world.advance(row.not_after - timedelta(minutes=1))
    told = select(OutboxEvent.data).where(OutboxEvent.kind == "RenewalAtRisk").order_by(OutboxEvent.id)
    rows = [data for (data,) in await world.rows(told)]
    left = [round(data["hours_left"]) for data in rows]
    assert left[1:] == [72, 24, 6]
    assert 100 < left[0] < 140
    assert all(data["reason"] == "WaitsForApproval" and data["instruction"] for data in rows)


async def test_an_expired_certificate_is_still_renewed_when_what_held_it_up_is_over(world):
    first = await world.issued(await world.profile(auto_approve=False))
    row = await world.certificate(first)
    await world.advance(row.not_after + HOUR)
    assert (await world.certificate(first)).status == "Expired"
    assert (await world.answer(first)).reason == "ExpiredWhileWaiting"
    await world.lifecycle.approve(ADMIN, (await world.successor(first)).id)
    await world.settle()
    assert (await world.certificate(first)).renewal_state == "Successful"


async def test_settings_after_a_failure_start_anew(world):
    first = await world.issued(await world.profile(auto_approve=False))
    await world.advance((await world.certificate(first)).renewal_due_at + HOUR)
    await world.lifecycle.decline(ADMIN, (await world.successor(first)).id)
    assert (await world.certificate(first)).renewal_state == "Failed"
    await world.renewals.set_auto_renewal(ADMIN, first, AutoRenew(enabled=True))
    await world.settle()
    row = await world.certificate(first)
    assert row.renewal_state == "Started"
    assert (await world.successor(first)).status == "Requested"
