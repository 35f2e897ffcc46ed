"""What is changed about certificates, over REST, on both databases; and what is refused, a table each."""

from hub.http.principal import SYSTEM
from tests.integration.lifecycle.test_certificates_rest import body, pem
from tests.simulators.found_certificates import self_signed


async def requested(world, rest, **changes):
    asked = body(world, profile_id=world.manual_profile_id, **changes)
    return (await rest.post("/certificates", asked, expect=201))["id"]


async def issued(world, rest, **changes):
    return (await rest.post("/certificates", body(world, **changes), expect=201))["id"]


async def test_a_request_with_everything_on_it(world, rest):
    async with world.db.write() as uow:
        profile = await world._profile(uow, "Careful", approvals=2, agreement="Be good.")
    asked = body(world, profile_id=profile, passphrase="open sesame 42", agreement_accepted=True)
    certificate_id = (await rest.post("/certificates", asked, expect=201))["id"]
    detail = await rest.get(f"/certificates/{certificate_id}")
    assert detail["approvals_needed"] == 2
    assert detail["approvals"] == []
    assert detail["passphrase_set"] is True
    assert detail["notifications_suspended"] is False
    assert detail["agreement"]["accepted_by"] == "mrao"
    assert len(detail["agreement"]["sha256"]) == 64
    assert "passphrase_hash" not in detail
    assert {"approve", "decline", "edit", "move", "annotate"} <= set(detail["actions"])
    assert "argon2" not in str(detail)
    assert "open sesame" not in str(detail)
    problem = await rest.post(
        "/certificates", body(world, profile_id=profile, passphrase="short"), expect=422
    )
    assert {(item["field"], item["code"]) for item in problem["errors"]} == {
        ("agreement_accepted", "AgreementNotAccepted"),
        ("passphrase", "PassphraseTooShort"),
    }


async def test_editing(world, rest):
    certificate_id = await requested(world, rest)
    path = f"/certificates/{certificate_id}"
    changes = {
        "common_name": "shop.example.com",
        "subject_alternative_names": ["api.example.com"],
        "term_days": 365,
        "external_requester": "ann@example.com",
        "auto_renew": {"enabled": True, "share": 0.5},
        "department_id": None,
    }
    answer = await rest.call("PATCH", path, changes)
    assert (answer["status"], answer["renewal_state"]) == ("Requested", "Scheduled")
    detail = await rest.get(path)
    assert detail["common_name"] == "shop.example.com"
    assert set(detail["subject_alternative_names"]) == {"shop.example.com", "api.example.com"}
    assert detail["auto_renew"]["share"] == 0.5
    await rest.post(f"{path}/approve")
    await world.settle()
    assert (await rest.get(path))["status"] == "Issued"
    problem = await rest.call("PATCH", path, {"comments": "x"}, expect=409)
    assert problem["code"] == "not_editable"


REFUSED_EDITS = [
    ({"term_days": 0}, 400, {"term_days"}),
    ({"term_days": "many"}, 400, {"term_days"}),
    ({"unknown": 1}, 400, {"unknown"}),
    ({"method": "magic"}, 400, {"method"}),
    ({"status": "Issued"}, 400, {"status"}),
    ({"passphrase": "open sesame 42"}, 400, {"passphrase"}),
    ({"common_name": "x" * 256}, 400, {"common_name"}),
    ({"targets": [{"agent_id": "x"}]}, 400, {"targets.0.server", "targets.0.node_id"}),
    ({"install_schedule": {"hour_from": 25}}, 400, {"install_schedule.hour_from"}),
    ({"auto_renew": {"share": 1.5}}, 400, {"auto_renew.share"}),
    ({"custom_fields": {"x": [1]}}, 400, None),
    ({"term_days": 7}, 422, {"term_days"}),
    ({"profile_id": 999}, 422, {"profile_id"}),
    ({"organization_id": 999}, 422, {"organization_id"}),
    ({"department_id": 999}, 422, {"department_id"}),
    ({"csr": "hello"}, 422, {"csr"}),
    ({"common_name": "www.elsewhere.example"}, 422, {"subject_alternative_names"}),
    ({"external_requester": "no address"}, 422, {"external_requester"}),
    ({"custom_fields": {"nothing": "x"}}, 422, {"custom_fields.nothing"}),
    ({"method": "pks"}, 422, {"key_type", "pks_agent_id"}),
    ({"method": "auto_install", "key_type": "EC-P256"}, 422, {"targets"}),
    (
        {"method": "auto_install", "key_type": "EC-P256", "installation": "scheduled"},
        422,
        {"targets", "install_schedule"},
    ),
    ({"targets": [{"agent_id": "x", "server": "web", "node_id": "a"}]}, 422, {"targets"}),
]


async def test_edits_that_are_refused_change_nothing(world, rest):
    certificate_id = await requested(world, rest, comments="before")
    path = f"/certificates/{certificate_id}"
    before = await rest.get(path)
    for change, status, fields in REFUSED_EDITS:
        problem = await rest.call("PATCH", path, {"comments": "after", **change}, expect=status)
        if fields is not None:
            assert {item["field"] for item in problem["errors"]} == fields, change
        assert await rest.get(path) == before, change


