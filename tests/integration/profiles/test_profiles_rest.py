"""Profiles through REST: made, refused with the field to blame, changed, and looked at before a change."""

from base64 import b64encode
from datetime import UTC, datetime

from tests.simulators.hub_world import ADMIN, csr


async def test_a_profile_comes_back_with_all_that_was_set(hub):
    wanted = {
        "description": "For shops",
        "trust": "public",
        "sub_type": "OV",
        "terms_days": [90, 200],
        "key_types": ["EC-P256", "RSA-2048"],
        "san_rule": "any",
        "min_names": 2,
        "max_names": 50,
        "approvals": 2,
        "agreement": "You shall keep your key.",
        "renewal": {
            "enabled": True,
            "days_before": 30,
            "share": 0.5,
            "new_key_pair": False,
            "jitter_hours": 48,
            "revoke_after_hours": 72,
        },
        "extended_key_usage": ["serverAuth", "clientAuth"],
        "subject_policy": {"organization": "organization", "locality": "omit"},
    }
    made = await hub.profile(**wanted)
    assert {name: made[name] for name in wanted} == wanted
    assert made["terms"] == [
        {"days": 90, "offered": True, "until": "2029-03-15"},
        {"days": 200, "offered": True, "until": "2027-03-15"},
    ]
    # Null means: as the trust allows.
    assert (made["ip_addresses"], made["internal_names"]) == (False, False)
    assert await hub.call("GET", f"/profiles/{made['id']}") == made
    assert made in (await hub.call("GET", "/profiles", token="rao"))["items"]


async def test_defaults_fit_the_trust(hub):
    private = await hub.profile()
    assert (private["ip_addresses"], private["internal_names"]) == (True, True)
    assert private["subject_policy"]["organization"] == "organization"
    assert (private["approvals"], private["renewal"]["enabled"]) == (1, False)
    validated = await hub.profile(name="DV", trust="public", sub_type="DV")
    assert validated["subject_policy"]["organization"] == "omit"


RENEWAL = {"enabled": True}

BAD = [
    ({"name": ""}, "name"),
    ({"name": "x" * 65}, "name"),
    ({"backend_id": 999}, "backend_id"),
    ({"backend_id": "one"}, "backend_id"),
    ({"trust": "blind"}, "trust"),
    ({"sub_type": "XV"}, "sub_type"),
    ({"terms_days": []}, "terms_days"),
    ({"terms_days": [0]}, "terms_days.0"),
    ({"trust": "public", "terms_days": [201]}, "terms_days"),
    ({"key_types": []}, "key_types"),
    ({"key_types": ["RSA-1024"]}, "key_types"),
    ({"trust": "public", "key_types": ["Ed25519"]}, "key_types"),
    ({"san_rule": "some"}, "san_rule"),
    ({"min_names": 0}, "min_names"),
    ({"min_names": 9, "max_names": 8}, "max_names"),
    ({"san_rule": "single", "min_names": 2}, "min_names"),
    ({"www_included": True}, "www_included"),
    ({"trust": "public", "ip_addresses": True}, "ip_addresses"),
    ({"trust": "public", "internal_names": True}, "internal_names"),
    ({"approvals": 3}, "approvals"),
    ({"approvals": 2, "auto_approve": True}, "approvals"),
    ({"agreement": "x" * 100_001}, "agreement"),
    ({"key_usage": ["digitalSignature", "keyEncipherment"]}, "key_usage"),
    ({"key_usage": ["keyCertSign"]}, "key_usage"),
    ({"extended_key_usage": []}, "extended_key_usage"),
    ({"extended_key_usage": ["server"]}, "extended_key_usage"),
    ({"trust": "public", "extended_key_usage": ["clientAuth"]}, "extended_key_usage"),
    ({"subject_policy": {"title": "omit"}}, "subject_policy"),
    ({"subject_policy": {"organization": "guess"}}, "subject_policy.organization"),
    ({"trust": "public", "sub_type": "EV", "subject_policy": {"organization": "omit"}}, "subject_policy"),
    ({"renewal": RENEWAL | {"days_before": 90}}, "renewal.days_before"),
    ({"renewal": RENEWAL | {"days_before": 0}}, "renewal.days_before"),
    ({"renewal": RENEWAL | {"share": 1}}, "renewal.share"),
    ({"renewal": RENEWAL | {"share": 0}}, "renewal.share"),
    ({"renewal": RENEWAL | {"jitter_hours": -1}}, "renewal.jitter_hours"),
    ({"renewal": RENEWAL | {"days_before": 89, "jitter_hours": 24}}, "renewal.jitter_hours"),
    ({"renewal": RENEWAL | {"days_before": 1, "revoke_after_hours": 24}}, "renewal.revoke_after_hours"),
    ({"renewal": RENEWAL | {"when": "soon"}}, "renewal.when"),
    ({"colour": "red"}, "colour"),
]


