"""Orders at a real Pebble that refuses every second nonce; names are proven by dns-01."""

import asyncio

import pytest
from cryptography import x509

from hub.db.errors import Unavailable
from hub.issuers.acme.errors import AccountNotUsable, CaRefused, CaUnreachable
from hub.issuers.contract import CanRevoke, HasRenewalInfo, Intent, Pending
from hub.issuers.errors import NotOrdered, OrderImpossible
from pki.certificates import parse_certificate
from tests.integration.acme_upstream.conftest import (
    drive,
    issued,
    make_order,
    order_and_drive,
    refused,
)
from tests.integration.acme_upstream.pebble import EAB_KEY


def names_of(der):
    return set(parse_certificate(der).dns_names)


async def test_a_certificate_is_issued_and_its_proof_taken_away(bench, pebble, dns):
    backend = await bench.configure(pebble)
    order, outcome, phases = await order_and_drive(backend, "www.example.com", "example.com")
    chain = issued(outcome).chain
    assert names_of(chain[0]) == {"www.example.com", "example.com"}
    key = x509.load_der_x509_certificate(chain[0]).public_key()
    assert key == x509.load_der_x509_csr(order.csr).public_key()
    assert len(chain) >= 2
    assert phases[0] == "authorize"
    assert "present" in phases
    assert {record.name for record in bench.writer.published} == {
        "_acme-challenge.www.example.com",
        "_acme-challenge.example.com",
    }
    assert not any(dns.zone.records.values())


async def test_name_and_wildcard_share_one_record_name(bench, pebble):
    backend = await bench.configure(pebble, challenges=["http-01", "dns-01"])
    bench.writer.published.clear()
    order = make_order("*.example.com")
    outcome, _ = await drive(backend, order, await backend.prepare(order))
    assert names_of(issued(outcome).chain[0]) == {"*.example.com"}
    backend = await bench.configure(pebble)
    _, outcome, _ = await order_and_drive(backend, "*.example.org", "example.org")
    assert names_of(issued(outcome).chain[0]) == {"*.example.org", "example.org"}


async def test_a_kill_after_every_step_leads_to_one_order(bench, pebble):
    backend = await bench.configure(pebble)
    order = make_order("www.example.com")
    intent = await backend.prepare(order)

    async def kill(_number):
        return await bench.reopened()

    outcome, _ = await drive(backend, order, intent, each=kill)
    issued(outcome)
    assert pebble.log_text().count("Added order") == 1


@pytest.mark.parametrize("lost", range(8))
async def test_an_answer_that_is_lost_at_any_step_leads_to_one_order(bench, pebble, lost):
    """The step was done, and its outcome never committed: the same intent is submitted again."""
    backend = await bench.configure(pebble)
    order = make_order("www.example.com")
    intent = await backend.prepare(order)
    for number in range(200):
        outcome = await backend.submit(order, intent)
        if number == lost:
            backend = await bench.reopened()
            outcome = await backend.submit(order, intent)
        if not isinstance(outcome, Pending):
            break
        intent = Intent(serial_hex=None, document=outcome.document)
        await asyncio.sleep(0.02 if outcome.retry_after_s else 0)
    issued(outcome)
    assert pebble.log_text().count("Added order") == 1


async def test_an_order_whose_address_was_never_stored_is_found_again(bench, pebble, monkeypatch):
    backend = await bench.configure(pebble)
    await backend.test()
    order = make_order("www.example.com")
    intent = await backend.prepare(order)

    async def die(*_args):
        raise RuntimeError("killed")

    monkeypatch.setattr(backend._keepsakes, "put_if_absent", die)
    with pytest.raises(RuntimeError):
        await backend.submit(order, intent)
    monkeypatch.undo()
    outcome, _ = await drive(await bench.reopened(), order, intent)
    issued(outcome)
    assert pebble.log_text().count("Added order") == 1


async def test_fifty_orders_at_once(bench, pebble):
    backend = await bench.configure(pebble)
    results = await asyncio.gather(
        *(order_and_drive(backend, f"host{number}.example.com", timeout_s=240) for number in range(50))
    )
    serials = {parse_certificate(issued(outcome).chain[0]).serial for _, outcome, _ in results}
    assert len(serials) == 50
    for order, outcome, _ in results:
        assert names_of(outcome.chain[0]) == set(order.dns_names)
    assert pebble.log_text().count("Added order") == 50


async def test_a_proof_that_is_not_there_is_refused_in_the_ca_s_words(bench, pebble, dns):
    backend = await bench.configure(pebble, validation_attempts=2)

    async def nothing(_record):
        return None

    bench.writer.publish = nothing
    _, outcome, phases = await order_and_drive(backend, "www.example.com")
    answer = refused(outcome)
    assert not answer.invalid
    assert "dns-01" in answer.message
    assert "unauthorized" in answer.message or "dns" in answer.message
    assert phases.count("create") == 2


async def test_a_writer_that_fails_holds_the_order(bench, pebble):
    backend = await bench.configure(pebble)
    bench.writer.fault = "NOTAUTH"
    order = make_order("www.example.com")
    with pytest.raises(Unavailable, match="NOTAUTH"):
        await drive(backend, order, await backend.prepare(order))


async def test_external_account_binding(bench, pebbles):
    pebble = await pebbles(eab=True)
    backend = await bench.configure(pebble)
    with pytest.raises((AccountNotUsable, CaRefused)):
        await backend.test()
    backend = await bench.configure(pebble, eab_key_id="kid-1", eab_hmac_key="c29tZXRoaW5nIGVsc2U")
    with pytest.raises(CaRefused):
        await backend.test()
    backend = await bench.configure(pebble, eab_key_id="kid-1", eab_hmac_key=EAB_KEY)
    await backend.test()
    _, outcome, _ = await order_and_drive(backend, "www.example.com")
    issued(outcome)


