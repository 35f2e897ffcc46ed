"""Renewal, revocation, download, expiry, and who may do and see what."""

import pytest
from cryptography import x509
from sqlalchemy import select

from hub.issuers.contract import Issued, Pending, Refused
from hub.issuers.private_ca.backend import PrivateCaBackend
from hub.lifecycle.errors import (
    CertificateNotFound,
    CertificateNotIssued,
    NotRenewable,
    RequestRefused,
    TransitionNotAllowed,
)
from hub.lifecycle.models import Certificate
from hub.lifecycle.renewal import Renewal
from hub.lifecycle.requests import Installation, Method, TargetNode
from hub.lifecycle.service import Find
from pki.certificates import parse_certificate
from tests.simulators.hub_world import ADMIN, csr, rao


async def issue(world, **changes):
    return (await world.lifecycle.request(ADMIN, world.request(**changes))).id


async def test_renewal_with_the_same_key_pair_uses_the_csr_again(world):
    old = await issue(world)
    enrolled = await world.lifecycle.renew(ADMIN, old, Renewal(new_key_pair=False))
    before, after = await world.certificate(old), await world.certificate(enrolled.id)
    assert after.status == "Issued"
    assert after.spki_sha256 == before.spki_sha256
    assert after.serial_hex != before.serial_hex
    assert (after.renews_id, before.renewed_by_id, before.renewal_state) == (old, after.id, "Successful")


async def test_renewal_with_a_new_key_pair_wants_a_new_csr(world):
    old = await issue(world)
    with pytest.raises(RequestRefused) as refused:
        await world.lifecycle.renew(ADMIN, old, Renewal(new_key_pair=True))
    assert [finding.reason for finding in refused.value.findings] == ["CsrMissing"]
    enrolled = await world.lifecycle.renew(ADMIN, old, Renewal(csr=csr()))
    assert (await world.certificate(enrolled.id)).status == "Issued"


@pytest.mark.parametrize("new_key_pair", [True, False])
async def test_renewal_at_the_same_agent_and_nodes(world, new_key_pair):
    network = await world.fleet.enroll("network", organization_id=world.organization_id)
    world.fleet.add_node(network)
    old = await issue(
        world,
        method=Method.AUTO_INSTALL,
        targets=(TargetNode(agent_id=network, server="web", node_id="a:443"),),
        installation=Installation.IMMEDIATE,
    )
    await world.settle()
    enrolled = await world.lifecycle.renew(ADMIN, old, Renewal(new_key_pair=new_key_pair))
    await world.settle()
    before, after = await world.certificate(old), await world.certificate(enrolled.id)
    assert (after.status, after.install_state) == ("Issued", "Successful")
    assert (after.spki_sha256 == before.spki_sha256) is not new_key_pair
    assert (after.key_id == before.key_id) is not new_key_pair
    assert world.fleet_state.served[(network, "web", "a:443")].hex() == after.fingerprint_sha256


async def found(world, der):
    async with world.db.write() as uow:
        facts = parse_certificate(der)
        recorded = await world.lifecycle.record_found(
            uow,
            Find(
                chains={facts.sha256: [facts.sha256]},
                bodies={facts.sha256: der},
                organization_id=world.organization_id,
            ),
        )
    return recorded.ids[facts.sha256]


async def test_renewing_a_found_certificate_makes_it_managed(world):
    der = await elsewhere(world)
    external = await found(world, der)
    assert (await world.certificate(external)).status == "External"
    with pytest.raises(RequestRefused) as refused:
        await world.lifecycle.renew(ADMIN, external, Renewal(csr=csr()))
    assert {finding.field for finding in refused.value.findings} == {"profile_id", "term_days"}
    with pytest.raises(NotRenewable):
        await world.lifecycle.renew(
            ADMIN,
            external,
            Renewal(new_key_pair=False, profile_id=world.profile_id, term_days=90),
        )
    enrolled = await world.lifecycle.renew(
        ADMIN, external, Renewal(csr=csr(), profile_id=world.profile_id, term_days=90)
    )
    assert (await world.certificate(enrolled.id)).status == "Issued"
    old = await world.certificate(external)
    assert (old.status, old.renewed_by_id) == ("Replaced", enrolled.id)


async def elsewhere(world):
    """A certificate for www.example.com from a CA that the hub knows nothing of."""
    from datetime import timedelta

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.example.com")])
    names = x509.SubjectAlternativeName([x509.DNSName("www.example.com")])
    now = world.clock()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=10))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


async def test_a_revoked_certificate_is_in_the_crl_of_the_same_transaction(world):
    certificate_id = await issue(world)
    await world.lifecycle.revoke(ADMIN, certificate_id, reason="keyCompromise", comments="laptop stolen")
    row = await world.certificate(certificate_id)
    assert (row.status, row.revocation_reason) == ("Revoked", "keyCompromise")
    async with world.db.read() as session:
        authorities = await world.issuers.authorities(session, world.backend_id)
        crl = x509.load_der_x509_crl((await world.issuers.crl(session, authorities[0].slug)).der)
    entry = crl.get_revoked_certificate_by_serial_number(int(row.serial_hex, 16))
    assert entry.extensions[0].value.reason is x509.ReasonFlags.key_compromise
    await world.settle()
    with pytest.raises(TransitionNotAllowed):
        await world.lifecycle.revoke(ADMIN, certificate_id, reason="superseded")
    with pytest.raises(NotRenewable, match="known to others"):
        await world.lifecycle.renew(ADMIN, certificate_id, Renewal(new_key_pair=False))


