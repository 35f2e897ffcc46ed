"""Outage budgets over REST: the worst first, each with the chain that its renewal hangs on."""

from datetime import timedelta

from sqlalchemy import insert, update

from hub.lifecycle.models import Certificate, CertificateLocation
from hub.profiles.models import Profile
from hub.renewals.planning.models import CaQuota


async def change(world, number, **values):
    async with world.db.write() as uow:
        await uow.session.execute(update(Certificate).where(Certificate.id == number).values(**values))


async def budget(rest, number):
    return await rest.get(f"/certificates/{number}/outage-budget")


def link(found, name):
    return next((item for item in found["links"] if item["name"] == name), None)


async def test_the_nearest_outage_comes_first(rest, plant):
    late, soon, middle = [await plant.certificate(ends_in=days) for days in (30, 2, 9)]
    page = await rest.get("/renewals/outage-budget?limit=2")
    assert [item["id"] for item in page["items"]] == [soon, middle]
    assert 47 < page["items"][0]["budget"]["hours_left"] <= 48
    rest_of = await rest.get(f"/renewals/outage-budget?limit=2&cursor={page['next_cursor']}")
    assert [item["id"] for item in rest_of["items"]] == [late]


async def test_only_what_is_in_service_has_a_place_in_the_list(rest, plant, world):
    served = await plant.certificate(ends_in=5, method="auto_install")
    successor = await plant.certificate(
        ends_in=90, renews_id=served, method="auto_install", installation="triggered", install_state="Started"
    )
    await change(world, served, renewed_by_id=successor)
    found = await plant.certificate(ends_in=8, status="External", profile_id=None, automatic=False)
    await plant.certificate(ends_in=3, status="Revoked")
    lapsed = await plant.certificate(ends_in=-1, status="Expired", renewal_state="Failed")
    await plant.certificate(ends_in=-2, status="Expired", automatic=False)

    async def listed():
        return [item["id"] for item in (await rest.get("/renewals/outage-budget"))["items"]]

    assert await listed() == [lapsed, served, found]
    waiting = link(await budget(rest, served), "installation")
    assert (waiting["state"], str(successor) in waiting["message"]) == ("at_risk", True)
    await change(world, successor, install_state="Successful")
    assert await listed() == [lapsed, found, successor]


async def test_the_chain_names_what_is_broken_and_what_to_do(rest, plant, world):
    agent = await plant.agent("pks-1")
    number = await plant.certificate(ends_in=10, due_in=3, key_agent_id=agent, key_location="pks")
    found = await budget(rest, number)
    assert found["state"] == "at_risk"
    key = link(found, "key")
    assert "pks-1" in key["message"]
    assert key["remedy"]
    assert key["since"]
    await change(world, number, renewal_due_at=plant.now)
    assert link(await budget(rest, number), "key")["state"] == "broken"


async def test_names_of_public_trust_must_be_validated(rest, plant, world):
    number = await plant.certificate(ends_in=10)
    assert link(await budget(rest, number), "validation") is None
    async with world.db.write() as uow:
        await uow.session.execute(
            update(Profile).where(Profile.id == world.profile_id).values(trust="public")
        )
    assert link(await budget(rest, number), "validation")["state"] == "broken"


async def test_a_request_that_waits_names_who_may_approve(rest, plant, world):
    number = await plant.certificate(ends_in=10, renewal_state="Started")
    request = await plant.certificate(
        status="Requested", renews_id=number, requested_at=plant.now - timedelta(hours=7), automatic=False
    )
    await change(world, number, renewed_by_id=request)
    waits = link(await budget(rest, number), "approval")
    assert waits["state"] == "at_risk"
    assert "Example Ltd" in waits["remedy"]
    assert waits["since"].startswith(f"{plant.now - timedelta(hours=7):%Y-%m-%dT%H}")


async def test_a_quota_that_is_used_up(rest, plant, world):
    number = await plant.certificate(ends_in=10, due_in=0.1)
    async with world.db.write() as uow:
        await uow.session.execute(
            insert(CaQuota).values(
                backend_id=world.backend_id, period="day", limit=2, created_at=uow.now, updated_at=uow.now
            )
        )
    assert link(await budget(rest, number), "quota")["state"] == "ok"
    for _ in range(2):
        await plant.certificate(issued_at=plant.now - timedelta(hours=2))
    used = link(await budget(rest, number), "quota")
    assert (used["state"], used["message"]) == ("broken", "0 of 2 certificates a day are left")


