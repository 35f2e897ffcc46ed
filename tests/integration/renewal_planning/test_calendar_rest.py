"""Freezes and maintenance windows over REST: consequences first, outages refused, scopes kept."""

from datetime import timedelta

import pytest

from hub.renewals.calendar_port import IntervalKind, PlannedCertificate
from hub.renewals.planning.calendar import PlanningCalendar


@pytest.fixture
def freeze(plant):
    def make(begin, end, **values):
        def local(days):
            return (plant.now + timedelta(days=days)).replace(tzinfo=None).isoformat(timespec="minutes")

        return {"name": "Winter", "starts": local(begin), "ends": local(end), **values}

    return make


async def test_a_freeze_is_previewed_saved_and_plans_are_made_anew(rest, plant, freeze, replanned):
    inside = await plant.certificate(ends_in=60, due_in=20)
    await plant.certificate(ends_in=60, due_in=40)
    by_hand = await plant.certificate(ends_in=20, automatic=False)
    wanted = freeze(15, 30)

    shown = await rest.post("/renewals/freezes/preview", wanted, expect=200)
    assert shown["outages"] == 0
    assert [item["id"] for item in shown["pulled_ahead_list"]] == [inside]
    assert [item["id"] for item in shown["by_hand_list"]] == [by_hand]
    assert replanned.ids == []

    made = await rest.post("/renewals/freezes", wanted)
    assert made["name"] == "Winter"
    assert inside in replanned.ids
    assert by_hand not in replanned.ids
    listed = await rest.get("/renewals/freezes")
    assert [item["id"] for item in listed["items"]] == [made["id"]]


async def test_a_freeze_that_lets_certificates_expire_is_refused_with_the_list(rest, plant, freeze):
    short = await plant.certificate(ends_in=20, term=30, common_name="short.example.com")
    await plant.certificate(ends_in=20, term=200)
    wanted = freeze(5, 50)

    shown = await rest.post("/renewals/freezes/preview", wanted, expect=200)
    assert shown["outages"] == 1
    assert shown["outage_list"][0]["reason"] == "FreezeLongerThanTerm"
    problem = await rest.post("/renewals/freezes", wanted, expect=409)
    assert problem["code"] == "freeze_causes_outage"
    assert [(item["code"], str(short) in item["message"]) for item in problem["errors"]] == [
        ("FreezeLongerThanTerm", True)
    ]
    assert (await rest.get("/renewals/freezes"))["total"] == 0


async def test_a_freeze_that_has_begun_is_refused_for_what_ends_in_it(rest, plant, freeze):
    await plant.certificate(ends_in=3)
    problem = await rest.post("/renewals/freezes", freeze(-1, 5), expect=409)
    assert problem["errors"][0]["code"] == "NoTimeBeforeFreeze"


async def test_a_freeze_behind_another_counts_with_it(rest, plant, freeze):
    await plant.certificate(ends_in=40, term=47)
    await rest.post("/renewals/freezes", freeze(5, 30))
    problem = await rest.post("/renewals/freezes", freeze(30, 60), expect=409)
    assert problem["errors"][0]["code"] == "FreezeLongerThanTerm"
    # With a day between them there is time to renew.
    await rest.post("/renewals/freezes", freeze(31, 60))


async def test_a_freeze_of_one_server_counts_for_what_is_on_it(rest, plant, freeze):
    agent = await plant.agent("web-1")
    there, elsewhere = [await plant.certificate(ends_in=40, term=47) for _ in range(2)]
    await plant.item(there, agent)
    await rest.post("/renewals/freezes", freeze(5, 30, server_pattern="WEB-*"))
    problem = await rest.post("/renewals/freezes", freeze(30, 60), expect=409)
    assert [str(there) in item["message"] for item in problem["errors"]] == [True]
    assert f"certificate {elsewhere}" not in problem["errors"][0]["message"]