async def test_bad_input_is_refused_with_its_field(hub):
    for fields, field in BAD:
        problem = await hub.call("POST", "/profiles", hub.profile_body | fields, expect=400)
        blamed = [item["field"] for item in problem["errors"]]
        assert blamed == [field], (fields, problem)
    assert all(item["name"] != "P" for item in (await hub.call("GET", "/profiles"))["items"])


async def test_a_term_that_grew_too_long_stays_but_is_not_offered(hub):
    made = await hub.profile(trust="public", terms_days=[90, 200])
    hub.world.clock.now = datetime(2027, 3, 15, tzinfo=UTC)
    seen = await hub.call("PATCH", f"/profiles/{made['id']}", {"description": "new words"})
    assert [term["offered"] for term in seen["terms"]] == [True, False]
    problem = await hub.call("PATCH", f"/profiles/{made['id']}", {"terms_days": [90, 150]}, expect=400)
    assert "at most 100 days" in str(problem)


async def test_consequences_come_before_the_change(hub):
    world = hub.world
    issued = [
        (await world.lifecycle.request(ADMIN, world.request(common_name=name, names=(name, *more)))).id
        for name, more in (("a.example.com", ()), ("b.example.com", ("c.example.com",)))
    ]
    path = f"/profiles/{world.profile_id}"
    before = await hub.call("GET", path)
    change = {"san_rule": "single", "description": "narrower"}
    seen = await hub.call("POST", f"{path}/preview", change)
    assert (seen["examined"], seen["misfits"], seen["complete"]) == (2, 1, True)
    assert seen["reasons"] == [{"reason": "TooManyNames", "certificates": 1}]
    assert [(item["id"], item["common_name"]) for item in seen["first"]] == [(issued[1], "b.example.com")]
    assert {item["field"] for item in seen["changes"]} == {"san_rule", "description"}
    assert await hub.call("GET", path) == before
    await hub.call("POST", f"{path}/preview", {"max_names": 0}, expect=400)
    await hub.call("POST", "/profiles/999/preview", change, expect=404)
    await hub.call("POST", f"{path}/preview", change, token="rao", expect=403)
    # What has ended is no concern.
    await hub.call("POST", f"/certificates/{issued[1]}/revoke", {"reason": "superseded"})
    assert (await hub.call("POST", f"{path}/preview", change))["misfits"] == 0


async def test_a_renewal_policy_is_told_field_by_field(hub):
    made = await hub.profile()
    seen = await hub.call("POST", f"/profiles/{made['id']}/preview", {"renewal": {"days_before": 20}})
    (change,) = seen["changes"]
    assert change["field"] == "renewal"
    assert (change["before"]["days_before"], change["after"]["days_before"]) == (None, 20)
    await hub.call("PATCH", f"/profiles/{made['id']}", {"renewal": {"days_before": 20}})
    assert (await hub.call("GET", f"/profiles/{made['id']}"))["renewal"]["days_before"] == 20


async def test_a_request_is_held_against_the_limit_of_its_day(hub):
    world = hub.world
    made = await hub.profile(trust="public", terms_days=[200], auto_approve=False, min_names=2)
    world.clock.now = datetime(2027, 3, 15, tzinfo=UTC)
    request = {
        "method": "csr",
        "organization_id": world.organization_id,
        "profile_id": made["id"],
        "term_days": 200,
        "common_name": "www.example.com",
        "csr": b64encode(csr("www.example.com")).decode(),
    }
    problem = await hub.call("POST", "/certificates", request, expect=422)
    reasons = {item["code"]: item["field"] for item in problem["errors"]}
    assert reasons["TermTooLongNow"] == "term_days"
    assert reasons["TooFewNames"] == "subject_alternative_names"
