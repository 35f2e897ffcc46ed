"""Private CAs as administrators make them: several under one root, their limits, trials, and new keys."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store
from sqlalchemy import select

from hub.access.models import AuditEntry
from hub.db.errors import HubError
from hub.http.principal import SYSTEM
from hub.issuers.errors import AuthorityNotFound, BackendNameTaken, OrderImpossible
from hub.issuers.hierarchies.errors import CaStateForbids, InvalidCa, ParentUnusable
from hub.issuers.hierarchies.rollover import RolloverChoice
from hub.issuers.private_ca.errors import HsmNotConfigured, HsmUnavailable
from pki.certificates import load_certificate, parse_certificate
from pki.names import SubjectFields
from pki.templates import NameConstraints
from tests.integration.private_ca.conftest import Hub, openssl_verify


async def test_several_issuing_cas_under_one_root(hub, tmp_path):
    root = await hub.create("Example root")
    first = await hub.create("Servers", parent_id=root)
    second = await hub.create(
        "Offices", parent_id=root, template="rsa-2048-issuing", signature_hash="SHA-512"
    )
    root_der = (await hub.ca(root)).certificate
    for issuing in (first, second):
        ca = await hub.ca(issuing)
        chain = await hub.issue(ca.backend_id)
        assert chain[1:] == (ca.certificate, root_der)
        assert openssl_verify(tmp_path, trusted=[root_der], untrusted=chain[1:2], leaf=chain[0]) == ""
    assert parse_certificate(chain[0]).signature_algorithm == "sha512WithRSAEncryption"
    # The CA's own certificate is signed as its root signs.
    assert parse_certificate((await hub.ca(second)).certificate).signature_algorithm == "ecdsa-with-SHA256"


async def test_subjects_and_lifetimes_are_those_of_the_wizard(hub):
    root = await hub.ca(await hub.create("Root"))
    facts = parse_certificate(root.certificate)
    assert facts.common_name == "Example Ltd Root CA"
    assert 19.9 < (facts.not_after - facts.not_before).days / 365.25 < 20.1
    issuing = parse_certificate((await hub.ca(await hub.create("Issuing", parent_id=root.id))).certificate)
    assert issuing.common_name == "Example Ltd Issuing CA"
    assert 9.9 < (issuing.not_after - issuing.not_before).days / 365.25 < 10.1
    old = parse_certificate((await hub.ca(await hub.create("Old", template="rsa-2048-root"))).certificate)
    assert f"{old.not_after:%Y-%m-%d}" == "2030-12-31"


async def test_limits_stand_in_the_certificate_and_hold(hub, tmp_path):
    root = await hub.create("Root", path_length=1)
    limits = NameConstraints(permitted_dns=("example.com",), excluded_networks=("10.0.0.0/8",))
    issuing = await hub.ca(
        await hub.create(
            "Issuing", parent_id=root, name_constraints=limits, policies=("1.3.6.1.4.1.99999.1",)
        )
    )
    extensions = load_certificate(issuing.certificate).extensions
    assert extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    policies = extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert [item.policy_identifier.dotted_string for item in policies] == ["1.3.6.1.4.1.99999.1"]
    chain = await hub.issue(issuing.backend_id)
    assert openssl_verify(tmp_path, trusted=chain[2:], untrusted=chain[1:2], leaf=chain[0]) == ""
    wildcard = await hub.issue(issuing.backend_id, dns_names=("*.example.com",), ip_addresses=("192.0.2.1",))
    assert openssl_verify(tmp_path, trusted=chain[2:], untrusted=chain[1:2], leaf=wildcard[0]) == ""
    for foreign in ({"dns_names": ("www.example.org",)}, {"ip_addresses": ("10.1.2.3",)}):
        with pytest.raises(OrderImpossible, match="NameNotPermitted"):
            await hub.issue(issuing.backend_id, **foreign)


BAD = [
    ({"template": "dsa-1024-root"}, "TemplateUnknown", "template"),
    ({"template": "ec-p256-issuing"}, "TemplateOfOtherRole", "template"),
    ({"template": "ed25519-root", "signature_hash": "SHA-256"}, "HashNotForKey", "signature_hash"),
    ({"template": "ml-dsa-44-root", "key_store": "hsm"}, "KeyTypeNotInHsm", "key_store"),
    ({"subject": SubjectFields(country="DE")}, "SubjectMissing", "subject"),
    ({"subject": SubjectFields(organization="X", country="Germany")}, "country", "subject"),
    ({"policies": ("one.two",)}, "PolicyInvalid", "policies"),
    ({"name": " "}, "NameInvalid", "name"),
    ({"name_constraints": NameConstraints(permitted_dns=("a",))}, "ConstraintsOnRoot", "name_constraints"),
]


@pytest.mark.parametrize(("choices", "word", "field"), BAD)
async def test_what_no_ca_can_be_is_refused_at_its_field(hub, choices, word, field):
    with pytest.raises(InvalidCa, match=word) as refused:
        await hub.create(**choices)
    assert refused.value.field == field
    assert await hub.cas.list() == ([], [])


async def test_who_can_not_sign_a_ca(hub):
    root = await hub.create("Root")
    issuing = await hub.create("Issuing", parent_id=root)
    with pytest.raises(ParentUnusable, match="certifies no CAs"):
        await hub.create("Below", parent_id=issuing)
    with pytest.raises(BackendNameTaken):
        await hub.create("Issuing", parent_id=root)
    with pytest.raises(HsmNotConfigured):
        await hub.create("In the HSM", key_store="hsm")
    with pytest.raises(HubError, match="no issuing"):
        await hub.issue((await hub.ca(root)).backend_id)


async def test_trial_leaves_live_thirty_days_and_the_trial_can_be_extended_ended_and_left(hub, db):
    root = await hub.create("Root", trial=True)
    issuing = await hub.ca(await hub.create("Issuing", parent_id=root))
    assert issuing.trial_until is not None
    leaf = parse_certificate((await hub.issue(issuing.backend_id, days=365))[0])
    assert (leaf.not_after - leaf.not_before) < timedelta(days=30)
    await hub.cas.change_trial(issuing.id, action="extend", days=10, principal=SYSTEM)
    assert (await hub.ca(issuing.id)).trial_until == issuing.trial_until + timedelta(days=10)
    await hub.cas.change_trial(issuing.id, action="end", principal=SYSTEM)
    before = db.clock()
    db.clock = lambda: before + timedelta(minutes=1)
    with pytest.raises(OrderImpossible, match="TrialOver"):
        await hub.issue(issuing.backend_id)
    await hub.cas.change_trial(issuing.id, action="leave", principal=SYSTEM)
    leaf = parse_certificate((await hub.issue(issuing.backend_id, days=365))[0])
    assert (leaf.not_after - leaf.not_before) > timedelta(days=364)
    with pytest.raises(CaStateForbids):
        await hub.cas.change_trial(issuing.id, action="extend", principal=SYSTEM)


async def test_leaves_of_each_type(hub):
    issuing = await hub.ca(await hub.create("Issuing", parent_id=await hub.create("Root")))

    async def usages(kind, *usage):
        chain = await hub.issue(
            issuing.backend_id,
            certificate_type=kind,
            dns_names=(),
            emails=("anna@example.com",) if kind == "client" else (),
            extended_key_usage=usage,
        )
        return parse_certificate(chain[0]).extended_key_usage

    assert await usages("client", "clientAuth", "emailProtection") == ("clientAuth", "emailProtection")
    assert await usages("code_signing", "codeSigning") == ("codeSigning",)
    assert await usages("device", "clientAuth") == ("clientAuth",)
    with pytest.raises(OrderImpossible, match="UsageNotOfType"):
        await usages("code_signing", "codeSigning", "serverAuth")
    with pytest.raises(OrderImpossible, match="UsageMissing"):
        await usages("client", "ipsecIKE")
    with pytest.raises(OrderImpossible, match="CertificateTypeNotOffered"):
        await usages("passport", "clientAuth")


async def test_a_root_gets_a_new_key_and_both_generations_trust_each_other(hub, tmp_path):
    old = await hub.ca(await hub.create("Root"))
    issuing = await hub.ca(await hub.create("Issuing", parent_id=old.id))
    old_leaf = await hub.issue(issuing.backend_id)
    choice = RolloverChoice(key_type="EC-P384")
    new_id, request = await hub.rollover.roll_over(old.id, choice, principal=SYSTEM)
    assert request is None
    new, crosses = await hub.cas.get(new_id)
    by_kind = {item.kind: item.certificate for item in crosses}
    later = await hub.ca(await hub.create("Issuing 2", parent_id=new.id))
    new_leaf = await hub.issue(later.backend_id)
    assert load_certificate(new.certificate).subject == load_certificate(old.certificate).subject
    assert parse_certificate(new.certificate).key_type == "EC-P384"
    verify = openssl_verify
    # Who trusts only the new root takes old leaves, and the other way round.
    old_below = [issuing.certificate, by_kind["old_with_new"]]
    assert verify(tmp_path, trusted=[new.certificate], untrusted=old_below, leaf=old_leaf[0]) == ""
    new_below = [later.certificate, by_kind["new_with_old"]]
    assert verify(tmp_path, trusted=[old.certificate], untrusted=new_below, leaf=new_leaf[0]) == ""
    assert verify(tmp_path, trusted=[new.certificate], untrusted=[issuing.certificate], leaf=old_leaf[0])
    assert (await hub.ca(old.id)).state(hub.db.clock()) == "retired"
    with pytest.raises(CaStateForbids):
        await hub.rollover.roll_over(old.id, choice, principal=SYSTEM)


async def test_an_issuing_ca_gets_a_new_key_and_issues_with_it_at_once(hub, tmp_path):
    root = await hub.ca(await hub.create("Root"))
    limits = NameConstraints(permitted_dns=("example.com",))
    old = await hub.ca(await hub.create("Issuing", parent_id=root.id, name_constraints=limits))
    before = await hub.issue(old.backend_id)
    new_id, _ = await hub.rollover.roll_over(old.id, RolloverChoice(), principal=SYSTEM)
    after = await hub.issue(old.backend_id)
    new = await hub.ca(new_id)
    assert before[1] == old.certificate
    assert after[1] == new.certificate
    assert new.key_sha256 != old.key_sha256
    assert load_certificate(new.certificate).subject == load_certificate(old.certificate).subject
    assert load_certificate(new.certificate).extensions.get_extension_for_class(x509.NameConstraints)
    for chain in (before, after):
        assert openssl_verify(tmp_path, trusted=chain[2:], untrusted=chain[1:2], leaf=chain[0]) == ""
    # What the old key signed can still be revoked, on the old key's list.
    serial = parse_certificate(before[0]).serial
    async with hub.db.write() as uow:
        await hub.issuers.certificate_revoked(
            uow, backend_id=old.backend_id, serial_hex=serial, reason="superseded", at=uow.now
        )
    async with hub.db.read() as session:
        crl = x509.load_der_x509_crl((await hub.issuers.crl(session, old.slug)).der)
    assert [f"{item.serial_number:x}" for item in crl] == [serial]


async def test_a_revoked_issuing_ca_is_on_its_roots_list_and_issues_no_more(hub):
    root = await hub.ca(await hub.create("Root"))
    issuing = await hub.ca(await hub.create("Issuing", parent_id=root.id))
    await hub.cas.revoke(issuing.id, reason="cACompromise", principal=SYSTEM)
    async with hub.db.read() as session:
        crl = x509.load_der_x509_crl((await hub.issuers.crl(session, root.slug)).der)
    assert [item.serial_number for item in crl] == [load_certificate(issuing.certificate).serial_number]
    with pytest.raises(AuthorityNotFound):
        await hub.issue(issuing.backend_id)
    with pytest.raises(CaStateForbids, match="trust stores"):
        await hub.cas.revoke(root.id, reason="unspecified", principal=SYSTEM)


async def test_the_ceremony_log_has_fingerprints_and_is_chained(hub):
    root = await hub.create("Root")
    await hub.create("Issuing", parent_id=root)
    await hub.rollover.roll_over(root, RolloverChoice(), principal=SYSTEM)
    async with hub.db.read() as session:
        entries = list(await session.scalars(select(AuditEntry).order_by(AuditEntry.sequence)))
    ceremonies = [item for item in entries if item.object_type == "private_ca"]
    assert [item.action for item in ceremonies] == ["PrivateCaCreated"] * 3 + ["PrivateCaRolledOver"]
    first = ceremonies[0].details
    facts = parse_certificate((await hub.ca(root)).certificate)
    assert first["certificate_sha256"] == facts.sha256
    assert first["public_key_sha256"] == facts.spki_sha256
    assert set(ceremonies[-1].details["cross_certificates"]) == {"old_with_new", "new_with_old"}


@pytest.mark.server
async def test_cas_with_keys_in_an_hsm(db, token, tmp_path):
    hub = Hub(db, token.hsm)
    root = await hub.ca(await hub.create("Root", key_store="hsm", template="ec-p384-root"))
    issuing = await hub.ca(
        await hub.create("Issuing", parent_id=root.id, key_store="hsm", template="rsa-2048-issuing")
    )
    software = await hub.ca(await hub.create("Software", parent_id=root.id))
    assert (root.key_store, issuing.key_store, software.key_store) == ("hsm", "hsm", "software")
    chain = await hub.issue(issuing.backend_id)
    assert openssl_verify(tmp_path, trusted=chain[2:], untrusted=chain[1:2], leaf=chain[0]) == ""
    token.pull()
    with pytest.raises(HsmUnavailable, match="token certwright can't be used"):
        await hub.issue(issuing.backend_id)
    # Other CAs are not kept from their work.
    await hub.issue(software.backend_id)
    later = db.clock() + timedelta(days=5)
    db.clock = lambda: later
    assert await hub.issuers.refresh_crls() >= 1
    token.put_back()
    await hub.issue(issuing.backend_id)
    assert await hub.issuers.refresh_crls() >= 1
    new_id, _ = await hub.rollover.roll_over(issuing.id, RolloverChoice(), principal=SYSTEM)
    assert (await hub.ca(new_id)).key_store == "hsm"


@pytest.mark.parametrize("kind", ["ec-p256", "ec-p384", "rsa-2048"])
async def test_chains_stand_path_validation(hub, kind):
    # RFC 5280, 6, as another verifier does it; the issuers' tests do so for all types of keys.
    root = await hub.create("Root", template=f"{kind}-root")
    limits = NameConstraints(permitted_dns=("example.com",))
    issuing = await hub.ca(
        await hub.create("Issuing", parent_id=root, template=f"{kind}-issuing", name_constraints=limits)
    )
    leaf, *issuers = [load_certificate(der) for der in await hub.issue(issuing.backend_id)]
    verifier = (
        PolicyBuilder()
        .store(Store([issuers[-1]]))
        .time(hub.db.clock())
        .build_server_verifier(x509.DNSName("www.example.com"))
    )
    assert verifier.verify(leaf, issuers[:1]) == [leaf, *issuers]
