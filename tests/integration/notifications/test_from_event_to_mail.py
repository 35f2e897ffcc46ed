"""From what happens in other rooms to what people are told."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from hub.db.outbox import Event
from hub.lifecycle.models import Certificate
from hub.notifications.models import Notification
from hub.notifications.rules import Recipients
from tests.simulators.hub_world import ADMIN


async def requested(desk, **changes):
    return (await desk.world.lifecycle.request(ADMIN, desk.world.request(**changes))).id


async def test_a_request_is_mailed_to_who_may_decide(any_desk):
    desk = any_desk
    await desk.rule("certificate_awaiting_approval", recipients=Recipients(roles=("MRAO", "RAO", "DRAO")))
    certificate_id = await requested(
        desk, profile_id=desk.world.manual_profile_id, department_id=desk.department_id
    )
    await desk.take_over()
    await desk.deliver()
    assert sorted(message["To"] for message in desk.mail.messages) == [
        "dora@example.com",
        "mona@example.com",
        "rita@example.com",
    ]
    message = desk.mail.messages[0]
    assert message["Subject"] == "Please decide: certificate for www.example.com"
    assert f"/certificates/ssl/{certificate_id}" in message.get_body(("plain",)).get_content()
    assert set(await desk.states()) == {"Sent"}


async def test_a_request_that_is_approved_at_once_waits_for_nobody(desk):
    await desk.rule("certificate_awaiting_approval")
    await requested(desk)
    await desk.take_over()
    assert await desk.rows() == []


async def test_each_event_is_taken_over_once(any_desk):
    desk = any_desk
    await desk.rule("certificate_requested")
    await requested(desk, profile_id=desk.world.manual_profile_id)
    assert await desk.take_over() == 2  # in the console, and by mail
    assert await desk.take_over() == 0
    for _ in range(2):
        await desk.deliver()
    assert len(desk.mail.messages) == 1


async def test_two_rules_tell_a_person_once(desk):
    await desk.rule("certificate_requested")
    await desk.rule(
        "certificate_requested", recipients=Recipients(owner=True, addresses=("RITA@example.com",))
    )
    await requested(desk, profile_id=desk.world.manual_profile_id)
    await desk.take_over()
    await desk.deliver()
    assert [message["To"] for message in desk.mail.messages] == ["rita@example.com"]


async def test_the_requester_and_external_requesters_hear_of_the_decision(desk):
    await desk.rule("certificate_declined", recipients=Recipients(requester=True, external_requesters=True))
    certificate_id = await requested(
        desk,
        profile_id=desk.world.manual_profile_id,
        external_requester="web@customer.example, ops@customer.example",
    )
    await desk.world.lifecycle.decline(ADMIN, certificate_id, message="Use the wildcard.")
    await desk.take_over()
    await desk.deliver()
    assert sorted(message["To"] for message in desk.mail.messages) == [
        "mona@example.com",  # ADMIN is the administrator with the id 1
        "ops@customer.example",
        "web@customer.example",
    ]
    assert "Message: Use the wildcard." in desk.mail.messages[0].get_body(("plain",)).get_content()


async def test_rules_of_another_organization_are_silent(desk):
    await desk.rule(
        "certificate_requested",
        organization_id=desk.world.other_organization_id,
        recipients=Recipients(roles=("RAO",), addresses=("spy@other.example",)),
    )
    await requested(desk, profile_id=desk.world.manual_profile_id)
    await desk.take_over()
    assert await desk.rows(mail_only=False) == []


async def test_rules_for_other_profiles_are_silent(desk):
    await desk.rule("certificate_requested", profile_ids=(desk.world.profile_id,))
    await requested(desk, profile_id=desk.world.manual_profile_id)
    await desk.take_over()
    assert await desk.rows() == []


async def test_nothing_is_sent_for_a_suspended_certificate(desk):
    await desk.rule("certificate_declined")
    certificate_id = await requested(desk, profile_id=desk.world.manual_profile_id)
    async with desk.db.write() as uow:
        await uow.session.execute(
            update(Certificate).where(Certificate.id == certificate_id).values(notifications_suspended=True)
        )
    await desk.world.lifecycle.decline(ADMIN, certificate_id, message="")
    await desk.take_over()
    await desk.deliver()
    rows = await desk.rows(mail_only=False)
    assert [(row.state, row.reason) for row in rows] == [("Suppressed", "Suspended")]
    assert desk.mail.messages == []


async def test_without_a_mail_server_mail_is_visibly_suppressed(desk):
    desk.open(smtp=None)
    await desk.rule("certificate_requested")
    await requested(desk, profile_id=desk.world.manual_profile_id)
    await desk.take_over()
    (row,) = await desk.rows()
    assert (row.state, row.reason) == ("Suppressed", "NoMailServer")
    assert await desk.service.unread(desk.who("rita")) == 1


async def test_what_a_failure_said_is_in_the_mail(desk):
    await desk.rule("renewal_failed")
    certificate_id = await requested(desk)
    await desk.happen(
        "RenewalFinished",
        object_id=certificate_id,
        organization_id=desk.world.organization_id,
        data={
            "renewal_state": "Failed",
            "reason": "QuotaExceeded",
            "sentence": "The CA wants a pause.",
            "instruction": "Ask for a higher quota.",
        },
    )
    await desk.take_over()
    await desk.deliver()
    text = desk.mail.messages[0].get_body(("plain",)).get_content()
    assert "Reason: QuotaExceeded" in text
    assert "The CA wants a pause." in text
    assert "What to do: Ask for a higher quota." in text


async def test_an_object_that_is_gone_is_told_of_from_its_event(desk):
    await desk.rule("import_finished", recipients=Recipients(roles=("MRAO",)))
    await desk.happen(
        "CertificateImportFinished",
        object_type="certificate_import",
        object_id="7",
        organization_id=desk.world.organization_id,
        data={"name": "old.zip", "status": "Successful", "imported": 12, "failed": 1},
    )
    await desk.take_over()
    await desk.deliver()
    assert desk.mail.messages[0]["Subject"] == "Import finished: old.zip"


async def test_a_hundred_thousand_events_of_other_kinds_are_stepped_over(desk):
    await desk.rule("certificate_requested")
    async with desk.db.write() as uow:
        for number in range(100_000):
            uow.emit(Event(kind="CommandProgressed", object_type="command", object_id=str(number)))
    await requested(desk, profile_id=desk.world.manual_profile_id)
    steps = 0
    intake = desk.service.intake()
    while await intake.run_once():
        steps += 1
    assert steps == 1
    assert len(await desk.rows()) == 1


@pytest.mark.parametrize("name", ["rita", "mona"])
async def test_the_bell_counts_reads_and_forgets(desk, name):
    await desk.rule("certificate_requested", recipients=Recipients(roles=("RAO", "MRAO")))
    for _ in range(3):
        await requested(desk, profile_id=desk.world.manual_profile_id)
    await desk.take_over()
    me = desk.who(name)
    assert await desk.service.unread(me) == 3
    notices = await desk.rows(Notification.administrator_id == int(me.id), mail_only=False)
    first = next(row for row in notices if row.channel_kind == "console")
    await desk.service.mark_read(me, first.id)
    assert await desk.service.unread(me) == 2
    await desk.service.dismiss(me, None)
    assert await desk.service.unread(me) == 0
    assert await desk.service.unread(desk.who("mona" if name == "rita" else "rita")) == 3
