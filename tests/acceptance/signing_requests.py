"""Certificate signing requests, good and bad."""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding


def csr(*names: str, key: Any = None) -> x509.CertificateSigningRequest:
    """A request for DNS names, by default with a new EC key."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    request = builder.add_extension(alternatives, critical=False)
    return request.sign(key or ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())


def pem(request: x509.CertificateSigningRequest) -> str:
    """As people paste it."""
    return request.public_bytes(Encoding.PEM).decode()


def with_bad_signature() -> str:
    """Another name in what was signed: the structure stays, the signature no longer fits."""
    der = bytearray(csr("shop.test").public_bytes(Encoding.DER))
    position = der.index(b"shop.test")
    der[position : position + 4] = b"bank"
    return pem(x509.load_der_x509_csr(bytes(der)))


def with_weak_key() -> str:
    """RSA with 1024 bits."""
    return pem(csr("shop.test", key=rsa.generate_private_key(65537, 1024)))


def with_wildcards() -> str:
    """Names that the first profile does not allow."""
    return pem(csr("*.shop.test", "*.bank.test"))
