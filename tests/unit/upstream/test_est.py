"""EST as a client, against a strict server of it."""

import pytest
from aiohttp import web
from cryptography import x509

from hub.db.errors import BackendRefused, Unavailable
from hub.issuers.contract import BackendContext, CanRevoke, Issued, Pending, Refused
from hub.issuers.errors import NotOrdered
from hub.issuers.upstream.csr_attributes import CHALLENGE_PASSWORD, EC_PUBLIC_KEY, RSA_ENCRYPTION
from hub.issuers.upstream.est import EstBackend, EstSettings
from hub.issuers.upstream.http import CredentialsRefused
from pki import der as asn1
from pki.csrs import build_csr
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields
from tests.simulators.est_server import EstServer
from tests.simulators.signing_ca import der, real_clock
from tests.simulators.web_server import self_signed


@pytest.fixture
def est():
    return EstServer()


@pytest.fixture
async def server(est, serve):
    return await serve(est.application())


def backend_for(server, **changes):
    values = {
        "url": server.url,
        "ca_bundle": server.certificate,
        "username": "hub",
        "password": "correct horse",
        "timeout_s": 5,
    } | changes
    context = BackendContext(backend_id=1, name="EST", clock=real_clock, authorities=None)
    return EstBackend.open(EstSettings(**values), context)


@pytest.fixture
def backend(server):
    return backend_for(server)


async def test_a_certificate_is_enrolled(backend, est, order, drive):
    await backend.test()
    issued = await drive.until_answer(backend, order())
    assert isinstance(issued, Issued)
    certificate = x509.load_der_x509_certificate(issued.chain[0])
    assert certificate.serial_number in est.signing.issued
    assert issued.chain[1:] == tuple(map(der, est.signing.chain))
    assert not isinstance(backend, CanRevoke)


async def test_a_kept_request_is_sent_again_after_the_time_that_the_server_says(backend, est, order, drive):
    est.kept = 2
    wanted = order()
    intent = await backend.prepare(wanted)
    _outcome, intent = await drive.once(backend, wanted, intent)
    for _ in range(2):
        outcome, intent = await drive.once(backend, wanted, intent)
        assert isinstance(outcome, Pending)
        assert (outcome.retry_after_s, outcome.waits_for) == (90, "waiting for approval")
    outcome, _intent = await drive.once(backend, wanted, intent)
    assert isinstance(outcome, Issued)
    assert len(est.signing.issued) == 1


async def test_a_label_and_a_client_certificate(serve, order, drive):
    est = EstServer(label="servers")
    certificate, key = self_signed("hub")
    server = await serve(est.application(), client_ca=certificate)
    backend = backend_for(
        server,
        label="servers",
        username="",
        password="",
        client_certificate=certificate,
        client_key=key,
        reenroll=True,
    )
    first = await drive.until_answer(backend, order())
    assert est.reenrolled == 0
    renewed = await drive.until_answer(backend, order(order_id="2" * 32, replaces=first.chain[0]))
    assert isinstance(renewed, Issued)
    assert est.reenrolled == 1


@pytest.mark.parametrize(("status", "invalid"), [(400, True), (403, False)])
async def test_the_servers_words_are_handed_on(backend, est, order, drive, status, invalid):
    est.refusal, est.refusal_status = "CN is not allowed", status
    refused = await drive.until_answer(backend, order())
    assert refused == Refused(reason=f"EstStatus{status}", message="CN is not allowed", invalid=invalid)


async def test_a_lost_answer_is_asked_for_again_or_not_as_configured(server, est, order, drive):
    wanted = order()
    for repeats in (True, False):
        backend = backend_for(server, repeat_uncertain=repeats)
        intent = await backend.prepare(wanted)
        _outcome, intent = await drive.once(backend, wanted, intent)
        server.lost = 1
        with pytest.raises(Unavailable) as caught:
            await backend.submit(wanted, intent)
        assert not isinstance(caught.value, NotOrdered)
        # The hub is killed as well: whoever goes on knows no more than what was stored.
        outcome = await drive.until_answer(backend_for(server, repeat_uncertain=repeats), wanted, intent)
        if repeats:
            assert isinstance(outcome, Issued)
        else:
            assert (outcome.reason, outcome.invalid) == ("OrderUncertain", True)


