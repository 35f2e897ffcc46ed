"""Signing in over HTTP with a second factor, fixation, sessions, access rules, tokens within their maker."""

from __future__ import annotations

import time

import pyotp
import pytest

from hub.access.privileges import EVERY_POWER
from hub.http.principal import Role, RoleGrant
from tests.integration.access_signin.conftest import serving

SESSION, PENDING = "certwright_session", "certwright_sign_in"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def database_url(request):
    return request.getfixturevalue("postgres_url") if request.param == "postgresql" else None


@pytest.fixture
async def hub(database_url, tmp_path):
    async with serving(tmp_path, database_url=database_url) as found:
        yield found


def _code(secret, steps=0):
    return pyotp.TOTP(secret).at(time.time() + 30 * steps)


async def _with_totp(browser):
    """Set up an app in the browser's session; its first code is used up."""
    response, made = await browser.post("/profile/totp")
    assert response.status == 201, made
    response, codes = await browser.post("/profile/totp/confirm", {"code": _code(made["secret"], -1)})
    assert response.status == 200, codes
    return made["secret"], codes["recovery_codes"]


async def test_an_app_from_enrolment_to_removal(hub, master, browser):
    secret, codes = await _with_totp(master)
    _, shown = await master.get("/profile/factors")
    assert shown == {"factors": ["totp", "recovery_code"], "recovery_codes_left": 10, "required": False}

    response, step = await browser.sign_in()
    assert (response.status, step["step"], step["factors"]) == (
        200,
        "second_factor",
        ["totp", "recovery_code"],
    )
    assert SESSION not in response.cookies
    assert "HttpOnly" in response.headers["Set-Cookie"]
    assert "SameSite=Strict" in response.headers["Set-Cookie"]
    assert await browser.who() is None
    response, session = await browser.post("/session/second-factor/code", {"code": _code(secret)})
    assert (response.status, session["name"]) == (200, "Alice")
    assert response.cookies[PENDING].value == ""

    async with hub.browser() as replay:
        await replay.sign_in()
        response, problem = await replay.post("/session/second-factor/code", {"code": _code(secret)})
        assert (response.status, problem["code"]) == (401, "code_already_used")
        response, session = await replay.post("/session/second-factor/code", {"code": codes[0]})
        assert session["name"] == "Alice"

    response, problem = await master.post("/profile/totp/remove", {"code": codes[0]})
    assert (response.status, problem["code"]) == (401, "wrong_code")
    response, _ = await master.post("/profile/totp/remove", {"code": codes[1]})
    assert response.status == 204
    assert (await browser.sign_in())[1]["name"] == "Alice"


async def test_a_planted_pending_cookie_is_not_taken_over(hub, master, browser):
    await _with_totp(master)
    planted = {"Cookie": f"{PENDING}=planted-by-somebody-else"}
    response, _ = await browser.post(
        "/session", {"username": "alice", "password": "correct horse battery staple"}, headers=planted
    )
    assert response.cookies[PENDING].value != "planted-by-somebody-else"
    async with hub.browser() as mallory:
        response, problem = await mallory.post(
            "/session/second-factor/code", {"code": "000000"}, headers=planted
        )
        assert (response.status, problem["code"]) == (401, "sign_in_expired")


async def test_a_pending_sign_in_is_no_session(hub, master, browser):
    await _with_totp(master)
    response, _ = await browser.sign_in()
    pending = response.cookies[PENDING].value
    async with hub.browser() as other:
        for path in ("/session", "/profile/factors", "/administrators", "/certificates"):
            response, _ = await other.get(path, headers={"Cookie": f"{SESSION}={pending}"})
            assert response.status in {401, 404}
    assert (await browser.get("/profile/factors"))[0].status == 401
    assert (await browser.post("/session/cancel"))[0].status == 204
    response, problem = await browser.post("/session/second-factor/code", {"code": "000000"})
    assert (response.status, problem["code"]) == (401, "sign_in_expired")


@pytest.mark.parametrize(
    "path",
    ["/session", "/session/certificate", "/session/passkey/options", "/session/provider", "/session/cancel"],
)
async def test_a_form_of_another_site_cannot_sign_in(browser, path):
    async with browser.session.post(f"/api/v1{path}", data={"username": "alice"}) as response:
        assert response.status == 415