async def test_scopes_choose_the_same_certificates_in_sql_and_in_python(rest, plant, world, freeze, planning):
    agent = await plant.agent("web-1", hostname="alpha.internal")
    other = await plant.agent("db_1")
    ids = [await plant.certificate(ends_in=60, due_in=20) for _ in range(4)]
    await plant.item(ids[0], agent)
    await plant.item(ids[1], other, server="apache%2")
    key_only = await plant.certificate(ends_in=60, due_in=20, key_agent_id=agent)
    elsewhere = await plant.certificate(
        ends_in=60, due_in=20, organization_id=world.other_organization_id, profile_id=world.manual_profile_id
    )
    scopes = [
        {},
        {"organization_id": world.organization_id},
        {"profile_id": world.manual_profile_id},
        {"agent_id": agent},
        {"server_pattern": "web-?"},
        {"server_pattern": "ALPHA*"},
        {"server_pattern": "db_1"},
        {"server_pattern": "dbx1"},
        {"server_pattern": "*%2"},
        {"server_pattern": "*nothing*"},
    ]
    for scope in scopes:
        shown = await rest.post("/renewals/freezes/preview", freeze(15, 30, **scope), expect=200)
        by_sql = {item["id"] for item in shown["pulled_ahead_list"]}
        made = await rest.post("/renewals/freezes", freeze(15, 30, **scope))
        by_python = set()
        for number in [*ids, key_only, elsewhere]:
            async with world.db.read() as session:
                row = await world.certificate(number)
                planned = PlannedCertificate(
                    id=row.id,
                    not_before=row.not_before,
                    not_after=row.not_after,
                    organization_id=row.organization_id,
                    profile_id=row.profile_id,
                    agent_ids=(row.key_agent_id,) if row.key_agent_id else (),
                )
                if await PlanningCalendar().closed(session, planned, plant.now, row.not_after):
                    by_python.add(number)
        await rest.delete(f"/renewals/freezes/{made['id']}")
        assert by_sql == by_python, scope


async def test_changing_a_freeze_is_judged_like_a_new_one(rest, plant, freeze):
    await plant.certificate(ends_in=20, term=30)
    made = await rest.post("/renewals/freezes", freeze(5, 8))
    longer = freeze(5, 50)["ends"]
    await rest.patch(f"/renewals/freezes/{made['id']}", {"ends": longer}, expect=409)
    changed = await rest.patch(f"/renewals/freezes/{made['id']}", {"name": "Short", "comment": "why"})
    assert (changed["name"], changed["ends"]) == ("Short", made["ends"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": " "}, "NameMalformed"),
        ({"time_zone": "Mars/Olympus"}, "TimeZoneUnknown"),
        ({"time_zone": "../etc"}, "TimeZoneUnknown"),
        ({"ends": "2020-01-01T00:00"}, "EndsBeforeStart"),
        ({"starts": "2026-12-01T00:00Z"}, "TimeNotLocal"),
        ({"ends": "2036-12-01T00:00"}, "FreezeTooLong"),
        ({"organization_id": 999}, "OrganizationUnknown"),
        ({"organization_id": 1, "department_id": 999}, "DepartmentUnknown"),
        ({"department_id": 1}, "OrganizationNeeded"),
        ({"profile_id": 999}, "ProfileUnknown"),
        ({"agent_id": "nobody"}, "AgentUnknown"),
    ],
)
async def test_what_is_wrong_with_a_freeze_is_said(rest, freeze, change, reason):
    problem = await rest.post("/renewals/freezes", freeze(5, 8) | change, expect=422)
    assert reason in [item["code"] for item in problem["errors"]]


@pytest.mark.parametrize("change", [{"starts": "soon"}, {"surprise": 1}, {"name": None}])
async def test_malformed_freezes_are_refused(rest, freeze, change):
    await rest.post("/renewals/freezes", freeze(5, 8) | change, expect=400)


async def test_an_administrator_plans_for_their_own_organization(rest, world, freeze):
    mine, other = f"rao-{world.organization_id}", f"rao-{world.other_organization_id}"
    everywhere = await rest.post("/renewals/freezes", freeze(5, 8))
    for body in (freeze(5, 8), freeze(5, 8, organization_id=world.other_organization_id)):
        await rest.post("/renewals/freezes", body, token=mine, expect=422)
    own = await rest.post(
        "/renewals/freezes", freeze(5, 8, organization_id=world.organization_id), token=mine
    )
    seen = await rest.get("/renewals/freezes", token=other)
    assert [item["id"] for item in seen["items"]] == [everywhere["id"]]
    await rest.get(f"/renewals/freezes/{own['id']}", token=other, expect=404)
    await rest.patch(f"/renewals/freezes/{own['id']}", {"name": "x"}, token=other, expect=404)
    await rest.delete(f"/renewals/freezes/{own['id']}", token=other, expect=404)
    await rest.delete(f"/renewals/freezes/{everywhere['id']}", token=other, expect=403)
    drao = f"drao-{world.organization_id}-1"
    assert (await rest.get("/renewals/freezes", token=drao))["total"] == 2
    await rest.post("/renewals/freezes", freeze(5, 8), token=drao, expect=403)
    # Nobody moves an entry out of their reach.
    await rest.patch(f"/renewals/freezes/{own['id']}", {"organization_id": None}, token=mine, expect=422)


