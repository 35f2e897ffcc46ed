"""Passkeys with Chromium's virtual authenticator against the hub's routes."""

from __future__ import annotations

import pytest

from hub.access.signin.errors import PasskeysNeedName
from hub.access.signin.passkeys import RelyingParty
from hub.access.signin.sign_in_policy import require_second_factor
from hub.http.principal import SYSTEM, Role
from tests.integration.access_signin.chromium import authenticator

pytestmark = pytest.mark.server


@pytest.fixture
async def device(hub):
    async with authenticator(f"{hub.url}/api/v1/session/methods") as found:
        yield found


async def _register(browser, device, name="laptop"):
    response, found = await browser.post("/profile/passkeys/options")
    assert response.status == 200, found
    credential = await device.create(found["public_key"])
    return await browser.post("/profile/passkeys", {"name": name, "credential": credential})


async def _passwordless(browser, device, change=None):
    _, found = await browser.post("/session/passkey/options")
    credential = await device.get(found["public_key"])
    if change:
        change(credential)
    return await browser.post("/session/passkey", {"credential": credential})


async def test_a_passkey_from_registration_to_removal(master, browser, device):
    response, made = await _register(master, device)
    assert response.status == 201, made
    assert len(made["recovery_codes"]) == 10
    _, listed = await master.get("/profile/passkeys")
    assert [(item["name"], item["transports"]) for item in listed["items"]] == [("laptop", ["internal"])]

    response, session = await _passwordless(browser, device)
    assert (response.status, session["name"]) == (200, "Alice")
    _, sessions = await browser.get("/profile/sessions")
    assert ["passkey"] in [item["methods"] for item in sessions["items"]]

    assert (await master.call("DELETE", f"/profile/passkeys/{made['id']}"))[0].status == 204
    response, problem = await _passwordless(browser, device)
    assert (response.status, problem["code"]) == (401, "passkey_refused")


async def test_a_passkey_as_second_factor(master, browser, device):
    await _register(master, device)
    response, step = await browser.sign_in()
    assert (response.status, step["step"], step["factors"]) == (
        200,
        "second_factor",
        ["passkey", "recovery_code"],
    )
    assert await browser.who() is None
    _, found = await browser.post("/session/second-factor/passkey/options")
    credential = await device.get(found["public_key"])
    response, session = await browser.post("/session/second-factor/passkey", {"credential": credential})
    assert (response.status, session["name"]) == (200, "Alice")


async def test_a_passkey_set_up_while_signing_in(hub, browser, device):
    async with hub.db.write() as uow:
        await require_second_factor(uow, {Role.MRAO}, principal=SYSTEM)
    _, step = await browser.sign_in()
    assert step["step"] == "enrolment"
    _, found = await browser.post("/session/enrolment/passkey/options")
    credential = await device.create(found["public_key"])
    body = {"name": "laptop", "credential": credential}
    response, enrolled = await browser.post("/session/enrolment/passkey", body)
    assert (response.status, enrolled["next"]["name"]) == (200, "Alice")
    assert len(enrolled["recovery_codes"]) == 10
    _, passkeys = await browser.get("/profile/passkeys")
    response, problem = await browser.call("DELETE", f"/profile/passkeys/{passkeys['items'][0]['id']}")
    assert (response.status, problem["code"]) == (422, "factor_required")


async def test_an_answer_is_good_once_and_only_for_its_own_challenge(master, browser, device):
    await _register(master, device)
    _, first = await browser.post("/session/passkey/options")
    answer = await device.get(first["public_key"])
    _, second = await browser.post("/session/passkey/options")
    response, problem = await browser.post("/session/passkey", {"credential": answer})
    assert (response.status, problem["code"]) == (401, "passkey_refused")
    # The challenge is used up by the wrong answer.
    right = await device.get(second["public_key"])
    assert (await browser.post("/session/passkey", {"credential": right}))[0].status == 401
    assert (await _passwordless(browser, device))[0].status == 200


async def test_the_challenge_of_another_browser_does_not_count(hub, master, browser, device):
    await _register(master, device)
    async with hub.browser() as mallory:
        _, found = await mallory.post("/session/passkey/options")
        answer = await device.get(found["public_key"])
        await browser.post("/session/passkey/options")
        assert (await browser.post("/session/passkey", {"credential": answer}))[0].status == 401