async def test_terms_must_be_agreed_to(bench, pebble):
    backend = await bench.configure(pebble, terms_agreed=False)
    with pytest.raises(AccountNotUsable, match="terms of service"):
        await backend.test()


async def test_account_is_kept_and_its_key_rolled_over(bench, pebble):
    backend = await bench.configure(pebble, contacts=["pki@example.com"])
    await backend.test()
    before = await backend._account._kept()
    thumbprint = await backend.roll_over_account_key()
    backend = await bench.reopened()
    after = await backend._account._kept()
    assert after.kid == before.kid
    assert after.pem != before.pem
    assert thumbprint
    _, outcome, _ = await order_and_drive(backend, "www.example.com")
    issued(outcome)


async def test_a_rollover_that_was_cut_off_is_finished(bench, pebble, monkeypatch):
    backend = await bench.configure(pebble)
    await backend.test()
    change = backend._account._change

    async def die(old, new):
        if old.next_pem:
            raise RuntimeError("killed")
        return await change(old, new)

    monkeypatch.setattr(backend._account, "_change", die)
    with pytest.raises(RuntimeError):
        await backend.roll_over_account_key()
    backend = await bench.reopened()
    _, outcome, _ = await order_and_drive(backend, "www.example.com")
    issued(outcome)
    assert not (await backend._account._kept()).next_pem


async def test_the_account_key_is_not_readable_in_the_database(bench, pebble, db, tmp_path):
    backend = await bench.configure(pebble, contacts=["pki@example.com"])
    await backend.test()
    await db.close()
    contents = b"".join(path.read_bytes() for path in tmp_path.glob("hub.db*"))
    assert b"PRIVATE KEY" not in contents


async def test_revocation_can_be_repeated(bench, pebble):
    backend = await bench.configure(pebble)
    assert isinstance(backend, CanRevoke)
    _, outcome, _ = await order_and_drive(backend, "www.example.com")
    facts = parse_certificate(issued(outcome).chain[0])
    backend = await bench.reopened()
    for _ in range(2):
        await backend.revoke(facts.serial, reason="superseded", at=facts.not_before)
    status = await pebble.management(f"cert-status-by-serial/{facts.serial}")
    assert b"Revoked" in status
    with pytest.raises(CaUnreachable):
        await backend.revoke("1234", reason="superseded", at=facts.not_before)


async def test_an_alternate_chain_is_chosen_by_its_issuer(bench, pebbles):
    pebble = await pebbles(alternate_roots=2)
    other = x509.load_pem_x509_certificate(await pebble.management("roots/2"))
    name = other.subject.rfc4514_string().removeprefix("CN=")
    backend = await bench.configure(pebble, preferred_chain=name)
    _, outcome, _ = await order_and_drive(backend, "www.example.com")
    issuers = [x509.load_der_x509_certificate(der).issuer for der in issued(outcome).chain]
    assert other.subject in issuers


async def test_a_pebble_without_renewal_information_has_no_opinion(bench, pebble):
    backend = await bench.configure(pebble)
    assert isinstance(backend, HasRenewalInfo)
    _, outcome, _ = await order_and_drive(backend, "www.example.com")
    assert await backend.renewal_info(*issued(outcome).chain[:2]) is None


async def test_names_that_are_proven_already_need_no_challenge(bench, pebbles):
    pebble = await pebbles(authz_reuse=100)
    backend = await bench.configure(pebble)
    _, outcome, _ = await order_and_drive(backend, "www.example.com")
    issued(outcome)
    bench.writer.fault = "never asked"
    _, outcome, phases = await order_and_drive(backend, "www.example.com")
    issued(outcome)
    assert "present" not in phases


async def test_a_limit_on_orders_holds_them_back(bench, pebble):
    backend = await bench.configure(pebble, max_orders=1)
    _, outcome, _ = await order_and_drive(backend, "www.example.com")
    issued(outcome)
    order = make_order("other.example.com")
    outcome = await backend.submit(order, await backend.prepare(order))
    assert isinstance(outcome, Pending)
    assert outcome.retry_after_s >= 60
    assert "limit" in outcome.waits_for
    assert pebble.log_text().count("Added order") == 1


async def test_what_can_never_be_proven_is_refused_before_the_ca_is_asked(bench, pebble):
    backend = await bench.configure(pebble, challenges=["http-01"])
    with pytest.raises(OrderImpossible, match="dns-01"):
        await backend.prepare(make_order("*.example.com"))
    backend = await bench.configure(pebble)
    with pytest.raises(OrderImpossible, match="http-01"):
        await backend.prepare(make_order("www.example.com", addresses=("192.0.2.1",)))


async def test_a_ca_that_is_away_is_asked_again_later(bench, pebble):
    backend = await bench.configure(pebble)
    order = make_order("www.example.com")
    intent = await backend.prepare(order)
    pebble.stop()
    with pytest.raises(NotOrdered):
        await backend.submit(order, intent)


async def test_a_ca_that_goes_away_keeps_the_order_that_it_has(bench, pebble):
    backend = await bench.configure(pebble)
    order = make_order("www.example.com")
    outcome = await backend.submit(order, await backend.prepare(order))
    pebble.stop()
    with pytest.raises(CaUnreachable):
        await backend.submit(order, Intent(serial_hex=None, document=outcome.document))
