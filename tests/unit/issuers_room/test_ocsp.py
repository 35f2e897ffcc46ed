"""Answers about certificates: right, from memory, and changed the moment that something is revoked."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from sqlalchemy.exc import OperationalError

from hub.issuers import ledger
from hub.issuers.errors import AuthorityNotFound
from pki import der
from pki.ocsp import IssuerHashes, encode_cert_id


@pytest.fixture
def order_leaf(db, issuers, open_backend, order):
    """Issue a certificate as the lifecycle does; return leaf and issuer."""

    async def make(backend_id):
        backend = await open_backend(backend_id)
        wanted = order()
        intent = await backend.prepare(wanted)
        async with db.write() as uow:
            await issuers.record_intent(uow, intent)
        chain = (await backend.submit(wanted, intent)).chain
        return tuple(x509.load_der_x509_certificate(der) for der in chain[:2])

    return make


@pytest.fixture
def slug_of(db, issuers):
    async def read(backend_id, role="issuing"):
        async with db.read() as session:
            authorities = await issuers.authorities(session, backend_id)
        return next(item.slug for item in authorities if item.role == role)

    return read


@pytest.fixture
async def case(make_ca, order_leaf, slug_of):
    backend_id = await make_ca()
    leaf, issuer = await order_leaf(backend_id)
    return backend_id, await slug_of(backend_id), leaf, issuer


@pytest.fixture
def revoke(db, issuers, clock):
    async def make(backend_id, leaf, service=None, reason="keyCompromise"):
        async with db.write() as uow:
            await (service or issuers).certificate_revoked(
                uow, backend_id=backend_id, serial_hex=f"{leaf.serial_number:x}", reason=reason, at=clock()
            )

    return make


def request(leaf, issuer, *, algorithm=None, nonce=None):
    builder = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, algorithm or hashes.SHA1())
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def read(answer):
    return ocsp.load_der_ocsp_response(answer.body)


def status(answer):
    return read(answer).certificate_status.name


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256()])
@pytest.mark.parametrize("key_type", ["EC-P256", "EC-P384", "RSA-2048"])
async def test_a_certificate_is_good_until_it_is_revoked(
    make_ca, order_leaf, slug_of, issuers, revoke, clock, algorithm, key_type
):
    backend_id = await make_ca(key_type=key_type)
    leaf, issuer = await order_leaf(backend_id)
    asked = request(leaf, issuer, algorithm=algorithm)
    answer = await issuers.ocsp.answer(await slug_of(backend_id), asked)
    response = read(answer)
    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert response.serial_number == leaf.serial_number
    assert response.this_update_utc == response.produced_at_utc == clock().replace(microsecond=0)
    assert response.next_update_utc - response.this_update_utc == timedelta(hours=8)
    await revoke(backend_id, leaf)
    response = read(await issuers.ocsp.answer(await slug_of(backend_id), asked))
    assert response.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert response.revocation_reason is x509.ReasonFlags.key_compromise
    assert response.revocation_time_utc == clock().replace(microsecond=0)


async def test_the_responder_is_certified_by_the_ca_for_nothing_else(case, issuers, clock):
    _, slug, leaf, issuer = case
    response = read(await issuers.ocsp.answer(slug, request(leaf, issuer)))
    (responder,) = response.certificates
    responder.verify_directly_issued_by(issuer)
    assert response.responder_key_hash is not None
    extensions = responder.extensions
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.ExtendedKeyUsageOID.OCSP_SIGNING]
    assert extensions.get_extension_for_class(x509.OCSPNoCheck)
    assert responder.not_valid_after_utc - clock() <= timedelta(days=14)
    key = responder.public_key()
    key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(response.signature_hash_algorithm))


async def test_what_the_ca_never_issued_is_unknown(case, issuers, make_ca, order_leaf):
    _, slug, _, issuer = case
    other, other_issuer = await order_leaf(await make_ca("Other"))
    foreign = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        *hashes_of(issuer), other.serial_number, hashes.SHA1()
    )
    answer = await issuers.ocsp.answer(slug, foreign.build().public_bytes(Encoding.DER))
    assert status(answer) == "UNKNOWN"
    assert answer.until is None
    answer = await issuers.ocsp.answer(slug, request(other, other_issuer))
    assert read(answer).response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


def hashes_of(issuer):
    return IssuerHashes.of(issuer.public_bytes(Encoding.DER)).pairs["sha1"]


async def test_a_nonce_comes_back_and_nobody_may_keep_the_answer(case, issuers):
    _, slug, leaf, issuer = case
    for nonce in (b"n", b"n" * 32, b"n" * 128):
        answer = await issuers.ocsp.answer(slug, request(leaf, issuer, nonce=nonce))
        found = read(answer).extensions.get_extension_for_class(x509.OCSPNonce).value
        assert found.nonce == nonce
        assert answer.until is None
    for nonce in (b"", b"n" * 129):
        answer = await issuers.ocsp.answer(slug, request(leaf, issuer, nonce=nonce))
        assert read(answer).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


async def test_the_second_to_ask_gets_the_same_octets_without_the_database(
    case, issuers, clock, monkeypatch, db
):
    _, slug, leaf, issuer = case
    asked = request(leaf, issuer)
    first = await issuers.ocsp.answer(slug, asked)

    def away():
        raise OperationalError("SELECT", {}, OSError("the database is away"))

    monkeypatch.setattr(db, "read", away)
    clock.forward(hours=1)
    assert await issuers.ocsp.answer(slug, asked) == first
    other = await issuers.ocsp.answer(slug, request(leaf, issuer, nonce=b"1"))
    assert read(other).response_status is ocsp.OCSPResponseStatus.TRY_LATER


async def test_the_ca_that_is_not_here_is_not_found(case, issuers, slug_of):
    backend_id, _, leaf, issuer = case
    for slug in ("nobody", await slug_of(backend_id, "root")):
        with pytest.raises(AuthorityNotFound):
            await issuers.ocsp.answer(slug, request(leaf, issuer))


async def test_another_replica_sees_a_revocation_at_its_next_look(case, start, revoke):
    backend_id, slug, leaf, issuer = case
    here, there = start(), start()
    asked = request(leaf, issuer)
    for service in (here, there):
        assert status(await service.ocsp.answer(slug, asked)) == "GOOD"
        await service.ocsp.look()
        assert status(await service.ocsp.answer(slug, asked)) == "GOOD"
    await revoke(backend_id, leaf, here)
    assert status(await here.ocsp.answer(slug, asked)) == "REVOKED"
    assert status(await there.ocsp.answer(slug, asked)) == "GOOD"
    await there.ocsp.look()
    assert status(await there.ocsp.answer(slug, asked)) == "REVOKED"


async def test_what_was_read_before_a_revocation_is_not_kept(case, issuers, revoke, monkeypatch):
    backend_id, slug, leaf, issuer = case
    read_states = ledger.states

    async def slow(session, authority_id, serials):
        found = await read_states(session, authority_id, serials)
        await session.rollback()
        # Between reading and keeping: a revocation in this process.
        monkeypatch.setattr(ledger, "states", read_states)
        await revoke(backend_id, leaf)
        return found

    await issuers.ocsp.answer(slug, request(leaf, issuer, nonce=b"1"))
    monkeypatch.setattr(ledger, "states", slow)
    asked = request(leaf, issuer)
    assert status(await issuers.ocsp.answer(slug, asked)) == "GOOD"
    assert status(await issuers.ocsp.answer(slug, asked)) == "REVOKED"


async def test_what_is_asked_for_is_renewed_at_half_its_time(case, issuers, clock):
    _, slug, leaf, issuer = case
    asked = request(leaf, issuer)
    first = await issuers.ocsp.answer(slug, asked)
    assert await issuers.ocsp.renew() == 0
    clock.forward(hours=4)
    assert await issuers.ocsp.renew() == 1
    second = await issuers.ocsp.answer(slug, asked)
    assert second.produced_at - first.produced_at == 4 * 3600
    # Asked for once more, and then no longer.
    clock.forward(hours=4)
    assert await issuers.ocsp.renew() == 1
    clock.forward(hours=4)
    assert await issuers.ocsp.renew() == 0
    assert status(await issuers.ocsp.answer(slug, asked)) == "GOOD"


async def test_several_certificates_in_one_request(case, issuers, revoke, order_leaf):
    backend_id, slug, leaf, issuer = case
    other, _ = await order_leaf(backend_id)
    await revoke(backend_id, other)
    hashes_here = IssuerHashes.of(issuer.public_bytes(Encoding.DER))
    ids = [encode_cert_id(hashes_here, serial) for serial in (leaf.serial_number, other.serial_number, 4711)]
    asked = der.sequence(der.sequence(der.sequence(*(der.sequence(item) for item in ids))))
    response = read(await issuers.ocsp.answer(slug, asked))
    found = [item.certificate_status.name for item in response.responses]
    assert found == ["GOOD", "REVOKED", "UNKNOWN"]


async def test_rubbish_is_malformed(case, issuers):
    _, slug, leaf, issuer = case
    good = request(leaf, issuer)
    for asked in (b"", b"rubbish", good[:-1], good + b"\0", b"\x30" * 9000):
        answer = await issuers.ocsp.answer(slug, asked)
        assert read(answer).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST
        assert answer.until is None
