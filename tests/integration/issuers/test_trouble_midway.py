"""Trouble while a CA is at work: an HSM that goes and comes back, clocks, a database of yesterday."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pkcs11
import pytest
from cryptography import x509
from cryptography.x509 import ocsp
from sqlalchemy import select

from hub.http.principal import SYSTEM
from hub.issuers.models import CaAuthority, CaSerial
from hub.profiles.service import ProfileFields, SanRule
from pki.ocsp import IssuerHashes, encode_cert_id, plain_request
from tests.integration.issuers.bad_input_bench import DER, OfflineRoot, running, signed_request
from tests.integration.private_ca import conftest as private_ca

token = private_ca.token
SUBJECT = {"organization": "Example Ltd"}


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture
async def bench(url):
    async with running(url) as made:
        yield made


@pytest.fixture
async def hsm_bench(url, token):
    async with running(url, token) as made:
        yield made


async def issuing_in_the_hsm(bench):
    """Make a CA whose key is in the HSM, and a profile that issues by it; return the ids of both."""
    root = {"name": "Root", "template": "ec-p256-root", "key_store": "hsm", "subject": SUBJECT}
    parent = await bench.done("POST", "/private-cas", root)
    body = {
        "name": "Issuing",
        "template": "ec-p256-issuing",
        "key_store": "hsm",
        "parent_id": parent["id"],
        "subject": SUBJECT,
    }
    ca = await bench.done("POST", "/private-cas", body)
    fields = ProfileFields(
        name="By the HSM", backend_id=ca["backend_id"], san_rule=SanRule.MULTI, auto_approve=True
    )
    async with bench.world.db.write() as uow:
        profile = await bench.world.profiles.create(uow, fields, principal=SYSTEM)
    return ca["id"], profile.id


async def serials_of(bench, ca_id):
    rows = await bench.world.rows(select(CaSerial.serial_hex).where(CaSerial.authority_id == ca_id))
    return [row.serial_hex for row in rows]


def _gone(token):
    token.pull()


def _locked_out(token):
    # The session is lost, and meanwhile somebody changed the PIN.
    token.hsm._forget(pkcs11)
    token.pin = "000000"


def _back(token):
    if (token.folder / "pulled").exists():
        token.put_back()
    token.pin = private_ca.PIN


@pytest.mark.server
@pytest.mark.parametrize(
    ("trouble", "words"),
    [(_gone, "can't be used"), (_locked_out, "refuses the PIN")],
    ids=["gone", "wrong PIN"],
)
async def test_an_order_waits_for_the_hsm_and_is_issued_once(hsm_bench, trouble, words):
    bench = hsm_bench
    ca_id, profile_id = await issuing_in_the_hsm(bench)
    before = await serials_of(bench, ca_id)
    await bench.done("POST", "/certificates", bench.order(signed_request(), profile_id=profile_id))
    trouble(bench.token)
    made = await bench.done("POST", "/certificates", bench.order(signed_request(), profile_id=profile_id))
    path = f"/certificates/{made['id']}"
    assert made["status"] == "Applied"
    for _ in range(5):
        bench.world.clock.forward(minutes=10)
        await bench.world.settle()
    waiting = await bench.done("GET", path)
    assert waiting["status"] == "Applied"
    assert words in waiting["status_message"]
    assert (await bench.ask("GET", f"{path}/download?format=x509CO"))[0] == 409
    recorded = set(await serials_of(bench, ca_id)) - set(before)
    assert len(recorded) == 2
    _back(bench.token)
    bench.world.clock.forward(hours=2)
    await bench.world.settle()
    issued = await bench.done("GET", path)
    assert issued["status"] == "Issued"
    # The serial number that was recorded before the key was asked for, and no other.
    assert issued["serial_number"] == waiting["serial_number"]
    assert issued["serial_number"] in recorded
    assert set(await serials_of(bench, ca_id)) - set(before) == recorded
    assert words not in str(issued["status_message"])


async def crl_number(bench):
    async with bench.world.db.read() as session:
        slug = await session.scalar(select(CaAuthority.slug).where(CaAuthority.role == "issuing"))
        crl = x509.load_der_x509_crl((await bench.world.issuers.crl(session, slug)).der)
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


async def revoke(bench, serial_hex):
    async with bench.world.db.write() as uow:
        await bench.world.issuers.certificate_revoked(
            uow, backend_id=bench.world.backend_id, serial_hex=serial_hex, reason="superseded", at=uow.now
        )


async def test_lists_go_on_rising_while_the_clock_goes_back(bench):
    numbers = [await crl_number(bench)]
    for number, days in enumerate((0, -2, -3, 1), start=1):
        bench.world.clock.forward(days=days)
        await revoke(bench, f"{number:x}")
        numbers.append(await crl_number(bench))
    assert numbers == sorted(set(numbers))


async def test_a_database_of_yesterday_makes_lists_above_all_that_were_out(tmp_path, url):
    async with running(url) as bench:
        await revoke(bench, "1")
        async with bench.world.db.engine.connect() as connection:
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(tmp_path / "hub.db", tmp_path / "backup.db")
        for serial in range(2, 40):
            await revoke(bench, f"{serial:x}")
        out, backend_id = await crl_number(bench), bench.world.backend_id
        clock = bench.world.clock
    for leftover in tmp_path.glob("hub.db*"):
        leftover.unlink()
    shutil.copy(tmp_path / "backup.db", tmp_path / "hub.db")
    clock.forward(minutes=5)
    async with running(url, clock=clock) as bench:
        bench.world.backend_id = backend_id
        await revoke(bench, "aa")
        assert await crl_number(bench) > out


async def test_status_of_a_certificate_of_an_unknown_issuer_is_not_ours_to_tell(bench):
    made = await bench.done("POST", "/certificates", bench.order(signed_request()))
    detail = await bench.done("GET", f"/certificates/{made['id']}")
    serial = int(detail["serial_number"], 16)
    rows = await bench.world.rows(
        select(CaAuthority.slug, CaAuthority.certificate).where(CaAuthority.role == "issuing")
    )
    stranger = OfflineRoot(bench.world.clock().replace(microsecond=0)).certificate.public_bytes(DER)

    async def ask(slug, issuer):
        data = plain_request(encode_cert_id(IssuerHashes.of(issuer), serial))
        async with bench.client.post(f"/ocsp/{slug}", data=data) as answer:
            return answer.status, await answer.read()

    status, body = await ask(rows[0].slug, rows[0].certificate)
    assert ocsp.load_der_ocsp_response(body).certificate_status is ocsp.OCSPCertStatus.GOOD
    before = await bench.contents()
    status, body = await ask(rows[0].slug, stranger)
    refused = ocsp.load_der_ocsp_response(body)
    assert (status, refused.response_status) == (200, ocsp.OCSPResponseStatus.UNAUTHORIZED)
    status, _ = await ask("nobody", stranger)
    assert status == 404
    assert await bench.contents() == before


async def test_a_test_of_the_backend_says_that_a_clock_is_wrong(bench):
    path = f"/ca-backends/{bench.world.backend_id}/test"
    assert (await bench.done("POST", path))["ok"]
    bench.world.clock.forward(days=-2)
    answer = await bench.done("POST", path)
    assert (answer["ok"], answer["code"]) == (False, "order_impossible")
    assert "IssuingCaNotValid" in answer["message"]
    bench.world.clock.now += timedelta(days=2)
    assert (await bench.done("POST", path))["ok"]
