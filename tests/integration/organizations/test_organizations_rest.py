"""Organizations, departments, validation and settings over REST."""

import pytest
from sqlalchemy import select

from hub.access.models import AuditEntry


async def test_a_department_has_its_organizations_address_until_it_has_its_own(world, rest):
    path = f"/organizations/{world.organization_id}/departments"
    made = await rest.post(path, {"name": "Research"})
    assert (made["locality"], made["country"], made["own_address"]) == ("Berlin", "DE", False)

    await rest.patch(f"/organizations/{world.organization_id}", {"locality": "Potsdam"})
    assert (await rest.get(f"{path}/{made['id']}"))["locality"] == "Potsdam"

    own = await rest.patch(f"{path}/{made['id']}", {"locality": "Graz", "country": "at"})
    # All of an address or none: a city of one country and the state of another would be nobody's.
    assert (own["locality"], own["state"], own["country"], own["own_address"]) == ("Graz", "", "AT", True)
    assert (await rest.get(path))["items"][0]["locality"] == "Graz"

    inherited = await rest.patch(f"{path}/{made['id']}", {"locality": "", "country": ""})
    assert (inherited["locality"], inherited["own_address"]) == ("Potsdam", False)


async def test_key_recovery_is_decided_once(world, rest):
    made = await rest.post("/organizations", {"name": "Third", "key_recovery": ["organization", "master"]})
    assert made["key_recovery"] == ["master", "organization"]
    path = f"/organizations/{made['id']}"
    await rest.patch(path, {"key_recovery": ["organization", "master"], "locality": "Bern"})
    assert await rest.refusal("PATCH", path, {"key_recovery": ["master"]}, status=409) == (
        "key_recovery_fixed",
        {"key_recovery": ""},
    )
    unit = await rest.post(f"{path}/departments", {"name": "IT", "key_recovery": ["department"]})
    assert await rest.refusal(
        "PATCH", f"{path}/departments/{unit['id']}", {"key_recovery": []}, status=409
    ) == ("key_recovery_fixed", {"key_recovery": ""})
    assert await rest.refusal(
        "POST", "/organizations", {"name": "Fourth", "key_recovery": ["anybody"]}, status=400
    ) == ("invalid_fields", {"key_recovery.0": ""})


async def test_a_validation_is_stepped_through_dated_and_remembered(world, rest):
    path = f"/organizations/{world.organization_id}"
    pending = await rest.post(f"{path}/validation", {"event": "submit"}, expect=200)
    assert (pending["validation"], pending["validated_at"]) == ("pending", None)
    done = await rest.post(
        f"{path}/validation",
        {"event": "validate", "at": "2026-11-01T00:00:00Z", "comment": "register seen"},
        expect=200,
    )
    assert done["validation"] == "validated"
    assert done["validated_at"] == "2026-11-01T00:00:00Z"
    assert done["validation_expires_at"] == "2027-12-04T00:00:00Z"
    world.clock.forward(days=398)
    assert await world.organizations.expire_validations() == 1
    assert (await rest.get(path))["validation"] == "not_validated"
    history = (await rest.get(f"{path}/validations"))["items"]
    assert [item["event"] for item in history] == ["expire", "validate", "submit"]
    assert history[1]["comment"] == "register seen"
    assert await world.organizations.expire_validations() == 0


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        ({"event": "refuse"}, 409, ("state_not_allowed", {})),
        ({"event": "withdraw"}, 409, ("state_not_allowed", {})),
        ({"event": "celebrate"}, 400, ("invalid_fields", {"event": ""})),
        (
            {"event": "validate", "at": "2030-01-01T00:00:00Z"},
            400,
            ("invalid_validation", {"at": ""}),
        ),
        (
            {"event": "validate", "expires_at": "2026-01-01T00:00:00Z"},
            400,
            ("invalid_validation", {"expires_at": ""}),
        ),
        (
            {"event": "validate", "expires_at": "2036-01-01T00:00:00Z"},
            400,
            ("invalid_validation", {"expires_at": ""}),
        ),
    ],
)
async def test_a_step_of_a_validation_that_can_not_be(world, rest, body, status, problem):
    path = f"/organizations/{world.organization_id}/validation"
    assert await rest.refusal("POST", path, body, status=status) == problem
    assert await rest.refusal("POST", path, body, status=403, token=f"rao-{world.organization_id}") == (
        "forbidden",
        {},
    )