async def test_a_device_that_does_not_verify_its_user_is_refused(master, browser, device):
    await _register(master, device)
    _, found = await browser.post("/session/passkey/options")
    options = {**found["public_key"], "userVerification": "discouraged"}
    await device.verifies_users(False)
    answer = await device.get(options)
    response, problem = await browser.post("/session/passkey", {"credential": answer})
    assert (response.status, problem["code"]) == (401, "passkey_refused")
    assert "verified" in problem["detail"]


async def test_a_copied_authenticator_shows_by_its_counter(master, browser, device):
    await _register(master, device)
    copy = (await device.credentials())[0]
    for _ in range(3):
        assert (await _passwordless(browser, device))[0].status == 200
    await device.clear()
    await device.put({**copy, "signCount": 1})
    response, problem = await _passwordless(browser, device)
    assert (response.status, problem["code"]) == (401, "passkey_refused")
    assert "sign count" in problem["detail"]


async def test_the_user_handle_has_to_fit(master, browser, device):
    await _register(master, device)
    for handle in ("AAAA", None, ""):
        response, _ = await _passwordless(
            browser, device, lambda found, handle=handle: found["response"].update(userHandle=handle)
        )
        assert response.status == 401


async def test_somebody_else_s_passkey_is_no_second_factor(hub, master, browser, device):
    await hub.add("bob")
    await _register(master, device)
    async with authenticator(f"{hub.url}/api/v1/session/methods") as other, hub.browser() as bob:
        await bob.sign_in("bob")
        await _register(bob, other, "bob's")
        _, step = await browser.sign_in("bob")
        assert step["step"] == "second_factor"
        _, found = await browser.post("/session/second-factor/passkey/options")
        options = {**found["public_key"], "allowCredentials": []}
        answer = await device.get(options)
        response, problem = await browser.post("/session/second-factor/passkey", {"credential": answer})
        assert (response.status, problem["code"]) == (401, "passkey_refused")
        assert await browser.who() is None


async def test_a_passkey_is_registered_once_and_not_with_an_old_challenge(hub, master, device):
    _, found = await master.post("/profile/passkeys/options")
    credential = await device.create(found["public_key"])
    body = {"name": "laptop", "credential": credential}
    assert (await master.post("/profile/passkeys", body))[0].status == 201
    response, problem = await master.post("/profile/passkeys", body)
    assert (response.status, problem["code"]) == (401, "passkey_refused")
    # The browser itself refuses to make a second one on the same device.
    _, again = await master.post("/profile/passkeys/options")
    with pytest.raises(Exception, match="InvalidStateError"):
        await device.create(again["public_key"])


@pytest.mark.parametrize(
    "credential",
    [
        {},
        {"rawId": "!!", "id": "x"},
        {"rawId": "AAAA", "id": "AAAA", "type": "public-key", "response": {}},
        {"rawId": "AAAA", "id": "AAAA", "type": "public-key", "response": "x"},
        {"rawId": ["x"]},
    ],
)
async def test_answers_that_make_no_sense_are_refused(master, browser, credential):
    await browser.post("/session/passkey/options")
    assert (await browser.post("/session/passkey", {"credential": credential}))[0].status == 401
    await master.post("/profile/passkeys/options")
    body = {"name": "x", "credential": credential}
    response, problem = await master.post("/profile/passkeys", body)
    assert (response.status, problem["code"]) == (401, "passkey_refused")


@pytest.mark.parametrize(
    "url", ["https://192.0.2.1", "https://[2001:db8::1]:8443", "http://hub.example", "https://127.0.0.1:8443"]
)
def test_where_browsers_allow_no_passkeys_the_error_says_what_to_do(url):
    with pytest.raises(PasskeysNeedName, match="public_url"):
        RelyingParty.of(url)


def test_the_origin_is_that_of_the_public_address():
    assert RelyingParty.of("https://Hub.Example:8443/x") == RelyingParty(
        "hub.example", "https://hub.example:8443"
    )
