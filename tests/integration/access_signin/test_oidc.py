"""OpenID Connect sign-in against a provider of the library pyop, and against one that lies."""

from __future__ import annotations

import asyncio
import base64
import json
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web

from hub.access.signin.errors import OidcRefused, ProviderUnreachable
from hub.access.signin.oidc import outbound
from hub.access.signin.oidc.outbound import Reach, check_url, get_json
from tests.integration.access_signin.authority import Authority
from tests.integration.access_signin.real_op import RealOp

pytestmark = [pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning")]

MAPPING = {"username": "preferred_username", "name": "name", "email": "email"}
TEMPLATES = [
    {
        "attribute": "profile",
        "value": "pki-admin",
        "grants": [
            {"role": "RAO", "organization_attribute": "name", "certificate_types": ["ssl"]},
        ],
    }
]


@pytest.fixture
async def op(tmp_path):
    authority = Authority()
    async with RealOp.running(authority.server_context(tmp_path)) as found:
        found.ca_pem = authority.pem
        yield found


def _settings(op, **more):
    return {
        "issuer": op.issuer,
        "client_id": "certwright",
        "private_network": True,
        "ca_pem": op.ca_pem,
        "mapping": MAPPING,
        "templates": TEMPLATES,
        "organization_aliases": {"Bob B.": 1},
        **more,
    }


@pytest.fixture
async def provider(op, master):
    body = {"name": "op", "label": "Corp ID", "client_secret": "shhh", "settings": _settings(op)}
    response, made = await master.post("/identity-providers/oidc", body)
    assert response.status == 201, made
    _, shown = await master.get("/identity-providers/1")
    assert "shhh" not in json.dumps(shown)
    op.register("certwright", "shhh", shown["redirect_uri"])
    return shown


async def _at_provider(browser):
    """Let the browser go to the provider and come back with an answer, which is not delivered yet."""
    response, found = await browser.post("/session/provider", {"provider": "op"})
    assert response.status == 200, found
    async with (
        aiohttp.ClientSession() as other,
        other.get(found["redirect_url"], allow_redirects=False, ssl=False) as answer,
    ):
        return answer.headers["Location"]


async def _deliver(browser, location):
    parts = urlsplit(location)
    async with browser.session.get(
        f"{parts.path}?{parts.query}", headers={"Accept": "text/html"}, allow_redirects=False
    ) as response:
        assert response.status == 303, await response.text()
        fragment = urlsplit(response.headers["Location"]).fragment
        return {name: values[0] for name, values in parse_qs(fragment).items()}


async def _claim(browser, landed):
    return await browser.post("/session/provider/claim", {"code": landed["code"]})


async def test_somebody_signs_in_for_the_first_time_and_again(provider, browser, master):
    for _ in range(2):
        landed = await _deliver(browser, await _at_provider(browser))
        response, session = await _claim(browser, landed)
        assert response.status == 200, session
    assert session["name"] == "Bob B."
    assert session["grants"] == [
        {"role": "RAO", "organization_id": 1, "department_id": None, "certificate_types": ["ssl"]}
    ]
    _, sessions = await master.get("/sessions?filter=username:eq:bob")
    assert [item["methods"] for item in sessions["items"]] == [["oidc"]]


async def test_an_answer_is_good_once_and_a_made_up_state_never(provider, browser):
    location = await _at_provider(browser)
    landed = await _deliver(browser, location)
    assert (await _deliver(browser, location))["error"] == "sign_in_expired"
    assert (await _deliver(browser, location.replace("state=", "state=x")))["error"] == "sign_in_expired"
    assert (await _claim(browser, landed))[0].status == 200


async def test_an_answer_in_another_browser_signs_nobody_in(hub, provider, browser):
    async with hub.browser() as mallory:
        landed = await _deliver(browser, await _at_provider(mallory))
        assert (await _claim(browser, landed))[1]["code"] == "sign_in_expired"
        assert (await _claim(mallory, {"code": "guess"}))[1]["code"] == "sign_in_expired"


async def test_a_code_without_its_verifier_is_worth_nothing(provider, browser, hub):
    """A code that was caught, delivered with the state of another sign-in: PKCE and nonce are the other's."""
    caught = parse_qs(urlsplit(await _at_provider(browser)).query)["code"][0]
    async with hub.browser() as mallory:
        own = urlsplit(await _at_provider(mallory))
        state = parse_qs(own.query)["state"][0]
        landed = await _deliver(mallory, f"{own.path}?state={state}&code={caught}")
    assert landed["error"] == "identity_provider_unreachable"
    assert "400" in landed["detail"]


async def test_the_provider_saying_no_is_told(provider, browser):
    parts = urlsplit(await _at_provider(browser))
    state = parse_qs(parts.query)["state"][0]
    landed = await _deliver(browser, f"{parts.path}?state={state}&error=access_denied")
    assert landed["error"] == "oidc_refused"
    assert "access_denied" in landed["detail"]


async def test_new_keys_of_the_provider_are_fetched_once(op, provider, browser):
    landed = await _deliver(browser, await _at_provider(browser))
    assert op.asked.count("/jwks") == 1
    op.roll_over()
    landed = await _deliver(browser, await _at_provider(browser))
    assert (await _claim(browser, landed))[0].status == 200
    assert op.asked.count("/jwks") == 2
    # Tokens of keys that are nowhere don't make the hub ask again and again.
    op.change_tokens = lambda tokens: {**tokens, "id_token": _with_kid(tokens["id_token"], "nowhere")}
    for _ in range(3):
        landed = await _deliver(browser, await _at_provider(browser))
        assert "UnknownKey" in landed["detail"]
    assert op.asked.count("/jwks") == 2


def _with_kid(token, kid):
    _, body, signature = token.split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": kid}).encode()).rstrip(b"=")
    return f"{header.decode()}.{body}.{signature}"


def _unsigned(token):
    _, body, _ = token.split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).rstrip(b"=").decode()
    return f"{header}.{body}."


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda tokens: {**tokens, "id_token": _unsigned(tokens["id_token"])}, "AlgorithmNotAllowed"),
        (lambda tokens: {**tokens, "id_token": tokens["id_token"][:-8] + "AAAAAAAA"}, "SignatureInvalid"),
        (lambda tokens: {"access_token": tokens["access_token"], "token_type": "Bearer"}, "NoIdToken"),
        (lambda tokens: {**tokens, "id_token": 7}, "NoIdToken"),
    ],
)
async def test_a_provider_that_lies_is_refused(op, provider, browser, change, reason):
    op.change_tokens = change
    landed = await _deliver(browser, await _at_provider(browser))
    assert reason in landed["detail"]


