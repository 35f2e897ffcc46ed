"""The certificate manager's REST API, against a strict simulator of it."""

import pytest
from aiohttp import web
from cryptography import x509
from pydantic import ValidationError

from hub.db.errors import BackendRefused, Unavailable
from hub.issuers.contract import CanRevoke, Issued, Pending, Refused
from hub.issuers.errors import NotOrdered, OrderImpossible
from hub.issuers.upstream.certificate_manager_rest import (
    CertificateManagerBackend,
    CertificateManagerSettings,
)
from hub.issuers.upstream.http import CredentialsRefused
from tests.simulators.certificate_manager import CertificateManager
from tests.simulators.signing_ca import der
from tests.simulators.web_server import self_signed


@pytest.fixture
def manager():
    return CertificateManager()


@pytest.fixture
async def server(manager, serve):
    return await serve(manager.application())


def backend_for(server, **changes):
    values = {
        "url": server.url,
        "ca_bundle": server.certificate,
        "customer_uri": "example",
        "login": "api",
        "password": "correct horse",
        "organization_id": 7,
        "certificate_profile_id": 27,
        "timeout_s": 5,
    } | changes
    return CertificateManagerBackend(CertificateManagerSettings(**values))


@pytest.fixture
def backend(server):
    return backend_for(server)


async def test_a_certificate_is_ordered_collected_and_revoked(backend, manager, order, drive):
    await backend.test()
    wanted = order(term_days=120)
    issued = await drive.until_answer(backend, wanted)
    assert isinstance(issued, Issued)
    assert drive.phases == ["ordering", "ordered"]
    leaf, *issuers = issued.chain
    certificate = x509.load_der_x509_certificate(leaf)
    assert issuers == [der(item) for item in manager.signing.chain]
    assert issued.order_number == "5001"
    # The longest term that is offered and not longer than what was asked for.
    assert manager.orders[5001].body["term"] == 90
    assert isinstance(backend, CanRevoke)
    serial = f"{certificate.serial_number:x}"
    for _ in range(2):
        await backend.revoke(serial, reason="superseded", at=wanted.not_before)
    assert manager.signing.revoked == {certificate.serial_number: "superseded"}
    with pytest.raises(BackendRefused, match="Certificate not found"):
        await backend.revoke("abc", reason="unspecified", at=wanted.not_before)


async def test_a_renewal_is_an_order_of_its_own(backend, manager, order, drive):
    first = await drive.until_answer(backend, order())
    second = await drive.until_answer(backend, order(order_id="f" * 32, replaces=first.chain[0]))
    assert (first.order_number, second.order_number) == ("5001", "5002")
    assert len(manager.signing.issued) == 2


@pytest.mark.parametrize("stop", range(4))
async def test_whatever_was_lost_there_is_one_order(backend, manager, order, drive, stop):
    wanted = order()
    intent = await backend.prepare(wanted)
    for _ in range(stop):
        _outcome, intent = await drive.once(backend, wanted, intent)
    # What the CA did now is forgotten here: the hub was killed before it could store the answer.
    await backend.submit(wanted, intent)
    issued = await drive.until_answer(backend, wanted, intent)
    assert isinstance(issued, Issued)
    assert len(manager.orders) == 1


async def test_an_answer_that_is_lost_is_looked_up(backend, server, manager, order, drive):
    wanted = order()
    await drive.until_answer(backend, order(order_id="e" * 32))
    intent = await backend.prepare(wanted)
    _outcome, intent = await drive.once(backend, wanted, intent)
    server.lost = 1
    with pytest.raises(Unavailable):
        await backend.submit(wanted, intent)
    issued = await drive.until_answer(backend, wanted, intent)
    assert issued.order_number == "5002"
    assert len(manager.orders) == 2


async def test_a_hundred_earlier_orders_for_the_name_cost_no_question_each(
    backend, server, manager, order, drive
):
    for number in range(3):
        await drive.until_answer(backend, order(order_id=f"{number:032x}"))
    before = len(server.requests)
    await drive.until_answer(backend, order())
    details = [line for line in server.requests[before:] if line.endswith(("/5001", "/5002", "/5003"))]
    assert details == []


async def test_an_order_waits_for_approval_and_processing(backend, manager, order, drive):
    manager.first_status, manager.processing = "Requested", 1
    wanted = order()
    intent = await backend.prepare(wanted)
    for _ in range(2):
        _outcome, intent = await drive.once(backend, wanted, intent)
    outcome, intent = await drive.once(backend, wanted, intent)
    assert (outcome.order_number, outcome.waits_for) == ("5001", "the CA's status: requested")
    manager.issue(manager.orders[5001])
    outcome, intent = await drive.once(backend, wanted, intent)
    assert isinstance(outcome, Pending)
    assert outcome.waits_for == "Being processed by the CA"
    assert isinstance((await drive.once(backend, wanted, intent))[0], Issued)


