"""What time brings about: ends that come near, agents that stay away, digests, and sweeps that stay cheap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from hub.fleet.models import Agent
from hub.issuers.models import CaAuthority
from hub.lifecycle.models import Certificate
from hub.notifications.digests import Digest
from hub.notifications.rules import Recipients
from hub.organizations.dcv.models import DcvValidation
from tests.integration.access_policy.things import agent_row


async def held(desk, *days, **fields):
    """Store issued certificates that end in so many days; return their ids."""
    now = desk.world.clock.now
    async with desk.db.write() as uow:
        rows = await uow.session.execute(
            insert(Certificate).returning(Certificate.id),
            [
                {
                    "status": "Issued",
                    "common_name": f"in-{day}.example.com",
                    "organization_id": desk.world.organization_id,
                    "not_before": now - timedelta(days=60),
                    "not_after": now + timedelta(days=day),
                    "created_at": now,
                    **fields,
                }
                for day in days
            ],
        )
        return list(rows.scalars())


async def sweep(desk):
    return await desk.service.sweeps().run_once()


async def subjects(desk):
    return sorted(row.subject for row in await desk.rows())


async def test_each_term_is_told_of_once(any_desk):
    desk = any_desk
    await desk.rule("certificate_expiring", console=False, days=(14, 7, 3))
    await held(desk, 20)
    told = []
    for _ in range(22):
        for _ in range(3):
            await sweep(desk)
        told.append(len(await desk.rows()))
        desk.world.clock.forward(days=1)
    assert told[5:8] == [0, 1, 1]
    assert told[-1] == 3
    assert [row.subject.split(":")[0] for row in await desk.rows()] == [
        "Expires in 14 days",
        "Expires in 7 days",
        "Expires in 3 days",
    ]


async def test_a_new_rule_begins_with_the_shortest_term_that_fits(desk):
    await held(desk, 2, 5, 40)
    await desk.rule("certificate_expiring", console=False)
    await sweep(desk)
    assert await subjects(desk) == [
        "Expires in 2 days: certificate for in-2.example.com",
        "Expires in 5 days: certificate for in-5.example.com",
    ]


async def test_a_hub_that_was_away_tells_of_what_is_near_now(desk):
    await desk.rule("certificate_expiring", console=False, days=(30, 14, 7))
    await held(desk, 40)
    await sweep(desk)
    desk.world.clock.forward(days=30)
    await sweep(desk)
    assert await subjects(desk) == ["Expires in 10 days: certificate for in-40.example.com"]


async def test_a_renewed_certificate_no_longer_nags(desk):
    await desk.rule("certificate_expiring", console=False)
    (old,) = await held(desk, 10)
    (new,) = await held(desk, 90, renews_id=old)
    async with desk.db.write() as uow:
        await uow.session.execute(update(Certificate).where(Certificate.id == old).values(renewed_by_id=new))
    await sweep(desk)
    assert await desk.rows() == []


async def test_a_renewal_that_is_only_requested_does_not_silence_the_warning(desk):
    await desk.rule("certificate_expiring", console=False)
    (old,) = await held(desk, 10)
    (new,) = await held(desk, 90, renews_id=old, status="Requested")
    async with desk.db.write() as uow:
        await uow.session.execute(update(Certificate).where(Certificate.id == old).values(renewed_by_id=new))
    await sweep(desk)
    assert len(await desk.rows()) == 1


@pytest.mark.parametrize("fields", [{"status": "Revoked"}, {"status": "Unmanaged"}])
async def test_what_nobody_has_to_renew_is_not_told_of(desk, fields):
    await desk.rule("certificate_expiring", console=False)
    await held(desk, 10, **fields)
    await sweep(desk)
    assert await desk.rows() == []


async def test_found_certificates_are_told_of_although_their_terms_began_before(desk):
    await desk.rule("certificate_expiring", console=False)
    await sweep(desk)
    desk.world.clock.forward(hours=1)
    await held(desk, 10, status="External")
    await sweep(desk)
    await sweep(desk)
    assert await subjects(desk) == ["Expires in 10 days: certificate for in-10.example.com"]


async def test_more_than_a_batch_that_ends_in_the_same_second(desk):
    await desk.rule("certificate_expiring", console=False, digest=Digest(every="daily"), days=(30,))
    await held(desk, *([10] * 1201))
    await sweep(desk)
    assert len(await desk.rows()) == 1201
    await sweep(desk)
    assert len(await desk.rows()) == 1201


async def away(desk, name, **ago):
    async with desk.db.write() as uow:
        row = agent_row(f"id-{name}", name, desk.world.organization_id)
        row.last_seen_at = uow.now - timedelta(**ago)
        row.certificate_not_after = uow.now + timedelta(days=300)
        uow.session.add(row)


async def test_an_agent_that_stays_away_is_told_of_once_and_again_when_it_is_back(any_desk):
    desk = any_desk
    await desk.rule("agent_offline", console=False)
    await desk.rule("agent_back", console=False)
    await away(desk, "web-1", minutes=20)
    await away(desk, "web-2", minutes=5)
    for _ in range(3):
        await sweep(desk)
    assert await subjects(desk) == ["Offline: agent web-1"]
    for name in ("web-1", "web-2"):
        for _ in range(2):
            await desk.happen(
                "AgentConnected", "agent", f"id-{name}", organization_id=desk.world.organization_id
            )
    await desk.take_over()
    assert await subjects(desk) == ["Back: agent web-1", "Offline: agent web-1"]
    # It goes away once more.
    async with desk.db.write() as uow:
        desk.world.clock.forward(minutes=30)
        await uow.session.execute(
            update(Agent).where(Agent.name == "web-1").values(last_seen_at=desk.world.clock.now)
        )
    desk.world.clock.forward(minutes=16)
    await sweep(desk)
    assert (await subjects(desk)).count("Offline: agent web-1") == 2


async def test_an_agents_identity_that_ends(desk):
    await desk.rule("agent_certificate_expiring", console=False)
    await away(desk, "web-1", minutes=1)
    async with desk.db.write() as uow:
        await uow.session.execute(update(Agent).values(certificate_not_after=uow.now + timedelta(days=6)))
    await sweep(desk)
    assert await subjects(desk) == ["Identity expires in 6 days: agent web-1"]


async def test_a_domain_validation_that_ends_and_is_renewed(desk):
    await desk.rule("dcv_expiring", console=False, days=(7,))
    async with desk.db.write() as uow:
        uow.session.add(
            DcvValidation(
                organization_id=desk.world.organization_id,
                domain="example.com",
                trust="public",
                state="validated",
                expires_at=uow.now + timedelta(days=5),
                evidence={},
                vantage_agent_ids=[],
                created_at=uow.now,
                created_by="",
            )
        )
    await sweep(desk)
    await sweep(desk)
    assert await subjects(desk) == ["Validation expires in 5 days: example.com"]
    async with desk.db.write() as uow:
        await uow.session.execute(update(DcvValidation).values(expires_at=uow.now + timedelta(days=100)))
    desk.world.clock.forward(days=94)
    await sweep(desk)
    assert len(await desk.rows()) == 2


async def test_the_built_in_ca_that_ends(desk):
    await desk.rule("ca_expiring", console=False, recipients=Recipients(roles=("MRAO",)))
    await sweep(desk)
    assert await desk.rows() == []
    async with desk.db.write() as uow:
        soon = uow.now + timedelta(days=6)
        await uow.session.execute(
            update(CaAuthority).where(CaAuthority.role == "root").values(not_after=soon)
        )
    # The rule's terms have passed over it already; what was changed by hand is seen at the next one.
    desk.world.clock.forward(days=3)
    await sweep(desk)
    (row,) = await desk.rows()
    assert row.subject.startswith("Expires in 3 days: CA ")


async def test_a_trial_that_ends_is_told_of_each_of_its_last_five_days(desk):
    await desk.rule("ca_trial_ending", console=False, recipients=Recipients(roles=("MRAO",)))
    await sweep(desk)
    async with desk.db.write() as uow:
        end = uow.now + timedelta(days=30)
        await uow.session.execute(
            update(CaAuthority).where(CaAuthority.role == "issuing").values(trial_until=end)
        )
    told = []
    for _day in range(31):
        desk.world.clock.forward(days=1)
        await sweep(desk)
        told.append(len(await desk.rows()))
    assert told == [0] * 24 + [1, 2, 3, 4, 5, 5, 5]
    assert (await desk.rows())[0].subject.startswith("Trial ends on ")


async def test_a_daily_digest_goes_out_as_one_mail_at_its_hour(desk):
    await desk.rule(
        "certificate_requested",
        console=False,
        digest=Digest(every="daily", hour=8, time_zone="Europe/Berlin"),
    )
    await desk.rule(
        "certificate_approved",
        console=False,
        digest=Digest(every="daily", hour=8, time_zone="Europe/Berlin"),
    )
    for kind in ("CertificateRequested", "CertificateApproved", "CertificateRequested"):
        await desk.happen(kind, object_id=901, organization_id=desk.world.organization_id)
        await desk.take_over()
        desk.world.clock.forward(hours=1)
    await desk.deliver()
    assert desk.mail.messages == []
    desk.world.clock.now = datetime(2026, 11, 26, 7, 0, 1, tzinfo=UTC)
    await desk.deliver()
    (mail,) = desk.mail.messages
    assert mail["Subject"] == "3 notifications: Certificate requested (2), Certificate approved (1)"
    assert await desk.states() == ["Sent"] * 3
