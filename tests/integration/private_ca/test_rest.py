"""Private CAs over the API: the wizard's request, downloads, the log, and trust bundles that others read."""

import contextlib
import subprocess

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509

from hub.access.policy import PolicyAuthorizer
from hub.http.principal import SYSTEM
from hub.http.shell import ShellOptions, build_application
from hub.issuers.hierarchies.rollover import RolloverChoice
from hub.issuers.hierarchies.routes import PrivateCaRoutes
from hub.issuers.hierarchies.trust import TrustRoutes
from hub.profiles.service import ProfileFields, ProfileService
from pki.encodings import read_certificates
from tests.integration.issuers.conftest import Tokens

ROOT = {
    "name": "Root",
    "template": "ec-p384-root",
    "subject": {"organization": "Example Ltd", "country": "DE"},
}


@pytest.fixture
async def call(hub):
    async with contextlib.AsyncExitStack() as stack:
        application = build_application(
            [PrivateCaRoutes(hub.cas), TrustRoutes(hub.db, ProfileService(hub.db))],
            authenticator=Tokens(),
            authorizer=PolicyAuthorizer(),
            options=ShellOptions(over_tls=False),
        )
        runner = web.AppRunner(application, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        client = await stack.enter_async_context(aiohttp.ClientSession(f"http://{host}:{port}"))

        async def ask(method, path, *, token="mrao", status=200, raw=False, **body):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with client.request(method, path, json=body or None, headers=headers) as answer:
                assert answer.status == status, await answer.text()
                return await answer.read() if raw or status == 204 else await answer.json(content_type=None)

        yield ask


async def test_the_wizard_makes_a_hierarchy(call):
    options = await call("GET", "/api/v1/private-cas/options")
    assert options["hsm"] is None
    names = {item["name"]: item for item in options["templates"]}
    assert names["rsa-4096-root"]["years"] == 20
    assert names["rsa-2048-root"]["ends_at"].startswith("2030-12-31")
    assert names["ml-dsa-65-issuing"]["hashes"] == []
    assert {item["certificate_type"] for item in options["leaf_templates"]} == {
        "ssl",
        "client",
        "code_signing",
        "device",
    }
    root = await call("POST", "/api/v1/private-cas", status=201, **ROOT, trial=True)
    issuing = await call(
        "POST",
        "/api/v1/private-cas",
        status=201,
        name="Servers",
        parent_id=root["id"],
        template="ed25519-issuing",
        subject={"organization": "Example Ltd"},
        permitted_dns=["example.com"],
    )
    assert (issuing["state"], issuing["in_trial"], issuing["key_type"]) == ("signed", True, "Ed25519")
    detail = await call("GET", f"/api/v1/private-cas/{issuing['id']}")
    assert detail["permitted_names"] == ["example.com"]
    assert detail["crl_number"] > 0
    cer = await call("GET", f"/api/v1/private-cas/{root['id']}/certificate", raw=True)
    assert x509.load_der_x509_certificate(cer).subject.rfc4514_string().endswith("C=DE")
    log = await call("GET", "/api/v1/private-cas/ceremonies")
    assert [item["action"] for item in log["items"]] == ["PrivateCaCreated", "PrivateCaCreated"]
    assert log["items"][0]["actor"] == "mrao"
    listed = await call("GET", "/api/v1/private-cas", token="drao-1")
    assert [item["name"] for item in listed["items"]] == ["Servers", "Root"]


async def test_refusals_name_their_field_and_others_may_not(call):
    await call("POST", "/api/v1/private-cas", token="rao-1", status=403, **ROOT)
    refused = await call("POST", "/api/v1/private-cas", status=400, **{**ROOT, "template": "md5-root"})
    assert refused["errors"][0]["field"] == "template"
    await call("GET", "/api/v1/private-cas/99", status=404)
    await call("POST", "/api/v1/private-cas", status=409, **ROOT, key_store="hsm")


async def test_a_signing_request_is_exported_and_withdrawn(call):
    waiting = await call(
        "POST",
        "/api/v1/private-cas",
        status=201,
        **{**ROOT, "template": "ec-p384-issuing", "external": True},
    )
    assert waiting["state"] == "awaiting_signature"
    path = f"/api/v1/private-cas/requests/{waiting['id']}"
    csr = x509.load_pem_x509_csr(await call("GET", f"{path}/csr", raw=True))
    assert csr.is_signature_valid
    await call("POST", f"{path}/certificate", status=400, certificate="nothing")
    await call("DELETE", path, status=204)
    await call("GET", f"{path}/csr", status=404)


async def test_trust_bundles_hold_the_roots_of_an_organization(call, hub, tmp_path):
    root = await hub.ca(await hub.create("Root"))
    issuing = await hub.ca(await hub.create("Issuing", parent_id=root.id))
    await hub.create("Nobody's root")
    await call("GET", "/trust/1.pem", token=None, status=404)
    async with hub.db.write() as uow:
        profile = ProfileFields(name="Servers", backend_id=issuing.backend_id)
        await ProfileService(hub.db).create(uow, profile, principal=SYSTEM)
    new_id, _ = await hub.rollover.roll_over(root.id, RolloverChoice(), principal=SYSTEM)
    expected = (root.certificate, (await hub.ca(new_id)).certificate)
    assert read_certificates(await call("GET", "/trust/1.pem", token=None, raw=True)) == expected
    for ending in ("p12", "jks"):
        file = tmp_path / f"roots.{ending}"
        file.write_bytes(await call("GET", f"/trust/1.{ending}", token=None, raw=True))
        command = ["keytool", "-list", "-rfc", "-keystore", str(file), "-storepass", "changeit"]
        shown = subprocess.run(command, capture_output=True, check=True).stdout
        assert set(read_certificates(shown)) == set(expected)
