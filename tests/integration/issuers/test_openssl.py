"""OpenSSL believes what the hub serves: chains, CRLs before and after a revocation."""

import asyncio
import urllib.parse
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from hub.issuers.contract import CertificateOrder
from pki.csrs import build_csr
from pki.encodings import certificates_pem
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields


async def openssl(*arguments):
    process = await asyncio.create_subprocess_exec(
        "openssl", *map(str, arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def issue(hub, backend_id):
    csr = build_csr(generate_key(KeyType.EC_P256), SubjectFields(common_name="www.example.com"))
    async with hub.db.read() as session:
        backend = await hub.issuers.backend(session, backend_id)
    order = CertificateOrder(
        order_id="1",
        certificate_type="ssl",
        csr=csr,
        subject={"common_name": "www.example.com"},
        dns_names=("www.example.com",),
        term_days=90,
        not_before=datetime.now(UTC),
    )
    intent = await backend.prepare(order)
    async with hub.db.write() as uow:
        await hub.issuers.record_intent(uow, intent)
    return await backend.submit(order, intent)


def crl_path(der):
    points = x509.load_der_x509_certificate(der).extensions.get_extension_for_oid(
        ExtensionOID.CRL_DISTRIBUTION_POINTS
    )
    (point,) = points.value
    return urllib.parse.urlparse(point.full_name[0].value).path


@pytest.mark.parametrize("key_type", ["EC-P256", "RSA-2048"])
async def test_a_certificate_is_good_until_it_is_revoked(hub, tmp_path, key_type):
    made = await hub.call("POST", "/ca-backends/private", name="Example", key_type=key_type, expect=201)
    issued = await issue(hub, made["id"])
    leaf, issuing, root = issued.chain
    for name, ders in (("leaf", [leaf]), ("issuing", [issuing]), ("root", [root])):
        (tmp_path / name).write_bytes(certificates_pem(ders))

    async def verify():
        lists = b""
        for certificate in (leaf, issuing):
            status, headers, body = await hub.fetch(crl_path(certificate))
            assert (status, headers["Content-Type"]) == (200, "application/pkix-crl")
            lists += x509.load_der_x509_crl(body).public_bytes(Encoding.PEM)
        (tmp_path / "crls").write_bytes(lists)
        return await openssl(
            "verify", "-x509_strict", "-crl_check_all", "-CAfile", tmp_path / "root", "-untrusted",
            tmp_path / "issuing", "-CRLfile", tmp_path / "crls", "-verify_hostname", "www.example.com",
            tmp_path / "leaf",
        )  # fmt: skip

    code, output = await verify()
    assert code == 0, output
    async with hub.db.write() as uow:
        await hub.issuers.certificate_revoked(
            uow, backend_id=made["id"], serial_hex=issued.order_number, reason="keyCompromise", at=uow.now
        )
    code, output = await verify()
    assert code != 0
    assert "certificate revoked" in output


async def test_openssl_reads_the_served_list_and_certificate(hub, tmp_path):
    made = await hub.call("POST", "/ca-backends/private", name="Example", expect=201)
    issuing, root = made["authorities"]
    for authority in (issuing, root):
        status, headers, body = await hub.fetch(urllib.parse.urlparse(authority["certificate_url"]).path)
        assert (status, headers["Content-Type"]) == (200, "application/pkix-cert")
        (tmp_path / f"{authority['role']}.pem").write_bytes(certificates_pem([body]))
    _, _, body = await hub.fetch(urllib.parse.urlparse(issuing["crl"]["url"]).path)
    (tmp_path / "crl.der").write_bytes(body)
    code, output = await openssl(
        "crl", "-inform", "DER", "-in", tmp_path / "crl.der", "-noout", "-CAfile", tmp_path / "issuing.pem",
        "-crlnumber", "-lastupdate", "-nextupdate",
    )  # fmt: skip
    assert code == 0
    assert "verify OK" in output
    assert f"crlNumber={issuing['crl']['number']:#X}".replace("0X", "0x") in output
