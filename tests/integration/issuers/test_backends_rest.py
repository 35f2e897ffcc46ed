"""CAs elsewhere through REST: made, changed, disabled, tested, and how they fare."""

import pytest

SETTINGS = {"url": "https://127.0.0.1:9/", "username": "hub", "password": "s3cret", "timeout_s": 1}


@pytest.fixture
async def est(hub):
    return await hub.call("POST", "/ca-backends", name="EST", kind="est", settings=SETTINGS, expect=201)


async def test_the_kinds_describe_their_settings(hub):
    kinds = (await hub.call("GET", "/ca-backends/kinds", expect=200))["items"]
    titles = {item["kind"]: item["title"] for item in kinds}
    assert {"acme", "certificate_manager_rest", "est", "exec", "private_ca", "step_ca", "vault_pki"} <= set(
        titles
    )
    assert titles["est"] == "EST (RFC 7030)"
    schema = next(item["settings_schema"] for item in kinds if item["kind"] == "vault_pki")
    assert schema["properties"]["secret_id"]["format"] == "password"


async def test_a_backend_is_made_changed_and_disabled(hub, est):
    assert (est["kind"], est["status"], est["can_revoke"], est["authorities"]) == ("est", "active", False, [])
    assert est["settings"]["url"] == "https://127.0.0.1:9"
    assert "password" not in est["settings"]
    assert est["health"]["state"] == "unknown"
    path = f"/ca-backends/{est['id']}"
    wrong = await hub.call("PATCH", path, settings={"url": "http://plain"}, expect=400)
    assert wrong["code"] == "invalid_ca_backend_settings"
    changed = await hub.call(
        "PATCH", path, name="EST 2", settings={"url": "https://127.0.0.1:9", "label": "tls"}, expect=200
    )
    assert (changed["name"], changed["settings"]["label"]) == ("EST 2", "tls")
    disabled = await hub.call("PATCH", path, status="disabled", expect=200)
    assert disabled["status"] == "disabled"
    result = await hub.call("POST", f"{path}/test", expect=200)
    assert (result["ok"], result["code"]) == (False, "ca_backend_disabled")
    await hub.call("PATCH", "/ca-backends/99", status="active", expect=404)
    problem = await hub.call("POST", "/ca-backends", name="X", kind="private_ca", settings={}, expect=400)
    assert problem["code"] == "unknown_ca_backend_kind"


async def test_tests_show_in_the_health(hub, est):
    for failures in range(1, 4):
        result = await hub.call("POST", f"/ca-backends/{est['id']}/test", expect=200)
        assert (result["ok"], result["code"]) == (False, "unavailable")
        health = (await hub.call("GET", f"/ca-backends/{est['id']}", expect=200))["health"]
        assert health["failures"] == failures
    listed = await hub.call("GET", "/ca-backends", expect=200)
    seen = {item["id"]: item["health"] for item in listed["items"]}[est["id"]]
    assert (seen["state"], seen["last_success_at"]) == ("down", None)
    assert "127.0.0.1" in seen["last_error"]