async def test_a_ca_that_does_not_answer(rest, plant):
    number = await plant.certificate(ends_in=10)
    assert link(await budget(rest, number), "ca")["state"] == "ok"
    await plant.certificate(
        status="Applied",
        status_reason="CaUnavailable",
        status_message="no answer",
        applied_at=plant.now,
        automatic=False,
    )
    broken = link(await budget(rest, number), "ca")
    assert (broken["state"], "no answer" in broken["message"]) == ("broken", True)


async def test_a_freeze_in_the_way(rest, plant):
    number = await plant.certificate(ends_in=10, term=90)
    local = [
        (plant.now + timedelta(days=days)).replace(tzinfo=None).isoformat(timespec="minutes")
        for days in (4, 12)
    ]
    await rest.post("/renewals/freezes", {"name": "Winter", "starts": local[0], "ends": local[1]})
    assert link(await budget(rest, number), "freeze")["state"] == "at_risk"


async def test_services_are_where_it_was_seen(rest, plant, world):
    number = await plant.certificate()
    async with world.db.write() as uow:
        for kind, name, port in (
            ("server_node", "nginx shop", 0),
            ("network_host", "www.example.com", 443),
            ("private_key_agent", "key", 0),
        ):
            await uow.session.execute(
                insert(CertificateLocation).values(
                    certificate_id=number,
                    kind=kind,
                    name=name,
                    port=port,
                    first_seen=uow.now,
                    last_seen=uow.now,
                )
            )
    found = await budget(rest, number)
    assert found["services"] == ["nginx shop", "www.example.com:443"]


async def test_the_summary_of_an_organization(rest, plant, world):
    for days in (0.5, 3, 20, 60):
        await plant.certificate(ends_in=days)
    await plant.certificate(ends_in=2, organization_id=world.other_organization_id, renewal_state="Failed")
    figures = (await rest.get("/renewals/outage-budget/summary"))["organizations"]
    assert [item["organization"] for item in figures] == ["Example Ltd", "Other Ltd"]
    first = figures[0]
    assert [first[name] for name in ("in_service", "within_day", "within_week", "within_month")] == [
        4,
        1,
        2,
        3,
    ]
    assert 11 < first["hours_left"] <= 12
    assert figures[1]["failed_renewals"] == 1


async def test_everybody_sees_their_own(rest, plant, world):
    mine = await plant.certificate()
    other = await plant.certificate(organization_id=world.other_organization_id)
    token = f"rao-{world.organization_id}"
    page = await rest.get("/renewals/outage-budget", token=token)
    assert [item["id"] for item in page["items"]] == [mine]
    assert len((await rest.get("/renewals/outage-budget/summary", token=token))["organizations"]) == 1
    await rest.get(f"/certificates/{other}/outage-budget", token=token, expect=404)
    assert (await rest.get("/renewals/upcoming", token=token))["total"] == 1


async def test_what_was_not_issued_has_no_budget(rest, plant):
    number = await plant.certificate(status="Requested", not_after=None, automatic=False)
    problem = await rest.get(f"/certificates/{number}/outage-budget", expect=409)
    assert "not issued" in problem["detail"]


async def test_upcoming_renewals_are_listed_by_when_they_are_due(rest, plant):
    second, first = [await plant.certificate(ends_in=30, due_in=days) for days in (9, 3)]
    await plant.certificate(automatic=False)
    failed = await plant.certificate(ends_in=30, due_in=12, renewal_state="Failed", renewal_attempts=2)
    page = await rest.get("/renewals/upcoming")
    assert [item["id"] for item in page["items"]] == [first, second, failed]
    running = await plant.certificate(ends_in=30, renewal_state="Started", renewal_due_at=None)
    page = await rest.get("/renewals/upcoming?filter=renewal_state:eq:Started")
    assert [item["id"] for item in page["items"]] == [running]
    page = await rest.get("/renewals/upcoming?filter=renewal_state:eq:Failed")
    assert [(item["id"], item["attempts"]) for item in page["items"]] == [(failed, 2)]


async def test_lists_are_exported(rest, plant):
    await plant.certificate(common_name="www.example.com")
    for path in ("outage-budget", "upcoming"):
        assert "www.example.com" in await rest.get(f"/renewals/{path}?format=csv")