async def test_a_role_that_needs_a_factor_and_a_given_password(hub, master, browser):
    await hub.add("bob", must_change_password=True)
    body = {"second_factor_roles": ["MRAO"]}
    assert (await master.call("PUT", "/sign-in-policy", body))[0].status == 204
    assert (await master.get("/sign-in-policy"))[1] == body
    _, step = await browser.sign_in("bob")
    assert step["step"] == "enrolment"
    _, made = await browser.post("/session/enrolment/totp")
    response, enrolled = await browser.post(
        "/session/enrolment/totp/confirm", {"code": _code(made["secret"])}
    )
    assert (enrolled["next"]["step"], len(enrolled["recovery_codes"])) == ("new_password", 10)
    response, problem = await browser.post("/session/new-password", {"new_password": "short"})
    assert (response.status, problem["code"]) == (400, "weak_password")
    response, session = await browser.post("/session/new-password", {"new_password": "an entirely new one"})
    assert (response.status, session["name"]) == (200, "Bob")
    # An MRAO helps somebody who has lost the device.
    assert (await master.call("DELETE", "/administrators/2/factors"))[0].status == 204
    assert (await browser.sign_in("bob", "an entirely new one"))[1]["step"] == "enrolment"


async def test_sessions_are_listed_and_ended(hub, master, browser):
    rao = [RoleGrant(role=Role.RAO, organization_id=1, certificate_types=frozenset({"ssl"}))]
    await hub.add("bob", grants=rao)
    await browser.sign_in("bob")
    _, own = await browser.get("/profile/sessions")
    assert [(item["username"], item["methods"]) for item in own["items"]] == [("bob", ["password"])]
    assert (await browser.get("/sessions"))[0].status == 403
    _, everybody = await master.get("/sessions")
    assert sorted(item["username"] for item in everybody["items"]) == ["alice", "bob"]
    mine = next(item["id"] for item in everybody["items"] if item["username"] == "alice")
    response, problem = await browser.call("DELETE", f"/profile/sessions/{mine}")
    assert (response.status, problem["code"]) == (404, "no_such_session")
    assert (await browser.call("DELETE", f"/sessions/{mine}"))[0].status == 403
    assert (await master.call("DELETE", f"/sessions/{own['items'][0]['id']}"))[0].status == 204
    assert await browser.who() is None
    assert (await master.call("DELETE", f"/profile/sessions/{mine}"))[0].status == 204
    assert await master.who() is None


async def test_access_rules_over_http(hub, master, browser):
    outside = {"rules": [{"applies_to": "all", "network": "203.0.113.0/24", "note": "office"}]}
    response, problem = await master.call("PUT", "/access-rules", outside)
    assert (response.status, problem["code"]) == (409, "rule_locks_you_out")
    assert "127.0.0.1" in problem["detail"]
    bad = {"rules": [{"applies_to": "all", "network": "203.0.113.1/24"}]}
    response, problem = await master.call("PUT", "/access-rules", bad)
    assert (response.status, problem["errors"][0]["field"]) == (400, "rules")

    rao = [RoleGrant(role=Role.RAO, organization_id=1, certificate_types=frozenset({"ssl"}))]
    await hub.add("bob", grants=rao)
    await browser.sign_in("bob")
    _, token = await browser.post("/api-tokens", {"name": "ci"})
    others = {"rules": [{"applies_to": "rao_drao", "network": "203.0.113.0/24", "note": "office"}]}
    assert (await master.call("PUT", "/access-rules", others))[0].status == 204
    assert (await master.get("/access-rules"))[1] == others
    # The session that was open, the token, and a new sign-in.
    response, problem = await browser.get("/profile/sessions")
    assert (response.status, problem["code"]) == (403, "address_not_allowed")
    async with hub.browser() as script:
        bearer = {"Authorization": f"Bearer {token['token']}"}
        response, problem = await script.get("/api-tokens", headers=bearer)
        assert (response.status, problem["code"]) == (403, "address_not_allowed")
        response, problem = await script.sign_in("bob")
        assert (response.status, problem["code"]) == (403, "address_not_allowed")
    assert await master.who() == "Alice"
    assert (await master.call("PUT", "/access-rules", {"rules": []}))[0].status == 204
    assert await browser.who() == "Bob"


