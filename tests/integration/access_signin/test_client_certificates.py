"""Client certificates: from a real TLS connection to the hub's process, and forwarded by a proxy."""

from __future__ import annotations

import base64
import ipaddress
import json
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from hub.access.signin.client_certificates import fingerprint
from hub.access.signin.client_trust import ClientTrust
from tests.harness.api import ApiProblem
from tests.harness.processes import Hub, attempt, run
from tests.integration.access_signin.authority import Authority, write_pair
from tests.integration.access_signin.conftest import Browser, serving


def _pem(certificate):
    return certificate.public_bytes(Encoding.PEM).decode()


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def process(tmp_path_factory, authority):
    """A hub with a second address that asks for client certificates."""
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "clients.pem").write_text(authority.pem)
    (folder / "clients.crl").write_bytes(authority.crl().public_bytes(Encoding.PEM))
    hub = Hub(folder / "data")
    hub.init()
    with (hub.data_dir / "config.toml").open("a") as file:
        file.write(f'client_certificate_ca = "{folder}/clients.pem"\n')
        file.write(f'client_certificate_crl = "{folder}/clients.crl"\n')
        file.write('client_cert_http = "127.0.0.1:0"\n')
    hub.start(timeout_s=60)
    hub.folder = folder
    yield hub
    hub.stop()


@pytest.fixture
async def asking(process, tmp_path):
    """Opens a browser at the address that asks, with or without a certificate."""
    url = process.api.get("/session/methods")["client_certificate_url"]

    @asynccontextmanager
    async def open_browser(certificate=None, key=None, *, at=url):
        context = ssl.create_default_context(cafile=str(process.data_dir / "ca.pem"))
        if certificate is not None:
            context.load_cert_chain(write_pair(tmp_path, "client", certificate, key))
        connector = aiohttp.TCPConnector(ssl=context)
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(at, connector=connector, cookie_jar=jar) as session:
            yield Browser(session)

    return open_browser


def _bind(process, certificate):
    return process.api.post(
        "/sign-in-certificates", {"administrator_id": 1, "certificate_pem": _pem(certificate)}
    )["id"]


async def test_a_bound_certificate_signs_in_until_its_binding_is_revoked(process, authority, asking):
    certificate, key = authority.issue("admin")
    async with asking(certificate, key) as browser:
        response, problem = await browser.post("/session/certificate")
        assert (response.status, problem["code"]) == (401, "client_certificate_refused")
        assert "bound to no administrator" in problem["detail"]
        binding = _bind(process, certificate)
        response, session = await browser.post("/session/certificate")
        assert (response.status, session["name"]) == (200, "admin")
        assert "HttpOnly" in response.headers["Set-Cookie"]
        _, sessions = await browser.get("/profile/sessions")
        assert sessions["items"][0]["methods"] == ["client_certificate"]
        listed = process.api.get("/sign-in-certificates")["items"]
        assert listed[0]["sha256"] == fingerprint(certificate)
        process.api.call("DELETE", f"/sign-in-certificates/{binding}")
        response, problem = await browser.post("/session/certificate")
        assert "revoked" in problem["detail"]
    with pytest.raises(ApiProblem, match="client_certificate_taken"):
        _bind(process, certificate)


async def test_the_first_address_does_not_ask(process, authority, asking):
    certificate, key = authority.issue("not asked")
    _bind(process, certificate)
    async with asking(certificate, key, at=process.url) as browser:
        response, problem = await browser.post("/session/certificate")
        assert (response.status, problem["code"]) == (401, "no_client_certificate")
    async with asking() as browser:
        response, problem = await browser.post("/session/certificate")
        assert (response.status, problem["code"]) == (401, "no_client_certificate")


async def test_a_session_is_strengthened_by_a_certificate_under_a_new_token(process, authority, asking):
    certificate, key = authority.issue("step up")
    _bind(process, certificate)
    admin = process.credentials["admin"]
    async with asking(certificate, key) as browser:
        response, session = await browser.sign_in(admin["username"], admin["password"])
        before = response.cookies["__Host-certwright_session"].value
        response, session = await browser.post("/session/step-up/certificate")
        assert response.status == 200, session
        after = response.cookies["__Host-certwright_session"].value
        assert before != after
        _, sessions = await browser.get("/profile/sessions")
        assert ["client_certificate", "password"] in [item["methods"] for item in sessions["items"]]
        old = {"Cookie": f"__Host-certwright_session={before}"}
        async with asking() as other:
            assert (await other.get("/session", headers=old))[0].status == 401


@pytest.mark.parametrize(
    "make",
    [
        lambda authority: authority.issue("old", until=datetime.now(UTC) - timedelta(days=1)),
        lambda authority: authority.issue("new", since=datetime.now(UTC) + timedelta(days=1)),
        lambda authority: authority.issue("server", usage=ExtendedKeyUsageOID.SERVER_AUTH),
        lambda authority: Authority().issue("of the same CA name"),
    ],
    ids=["expired", "not yet valid", "for servers", "of another CA"],
)
async def test_tls_refuses_what_is_not_good(process, authority, asking, make):
    certificate, key = make(authority)
    with pytest.raises((aiohttp.ClientError, ssl.SSLError)):
        async with asking(certificate, key) as browser:
            await browser.post("/session/certificate")