WINDOW = {"name": "Nights", "weekdays": [0, 1], "opens": "22:00", "closes": "04:00", "time_zone": "UTC"}


async def test_windows_close_what_lies_outside_of_them_for_what_agents_install(rest, plant, world):
    agent = await plant.agent("web-1")
    installed, other = [await plant.certificate(ends_in=60) for _ in range(2)]
    await plant.item(installed, agent)
    made = await rest.post("/renewals/windows", WINDOW)
    assert (made["opens"], made["closes"]) == ("22:00", "04:00")

    async def closed(number):
        row = await world.certificate(number)
        planned = PlannedCertificate(id=number, not_before=row.not_before, not_after=row.not_after)
        async with world.db.read() as session:
            return await PlanningCalendar().closed(session, planned, plant.now, plant.now + timedelta(days=7))

    assert {item.kind for item in await closed(installed)} == {IntervalKind.WINDOW}
    assert len(await closed(installed)) == 2
    assert await closed(other) == []


async def test_a_window_that_does_not_open_in_time_closes_everything(rest, plant, world):
    agent = await plant.agent("web-1")
    number = await plant.certificate(ends_in=60)
    await plant.item(number, agent)
    # 25 November 2026 is a Wednesday.
    await rest.post("/renewals/windows", WINDOW | {"weekdays": [6]})
    row = await world.certificate(number)
    planned = PlannedCertificate(id=number, not_before=row.not_before, not_after=row.not_after)
    async with world.db.read() as session:
        found = await PlanningCalendar().closed(session, planned, plant.now, plant.now + timedelta(days=1))
    assert [(item.kind, item.start == item.end) for item in found] == [(IntervalKind.WINDOW, True)]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"weekdays": []}, 422),
        ({"weekdays": [7]}, 422),
        ({"opens": "22:00", "closes": "22:00"}, 422),
        ({"opens": "24:00"}, 400),
        ({"closes": "24:30"}, 400),
        ({"opens": "9"}, 400),
    ],
)
async def test_windows_that_make_no_sense_are_refused(rest, change, status):
    await rest.post("/renewals/windows", WINDOW | change, expect=status)


async def test_a_window_is_changed_and_deleted(rest, plant, replanned):
    number = await plant.certificate()
    made = await rest.post("/renewals/windows", WINDOW)
    changed = await rest.patch(f"/renewals/windows/{made['id']}", {"closes": "24:00", "weekdays": [5]})
    assert (changed["closes"], changed["weekdays"], changed["opens"]) == ("24:00", [5], "22:00")
    listed = await rest.get("/renewals/windows?q=night")
    assert [(item["id"], item["opens"]) for item in listed["items"]] == [(made["id"], "22:00")]
    await rest.delete(f"/renewals/windows/{made['id']}")
    await rest.get(f"/renewals/windows/{made['id']}", expect=404)
    assert replanned.ids.count(number) == 3


async def test_the_calendar_lists_what_happens_when(rest, plant, freeze):
    made = await rest.post("/renewals/freezes", freeze(5, 8))
    window = await rest.post("/renewals/windows", WINDOW | {"weekdays": [0]})
    begin = plant.now.date()
    found = await rest.get(f"/renewals/calendar?begin={begin}&end={begin + timedelta(days=14)}")
    kinds = [(item["kind"], item["entry_id"]) for item in found["events"]]
    assert [item["start"] for item in found["events"]] == sorted(item["start"] for item in found["events"])
    assert kinds.count(("freeze", made["id"])) == 1
    assert kinds.count(("window", window["id"])) == 2
    await rest.get(f"/renewals/calendar?begin={begin}&end={begin}", expect=400)
    await rest.get(f"/renewals/calendar?begin={begin}&end={begin + timedelta(days=800)}", expect=400)
    await rest.get("/renewals/calendar?begin=today", expect=400)


async def test_many_plans_are_made_anew_in_batches(rest, plant, planning, replanned, freeze, monkeypatch):
    monkeypatch.setattr("hub.renewals.planning.replans.BATCH", 2)
    ids = [await plant.certificate() for _ in range(11)]
    await rest.post("/renewals/freezes", freeze(300, 301))
    # Four batches at once, the rest by the job.
    assert replanned.ids == ids[:8]
    await planning.replan()
    assert replanned.ids == ids
