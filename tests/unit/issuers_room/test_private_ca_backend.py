"""Ordering from the built-in CA: what it issues, what it refuses and why, and what a crash can't change."""

import base64
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID
from sqlalchemy import update

from hub.issuers.contract import CanRevoke, Intent
from hub.issuers.errors import AuthorityKeyUnavailable, BackendDisabled, OrderImpossible
from hub.issuers.models import CaBackendRow
from hub.issuers.private_ca.backend import PrivateCaSettings
from hub.issuers.private_ca.errors import ForeignTbs
from pki.at_rest import KeyEncryptionKey, new_key
from pki.certificates import parse_certificate
from pki.chains import chain_problems
from pki.csrs import build_csr
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields


async def test_an_order_becomes_a_certificate_with_its_chain(make_ca, issue, clock):
    issued = await issue(await make_ca(), ip_addresses=("192.0.2.7",))
    facts = parse_certificate(issued.chain[0])
    assert len(issued.chain) == 3
    assert chain_problems(issued.chain, clock(), host="www.example.com") == ()
    assert facts.dns_names == ("www.example.com", "example.com")
    assert facts.ip_addresses == ("192.0.2.7",)
    assert facts.subject == "CN=www.example.com,O=Example Ltd,C=DE"
    assert facts.key_usage == ("digitalSignature",)
    assert facts.extended_key_usage == ("serverAuth",)
    assert issued.order_number == facts.serial
    # Begun five minutes ago for slow clocks; both ends count.
    assert facts.not_before == clock().replace(microsecond=0) - timedelta(minutes=5)
    assert facts.not_after - facts.not_before == timedelta(days=90) - timedelta(seconds=1)


async def test_a_leaf_says_where_its_status_is(make_ca, issue, db, issuers):
    backend_id = await make_ca()
    leaf, issuing, _ = (x509.load_der_x509_certificate(der) for der in (await issue(backend_id)).chain)
    async with db.read() as session:
        slugs = {item.role: item.slug for item in await issuers.authorities(session, backend_id)}
    for certificate, issuer in ((leaf, "issuing"), (issuing, "root")):
        points = certificate.extensions.get_extension_for_oid(ExtensionOID.CRL_DISTRIBUTION_POINTS).value
        access = certificate.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_INFORMATION_ACCESS).value
        assert [name.value for point in points for name in point.full_name] == [
            f"http://hub.example.com:8080/crl/{slugs[issuer]}.crl"
        ]
        slug = slugs[issuer]
        expected = [(AuthorityInformationAccessOID.CA_ISSUERS, f"http://hub.example.com:8080/aia/{slug}.cer")]
        if issuer == "issuing":
            responder = (AuthorityInformationAccessOID.OCSP, f"http://hub.example.com:8080/ocsp/{slug}")
            expected.insert(0, responder)
        assert [(item.access_method, item.access_location.value) for item in access] == expected


async def test_a_backend_without_ocsp_names_no_responder(make_ca, issue, db, clock):
    backend_id = await make_ca()
    async with db.write() as uow:
        settings = PrivateCaSettings(ocsp=False).model_dump()
        await uow.session.execute(update(CaBackendRow).values(settings=settings))
    leaf = x509.load_der_x509_certificate((await issue(backend_id)).chain[0])
    access = leaf.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_INFORMATION_ACCESS).value
    assert [item.access_method for item in access] == [AuthorityInformationAccessOID.CA_ISSUERS]


async def test_serial_numbers_have_128_random_bits(make_ca, open_backend, order):
    backend = await open_backend(await make_ca())
    serials = [int((await backend.prepare(order())).serial_hex, 16) for _ in range(300)]
    assert len(set(serials)) == 300
    # Over 300 draws each of the 128 bits is set in some and clear in others.
    every, some = (1 << 128) - 1, 0
    for serial in serials:
        every &= serial
        some |= serial
    assert (every, some) == (0, (1 << 128) - 1)


@pytest.mark.parametrize("key_type", ["EC-P256", "EC-P384", "RSA-2048"])
async def test_a_crash_between_the_steps_changes_nothing(make_ca, open_backend, order, start, key_type):
    backend_id = await make_ca(key_type=key_type)
    backend = await open_backend(backend_id)
    wanted = order()
    intent = await backend.prepare(wanted)
    # What is recorded survives; everything in memory is gone.
    recorded = Intent(serial_hex=intent.serial_hex, document=dict(intent.document))
    del backend, intent
    again = await open_backend(backend_id, start())
    first, second = await again.submit(wanted, recorded), await again.submit(wanted, recorded)
    assert first == second
    certificate = x509.load_der_x509_certificate(first.chain[0])
    assert certificate.tbs_certificate_bytes == base64.b64decode(recorded.document["tbs"])
    assert f"{certificate.serial_number:x}" == recorded.serial_hex


async def test_after_a_new_issuing_ca_an_old_intent_is_signed_by_the_old_one(
    make_ca, open_backend, order, db
):
    from sqlalchemy import update

    from hub.issuers.models import CaAuthority

    old, new = await make_ca("Old"), await make_ca("New")
    wanted = order()
    intent = await (await open_backend(old)).prepare(wanted)
    async with db.write() as uow:
        await uow.session.execute(update(CaAuthority).values(backend_id=old))
    issued = await (await open_backend(new)).submit(wanted, intent)
    assert parse_certificate(issued.chain[0]).issuer == "CN=Old Issuing CA"