def _oid(content):
    return asn1.tlv(asn1.OID, content)


@pytest.mark.parametrize(
    ("attributes", "key_type", "fault"),
    [
        (asn1.sequence(_oid(RSA_ENCRYPTION)), KeyType.EC_P256, "another type of key"),
        (asn1.sequence(_oid(EC_PUBLIC_KEY)), KeyType.EC_P256, None),
        (
            asn1.sequence(
                asn1.sequence(_oid(EC_PUBLIC_KEY), asn1.tlv(asn1.SET, asn1.object_identifier("1.3.132.0.34")))
            ),
            KeyType.EC_P256,
            "another type of key",
        ),
        (
            asn1.sequence(
                asn1.sequence(_oid(EC_PUBLIC_KEY), asn1.tlv(asn1.SET, asn1.object_identifier("1.3.132.0.34")))
            ),
            KeyType.EC_P384,
            None,
        ),
        (asn1.sequence(_oid(CHALLENGE_PASSWORD)), KeyType.EC_P256, "challenge password"),
        (asn1.sequence(), KeyType.EC_P256, None),
    ],
    ids=["rsa", "ec", "other curve", "that curve", "challenge", "none"],
)
async def test_the_servers_wishes_for_requests(backend, est, order, drive, attributes, key_type, fault):
    est.attributes = attributes
    name = "www.example.com"
    csr = build_csr(generate_key(key_type), SubjectFields(common_name=name), (name,))
    outcome = await drive.until_answer(backend, order(csr=csr))
    if fault is None:
        assert isinstance(outcome, Issued)
    else:
        assert (outcome.reason, outcome.invalid) == ("CsrAttributesNotMet", True)
        assert fault in outcome.message
        assert est.signing.issued == {}


async def test_what_is_wrong_is_said_by_the_test(server, est):
    with pytest.raises(CredentialsRefused):
        await backend_for(server, password="wrong").submit(*await _sending(server))
    est.attributes = b"nonsense"
    with pytest.raises(BackendRefused, match="csrattrs can't be read"):
        await backend_for(server).test()
    server.faults = [web.Response(text="<html>hello</html>")]
    with pytest.raises(BackendRefused, match="does not hold certificates"):
        await backend_for(server).test()
    with pytest.raises(BackendRefused, match="no CA certificates"):
        await backend_for(server, label="other").test()
    with pytest.raises(Unavailable, match="certificate verify failed"):
        await backend_for(server, ca_bundle="").test()


async def _sending(server):
    from datetime import UTC, datetime

    from hub.issuers.contract import CertificateOrder, Intent

    name = "www.example.com"
    csr = build_csr(generate_key(KeyType.EC_P256), SubjectFields(common_name=name), (name,))
    order = CertificateOrder(
        order_id="3" * 32,
        certificate_type="ssl",
        csr=csr,
        subject={},
        dns_names=(name,),
        term_days=1,
        not_before=datetime.now(UTC),
    )
    document = {"phase": "sending", "key": order.order_id, "operation": "simpleenroll"}
    return order, Intent(serial_hex=None, document=document)


async def test_a_server_that_goes_away_before_the_request_is_not_ordered_from(backend, server, order, drive):
    server.faults = [web.Response(status=503, headers={"Retry-After": "12"})]
    with pytest.raises(NotOrdered) as caught:
        await drive.until_answer(backend, order())
    assert caught.value.retry_after_s == 12


async def test_the_chain_is_no_reason_to_ask_twice(backend, server, est, order, drive):
    wanted = order()
    intent = await backend.prepare(wanted)
    _outcome, intent = await drive.once(backend, wanted, intent)
    fresh = backend_for(server)
    enrolled = [web.Response(status=500)]

    real = fresh._connection.ask

    async def ask(method, path, **options):
        if path.endswith("cacerts") and enrolled:
            server.faults = [enrolled.pop()]
        return await real(method, path, **options)

    fresh._connection.ask = ask
    outcome, _intent = await drive.once(fresh, wanted, intent)
    assert isinstance(outcome, Issued)
    assert len(outcome.chain) == 1
    assert len(est.signing.issued) == 1