async def test_settings_are_defaults_until_they_are_set(world, rest, department):
    path = f"/organizations/{world.organization_id}"
    items = (await rest.get(f"{path}/settings"))["items"]
    assert [(item["certificate_type"], item["enabled"]) for item in items] == [
        ("ssl", True),
        ("client", True),
        ("code_signing", True),
        ("device", True),
    ]
    body = {"profile_ids": [world.profile_id], "synced_expiry_day": 15, "external_requester_required": True}
    await rest.put(f"{path}/settings/ssl", body, token=f"rao-{world.organization_id}:ssl")
    ssl = (await rest.get(f"{path}/settings"))["items"][0]
    assert (ssl["profile_ids"], ssl["synced_expiry_day"]) == ([world.profile_id], 15)

    unit = f"{path}/departments/{department}/settings"
    assert (await rest.get(unit))["items"][0]["inherited"] is True
    await rest.put(f"{unit}/ssl", {"synced_expiry_day": 1})
    own = (await rest.get(unit))["items"][0]
    assert (own["inherited"], own["synced_expiry_day"]) == (False, 1)
    await rest.delete(f"{unit}/ssl")
    assert (await rest.get(unit))["items"][0]["synced_expiry_day"] == 15


@pytest.mark.parametrize(
    ("kind", "body", "problem"),
    [
        ("ssl", {"profile_ids": [999]}, ("invalid_settings", {"profile_ids": ""})),
        ("client", {"profile_ids": [1]}, ("invalid_settings", {"profile_ids": ""})),
        ("ssl", {"synced_expiry_day": 32}, ("invalid_fields", {"synced_expiry_day": ""})),
        ("ssl", {"synced_expiry_day": 0}, ("invalid_fields", {"synced_expiry_day": ""})),
        (
            "ssl",
            {"external_requester_pattern": "example.com"},
            ("invalid_settings", {"external_requester_pattern": ""}),
        ),
        (
            "client",
            {"principal_name_customizable": True},
            ("invalid_settings", {"principal_name_customizable": ""}),
        ),
        ("email", {}, ("invalid_settings", {"certificate_type": ""})),
        ("ssl", {"surprise": 1}, ("invalid_fields", {"surprise": ""})),
    ],
)
async def test_settings_that_can_not_be(world, rest, kind, body, problem):
    path = f"/organizations/{world.organization_id}/settings/{kind}"
    assert await rest.refusal("PUT", path, body, status=400) == problem


async def test_who_may_change_what(world, rest, department):
    mine, other = world.organization_id, world.other_organization_id
    rao, drao = f"rao-{mine}:ssl", f"drao-{mine}-{department}:ssl"
    path = f"/organizations/{mine}"
    second = (await rest.post(f"{path}/departments", {"name": "Sales"}, token=rao))["id"]
    # Of other organizations and departments nothing exists.
    assert await rest.refusal("GET", f"/organizations/{other}", status=404, token=rao) == (
        "organization_not_found",
        {},
    )
    assert await rest.refusal(
        "PATCH", f"{path}/departments/{second}", {"name": "Mine"}, status=404, token=drao
    ) == ("department_not_found", {})
    listed = await rest.get(f"{path}/departments", token=drao)
    assert [item["id"] for item in listed["items"]] == [department]
    assert listed["total"] == 1
    # Their own they may change, but not make another, nor loosen what was set for them.
    await rest.patch(f"{path}/departments/{department}", {"name": "R and D"}, token=drao)
    await rest.post(f"{path}/departments", {"name": "New"}, expect=403, token=drao)
    unit = f"{path}/departments/{department}/settings"
    await rest.get(unit, token=drao)
    await rest.call("PUT", f"{unit}/ssl", {}, expect=403, token=drao)
    await rest.patch(path, {"name": "Ours"}, expect=403, token=drao)
    # An RAO of SSL sets nothing about client certificates.
    assert await rest.refusal("PUT", f"{path}/settings/client", {}, status=403, token=rao) == (
        "certificate_type_not_yours",
        {"certificate_types": ""},
    )


async def test_every_change_is_audited(world, rest, department):
    path = f"/organizations/{world.organization_id}"
    await rest.patch(f"{path}/departments/{department}", {"status": "inactive"})
    await rest.post(f"{path}/validation", {"event": "validate"}, expect=200)
    await rest.put(f"{path}/settings/ssl", {"enabled": False})
    rows = await world.rows(select(AuditEntry.action, AuditEntry.details).order_by(AuditEntry.sequence))
    told = {row.action: row.details for row in rows}
    assert told["DepartmentChanged"]["status"] == {"before": "active", "after": "inactive"}
    assert told["OrganizationValidated"]["event"] == "validate"
    assert told["CertificateSettingsChanged"]["enabled"] is False