async def test_an_intent_of_another_ca_is_not_signed(make_ca, open_backend, order):
    one, two = await open_backend(await make_ca("One")), await open_backend(await make_ca("Two"))
    wanted = order()
    mine, foreign = await one.prepare(wanted), await two.prepare(wanted)
    forged = Intent(serial_hex=mine.serial_hex, document=mine.document | {"tbs": foreign.document["tbs"]})
    with pytest.raises(ForeignTbs):
        await one.submit(wanted, forged)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"term_days": 3650}, "LeafOutlivesIssuingCa"),
        ({"certificate_type": "smime"}, "CertificateTypeNotOffered"),
        ({"dns_names": ()}, "NamesMissing"),
        ({"subject": {"country": "Germany"}}, "SubjectInvalid"),
        ({"subject": {"title": "Dr"}}, "SubjectInvalid"),
        ({"csr": b"\x30\x03\x02\x01\x00"}, "CsrUnusable"),
        ({"csr": b""}, "CsrUnusable"),
        ({"extended_key_usage": ("server",)}, "TemplateInvalid"),
        ({"key_usage": ("keyCertSign",)}, "TemplateInvalid"),
    ],
)
async def test_what_can_not_be_issued_is_refused_with_the_reason(
    make_ca, open_backend, order, fields, reason
):
    backend = await open_backend(await make_ca())
    with pytest.raises(OrderImpossible) as caught:
        await backend.prepare(order(**fields))
    assert caught.value.reason == reason
    assert caught.value.message.startswith(f"{reason}: ")


async def test_the_last_term_that_fits_the_issuing_ca_is_issued(make_ca, issue):
    backend_id = await make_ca(issuing_days=30)
    await issue(backend_id, term_days=29)
    with pytest.raises(OrderImpossible) as caught:
        await issue(backend_id, term_days=31)
    assert "has 29 days left" in caught.value.message


async def test_an_ended_issuing_ca_issues_nothing_and_its_test_says_so(make_ca, open_backend, order, clock):
    backend = await open_backend(await make_ca(issuing_days=30))
    await backend.test()
    clock.forward(days=30)
    for attempt in (lambda: backend.prepare(order(term_days=1)), backend.test):
        with pytest.raises(OrderImpossible) as caught:
            await attempt()
        assert caught.value.reason == "IssuingCaNotValid"


async def test_a_name_too_long_for_a_common_name_stands_in_the_alternative_names(make_ca, issue):
    name = "a" * 60 + ".example.com"
    issued = await issue(await make_ca(), subject={"common_name": name}, dns_names=(name,))
    facts = parse_certificate(issued.chain[0])
    assert (facts.subject, facts.dns_names) == ("", (name,))


async def test_an_rsa_key_may_also_encipher(make_ca, issue):
    csr = build_csr(generate_key(KeyType.RSA_2048), SubjectFields(common_name="www.example.com"))
    issued = await issue(await make_ca(), csr=csr)
    assert parse_certificate(issued.chain[0]).key_usage == ("digitalSignature", "keyEncipherment")


async def test_keys_are_useless_without_the_hubs_key(make_ca, open_backend, order, start, db):
    backend_id = await make_ca()
    backend = await open_backend(backend_id, start(kek=KeyEncryptionKey(new_key())))
    with pytest.raises(AuthorityKeyUnavailable):
        await backend.prepare(order())
    with pytest.raises(AuthorityKeyUnavailable):
        await backend.test()


async def test_a_disabled_backend_is_not_opened(make_ca, open_backend, db, clock):
    from sqlalchemy import update

    from hub.issuers.models import CaBackendRow

    backend_id = await make_ca()
    await open_backend(backend_id)
    async with db.write() as uow:
        await uow.session.execute(update(CaBackendRow).values(status="disabled"))
    clock.forward(seconds=5)
    with pytest.raises(BackendDisabled):
        await open_backend(backend_id)


async def test_the_backend_says_that_it_revokes(make_ca, open_backend):
    assert isinstance(await open_backend(await make_ca()), CanRevoke)


@pytest.mark.parametrize("key_type", ["EC-P256", "RSA-2048"])
async def test_the_linter_finds_no_errors(make_ca, issue, tmp_path, key_type):
    issued = await issue(
        await make_ca(key_type=key_type, organization="Example Ltd", country="DE"),
        ip_addresses=("192.0.2.7", "2001:db8::7"),
    )
    linter = Path(sys.executable).parent / "lint_pkix_cert"
    for number, der in enumerate(issued.chain):
        file = tmp_path / f"{number}.der"
        file.write_bytes(der)
        result = subprocess.run(
            [linter, "lint", "-s", "ERROR", "--document-format", "DER", file],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (result.returncode, result.stdout.strip(), result.stderr) == (0, "", "")


async def test_a_new_address_for_status_is_in_the_next_certificates(make_ca, issue, db, clock):
    backend_id = await make_ca()
    await issue(backend_id)
    settings = PrivateCaSettings(status_url="http://pki.example.com").model_dump()
    async with db.write() as uow:
        await uow.session.execute(update(CaBackendRow).values(settings=settings))
    clock.forward(seconds=5)
    leaf = x509.load_der_x509_certificate((await issue(backend_id)).chain[0])
    points = leaf.extensions.get_extension_for_oid(ExtensionOID.CRL_DISTRIBUTION_POINTS).value
    assert next(iter(points)).full_name[0].value.startswith("http://pki.example.com/crl/")