async def test_annotations_and_notifications(world, rest):
    certificate_id = await issued(world, rest)
    path = f"/certificates/{certificate_id}"
    said = {"comments": "ours", "external_requester": "ann@example.com"}
    await rest.call("PATCH", f"{path}/annotations", said, expect=204)
    await rest.call("PUT", f"{path}/notifications", {"suspended": True}, expect=204)
    detail = await rest.get(path)
    assert (detail["comments"], detail["external_requester"]) == ("ours", "ann@example.com")
    assert detail["notifications_suspended"] is True
    for wrong in ({"comments": 1}, {"comments": "x" * 4001}, {"status": "x"}):
        await rest.call("PATCH", f"{path}/annotations", wrong, expect=400)
    await rest.call("PATCH", f"{path}/annotations", {"external_requester": "@"}, expect=422)
    for wrong in ({}, {"suspended": "perhaps"}):
        await rest.call("PUT", f"{path}/notifications", wrong, expect=400)


async def test_moving(world, rest):
    async with world.db.write() as uow:
        department = await world.organizations.create_department(
            uow, world.organization_id, "Sales", principal=SYSTEM
        )
        await world.organizations.domains.delegate(
            uow,
            organization_id=world.organization_id,
            department_id=department.id,
            name="*.example.com",
            principal=SYSTEM,
        )
    certificate_id = await issued(world, rest)
    path = f"/certificates/{certificate_id}/move"
    there = {"organization_id": world.organization_id, "department_id": department.id}
    await rest.post(path, there, token=f"rao-{world.organization_id}")
    assert (await rest.get(f"/certificates/{certificate_id}"))["department"] == "Sales"
    problem = await rest.post(path, {"organization_id": world.other_organization_id}, expect=422)
    assert problem["errors"][0]["field"] == "subject_alternative_names"
    await rest.post(path, {"organization_id": 999}, expect=404)
    await rest.post(path, {**there, "department_id": 999}, expect=404)
    await rest.post(path, {}, expect=400)
    await rest.post(path, there, token=f"rao-{world.other_organization_id}", expect=404)


async def test_replacing(world, rest):
    certificate_id = await issued(world, rest)
    path = f"/certificates/{certificate_id}"
    assert "replace" in (await rest.get(path))["actions"]
    for wrong, status in (
        ({"csr": pem()}, 400),
        ({"csr": pem(), "reason": ""}, 400),
        ({"csr": pem(), "reason": "r", "method": "auto_install"}, 400),
        ({"reason": "r"}, 422),
        ({"csr": "hello", "reason": "r"}, 422),
        ({"method": "pks", "reason": "r"}, 422),
    ):
        await rest.post(f"{path}/replace", wrong, expect=status)
    enrolled = await rest.post(f"{path}/replace", {"csr": pem(), "reason": "copied"}, expect=201)
    assert enrolled["status"] == "Issued"
    old, new = await rest.get(path), await rest.get(f"/certificates/{enrolled['id']}")
    assert (old["status"], old["renewed_by_id"]) == ("Replaced", enrolled["id"])
    assert old["replaced"] is not None
    assert (new["replaces"], new["renews_id"], new["comments"]) == (True, certificate_id, "copied")
    problem = await rest.post(f"{path}/replace", {"csr": pem(), "reason": "r"}, expect=409)
    assert problem["code"] == "not_replaceable"


async def test_deleting(world, rest):
    certificate_id = await self_signed(world, "intranet.local")
    path = f"/certificates/{certificate_id}"
    assert "delete" in (await rest.get(path))["actions"]
    await rest.call("DELETE", path, token=f"rao-{world.other_organization_id}", expect=404)
    await rest.call("DELETE", path, token="reader", expect=403)
    await rest.call("DELETE", path, expect=204)
    await rest.get(path, expect=404)
    problem = await rest.call("DELETE", f"/certificates/{await issued(world, rest)}", expect=409)
    assert problem["code"] == "not_deletable"


async def test_a_deleted_certificate_that_is_found_again_is_a_new_one(world, rest):
    first = await self_signed(world, "intranet.local")
    await rest.call("DELETE", f"/certificates/{first}", expect=204)
    again = await self_signed(world, "intranet.local")
    assert (await rest.get(f"/certificates/{again}"))["status"] == "External"


async def test_bulk_orders_that_make_no_sense(rest):
    for change in (
        {"action": "explode"},
        {"ids": []},
        {"ids": list(range(1001))},
        {"ids": ["x"]},
        {"reason": "boredom"},
        {"message": "x" * 4001},
        {"auto_renew": {"days_before": 0}},
    ):
        await rest.post("/certificates/bulk", {"action": "delete", "ids": [1], **change}, expect=400)


async def test_bulk_takes_the_permission_of_what_is_done(world, rest):
    certificate_id = await issued(world, rest)
    for action in ("approve", "delete", "renew", "suspend_notifications"):
        order = {"action": action, "ids": [certificate_id]}
        await rest.post("/certificates/bulk", order, token="reader", expect=403)
    assert (await rest.get(f"/certificates/{certificate_id}"))["notifications_suspended"] is False


async def test_a_thousand_at_once(world, rest):
    first = await issued(world, rest)
    ids = [first, *range(5_000, 5_999)]
    answer = await rest.post("/certificates/bulk", {"action": "suspend_notifications", "ids": ids})
    assert [item["id"] for item in answer["items"]] == ids
    assert [item["done"] for item in answer["items"]] == [True] + [False] * 999
    answer = await rest.post("/certificates/bulk", {"action": "renew", "ids": [first]})
    assert answer["items"][0]["successor_id"] > first
