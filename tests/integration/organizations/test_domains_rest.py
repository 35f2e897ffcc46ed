"""Domains over REST: asking, deciding, delegating, overlaps, and what is refused with which error."""

import pytest


def wanted(organization_id, name, **fields):
    return {"organization_id": organization_id, "name": name, **fields}


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("co.uk", 422, "domain_is_public_suffix"),
        ("*.com", 422, "domain_is_public_suffix"),
        ("192.0.2.1", 400, "domain_is_ip_address"),
        ("[2001:db8::1]", 400, "domain_is_ip_address"),
        ("*.10.0.0.1", 400, "domain_is_ip_address"),
        # Latin and Cyrillic; Latin and Greek.
        ("p\N{CYRILLIC SMALL LETTER A}ypal.example", 400, "domain_mixes_scripts"),
        ("xn--pypal-4ve.example", 400, "domain_mixes_scripts"),
        ("g\N{GREEK SMALL LETTER OMICRON}ogle.example", 400, "domain_mixes_scripts"),
        # Wholly Cyrillic, and reads as a well-known name to people.
        ("\u0430\u0440\u0440\u04cf\u0435.com", 400, "domain_looks_like_another"),
        ("xn--80ak6aa92e.com", 400, "domain_looks_like_another"),
        ("exa mple.com", 400, "invalid_domain"),
        ("-a.example", 400, "invalid_domain"),
        ("a..example", 400, "invalid_domain"),
        ("*.*.example.com", 400, "invalid_domain"),
        ("https://example.com/", 400, "invalid_domain"),
    ],
)
async def test_what_is_no_domain_gets_its_own_error(world, rest, name, status, code):
    problem = await rest.refusal("POST", "/domains", wanted(world.organization_id, name), status=status)
    assert problem == (code, {"name": ""})


@pytest.mark.parametrize(
    "name",
    ["bücher.example", "例え.example", "яндекс.example", "*.intern", "\u0430\u0440\u043e.\u0440\u0444"],
)
async def test_names_of_one_script_are_fine(world, rest, name):
    made = await rest.post("/domains", wanted(world.organization_id, name))
    assert (made["state"], made["approved"], made["active"]) == ("approved", True, True)


async def test_a_request_is_decided(world, rest, department):
    drao = f"drao-{world.organization_id}-{department}:ssl"
    body = wanted(
        world.organization_id,
        "research.test",
        department_id=department,
        certificate_types=["ssl"],
    )
    asked = await rest.post("/domains", body, token=drao)
    assert (asked["state"], asked["requested_by"]) == ("requested", drao)
    path = f"/domains/{asked['id']}"
    await rest.post(f"{path}/approve", token=drao, expect=403)
    rejected = await rest.post(f"{path}/reject", {"message": "whose is it?"}, expect=200)
    assert (rejected["state"], rejected["decision_message"]) == ("rejected", "whose is it?")
    assert (await rest.refusal("POST", f"{path}/reject", status=409))[0] == "state_not_allowed"
    again = await rest.post(f"{path}/request", token=drao, expect=200)
    assert (again["state"], again["decision_message"]) == ("requested", "")
    approved = await rest.post(f"{path}/approve", expect=200)
    assert (approved["state"], approved["decided_by"]) == ("approved", "mrao")
    assert (await rest.refusal("POST", f"{path}/approve", status=409))[0] == "state_not_allowed"
    assert (await rest.refusal("POST", "/domains", body, status=409)) == (
        "domain_already_delegated",
        {"name": ""},
    )
    # The organization as a whole may hold it beside the department.
    await rest.post("/domains", wanted(world.organization_id, "research.test"))


async def test_who_acts_for_a_department_asks_for_that_department(world, rest, department):
    mine = world.organization_id
    drao = f"drao-{mine}-{department}"
    other = (await rest.post(f"/organizations/{mine}/departments", {"name": "Sales"}))["id"]
    assert await rest.refusal("POST", "/domains", wanted(mine, "a.test"), status=403, token=drao) == (
        "department_needed",
        {"department_id": ""},
    )
    body = wanted(mine, "a.test", department_id=other)
    assert (await rest.refusal("POST", "/domains", body, status=404, token=drao))[0] == (
        "organization_not_found"
    )
    body = wanted(world.other_organization_id, "a.test", department_id=department)
    assert (await rest.refusal("POST", "/domains", body, status=404, token=drao))[0] == (
        "organization_not_found"
    )
    assert await rest.refusal("POST", "/domains", body, status=404) == (
        "department_not_found",
        {"department_id": ""},
    )
    body = wanted(mine, "a.test", department_id=department, certificate_types=["client"])
    assert await rest.refusal("POST", "/domains", body, status=403, token=f"{drao}:ssl") == (
        "certificate_type_not_yours",
        {"certificate_types": ""},
    )
    # What the whole organization holds, its departments see and can't change.
    seen = await rest.get("/domains", token=drao)
    assert {item["name"] for item in seen["items"]} == {"example.com", "*.example.com"}
    await rest.delete(f"/domains/{seen['items'][0]['id']}", token=drao, expect=403)


