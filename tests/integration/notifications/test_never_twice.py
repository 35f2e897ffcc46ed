"""Never twice: workers that share the queue, and workers that die in the middle."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from hub.notifications import queue
from hub.notifications.errors import DeliveryNotAllowed
from hub.notifications.rules import Recipients

ROOT = Path(__file__).parents[3]


async def told(desk, type_="certificate_requested", count=1, **fields):
    await desk.rule(type_, console=False, **fields)
    kind, data = {
        "certificate_requested": ("CertificateRequested", {}),
        "renewal_failed": ("RenewalFinished", {"renewal_state": "Failed"}),
    }[type_]
    for number in range(count):
        await desk.happen(kind, object_id=900 + number, organization_id=desk.world.organization_id, data=data)
    await desk.take_over()


async def test_two_workers_send_each_message_once(any_desk):
    desk = any_desk
    addresses = tuple(f"user-{number}@example.com" for number in range(40))
    await told(desk, recipients=Recipients(addresses=addresses))
    workers = [desk.service.delivery() for _ in range(2)]

    async def work(worker):
        while await worker.run_once():
            pass

    await asyncio.gather(*(work(worker) for worker in workers))
    assert sorted(mail["To"] for mail in desk.mail.messages) == sorted(addresses)


async def test_two_replicas_take_each_event_over_once(any_desk):
    desk = any_desk
    await desk.rule("certificate_requested", console=False)
    for number in range(500):
        await desk.happen(
            "CertificateRequested", object_id=number, organization_id=desk.world.organization_id
        )
    made = await asyncio.gather(*(desk.service.intake().run_all() for _ in range(3)))
    assert sum(made) == 500
    assert len(await desk.rows()) == 500


async def claimed_by_one_who_died(desk):
    held = await queue.claim(desk.db)
    assert held
    return held


async def test_a_message_of_a_dead_worker_is_uncertain_and_stays_unsent(desk):
    await told(desk)
    await claimed_by_one_who_died(desk)
    await desk.deliver()
    assert await desk.states() == ["Sending"]  # its lease still runs
    desk.world.clock.forward(seconds=queue.LEASE_S + 1)
    await desk.deliver()
    (row,) = await desk.rows()
    assert (row.state, row.reason) == ("Uncertain", "WorkerDied")
    desk.world.clock.forward(days=2)
    await desk.deliver()
    assert desk.mail.messages == []


async def test_a_warning_of_a_dead_worker_is_sent_again(desk):
    await told(desk, "renewal_failed")
    await claimed_by_one_who_died(desk)
    desk.world.clock.forward(seconds=queue.LEASE_S + 1)
    await desk.deliver()
    desk.world.clock.forward(minutes=1)
    await desk.deliver()
    assert len(desk.mail.messages) == 1
    assert await desk.states() == ["Sent"]


async def test_who_lost_the_lease_records_nothing(desk):
    await told(desk, "renewal_failed")
    held = await claimed_by_one_who_died(desk)
    desk.world.clock.forward(seconds=queue.LEASE_S + 1)
    await desk.deliver()
    async with desk.db.write() as uow:
        assert not await queue.delivered(uow, held, receipt="late")
    assert await desk.states() == ["Queued"]


async def test_what_a_slow_server_leaves_no_time_for_goes_back_into_the_queue(desk):
    await told(desk, recipients=Recipients(roles=("RAO", "MRAO")))
    mail = desk.service._mail
    real = mail._tools.dial

    async def slowly(host, port):
        desk.world.clock.forward(seconds=queue.LEASE_S - 60)
        return await real(host, port)

    object.__setattr__(mail._tools, "dial", slowly)
    await desk.deliver()
    assert sorted(await desk.states()) == ["Queued", "Sent"]
    await desk.deliver()
    assert await desk.states() == ["Sent", "Sent"]
    assert len(desk.mail.messages) == 2


async def test_a_message_on_its_way_can_not_be_sent_again(desk):
    await told(desk)
    (row,) = await desk.rows()
    with pytest.raises(DeliveryNotAllowed):
        await desk.service.resend(desk.who("rita"), row.id)


async def test_sending_again_is_a_message_of_its_own(desk):
    await told(desk)
    await desk.deliver()
    (row,) = await desk.rows()
    await desk.service.resend(desk.who("rita"), row.id)
    await desk.deliver()
    assert len({mail["Message-ID"] for mail in desk.mail.messages}) == 2


_WORKER = """
import asyncio, sys
from pki.at_rest import KeyEncryptionKey
from hub.db.uow import Database
from hub.notifications.notifiers.email import EmailSettings
from hub.notifications.notifiers.registry import installed_notifiers
from hub.notifications.service import NotificationOptions, NotificationService
from datetime import datetime, UTC

async def main(url, port):
    db = Database.open(url, clock=lambda: datetime(2026, 11, 25, 13, tzinfo=UTC))
    smtp = EmailSettings(host="127.0.0.1", port=port, security="none", sender="hub@example.com")
    options = NotificationOptions(base_url="https://hub", kinds=installed_notifiers(), smtp=smtp)
    await NotificationService(db, KeyEncryptionKey(bytes(range(32))), options).delivery().run_once()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@pytest.mark.parametrize(
    ("type_", "how", "arrived", "state"),
    [
        ("certificate_requested", "hang after taking", 1, "Uncertain"),
        ("certificate_requested", "hang before taking", 0, "Uncertain"),
        ("renewal_failed", "hang after taking", 2, "Sent"),
        ("renewal_failed", "hang before taking", 1, "Sent"),
    ],
)
async def test_a_process_that_is_killed_while_it_sends(desk, type_, how, arrived, state):
    await told(desk, type_)
    desk.mail.cuts.append(how)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _WORKER,
        desk.world.url,
        str(desk.mail.port),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    async with asyncio.timeout(30):
        await desk.mail.arrived.wait()
    process.send_signal(signal.SIGKILL)
    await process.wait()
    desk.mail.go_on.set()
    assert await desk.states() == ["Sending"]
    desk.world.clock.forward(hours=2)
    await desk.deliver()
    desk.world.clock.forward(minutes=1)
    await desk.deliver()
    assert await desk.states() == [state]
    assert len(desk.mail.messages) == arrived
    assert len({mail["Message-ID"].partition("@")[0] for mail in desk.mail.messages}) == (arrived > 0)