async def test_a_token_is_never_more_than_its_maker(hub, browser):
    rao = [RoleGrant(role=Role.RAO, organization_id=1, certificate_types=frozenset({"ssl"}))]
    await hub.add("bob", grants=rao)
    await browser.sign_in("bob")
    for scope in ("administrators.delete", "certificates.view", "*"):
        response, _ = await browser.post("/api-tokens", {"name": "ci", "scopes": [scope]})
        assert response.status == 201
    response, problem = await browser.post("/api-tokens", {"name": "x", "scopes": ["sessions.revoke"]})
    assert (response.status, problem["code"]) == (403, "forbidden")
    assert "sessions.revoke" in problem["detail"]


async def test_factors_are_not_changed_with_an_api_token(hub, master):
    _, token = await master.post("/api-tokens", {"name": "ci"})
    bearer = {"Authorization": f"Bearer {token['token']}"}
    async with hub.browser() as script:
        for path, body in (
            ("/profile/totp", {}),
            ("/profile/totp/confirm", {"code": "000000"}),
            ("/profile/recovery-codes", {}),
            ("/profile/passkeys/options", {}),
            ("/session/step-up/code", {"code": "000000"}),
        ):
            response, problem = await script.post(path, body, headers=bearer)
            assert (response.status, problem["code"]) == (401, "unauthenticated")


async def test_a_session_is_strengthened_by_a_code_under_a_new_token(master, hub):
    secret, _ = await _with_totp(master)
    before = {cookie.key: cookie.value for cookie in master.session.cookie_jar}[SESSION]
    response, problem = await master.post("/session/step-up/code", {"code": "000000"})
    assert (response.status, problem["code"]) == (401, "wrong_code")
    response, _ = await master.post("/session/step-up/code", {"code": _code(secret)})
    assert response.cookies[SESSION].value != before
    assert await master.who() == "Alice"
    async with hub.browser() as other:
        assert (await other.get("/session", headers={"Cookie": f"{SESSION}={before}"}))[0].status == 401


async def test_a_provider_that_does_not_exist_is_told(browser):
    response, problem = await browser.post("/session/provider", {"provider": "nobody"})
    assert (response.status, problem["code"]) == (404, "no_such_identity_provider")


async def test_an_mrao_with_less_does_not_become_one_with_more(hub, browser, master):

    await hub.add("carol", privileges=EVERY_POWER - {"approve_own_requests"})
    await browser.sign_in("carol")
    settings = {
        "issuer": "https://op.example",
        "client_id": "x",
        "templates": [{"grants": [{"role": "MRAO"}], "privileges": ["approve_own_requests"]}],
    }
    body = {"name": "op", "label": "OP", "client_secret": "s", "settings": settings}
    response, problem = await browser.post("/identity-providers/oidc", body)
    assert (response.status, problem["code"]) == (403, "handover_refused")
    settings["templates"] = []
    assert (await browser.post("/identity-providers/oidc", body))[0].status == 201
    # Alice has more than Carol: Carol neither links her nor, once she is linked, sets the provider's keys.
    link = {"subject": "x", "administrator_id": 1}
    response, problem = await browser.post("/identity-providers/1/links", link)
    assert (response.status, problem["code"]) == (403, "handover_refused")
    assert (await master.post("/identity-providers/1/links", link))[0].status == 201
    response, problem = await browser.call("PATCH", "/identity-providers/1/oidc", {"client_secret": "mine"})
    assert (response.status, problem["code"]) == (403, "handover_refused")
    response, problem = await browser.call("DELETE", "/administrators/1/factors")
    assert (response.status, problem["code"]) == (403, "handover_refused")
    body["name"] = "op2"
    settings["templates"] = [{"grants": [{"role": "RAO"}]}]
    response, problem = await browser.post("/identity-providers/oidc", body)
    assert (response.status, problem["code"]) == (403, "handover_refused")
    assert "RAO needs an organization" in problem["detail"]