async def test_a_provider_whose_certificate_nobody_vouches_for_is_not_asked(op, provider, browser, master):
    await master.call("PATCH", "/identity-providers/1/oidc", {"settings": _settings(op, ca_pem="")})
    response, problem = await browser.post("/session/provider", {"provider": "op"})
    assert (response.status, problem["code"]) == (503, "identity_provider_unreachable")


async def test_discovery_of_another_issuer_is_refused(op, provider, browser):
    op.change_configuration = lambda found: {**found, "issuer": "https://evil.example"}
    response, problem = await browser.post("/session/provider", {"provider": "op"})
    assert (response.status, problem["code"]) == (401, "oidc_refused")
    assert "WrongIssuer" in problem["detail"]


async def test_the_issuer_in_the_answer_has_to_be_the_one_that_was_asked(op, provider, browser):
    """RFC 9207: a mix-up of two providers."""
    location = await _at_provider(browser)
    landed = await _deliver(browser, location + "&iss=https%3A%2F%2Fevil.example")
    assert "WrongIssuer" in landed["detail"]


async def test_a_private_address_needs_the_mrao_s_word(op, provider, browser, master):
    await master.call(
        "PATCH", "/identity-providers/1/oidc", {"settings": _settings(op, private_network=False)}
    )
    response, problem = await browser.post("/session/provider", {"provider": "op"})
    assert (response.status, problem["code"]) == (401, "oidc_refused")
    assert "PrivateAddress" in problem["detail"]


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example/",
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://0.0.0.0/",
        "https://user@idp.example/",
        "file:///etc/passwd",
        "https:///x",
        "gopher://idp.example/",
    ],
)
def test_addresses_that_calls_must_not_go_to(url):
    with pytest.raises(OidcRefused):
        check_url(url, Reach())


async def test_a_name_that_resolves_to_loopback_is_refused_when_it_is_resolved():
    with pytest.raises(OidcRefused) as caught:
        await get_json("https://localhost:1/x", Reach())
    assert caught.value.reason == "PrivateAddress"


@pytest.fixture
async def odd_server():
    async def redirect(_request):
        raise web.HTTPFound("http://127.0.0.1:1/elsewhere")

    async def large(_request):
        return web.Response(text='{"a": "' + "x" * outbound.MAX_BYTES + '"}')

    async def listing(_request):
        return web.json_response([1])

    async def text(_request):
        return web.Response(text="hello")

    application = web.Application()
    application.add_routes(
        [
            web.get("/redirect", redirect),
            web.get("/large", large),
            web.get("/list", listing),
            web.get("/text", text),
        ]
    )
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/redirect", ProviderUnreachable),
        ("/large", OidcRefused),
        ("/list", OidcRefused),
        ("/text", OidcRefused),
        ("/missing", ProviderUnreachable),
    ],
)
async def test_odd_answers_are_refused(odd_server, path, error):
    with pytest.raises(error):
        await get_json(odd_server + path, Reach(private_network=True))


async def test_a_server_that_says_nothing_is_given_up(monkeypatch):
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setattr(outbound, "TIMEOUT_S", 0.2)
    async with server:
        with pytest.raises(ProviderUnreachable):
            await get_json(f"http://127.0.0.1:{port}/", Reach(private_network=True))
