"""Whoever trusts what the hub publishes takes the certificates of each of its private CAs, and no others.

The verifier is ``cryptography.x509.verification`` (RFC 5280, 6, in the profile of the web), fed with the
bundle that machines fetch. Ed25519 is outside of that profile: its signatures are verified one by one.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from hub.http.principal import SYSTEM
from hub.issuers.contract import CertificateOrder
from hub.issuers.hierarchies.records import CA_TEMPLATES
from hub.profiles.service import ProfileFields
from pki.certificates import load_certificate
from tests.integration.issuers.bad_input_bench import DER, running, signed_request

KINDS = sorted(name.removesuffix("-root") for name in CA_TEMPLATES if name.endswith("-root"))
OF_THE_WEB = [kind for kind in KINDS if kind != "ed25519"]
NAME = "www.example.com"


@pytest.fixture
async def bench(tmp_path):
    async with running(f"sqlite:///{tmp_path / 'hub.db'}") as made:
        yield made


async def hierarchy(bench, kind):
    """Make a root and an issuing CA of a kind, offered to the organization; return both."""
    body = {"name": f"Root {kind}", "template": f"{kind}-root", "subject": {"organization": "Example Ltd"}}
    root = await bench.done("POST", "/private-cas", body)
    body |= {"name": f"Issuing {kind}", "template": f"{kind}-issuing", "parent_id": root["id"]}
    issuing = await bench.done("POST", "/private-cas", body)
    fields = ProfileFields(
        name=f"Servers {kind}",
        backend_id=issuing["backend_id"],
        organization_ids=(bench.world.organization_id,),
    )
    async with bench.world.db.write() as uow:
        await bench.world.profiles.create(uow, fields, principal=SYSTEM)
    return root, issuing


async def issue(bench, issuing, **changes):
    """Return leaf and issuing CA, without the root: what a server sends."""
    values = {
        "order_id": "1",
        "certificate_type": "ssl",
        "csr": x509.load_pem_x509_csr(signed_request()).public_bytes(DER),
        "subject": {"common_name": NAME},
        "dns_names": (NAME,),
        "term_days": 90,
        "not_before": bench.world.clock(),
    }
    order = CertificateOrder(**values | changes)
    async with bench.world.db.read() as session:
        backend = await bench.world.issuers.backend(session, issuing["backend_id"])
    intent = await backend.prepare(order)
    async with bench.world.db.write() as uow:
        await bench.world.issuers.record_intent(uow, intent)
    chain = (await backend.submit(order, intent)).chain
    return [load_certificate(der) for der in chain[:2]]


async def bundle(bench, organization_id=None):
    """Fetch the roots, as a machine does: without signing in."""
    path = f"/trust/{organization_id or bench.world.organization_id}.pem"
    async with bench.client.get(path) as answer:
        assert answer.status == 200
        return x509.load_pem_x509_certificates(await answer.read())


def policy(bench, roots, **later):
    return PolicyBuilder().store(Store(roots)).time(bench.world.clock() + timedelta(**later))


@pytest.mark.parametrize("kind", OF_THE_WEB)
async def test_servers_are_believed_by_the_bundle(bench, kind):
    _, issuing = await hierarchy(bench, kind)
    leaf, ca = await issue(bench, issuing)
    roots = await bundle(bench)
    verifier = policy(bench, roots).build_server_verifier(x509.DNSName(NAME))
    chain = verifier.verify(leaf, [ca])
    assert chain[:2] == [leaf, ca]
    assert chain[2] in roots
    # Not for another name, not when it is over, not without the issuing CA, not by somebody else's roots.
    others = await bundle(bench, bench.world.other_organization_id)
    assert chain[2] not in others
    for wrong, given in (
        (policy(bench, roots).build_server_verifier(x509.DNSName("www.example.org")), [ca]),
        (policy(bench, roots, days=91).build_server_verifier(x509.DNSName(NAME)), [ca]),
        (policy(bench, roots).build_server_verifier(x509.DNSName(NAME)), []),
        (policy(bench, others).build_server_verifier(x509.DNSName(NAME)), [ca]),
    ):
        with pytest.raises(VerificationError):
            wrong.verify(leaf, given)


async def test_ed25519_is_signed_right_though_not_for_the_web(bench):
    _, issuing = await hierarchy(bench, "ed25519")
    leaf, ca = await issue(bench, issuing)
    roots = await bundle(bench)
    (trusted,) = [item for item in roots if item.subject == ca.issuer]
    for certificate, issuer in ((leaf, ca), (ca, trusted), (trusted, trusted)):
        certificate.verify_directly_issued_by(issuer)
    with pytest.raises(VerificationError):
        policy(bench, roots).build_server_verifier(x509.DNSName(NAME)).verify(leaf, [ca])


async def test_clients_are_believed_as_clients_only(bench):
    _, issuing = await hierarchy(bench, "ec-p384")
    leaf, ca = await issue(
        bench,
        issuing,
        certificate_type="client",
        extended_key_usage=("clientAuth",),
        emails=("a@example.com",),
    )
    roots = await bundle(bench)
    verified = policy(bench, roots).build_client_verifier().verify(leaf, [ca])
    assert verified.chain[:2] == [leaf, ca]
    with pytest.raises(VerificationError):
        policy(bench, roots).build_server_verifier(x509.DNSName(NAME)).verify(leaf, [ca])


async def test_old_and_new_certificates_are_believed_while_a_root_changes_its_key(bench):
    root, issuing = await hierarchy(bench, "ec-p256")
    before = await issue(bench, issuing)
    new_root = await bench.done("POST", f"/private-cas/{root['id']}/rollover", {})
    roots = await bundle(bench)
    body = {"name": "Next", "template": "ec-p256-issuing", "subject": {"organization": "Example Ltd"}}
    later = await bench.done("POST", "/private-cas", body | {"parent_id": new_root["id"]})
    for leaf, ca in (before, await issue(bench, later)):
        verifier = policy(bench, roots).build_server_verifier(x509.DNSName(NAME))
        assert verifier.verify(leaf, [ca])[2] in roots
