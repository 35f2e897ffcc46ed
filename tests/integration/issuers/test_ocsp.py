"""OpenSSL asks the hub over HTTP, and believes its answers; lists that are several are believed too."""

import asyncio
import base64
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from pki.encodings import certificates_pem
from pki.ocsp import IssuerHashes, encode_cert_id, plain_request
from tests.integration.issuers.test_openssl import crl_path, issue, openssl


@pytest.fixture(params=["EC-P256", "RSA-2048"])
async def made(hub, request):
    return await hub.call("POST", "/ca-backends/private", name="Example", key_type=request.param, expect=201)


def responder_path(der):
    access = x509.load_der_x509_certificate(der).extensions.get_extension_for_oid(
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS
    )
    (url,) = [
        item.access_location.value
        for item in access.value
        if item.access_method == AuthorityInformationAccessOID.OCSP
    ]
    return urllib.parse.urlparse(url).path


async def revoke(hub, backend_id, issued):
    async with hub.db.write() as uow:
        await hub.issuers.certificate_revoked(
            uow, backend_id=backend_id, serial_hex=issued.order_number, reason="superseded", at=uow.now
        )


@pytest.mark.parametrize("nonce", ["-nonce", "-no_nonce"])
async def test_openssl_asks_and_believes(hub, made, tmp_path, nonce):
    issued = await issue(hub, made["id"])
    for name, der in zip(("leaf", "issuing", "root"), issued.chain, strict=True):
        (tmp_path / name).write_bytes(certificates_pem([der]))

    async def ask(*what):
        return await openssl(
            "ocsp", "-issuer", tmp_path / "issuing", *what, "-url",
            f"{hub.url}{responder_path(issued.chain[0])}", "-CAfile", tmp_path / "root", "-verify_other",
            tmp_path / "issuing", nonce,
        )  # fmt: skip

    code, output = await ask("-cert", tmp_path / "leaf")
    assert (code, "Response verify OK" in output, "leaf: good" in output) == (0, True, True), output
    assert "no nonce in response" not in output
    assert "Nonce Verify error" not in output
    code, output = await ask("-serial", "4711", "-cert", tmp_path / "leaf")
    assert ("4711: unknown" in output, "leaf: good" in output) == (True, True), output

    await revoke(hub, made["id"], issued)
    code, output = await ask("-sha256", "-cert", tmp_path / "leaf")
    assert "leaf: revoked" in output
    assert "Reason: superseded" in output
    code, output = await ask("-cert", tmp_path / "leaf")
    assert "leaf: revoked" in output


async def test_the_request_may_be_in_the_address(hub, made):
    issued = await issue(hub, made["id"])
    leaf = x509.load_der_x509_certificate(issued.chain[0])
    issuer = IssuerHashes.of(issued.chain[1])
    text = base64.b64encode(plain_request(encode_cert_id(issuer, leaf.serial_number))).decode()
    path = responder_path(issued.chain[0])
    bodies = set()
    # As RFC 6960 wants it, as many clients do it, and without padding.
    for written in (urllib.parse.quote(text, safe=""), urllib.parse.quote(text), text.rstrip("=")):
        status, headers, body = await hub.fetch(f"{path}/{written}")
        assert (status, headers["Content-Type"]) == (200, "application/ocsp-response")
        assert headers["Cache-Control"] == "max-age=60, public, no-transform, must-revalidate"
        assert {"ETag", "Last-Modified", "Expires"} <= headers.keys()
        bodies.add(body)
    (body,) = bodies
    assert ocsp.load_der_ocsp_response(body).certificate_status is ocsp.OCSPCertStatus.GOOD

    status, headers, body = await hub.fetch(f"{path}/%00")
    found = ocsp.load_der_ocsp_response(body).response_status
    assert (status, found) == (200, ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
    assert headers["Cache-Control"] == "no-store"
    status, _, _ = await hub.fetch(f"/ocsp/nobody/{urllib.parse.quote(text, safe='')}")
    assert status == 404


@pytest.mark.parametrize("shards", [1, 4])
async def test_openssl_finds_a_revocation_on_the_list_that_the_certificate_names(hub, tmp_path, shards):
    made = await hub.call("POST", "/ca-backends/private", name="Example", crl_shards=shards, expect=201)
    all_issued = [await issue(hub, made["id"]) for _ in range(8)]
    revoked = all_issued[::2]
    await asyncio.gather(*(revoke(hub, made["id"], item) for item in revoked))
    lists = {}
    for index, issued in enumerate(all_issued):
        _, issuing, root = issued.chain
        path = crl_path(issued.chain[0])
        _, _, lists[path] = await hub.fetch(path)
        for name, body in (("leaf", issued.chain[0]), ("issuing", issuing), ("root", root)):
            (tmp_path / name).write_bytes(certificates_pem([body]))
        pem = x509.load_der_x509_crl(lists[path]).public_bytes(Encoding.PEM)
        (tmp_path / "crl").write_bytes(pem)
        code, output = await openssl(
            "verify", "-x509_strict", "-crl_check", "-extended_crl", "-CAfile", tmp_path / "root",
            "-untrusted", tmp_path / "issuing", "-CRLfile", tmp_path / "crl", tmp_path / "leaf",
        )  # fmt: skip
        assert ("certificate revoked" in output) is (index % 2 == 0), output
        assert (code == 0) is (index % 2 == 1), output
    issuing = (await hub.call("GET", f"/ca-backends/{made['id']}"))["authorities"][0]
    assert sum(item["entries"] for item in issuing["crls"]) == len(revoked)
    assert len(issuing["crls"]) == shards
    assert len(lists) <= shards


async def test_another_lists_absence_does_not_help(hub, tmp_path):
    """A list of another shard says nothing about a certificate: OpenSSL refuses rather than believes."""
    made = await hub.call("POST", "/ca-backends/private", name="Example", crl_shards=2, expect=201)
    issued = await issue(hub, made["id"])
    for name, body in zip(("leaf", "issuing", "root"), issued.chain, strict=True):
        (tmp_path / name).write_bytes(certificates_pem([body]))
    own = crl_path(issued.chain[0])
    (other,) = {urllib.parse.urlparse(item["url"]).path for item in made["authorities"][0]["crls"]} - {own}
    _, _, body = await hub.fetch(other)
    (tmp_path / "crl").write_bytes(x509.load_der_x509_crl(body).public_bytes(Encoding.PEM))
    code, output = await openssl(
        "verify", "-crl_check", "-extended_crl", "-CAfile", tmp_path / "root", "-untrusted",
        tmp_path / "issuing", "-CRLfile", tmp_path / "crl", tmp_path / "leaf",
    )  # fmt: skip
    assert code != 0
    assert "different CRL scope" in output or "unable to get certificate CRL" in output


async def test_all_lists_can_be_published_now(hub, made):
    before = made["authorities"]
    after = (await hub.call("POST", f"/ca-backends/{made['id']}/crls/publish", expect=200))["authorities"]
    assert [item["crl"]["number"] for item in after] > [item["crl"]["number"] for item in before]
    await hub.call("POST", f"/ca-backends/{made['id']}/crls/publish", token="rao-1", expect=403)
