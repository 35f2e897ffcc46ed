"""Custom fields over REST: defined, asked for by front door, stored, listed, searched, exported, kept."""

import pytest

from hub.lifecycle.requests import Method
from pki.encodings import csr_pem
from tests.simulators.hub_world import ADMIN, csr


@pytest.fixture
def define(rest):
    async def define(name, kind="text", **fields):
        body = {"certificate_type": "ssl", "name": name, "label": name.title(), "kind": kind, **fields}
        return await rest.post("/custom-fields", body)

    return define


@pytest.fixture
def ask(world, rest):
    def body(values, name):
        return {
            "method": "csr",
            "organization_id": world.organization_id,
            "profile_id": world.profile_id,
            "term_days": 90,
            "csr": csr_pem(csr(name)).decode(),
            "custom_fields": values,
        }

    async def ask(values, name="www.example.com", **options):
        return await rest.post("/certificates", body(values, name), **options)

    async def refused(values, name="www.example.com", token="mrao"):
        code, faults = await rest.refusal(
            "POST", "/certificates", body(values, name), status=422, token=token
        )
        assert code == "request_refused"
        return faults

    ask.refused = refused
    return ask


async def test_a_field_is_defined_changed_and_deleted(rest, define):
    made = await define("cost_center", "number", mandatory_api=True)
    path = f"/custom-fields/{made['id']}"
    changed = await rest.patch(path, {"label": "Cost centre", "mandatory_api": False})
    assert (changed["label"], changed["kind"], changed["mandatory_api"]) == ("Cost centre", "number", False)
    assert (await rest.get("/custom-fields?certificate_type=client"))["items"] == []
    assert [item["name"] for item in (await rest.get("/custom-fields"))["items"]] == ["cost_center"]
    for change in ({"kind": "text"}, {"certificate_type": "device"}):
        code, _ = await rest.refusal("PATCH", path, change, status=409)
        assert code == "custom_field_fixed"
    await rest.delete(path)
    assert (await rest.refusal("GET", path, status=404))[0] == "custom_field_not_found"


@pytest.mark.parametrize(
    ("fields", "status", "problem"),
    [
        ({"name": "Cost Center"}, 400, ("invalid_custom_field", {"name": ""})),
        ({"name": "1st"}, 400, ("invalid_custom_field", {"name": ""})),
        ({"label": "  "}, 400, ("invalid_custom_field", {"label": ""})),
        ({"kind": "list"}, 400, ("invalid_custom_field", {"choices": ""})),
        ({"kind": "list", "choices": ["a", "a"]}, 400, ("invalid_custom_field", {"choices": ""})),
        ({"choices": ["a"]}, 400, ("invalid_custom_field", {"choices": ""})),
        ({"kind": "color"}, 400, ("invalid_fields", {"kind": ""})),
        ({"certificate_type": "email"}, 400, ("invalid_fields", {"certificate_type": ""})),
        ({"name": "team"}, 409, ("custom_field_name_taken", {"name": ""})),
    ],
)
async def test_a_field_that_can_not_be(rest, define, fields, status, problem):
    await define("team")
    body = {"certificate_type": "ssl", "name": "x", "label": "X", "kind": "text"} | fields
    assert await rest.refusal("POST", "/custom-fields", body, status=status) == problem


async def test_only_the_whole_systems_administrators_define(world, rest, define):
    made = await define("team")
    token = f"rao-{world.organization_id}"
    await rest.get("/custom-fields", token=token)
    body = {"certificate_type": "ssl", "name": "x", "label": "X", "kind": "text"}
    await rest.post("/custom-fields", body, expect=403, token=token)
    await rest.patch(f"/custom-fields/{made['id']}", {"active": False}, expect=403, token=token)
    await rest.delete(f"/custom-fields/{made['id']}", expect=403, token=token)


@pytest.mark.parametrize(
    ("kind", "options", "good", "bad"),
    [
        ("text", {}, "blue", "two\nlines"),
        ("multiline", {}, "two\nlines", "bell\u0007"),
        ("number", {}, 42, "42"),
        ("number", {}, -1.5, 2**60),
        ("email", {}, "a@b.example", "a@b@c"),
        ("list", {"choices": ["red", "green"]}, "red", "blue"),
        ("date", {}, "2026-02-28", "2026-02-30"),
        ("date", {}, "2026-11-05", "05.11.2026"),
    ],
)
async def test_values_fit_their_field(rest, define, ask, kind, options, good, bad):
    await define("thing", kind, **options)
    assert await ask.refused({"thing": bad}) == {"custom_fields.thing": "CustomFieldMalformed"}
    made = await ask({"thing": good})
    assert (await rest.get(f"/certificates/{made['id']}"))["custom"] == {"thing": good}


