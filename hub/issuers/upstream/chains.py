"""Putting the certificates that a CA hands out in order: CAs differ, and some add what nobody needs."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from pki.encodings import read_certificates
from pki.errors import PkiError

_DER = serialization.Encoding.DER
_SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
_LONGEST = 10


def chain_of(csr_der: bytes, data: bytes | Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the chain of the certificate over a request's key: leaf first, then issuers as far as known.

    ``data`` is PEM, DER or PKCS #7, or DER certificates. What can't be read, or has no certificate over that
    key, is returned as it came: the hub compares every certificate with its order and says what is wrong.
    """
    try:
        ders = read_certificates(data) if isinstance(data, bytes) else tuple(data)
        found = [x509.load_der_x509_certificate(der) for der in ders]
    except (PkiError, ValueError):
        return (data,) if isinstance(data, bytes) else tuple(data)
    wanted = x509.load_der_x509_csr(csr_der).public_key().public_bytes(_DER, _SPKI)
    leaf = next((item for item in found if item.public_key().public_bytes(_DER, _SPKI) == wanted), None)
    if leaf is None:
        return ders
    chain = [leaf]
    while len(chain) < _LONGEST:
        issuer = next((item for item in found if item not in chain and _issued(item, chain[-1])), None)
        if issuer is None:
            break
        chain.append(issuer)
    return tuple(item.public_bytes(_DER) for item in chain)


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