async def test_a_reason_that_is_none_of_the_rfcs_is_refused(world):
    certificate_id = await issue(world)
    with pytest.raises(RequestRefused):
        await world.lifecycle.revoke(ADMIN, certificate_id, reason="boredom")
    assert (await world.certificate(certificate_id)).status == "Issued"


async def test_a_download_marks_an_issued_certificate(world):
    certificate_id = await issue(
        world, common_name="*.example.com", names=(), profile_id=await wildcard(world)
    )
    file = await world.lifecycle.download(ADMIN, certificate_id, "pemia")
    assert file.filename == "star.example.com.pem"
    assert file.body.count(b"BEGIN CERTIFICATE") == 2
    assert (await world.certificate(certificate_id)).status == "Downloaded"
    assert await world.lifecycle.download(ADMIN, certificate_id, "pemia") == file


async def wildcard(world):
    from hub.profiles.service import SanRule

    async with world.db.write() as uow:
        return await world._profile(uow, "Wildcards", san_rule=SanRule.WILDCARD, auto_approve=True)


async def test_there_is_nothing_to_download_or_install_before_the_issue(world):
    certificate_id = await issue(world, profile_id=world.manual_profile_id)
    with pytest.raises(CertificateNotIssued):
        await world.lifecycle.download(ADMIN, certificate_id, "pemia")
    with pytest.raises(CertificateNotIssued):
        await world.lifecycle.install(ADMIN, certificate_id)


async def test_certificates_expire_when_their_time_is_over(world):
    certificate_id = await issue(world)
    world.clock.forward(days=89)
    assert await world.lifecycle.expire() == 0
    world.clock.forward(days=2)
    assert await world.lifecycle.expire() == 1
    assert (await world.certificate(certificate_id)).status == "Expired"
    assert ("CertificateExpired", str(certificate_id)) in await world.events()


async def test_a_ca_that_decides_later_is_asked_again(world, monkeypatch):
    submit = PrivateCaBackend.submit
    answers = [Pending(order_number="A-1", retry_after_s=60)] * 2

    async def pending(self, order, intent):
        return answers.pop() if answers else await submit(self, order, intent)

    monkeypatch.setattr(PrivateCaBackend, "submit", pending)
    certificate_id = await issue(world)
    row = await world.certificate(certificate_id)
    assert (row.status, row.order_number, row.status_reason) == ("Applied", "A-1", "CaPending")
    for _ in range(2):
        assert await world.run() == 0
        world.clock.forward(seconds=61)
        assert await world.run() == 1
    row = await world.certificate(certificate_id)
    assert (row.status, row.status_reason) == ("Issued", "")


@pytest.mark.parametrize(("invalid", "status"), [(False, "Rejected"), (True, "Invalid")])
async def test_a_ca_that_says_no_says_why(world, monkeypatch, invalid, status):
    async def refuse(self, order, intent):
        return Refused(reason="CaaForbids", message="the domain's CAA record names others", invalid=invalid)

    monkeypatch.setattr(PrivateCaBackend, "submit", refuse)
    certificate_id = await issue(world)
    row = await world.certificate(certificate_id)
    assert (row.status, row.status_reason) == (status, "CaaForbids")
    assert row.status_message == "the domain's CAA record names others"


async def test_a_ca_that_certifies_another_key_is_not_believed(world, monkeypatch):
    other = await elsewhere(world)

    async def wrong(self, order, intent):
        return Issued(chain=(other,))

    monkeypatch.setattr(PrivateCaBackend, "submit", wrong)
    row = await world.certificate(await issue(world))
    assert (row.status, row.status_reason) == ("Invalid", "CaAnsweredWrongCertificate")


async def test_others_certificates_do_not_exist_for_an_organizations_administrator(world):
    certificate_id = await issue(world, profile_id=world.manual_profile_id)
    stranger = rao(world.other_organization_id)
    for act in (
        lambda: world.lifecycle.approve(stranger, certificate_id),
        lambda: world.lifecycle.decline(stranger, certificate_id),
        lambda: world.lifecycle.revoke(stranger, certificate_id, reason="superseded"),
        lambda: world.lifecycle.renew(stranger, certificate_id, Renewal()),
        lambda: world.lifecycle.install(stranger, certificate_id),
        lambda: world.lifecycle.download(stranger, certificate_id, "pemia"),
    ):
        with pytest.raises(CertificateNotFound):
            await act()
    await world.lifecycle.approve(rao(world.organization_id), certificate_id)
    await world.settle()
    (row,) = await world.rows(select(Certificate.status, Certificate.approver))
    assert tuple(row) == ("Issued", "rita")


async def test_every_step_is_told_and_audited(world):
    from hub.access.audit_verification import verify
    from hub.access.models import AuditEntry

    certificate_id = await issue(world, profile_id=world.manual_profile_id)
    await world.lifecycle.approve(ADMIN, certificate_id)
    await world.settle()
    await world.lifecycle.download(ADMIN, certificate_id, "x509CO")
    await world.lifecycle.revoke(ADMIN, certificate_id, reason="superseded")
    story = [
        "CertificateRequested",
        "CertificateApproved",
        "CertificateApplied",
        "CertificateIssued",
        "CertificateDownloaded",
        "CertificateRevoked",
    ]
    told = [kind for kind, object_id in await world.events() if object_id == str(certificate_id)]
    assert [kind for kind in told if kind.startswith("Certificate")] == story
    audited = await world.rows(
        select(AuditEntry.action)
        .where(AuditEntry.object_type == "certificate", AuditEntry.object_id == str(certificate_id))
        .order_by(AuditEntry.sequence)
    )
    assert [row.action for row in audited] == story
    async with world.db.read() as session:
        assert not (await verify(session)).faults
