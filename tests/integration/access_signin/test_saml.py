"""SAML sign-in against pysaml2's identity provider, and attacks on the way there and back."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integration.access_signin.real_idp import NAMEID_FORMAT_TRANSIENT, PEOPLE, RealIdp

pytestmark = [
    pytest.mark.server,
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*:ResourceWarning"),
]

# A URI name and its friendly name reach the hub alike.
SETTINGS = {
    "mapping": {"username": "uid", "name": "displayName", "email": "mail"},
    "templates": [{"attribute": "title", "value": "pki-admin", "grants": [{"role": "MRAO"}]}],
}


@pytest.fixture
async def idp(tmp_path, master):
    found = RealIdp(tmp_path)
    body = {
        "name": "corp",
        "label": "Corp sign-on",
        "metadata_xml": found.metadata_xml,
        "settings": SETTINGS,
    }
    response, made = await master.post("/identity-providers/saml", body)
    assert response.status == 201, made
    _, sp_metadata = await master.get("/session/saml/corp/metadata")
    found.knows(sp_metadata)
    return found


async def _begin(browser):
    _, found = await browser.post("/session/provider", {"provider": "corp"})
    return found["redirect_url"]


async def _post(browser, answer, **options):
    """Post the answer as a page of another site would: a form, and no cookies of ours."""
    async with browser.session.post(
        "/api/v1/session/saml/corp/acs",
        data={"SAMLResponse": answer, "RelayState": "x"},
        headers={"Accept": options.get("accept", "text/html")},
        allow_redirects=False,
    ) as response:
        if response.status != 303:
            return response, await response.json(content_type=None)
        fragment = urlsplit(response.headers["Location"])
        assert fragment.path == "/sign-in"
        return response, {name: values[0] for name, values in parse_qs(fragment.fragment).items()}


async def _claim(browser, landed):
    return await browser.post("/session/provider/claim", {"code": landed["code"]})


async def test_somebody_signs_in_for_the_first_time_and_again(hub, idp, browser, master):
    assert (await browser.get("/session/methods"))[1]["providers"] == [
        {"name": "corp", "label": "Corp sign-on", "kind": "saml"}
    ]
    for _ in range(2):
        _, landed = await _post(browser, idp.answer(await _begin(browser)))
        response, session = await _claim(browser, landed)
        assert response.status == 200, session
        assert session["name"] == "Bob B."
    assert await browser.who() == "Bob B."
    _, listed = await master.get("/administrators")
    bob = next(item for item in listed["items"] if item["username"] == "bob")
    assert bob["email"] == "bob@corp.example"
    _, links = await master.get("/identity-providers/1/links")
    assert [(item["subject"], item["username"]) for item in links["items"]] == [("bob-for-good", "bob")]
    # There is no password to guess.
    assert (await browser.sign_in("bob", "any password"))[0].status == 401


async def test_a_response_signed_as_a_whole_is_taken_where_configured(idp, browser, master):
    await master.call(
        "PATCH",
        "/identity-providers/1/saml",
        {"metadata_xml": idp.metadata_xml, "settings": {**SETTINGS, "signed": "response"}},
    )
    answer = idp.answer(await _begin(browser), sign_assertion=False, sign_response=True)
    _, landed = await _post(browser, answer)
    assert (await _claim(browser, landed))[0].status == 200


async def test_what_is_not_signed_is_refused_and_the_page_is_told_why(idp, browser, master):
    answer = idp.answer(await _begin(browser), sign_assertion=False, sign_response=False)
    _, landed = await _post(browser, answer)
    assert landed["error"] == "saml_refused"
    assert "NotSigned" in landed["detail"]
    _, log = await master.get("/audit?filter=action:eq:SignInRefused")
    assert "NotSigned" in log["items"][0]["details"]["message"]
    assert log["items"][0]["object_id"] == "corp"


async def test_sha_1_is_refused(idp, browser):
    _, landed = await _post(browser, idp.answer(await _begin(browser), sha1=True))
    assert "WeakAlgorithm" in landed["detail"]


async def test_an_answer_is_good_once(idp, browser):
    answer = idp.answer(await _begin(browser))
    _, landed = await _post(browser, answer)
    response, problem = await _post(browser, answer, accept="application/json")
    assert (response.status, problem["code"]) == (401, "sign_in_expired")
    assert (await _claim(browser, landed))[0].status == 200
    response, problem = await _claim(browser, landed)
    assert (response.status, problem["code"]) == (401, "sign_in_expired")


async def test_an_assertion_caught_and_put_into_another_request_is_refused(hub, idp, browser):
    caught = base64.b64decode(idp.answer(await _begin(browser))).decode()
    async with hub.browser() as mallory:
        other = await _begin(mallory)
        wanted = idp.answer(other)
        mine = base64.b64decode(wanted).decode()
        request_id = mine.partition('InResponseTo="')[2].partition('"')[0]
        old = caught.partition('InResponseTo="')[2].partition('"')[0]
        forged = caught.replace(old, request_id)
        _, landed = await _post(mallory, base64.b64encode(forged.encode()).decode())
        assert "SignatureInvalid" in landed["detail"]


async def test_an_answer_caught_in_another_browser_signs_nobody_in_there(hub, idp, browser):
    """Mallory sends Bob to the provider with Mallory's request: Bob's answer must not let Mallory in."""
    async with hub.browser() as mallory:
        answer = idp.answer(await _begin(mallory))
        _, landed = await _post(browser, answer)
        assert "code" in landed
        # Bob's browser has the code but not the cookie; Mallory's has the cookie but not the code.
        assert (await _claim(browser, landed))[1]["code"] == "sign_in_expired"
        assert (await _claim(mallory, {"code": "guess"}))[1]["code"] == "sign_in_expired"
        assert await mallory.who() is None
        assert await browser.who() is None


async def test_somebody_else_s_answer_signs_nobody_in_here(hub, idp, browser):
    """Login CSRF: Mallory has Bob's browser post Mallory's answer."""
    async with hub.browser() as mallory:
        answer = idp.answer(await _begin(mallory), subject="mallory")
        await _begin(browser)
        _, landed = await _post(browser, answer)
        assert (await _claim(browser, landed))[1]["code"] == "sign_in_wrong_step"
        assert await browser.who() is None


async def test_nobody_whom_no_template_names_comes_in(idp, browser):
    identity = {**PEOPLE, "title": ["cook"]}
    _, landed = await _post(browser, idp.answer(await _begin(browser), identity=identity))
    assert landed["error"] == "no_template_matches"


async def test_a_user_name_that_is_here_is_not_taken_over_but_linked_by_an_mrao(hub, idp, browser, master):
    await hub.add("bob")
    _, landed = await _post(browser, idp.answer(await _begin(browser)))
    assert landed["error"] == "identity_link_needed"
    body = {"subject": "bob-for-good", "administrator_id": 2}
    assert (await master.post("/identity-providers/1/links", body))[0].status == 201
    assert (await master.post("/identity-providers/1/links", body))[1]["code"] == "identity_taken"
    _, landed = await _post(browser, idp.answer(await _begin(browser)))
    assert (await _claim(browser, landed))[1]["name"] == "Bob"
    assert (await master.call("DELETE", "/identity-providers/1/links/1"))[0].status == 204


async def test_names_that_change_each_time_are_refused_unless_an_attribute_names_people(idp, browser, master):
    answer = idp.answer(await _begin(browser), name_format=NAMEID_FORMAT_TRANSIENT)
    _, landed = await _post(browser, answer)
    assert "TransientNameId" in landed["detail"]
    await master.call(
        "PATCH",
        "/identity-providers/1/saml",
        {"metadata_xml": idp.metadata_xml, "settings": {**SETTINGS, "subject_attribute": "mail"}},
    )
    answer = idp.answer(await _begin(browser), name_format=NAMEID_FORMAT_TRANSIENT)
    _, landed = await _post(browser, answer)
    assert (await _claim(browser, landed))[0].status == 200


async def test_a_switched_off_provider_is_not_offered_and_answers_are_refused(idp, browser, master):
    answer = idp.answer(await _begin(browser))
    await master.call("PATCH", "/identity-providers/1/saml", {"active": False})
    _, landed = await _post(browser, answer)
    assert landed["error"] == "no_such_identity_provider"
    assert (await browser.get("/session/methods"))[1]["providers"] == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"SAMLResponse=%%%", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b"SAMLResponse=", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b"a=1&SAMLResponse=YQ&SAMLResponse=YQ", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b'{"SAMLResponse": "x"}', {"Content-Type": "application/json"}),
        (b"&".join(b"a=1" for _ in range(20)), {"Content-Type": "application/x-www-form-urlencoded"}),
        (b"\xff\xfe", {"Content-Type": "application/x-www-form-urlencoded"}),
    ],
)
async def test_forms_that_make_no_sense_are_client_errors(idp, browser, body, headers):
    async with browser.session.post(
        "/api/v1/session/saml/corp/acs", data=body, headers={**headers, "Accept": "application/json"}
    ) as response:
        assert response.status in {400, 401}


async def test_a_body_beyond_the_limit_is_refused_unread(idp, browser):
    async with browser.session.post(
        "/api/v1/session/saml/corp/acs",
        data={"SAMLResponse": "A" * 1_000_000},
        headers={"Accept": "application/json"},
    ) as response:
        assert response.status == 413


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text.replace("https://idp.example/sso", "http://idp.example/sso"), "https"),
        (lambda text: text.replace("IDPSSODescriptor", "SPSSODescriptor"), "0 identity providers"),
        (lambda text: text.replace("HTTP-Redirect", "SOAP"), "HTTP-Redirect"),
        (lambda text: text.replace("MII", "AAA", 1), "certificate"),
        (lambda text: "<!DOCTYPE x>" + text, "document type"),
        (lambda text: text[: len(text) // 2], "no XML"),
    ],
)
async def test_metadata_that_cannot_work_are_refused_with_the_reason(tmp_path, master, change, code):
    metadata = change(RealIdp(tmp_path).metadata_xml)
    body = {"name": "corp", "label": "Corp", "metadata_xml": metadata}
    response, problem = await master.post("/identity-providers/saml", body)
    assert (response.status, problem["code"]) == (400, "saml_metadata_refused")
    assert code in problem["detail"]