async def test_a_revoked_certificate_is_refused_as_soon_as_the_list_says_so(process, authority, asking):
    certificate, key = authority.issue("to be revoked")
    _bind(process, certificate)
    path = process.folder / "clients.crl"
    async with asking(certificate, key) as browser:
        assert (await browser.post("/session/certificate"))[0].status == 200
        path.write_bytes(authority.crl(certificate).public_bytes(Encoding.PEM))
        response, problem = await browser.post("/session/certificate")
        assert (response.status, problem["code"]) == (401, "client_certificate_refused")
        assert "is revoked" in problem["detail"]
        # A list that is out of date, or gone, could hide a revocation.
        past = datetime.now(UTC) - timedelta(days=1)
        path.write_bytes(authority.crl(until=past).public_bytes(Encoding.PEM))
        assert "out of date" in (await browser.post("/session/certificate"))[1]["detail"]
        path.write_bytes(b"")
        path.unlink()
        assert "can't be read" in (await browser.post("/session/certificate"))[1]["detail"]
        path.write_bytes(authority.crl().public_bytes(Encoding.PEM))
        assert (await browser.post("/session/certificate"))[0].status == 200


async def test_a_locked_out_mrao_is_recovered_from_the_command_line(process):
    shown = json.loads(run(process.command("hub", "recover-admin", "--json", "--reset-factors")))
    assert shown["username"] == process.credentials["admin"]["username"]
    context = ssl.create_default_context(cafile=str(process.data_dir / "ca.pem"))
    jar = aiohttp.CookieJar(unsafe=True)
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(process.url, connector=connector, cookie_jar=jar) as session:
        browser = Browser(session)
        _, step = await browser.sign_in(shown["username"], shown["password"])
        assert step["step"] == "new_password"
        assert await browser.who() is None
        response, found = await browser.post("/session/new-password", {"new_password": "an entirely new one"})
        assert (response.status, found["name"]) == (200, "admin")
    process.credentials["admin"]["password"] = "an entirely new one"
    entries = process.api.get("/audit", filter="action:eq:AdministratorRecovered")["items"]
    assert entries[0]["actor_name"] == "command line of the host"
    failed = attempt(process.command("hub", "recover-admin", "--username", "nobody"))
    assert failed.returncode == 1
    assert "there is no MRAO of this user name" in failed.stderr


@pytest.fixture
async def behind_proxy(tmp_path, authority):
    networks = (ipaddress.ip_network("127.0.0.1/32"),)
    trust = ClientTrust((authority.certificate,))
    async with serving(tmp_path, trusted_proxies=networks, client_trust=trust) as hub, hub.browser() as found:
        yield found


def _header(certificate):
    der = certificate.public_bytes(Encoding.DER)
    return {"Client-Cert": f":{base64.b64encode(der).decode()}:"}


async def _master(browser):
    assert (await browser.sign_in())[0].status == 200


async def test_a_trusted_proxy_forwards_the_certificate(behind_proxy, authority):
    await _master(behind_proxy)
    certificate, _ = authority.issue("CN through a proxy")
    body = {"administrator_id": 1, "certificate_pem": _pem(certificate)}
    assert (await behind_proxy.post("/sign-in-certificates", body))[0].status == 201
    response, session = await behind_proxy.post("/session/certificate", headers=_header(certificate))
    assert (response.status, session["name"]) == (200, "Alice")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda a: a.issue("x", until=datetime.now(UTC) - timedelta(days=1)), "expired"),
        (lambda a: a.issue("x", since=datetime.now(UTC) + timedelta(days=1)), "not valid yet"),
        (lambda a: a.issue("x", usage=ExtendedKeyUsageOID.SERVER_AUTH), "not issued for this"),
        (lambda a: Authority().issue("x"), "not issued for this"),
        (lambda a: a.issue("x"), "bound to no administrator"),
    ],
)
async def test_what_a_proxy_forwards_is_checked_here(behind_proxy, authority, make, said):
    certificate, _ = make(authority)
    response, problem = await behind_proxy.post("/session/certificate", headers=_header(certificate))
    assert (response.status, problem["code"]) == (401, "client_certificate_refused")
    assert said in problem["detail"]


@pytest.mark.parametrize("value", ["", "::", "AAAA", ":not base64:", ":AAAA:", ":AAAA", ":QQ==:, :QQ==:"])
async def test_headers_that_make_no_sense_are_no_certificate(behind_proxy, value):
    response, problem = await behind_proxy.post("/session/certificate", headers={"Client-Cert": value})
    assert response.status == 401
    assert problem["code"] in {"no_client_certificate", "client_certificate_refused"}


async def test_from_anybody_else_the_header_means_nothing(tmp_path, authority):
    trust = ClientTrust((authority.certificate,))
    async with serving(tmp_path, client_trust=trust) as hub, hub.browser() as browser:
        await _master(browser)
        certificate, _ = authority.issue("spoofed")
        body = {"administrator_id": 1, "certificate_pem": _pem(certificate)}
        await browser.post("/sign-in-certificates", body)
        response, problem = await browser.post("/session/certificate", headers=_header(certificate))
        assert (response.status, problem["code"]) == (401, "no_client_certificate")


async def test_a_rule_of_issuer_and_subject_outlives_a_renewal(behind_proxy, authority):
    await _master(behind_proxy)
    first, _ = authority.issue("Alice")
    body = {"administrator_id": 1, "issuer": "CN=Test CA", "subject": "CN=Alice"}
    assert (await behind_proxy.post("/sign-in-certificates", body))[0].status == 201
    second, _ = authority.issue("Alice")
    for certificate in (first, second):
        response, _ = await behind_proxy.post("/session/certificate", headers=_header(certificate))
        assert response.status == 200
    other, _ = authority.issue("Mallory")
    response, _ = await behind_proxy.post("/session/certificate", headers=_header(other))
    assert response.status == 401
    for bad in ({"issuer": "CN=Test CA"}, {"issuer": "x", "subject": "y"}, {"certificate_pem": "x"}):
        response, problem = await behind_proxy.post("/sign-in-certificates", {"administrator_id": 1, **bad})
        assert (response.status, problem["code"]) == (400, "malformed")
