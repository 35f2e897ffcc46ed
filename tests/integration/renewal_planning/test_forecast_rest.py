"""Quotas and the forecast over REST."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from hub.organizations.dcv.models import DcvValidation
from hub.profiles.models import Profile


async def quota(rest, world, limit, period="day", **values):
    return await rest.post(
        "/renewals/quotas", {"backend_id": world.backend_id, "period": period, "limit": limit, **values}
    )


async def test_shorter_terms_mean_more_renewals(rest, plant):
    for _ in range(3):
        await plant.certificate(ends_in=100, term=200)
    totals = {}
    for term in ("current", "200", "100", "47"):
        found = await rest.get(f"/renewals/forecast?term={term}")
        assert found["certificates"] == 3
        assert len(found["backends"][0]["renewals"]) == found["days"] == 365
        totals[term] = sum(found["backends"][0]["renewals"])
    assert totals == {"current": 9, "200": 9, "100": 15, "47": 33}


async def test_public_certificates_get_shorter_when_the_schedule_says_so(rest, plant, world):
    await plant.certificate(ends_in=100, term=200)
    before = await rest.get("/renewals/forecast")
    async with world.db.write() as uow:
        await uow.session.execute(
            update(Profile).where(Profile.id == world.profile_id).values(trust="public")
        )
    after = await rest.get("/renewals/forecast")
    # From 15 March 2027 on a hundred days at most.
    assert sum(after["backends"][0]["renewals"]) > sum(before["backends"][0]["renewals"])


async def test_the_day_on_which_the_plan_breaks(rest, plant, world):
    for _ in range(30):
        await plant.certificate(ends_in=31, term=90)
    held = await quota(rest, world, 2)
    found = (await rest.get("/renewals/forecast?term=47"))["backends"][0]
    assert found["breaks_on"] is None
    assert found["quota"]["a_day"] == 2
    assert max(found["renewals"]) == 2
    await rest.patch(f"/renewals/quotas/{held['id']}", {"limit": 1})
    found = await rest.get("/renewals/forecast?term=47")
    # Due on day 2, safe until day 28: 27 days are not enough for 30.
    breaks_on = (plant.now + timedelta(days=28)).date().isoformat()
    assert found["breaks_on"] == found["backends"][0]["breaks_on"] == breaks_on
    assert breaks_on in found["sentence"]
    assert "3 more than the quota of 1 a day" in found["backends"][0]["sentence"]


async def test_costs_count_every_renewal(rest, plant, world):
    await plant.certificate(ends_in=100, term=200)
    await quota(rest, world, 10, cost_cents=250, currency="EUR")
    found = (await rest.get("/renewals/forecast"))["backends"][0]
    assert (found["cost_cents"], found["currency"]) == (3 * 250, "EUR")


async def test_agents_are_told_apart(rest, plant):
    agent = await plant.agent("pks-1")
    await plant.certificate(key_agent_id=agent)
    await plant.certificate()
    found = await rest.get("/renewals/forecast")
    assert {item["name"] for item in found["agents"]} == {"pks-1", "Key without agent"}
    assert sum(item["total"] for item in found["agents"]) == sum(found["backends"][0]["renewals"])


async def test_settings_of_a_certificate_win_over_its_profile(rest, plant):
    await plant.certificate(ends_in=100, term=200, auto_renew={"enabled": True, "days_before": 50})
    found = (await rest.get("/renewals/forecast?term=200"))["backends"][0]
    assert [day for day, count in enumerate(found["renewals"]) if count] == [50, 200, 350]


async def test_an_administrator_forecasts_their_own_organization(rest, plant, world):
    await plant.certificate()
    await plant.certificate(organization_id=world.other_organization_id)
    for token, path, count in (
        ("mrao", "", 2),
        ("mrao", f"?organization_id={world.organization_id}", 1),
        (f"rao-{world.organization_id}", "", 1),
        (f"rao-{world.organization_id}", f"?organization_id={world.other_organization_id}", 0),
    ):
        found = await rest.get(f"/renewals/forecast{path}", token=token)
        assert found["certificates"] == count


async def test_validations_of_domains_are_forecast_too(rest, plant, world):
    async with world.db.write() as uow:
        for number, method in ((1, "dns_txt"), (2, None)):
            await uow.session.execute(
                insert(DcvValidation).values(
                    organization_id=world.organization_id,
                    domain=f"d{number}.example",
                    trust="public",
                    state="validated",
                    method="dns_txt",
                    renewal_method=method,
                    validated_at=uow.now,
                    evidence={},
                    vantage_agent_ids=[],
                    created_at=uow.now,
                    created_by="t",
                )
            )
    ten = (await rest.get("/renewals/forecast?term=47"))["validations"]
    long = (await rest.get("/renewals/forecast?term=200"))["validations"]
    # Ten days, less three for whoever must be warned and one for repeats.
    assert [day for day, count in enumerate(ten["validations"]) if count][:3] == [6, 12, 18]
    assert sum(ten["validations"]) > 10 * sum(long["validations"]) / 2
    assert (ten["domains"], ten["by_hand_domains"]) == (2, 1)
    assert sum(ten["by_hand"]) * 2 == sum(ten["validations"])
    assert "a person" in ten["sentence"]


async def test_terms_that_are_not_offered_are_refused(rest):
    await rest.get("/renewals/forecast?term=90", expect=400)
    await rest.get("/renewals/forecast?organization_id=x", expect=400)


async def test_quotas_are_kept_by_who_sees_everything(rest, world):
    made = await quota(rest, world, 100, note="by contract")
    rao = f"rao-{world.organization_id}"
    assert (await rest.get("/renewals/quotas", token=rao))["items"][0]["backend"] == "Private CA"
    await rest.post(
        "/renewals/quotas",
        {"backend_id": world.backend_id, "period": "week", "limit": 1},
        token=rao,
        expect=403,
    )
    await rest.post(
        "/renewals/quotas", {"backend_id": world.backend_id, "period": "day", "limit": 1}, expect=409
    )
    await rest.delete(f"/renewals/quotas/{made['id']}")
    await rest.get(f"/renewals/quotas/{made['id']}", expect=404)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"limit": 0}, 422),
        ({"backend_id": 999}, 422),
        ({"cost_cents": -1, "currency": "EUR"}, 422),
        ({"cost_cents": 5}, 422),
        ({"currency": "eur"}, 422),
        ({"period": "year"}, 400),
        ({"limit": "many"}, 400),
    ],
)
async def test_quotas_that_make_no_sense_are_refused(rest, world, change, status):
    body = {"backend_id": world.backend_id, "period": "day", "limit": 5}
    await rest.post("/renewals/quotas", body | change, expect=status)