async def test_each_front_door_has_its_own_mandatory_fields(world, rest, define, ask):
    await define("for_ui", mandatory_admin_ui=True)
    await define("for_api", mandatory_api=True)
    await define("for_forms", mandatory_forms=True)
    assert await ask.refused({}) == {"custom_fields.for_api": "CustomFieldMissing"}
    assert await ask.refused({"for_api": ""}) == {"custom_fields.for_api": "CustomFieldMissing"}
    assert await ask.refused({}, token="mrao@console") == {"custom_fields.for_ui": "CustomFieldMissing"}
    assert await ask.refused({"for_api": "x", "other": "y"}) == {"custom_fields.other": "CustomFieldUnknown"}
    await ask({"for_api": "x"})
    await ask({"for_ui": "x"}, token="mrao@console")


async def test_values_are_listed_filtered_searched_and_exported(rest, define, ask):
    team = await define("team")
    await define("cost", "number")
    await define("due", "date")
    first = await ask({"team": "Blue Whales", "cost": 42, "due": "2026-12-01"}, "a.example.com")
    await ask({"team": "=cmd", "cost": 7.5}, "b.example.com")
    await ask({}, "c.example.com")
    listed = {item["common_name"]: item["custom"] for item in (await rest.get("/certificates"))["items"]}
    assert listed == {
        "a.example.com": {"team": "Blue Whales", "cost": 42, "due": "2026-12-01"},
        "b.example.com": {"team": "=cmd", "cost": 7.5},
        "c.example.com": {},
    }

    async def found(query):
        return [item["common_name"] for item in (await rest.get(f"/certificates?{query}"))["items"]]

    assert await found("filter=custom.team:contains:whale") == ["a.example.com"]
    assert await found("filter=custom.cost:ge:42") == ["a.example.com"]
    assert await found("filter=custom.cost:lt:42") == ["b.example.com"]
    assert await found("filter=custom.due:le:2026-12-31") == ["a.example.com"]
    assert await found("filter=custom.team:is_null:true") == ["c.example.com"]
    assert await found("q=blue wh") == ["a.example.com"]
    assert await found("q=b.example") == ["b.example.com"]
    text = await rest.get(
        "/certificates?format=csv&sort=common_name&columns=common_name,custom.team,custom.cost"
    )
    assert text.splitlines() == [
        "Common Name,Team,Cost",
        "a.example.com,Blue Whales,42",
        "b.example.com,'=cmd,7.5",
        "c.example.com,,",
    ]
    # A new name loses nothing; a field that is switched off is gone from lists and kept on the certificate.
    await rest.patch(f"/custom-fields/{team['id']}", {"name": "crew"})
    assert await found("filter=custom.crew:contains:whale") == ["a.example.com"]
    await rest.patch(f"/custom-fields/{team['id']}", {"active": False})
    code, _ = await rest.refusal("GET", "/certificates?filter=custom.crew:eq:x", status=400)
    assert code == "malformed"
    assert (await rest.get(f"/certificates/{first['id']}"))["custom"]["crew"] == "Blue Whales"
    assert await ask.refused({"crew": "Red"}, "d.example.com") == {"custom_fields.crew": "CustomFieldUnknown"}


async def test_a_successor_keeps_the_values_and_is_not_asked_for_new_ones(world, rest, define, ask):
    await define("team")
    made = await ask({"team": "Blue"})
    await define("later", mandatory_api=True, mandatory_admin_ui=True)
    path = f"/certificates/{made['id']}/renew"
    renewed = await rest.post(path, {"csr": csr_pem(csr()).decode()})
    assert (await rest.get(f"/certificates/{renewed['id']}"))["custom"] == {"team": "Blue"}
    again = await rest.post(
        f"/certificates/{renewed['id']}/renew",
        {"csr": csr_pem(csr()).decode(), "custom_fields": {"team": "Red"}},
    )
    assert (await rest.get(f"/certificates/{again['id']}"))["custom"] == {"team": "Red"}


async def test_requests_of_forms_are_asked_for_the_forms_fields(world, define):
    await define("for_forms", mandatory_forms=True)
    await define("for_api", mandatory_api=True)
    request = world.request(
        method=Method.CSR, requested_via="Enrollment Form", custom_fields={"for_forms": "x"}
    )
    assert (await world.lifecycle.request(ADMIN, request)).status == "Issued"
