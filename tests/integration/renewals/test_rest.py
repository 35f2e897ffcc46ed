"""Setting automatic renewal and asking why, over HTTP; several hubs at one database."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import func, select

from hub.http.principal import SYSTEM
from hub.lifecycle.models import Certificate
from hub.profiles.service import RenewalPolicy

DAY = timedelta(days=1)


async def plain(world):
    return await world.issued(await world.profile(renewal={"enabled": False}))


async def test_from_the_setting_to_the_answer(world, call):
    first = await plain(world)
    before = await call("GET", f"/certificates/{first}/renewal", token="reader")
    assert (before["renewal_state"], before["reason"]) == ("Not Scheduled", "AutoRenewalOff")
    assert before["plan"] is None
    body = {"enabled": True, "days_before": 12}
    view = await call("PUT", f"/certificates/{first}/auto-renew", body)
    assert (view["renewal_state"], view["reason"]) == ("Scheduled", "NotYetDue")
    assert view["rules"]["days_before"] == 12
    assert view["rules"]["sources"]["when"] == "the certificate's own setting"
    assert view["plan"]["due_at"] == view["due_at"]
    assert {"not_after", "wanted_because", "spread_hours"} <= set(view["plan"]["evidence"])
    await world.advance(datetime.fromisoformat(view["due_at"]) + timedelta(minutes=1))
    after = await call("GET", f"/certificates/{first}/renewal")
    assert (after["renewal_state"], after["reason"]) == ("Successful", "Renewed")
    assert after["sentence"].startswith(f"It was renewed: certificate {after['renewed_by_id']} was issued")
    assert [item["outcome"] for item in after["attempts"]] == ["Successful", "Started"]


async def test_what_cant_work_is_told_at_its_field(world, call):
    first = await plain(world)
    path = f"/certificates/{first}/auto-renew"
    problem = await call("PUT", path, {"enabled": True, "days_before": 40}, expect=422)
    assert (problem["code"], problem["errors"][0]["field"]) == ("invalid_auto_renewal", "days_before")
    await call("PUT", path, {"enabled": True, "share": 1.5}, expect=400)
    await call("PUT", path, {"enabled": True, "wrong": 1}, expect=400)
    await call("PUT", path, {"enabled": True}, token="reader", expect=403)
    other = f"rao-{world.other_organization_id}"
    await call("PUT", path, {"enabled": True}, token=other, expect=404)
    await call("GET", f"/certificates/{first}/renewal", token=other, expect=404)
    own = f"rao-{world.organization_id}"
    view = await call("PUT", path, {"enabled": True}, token=own)
    assert view["renewal_state"] == "Scheduled"


async def test_several_hubs_renew_each_certificate_once(world):
    profile_id = await world.profile()
    requests = [
        world.issued(profile_id, common_name=f"n{number}.example.com", names=()) for number in range(20)
    ]
    ids = [await request for request in requests]
    hubs = []
    for _ in range(2):
        hub = type(world)(world.url, clock=world.clock, fleet_state=world.fleet_state)
        hub.open()
        hubs.append(hub)
    try:
        world.clock.now = max([(await world.certificate(key)).renewal_due_at for key in ids])
        engines = [each.renewals.engine() for each in (world, *hubs)]
        taken = await asyncio.gather(*(engine.start_due(limit=7) for engine in engines * 3))
        assert sum(taken) == len(ids)
        await world.settle()
        followed = await world.rows(
            select(Certificate.renews_id, func.count())
            .where(Certificate.renews_id.in_(ids))
            .group_by(Certificate.renews_id)
        )
        assert dict(tuple(row) for row in followed) == dict.fromkeys(ids, 1)
        for certificate_id in ids:
            assert (await world.certificate(certificate_id)).renewal_state == "Successful"
    finally:
        for hub in hubs:
            await hub.lifecycle.close()
            await hub.db.close()


async def test_a_profile_that_starts_to_renew_takes_its_certificates_along(world, call):
    profile_id = await world.profile(renewal={"enabled": False})
    first = await world.issued(profile_id)
    async with world.db.write() as uow:
        await world.profiles.update(
            uow, profile_id, changes={"renewal": RenewalPolicy(enabled=True)}, principal=SYSTEM
        )
    await world.settle()
    view = await call("GET", f"/certificates/{first}/renewal")
    assert view["renewal_state"] == "Scheduled"
    assert view["rules"]["sources"]["enabled"] == "the profile's setting"
