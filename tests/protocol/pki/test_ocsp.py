"""OCSP octets: what the library and we make of each other's, hostile requests, and the linter's opinion."""

import os
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from hub.issuers.private_ca.signer import SoftwareSigner
from pki import der
from pki.crls import RevocationReason
from pki.errors import MalformedOcspRequest
from pki.keys import KeyType, generate_key, spki_der
from pki.names import SubjectFields, encode_name
from pki.ocsp import (
    MAX_CERT_IDS,
    IssuerHashes,
    encode_cert_id,
    parse_request,
    path_of_request,
    plain_request,
    plain_requests,
    request_from_path,
)
from pki.ocsp_responses import (
    Revoked,
    SingleAnswer,
    assemble_response,
    build_response_data,
    certificate_list,
    responder_id,
)
from pki.templates import SubjectRef, Validity
from tests.protocol.pki.test_lint import errors

SERIALS = st.integers(1, (1 << 159) - 1)
NONCES = st.binary(min_size=1, max_size=128)
HASHES = st.sampled_from(["sha1", "sha256"])


@pytest.fixture(scope="session")
def issuer(issued):
    return IssuerHashes.of(issued.issuing.certificate)


@pytest.fixture(scope="session")
def answer(issued, issuer, now):
    """Answer for certificates of the issuing CA with a new responder; returns DER."""

    def make(key_type, states, nonce=None):
        signer = SoftwareSigner(generate_key(key_type))
        subject = SubjectRef(encode_name(SubjectFields(common_name="R")), spki_der(signer.public_key))
        validity = Validity(now - timedelta(hours=1), now + timedelta(days=14))
        prepared = issued.ca.prepare_responder(random=os.urandom(16), validity=validity, subject=subject)
        certificate = issued.ca.sign(prepared.tbs)
        answers = [
            SingleAnswer(
                cert_id=encode_cert_id(issuer, serial),
                known=known,
                revoked=revoked,
                this_update=now,
                next_update=now + timedelta(hours=8),
            )
            for serial, (known, revoked) in enumerate(states, 1)
        ]
        data = build_response_data(responder_id(certificate), answers, produced_at=now, nonce=nonce)
        signature = signer.sign(data)
        certificates = certificate_list(certificate)
        return assemble_response(data, signer.algorithm, signature, certificates=certificates).der()

    return make


STATES = [
    (True, None),
    (False, None),
    *((True, reason) for reason in RevocationReason),
]


@pytest.fixture(scope="session")
def states(now):
    return [(known, reason and Revoked(now - timedelta(hours=1), reason)) for known, reason in STATES]


@pytest.mark.parametrize("key_type", [KeyType.EC_P256, KeyType.EC_P384, KeyType.RSA_2048])
def test_the_linter_finds_no_fault(answer, states, tmp_path, key_type):
    for state in states:
        found = answer(key_type, [state], nonce=b"n" * 32)
        assert errors(tmp_path, "lint_ocsp_response", found) == ""
    assert errors(tmp_path, "lint_ocsp_response", answer(key_type, states)) == ""


def test_the_linter_finds_no_fault_with_the_responder(answer, states, tmp_path):
    response = ocsp.load_der_ocsp_response(answer(KeyType.EC_P256, states[:1]))
    certificate = response.certificates[0].public_bytes(Encoding.DER)
    assert errors(tmp_path, "lint_pkix_cert", certificate) == ""


def test_the_library_reads_what_is_said(answer, states, now):
    response = ocsp.load_der_ocsp_response(answer(KeyType.EC_P256, states, nonce=b"abc"))
    assert response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
    assert response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"abc"
    for single, (known, revoked) in zip(response.responses, states, strict=True):
        name = "REVOKED" if revoked else "GOOD" if known else "UNKNOWN"
        assert single.certificate_status.name == name
        assert (single.this_update_utc, single.next_update_utc) == (now, now + timedelta(hours=8))
        if revoked:
            assert single.revocation_time_utc == now - timedelta(hours=1)
            reason = single.revocation_reason
            # Unspecified is said by saying nothing.
            assert (reason.value if reason else "unspecified") == revoked.reason.value


@given(serial=SERIALS, nonce=st.none() | NONCES, hash_name=HASHES)
def test_requests_of_the_library_are_read(issued, issuer, serial, nonce, hash_name):
    algorithm = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}[hash_name]
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(*issuer.pairs[hash_name], serial, algorithm)
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    encoded = builder.build().public_bytes(Encoding.DER)
    request = parse_request(encoded)
    (cert_id,) = request.cert_ids
    assert (cert_id.serial, cert_id.hash_name, request.nonce) == (serial, hash_name, nonce)
    assert issuer.match(cert_id)
    assert not IssuerHashes.of(issued.root.certificate).match(cert_id)
    assert request.is_plain is (nonce is None)
    if nonce is None:
        # Whatever is kept in memory can be found again when the certificate is revoked.
        assert encoded in plain_requests(issuer, serial)
    assert request_from_path(path_of_request(encoded)) == encoded