@pytest.mark.parametrize(
    ("status", "reason", "invalid"),
    [("Rejected", "CaRejected", False), ("Declined", "CaDeclined", False), ("Invalid", "CaInvalid", True)],
)
async def test_a_final_status_is_a_refusal(backend, manager, order, drive, status, reason, invalid):
    manager.first_status = status
    refused = await drive.until_answer(backend, order())
    assert (refused.reason, refused.invalid) == (reason, invalid)


async def test_the_cas_own_words_are_handed_on(backend, manager, order, drive):
    manager.refused_names = {"www.example.com"}
    refused = await drive.until_answer(backend, order())
    assert refused == Refused(
        reason="CaError-51",
        message="Domain www.example.com is not validated for the organization",
        invalid=True,
    )
    assert manager.orders == {}


async def test_a_term_that_is_not_offered_is_not_ordered(backend, manager, order, drive):
    refused = await drive.until_answer(backend, order(term_days=30))
    assert (refused.reason, refused.message) == (
        "TermNotOffered",
        "the CA's profile has terms of 90, 199 days only",
    )
    with pytest.raises(OrderImpossible):
        await backend.prepare(order(ip_addresses=("192.0.2.1",)))
    assert manager.orders == {}


@pytest.mark.parametrize(
    ("fault", "wait", "words"),
    [
        (web.Response(status=429, headers={"Retry-After": "77"}, text="slow down"), 77, "429: slow down"),
        (web.Response(status=503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), 1, "503"),
        (web.Response(status=500, text="<html>oops</html>"), 30, "<html>oops</html>"),
        (web.Response(status=200, text="<html>captive portal</html>"), 30, "not JSON"),
        (web.Response(status=200, text='{"code": [', content_type="application/json"), 30, "not JSON"),
        (web.Response(status=302, headers={"Location": "https://elsewhere.example"}), 300, "leads elsewhere"),
        (web.Response(status=200, body=b"[" + b" " * 2_000_000 + b"]"), 5, "more than 1048576 bytes"),
    ],
)
async def test_what_says_nothing_about_the_order_is_tried_again(
    backend, server, manager, order, drive, fault, wait, words
):
    wanted = order()
    intent = await backend.prepare(wanted)
    server.faults = [fault]
    with pytest.raises(NotOrdered) as caught:
        await backend.submit(wanted, intent)
    assert caught.value.retry_after_s == wait
    assert words in caught.value.message
    _outcome, intent = await drive.once(backend, wanted, intent)
    server.faults = [web.Response(status=502)]
    # From now on an order may exist: no other CA is taken.
    with pytest.raises(Unavailable) as caught:
        await backend.submit(wanted, intent)
    assert not isinstance(caught.value, NotOrdered)
    assert isinstance(await drive.until_answer(backend, wanted, intent), Issued)
    assert len(manager.orders) == 1


async def test_wrong_credentials_are_nobody_orders_fault(server, manager, order):
    backend = backend_for(server, password="wrong")
    with pytest.raises(CredentialsRefused, match="Unknown user"):
        await backend.test()
    with pytest.raises(NotOrdered):
        await backend.submit(order(), await backend.prepare(order()))
    with pytest.raises(BackendRefused, match="no certificate profile 99"):
        await backend_for(server, certificate_profile_id=99).test()
    with pytest.raises(BackendRefused, match="Access denied"):
        await backend_for(server, organization_id=8).test()


async def test_a_server_that_is_not_the_ca_is_not_talked_to(server, manager):
    stranger, _key = self_signed()
    for bundle in ("", stranger):
        with pytest.raises(Unavailable, match="certificate verify failed"):
            await backend_for(server, ca_bundle=bundle).test()
    assert server.requests == []


async def test_a_client_certificate_instead_of_a_password(manager, serve, order, drive):
    certificate, key = self_signed("hub")
    server = await serve(manager.application(), client_ca=certificate)
    backend = backend_for(
        server, authentication="certificate", password="", client_certificate=certificate, client_key=key
    )
    await backend.test()
    assert isinstance(await drive.until_answer(backend, order()), Issued)
    assert all(" /private/api/" in line for line in server.requests)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"password": ""}, "password"),
        ({"authentication": "certificate"}, "client_certificate"),
        ({"client_certificate": "x"}, "client_key"),
        ({"ca_bundle": "nonsense"}, "ca_bundle"),
        ({"url": "http://cert-manager.example"}, "url"),
    ],
)
def test_settings_that_can_not_work_are_refused(changes, word):
    values = {
        "url": "https://ca.example",
        "customer_uri": "e",
        "login": "a",
        "password": "p",
        "organization_id": 7,
    }
    with pytest.raises(ValidationError, match=word):
        CertificateManagerSettings(**({**values, "certificate_profile_id": 27} | changes))


async def test_a_nonsense_certificate_is_left_for_the_hub_to_judge(backend, server, manager, order, drive):
    wanted = order()
    intent = await backend.prepare(wanted)
    for _ in range(2):
        _outcome, intent = await drive.once(backend, wanted, intent)
    manager.orders[5001].certificate = None
    manager.issue(manager.orders[5001], ["other.example.com"])
    issued = await drive.until_answer(backend, wanted, intent)
    assert b"other.example.com" in issued.chain[0]