async def test_an_authorized_rao_approves_what_nobody_else_holds(world, rest):
    mine = world.organization_id
    plain, authorized = f"rao-{mine}", f"rao-{mine}!"
    asked = await rest.post("/domains", wanted(mine, "new.test"), token=plain)
    assert asked["state"] == "requested"
    await rest.post(f"/domains/{asked['id']}/approve", token=plain, expect=403)
    approved = await rest.post(f"/domains/{asked['id']}/approve", token=authorized, expect=200)
    assert approved["state"] == "approved"
    at_once = await rest.post("/domains", wanted(mine, "newer.test"), token=authorized)
    assert at_once["state"] == "approved"
    # A name out of another organization's domain is not theirs to give.
    stolen = await rest.post("/domains", wanted(mine, "www.other.example"), token=authorized)
    assert stolen["state"] == "requested"
    path = f"/domains/{stolen['id']}"
    assert (await rest.refusal("POST", f"{path}/approve", status=403, token=authorized))[0] == (
        "domain_needs_whole_system"
    )
    assert await rest.refusal("POST", "/domains", wanted(mine, "*"), status=403, token=authorized) == (
        "domain_needs_whole_system",
        {"name": ""},
    )
    # Nor are types that were not approved.
    narrow = await rest.post("/domains", wanted(mine, "x.test", certificate_types=["ssl"]))
    assert await rest.refusal(
        "PATCH",
        f"/domains/{narrow['id']}",
        {"certificate_types": ["ssl", "client"]},
        status=403,
        token=plain,
    ) == ("domain_needs_whole_system", {"certificate_types": ""})
    await rest.patch(f"/domains/{narrow['id']}", {"active": False}, token=plain)


async def test_overlaps_are_told_when_made_and_listed(world, rest):
    mine, other = world.organization_id, world.other_organization_id
    made = await rest.post("/domains", wanted(other, "dev.example.com"))
    assert [item["reason"] for item in made["warnings"]] == ["DomainTakesNames"]
    assert "*.example.com" in made["warnings"][0]["message"]
    shared = await rest.post("/domains", wanted(other, "*.example.com", certificate_types=["ssl"]))
    assert [item["reason"] for item in shared["warnings"]] == ["DomainShared"]

    listed = await rest.get("/domains/overlaps")
    pairs = {(item["kind"], item["narrower"]["name"], item["wider"]["name"]) for item in listed["items"]}
    assert pairs == {
        ("within", "dev.example.com", "*.example.com"),
        ("shared", "*.example.com", "*.example.com"),
    }
    assert listed["total"] == 2
    # Others' names are told where they matter, whose they are is not.
    seen = (await rest.get("/domains/overlaps", token=f"rao-{mine}"))["items"]
    narrower = next(item["narrower"] for item in seen if item["kind"] == "within")
    assert narrower == {
        "id": None,
        "name": "dev.example.com",
        "organization_id": None,
        "department_id": None,
    }
    lost = await rest.get("/domains", token=f"rao-{mine}")
    wider = next(item for item in lost["items"] if item["name"] == "*.example.com")
    read = await rest.get(f"/domains/{wider['id']}", token=f"rao-{mine}")
    assert ("DomainLacksNames", "the names of dev.example.com stay with another organization") in [
        (item["reason"], item["message"]) for item in read["warnings"]
    ]
    await rest.get(f"/domains/{made['id']}", token=f"rao-{mine}", expect=404)
    # One that is switched off overlaps with nothing.
    for item in (made, shared):
        await rest.patch(f"/domains/{item['id']}", {"active": False})
    assert (await rest.get("/domains/overlaps"))["items"] == []


async def test_the_list_filters_and_searches(world, rest):
    await rest.post(
        "/domains", wanted(world.organization_id, "asked.test"), token=f"rao-{world.organization_id}"
    )
    waiting = await rest.get("/domains?filter=approved:eq:false")
    assert [item["name"] for item in waiting["items"]] == ["asked.test"]
    assert (await rest.get("/domains?filter=state:eq:requested"))["total"] == 1
    assert (await rest.get("/domains?q=other.ex"))["total"] == 1
    text = await rest.get("/domains?format=csv&columns=name,state,certificate_types")
    assert 'asked.test,requested,"[""ssl"", ""client"", ""code_signing"", ""device""]"' in text