@given(serial=SERIALS, hash_name=HASHES, null=st.booleans())
def test_the_library_reads_our_requests(issuer, serial, hash_name, null):
    cert_id = encode_cert_id(issuer, serial, hash_name=hash_name, null_parameters=null)
    request = ocsp.load_der_ocsp_request(plain_request(cert_id))
    assert request.serial_number == serial
    assert (request.issuer_name_hash, request.issuer_key_hash) == issuer.pairs[hash_name]
    assert parse_request(plain_request(cert_id)).cert_ids[0].encoded == cert_id


def understood(data):
    try:
        return parse_request(data)
    except MalformedOcspRequest:
        return None


@given(data=st.binary(max_size=300))
def test_no_octets_do_worse_than_being_refused(data):
    assert understood(data) is None


@given(data=st.data())
def test_a_damaged_request_is_refused_or_still_a_request(issuer, data):
    good = ocsp.OCSPRequestBuilder().add_certificate_by_hash(*issuer.pairs["sha1"], 4711, hashes.SHA1())
    good = good.add_extension(x509.OCSPNonce(b"n" * 16), critical=False).build().public_bytes(Encoding.DER)
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(damaged) - 1))
        damaged[position] = data.draw(st.integers(0, 255))
    cut = bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
    request = understood(cut)
    if request is not None:
        assert len(cut) == len(good)
        # What passes here passes the library too: we are the stricter one.
        ocsp.load_der_ocsp_request(cut)


def cert_ids(issuer, count):
    return [der.sequence(encode_cert_id(issuer, serial)) for serial in range(1, count + 1)]


def with_extensions(issuer, *extensions):
    listed = der.explicit(2, der.sequence(*extensions))
    return der.sequence(der.sequence(der.sequence(*cert_ids(issuer, 1)), listed))


def an_extension(dotted, value, *flag):
    return der.sequence(der.object_identifier(dotted), *flag, der.octet_string(value))


NONCE = "1.3.6.1.5.5.7.48.1.2"


def hostile(issuer):
    one = cert_ids(issuer, 1)
    requests = der.sequence(*one)
    yield "nothing asked for", der.sequence(der.sequence(der.sequence()))
    yield "too many", der.sequence(der.sequence(der.sequence(*cert_ids(issuer, MAX_CERT_IDS + 1))))
    yield "version 2", der.sequence(der.sequence(der.explicit(0, der.integer(1)), requests))
    yield "trailing octets", der.sequence(der.sequence(requests)) + b"\0"
    yield "trailing element", der.sequence(der.sequence(requests, der.integer(1)))
    yield "long length", b"\x30\x81" + der.sequence(der.sequence(requests))[1:]
    yield "indefinite length", b"\x30\x80" + der.sequence(requests) + b"\0\0"
    yield "empty nonce", with_extensions(issuer, an_extension(NONCE, der.octet_string(b"")))
    yield "long nonce", with_extensions(issuer, an_extension(NONCE, der.octet_string(b"n" * 129)))
    yield "bare nonce", with_extensions(issuer, an_extension(NONCE, b"nonce"))
    twice = [an_extension(NONCE, der.octet_string(b"n"))] * 2
    yield "two nonces", with_extensions(issuer, *twice)
    critical = an_extension("1.2.3.4", b"", der.boolean_true())
    yield "unknown critical extension", with_extensions(issuer, critical)
    yield "odd boolean", with_extensions(issuer, an_extension("1.2.3.4", b"", b"\x01\x01\x01"))
    yield "requestor without a name", der.sequence(der.sequence(der.explicit(1, der.integer(1)), requests))
    short = encode_cert_id(issuer, 1).replace(b"\x04\x14", b"\x04\x13", 1)
    yield "short hash", plain_request(short)
    padded = encode_cert_id(issuer, 1)[:-3] + b"\x02\x02\x00\x01"
    yield "padded serial number", plain_request(b"\x30" + bytes([padded[1] + 1]) + padded[2:])
    yield "too large", der.sequence(der.sequence(requests), der.explicit(0, der.sequence(b"\0" * 9000)))


def test_hostile_requests_are_refused(issuer):
    for what, request in hostile(issuer):
        assert understood(request) is None, what


def test_what_is_unusual_but_right_is_taken(issuer):
    requests = der.sequence(*cert_ids(issuer, MAX_CERT_IDS))
    name = der.explicit(1, der.explicit(4, encode_name(SubjectFields(common_name="client"))))
    signature = der.explicit(0, der.sequence(der.sequence(), der.bit_string(b"signature")))
    unknown = an_extension("1.2.3.4", b"anything")
    request = parse_request(
        der.sequence(der.sequence(name, requests, der.explicit(2, der.sequence(unknown))), signature)
    )
    assert len(request.cert_ids) == MAX_CERT_IDS
    assert (request.nonce, request.is_plain) == (None, False)


@pytest.mark.parametrize("text", ["%%%", "a b", "ÄÖ", "A" * 30_000, "%00", "A"])
def test_addresses_that_are_no_base64(text):
    with pytest.raises(MalformedOcspRequest):
        request_from_path(text)
