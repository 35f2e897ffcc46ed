"""Certificate files: PEM (RFC 7468), DER, PKCS#7 (RFC 2315) and PKCS#12 (RFC 7292), read and written.

Certificates travel as DER everywhere else; this is where files come in and go out.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)

from pki.algorithms import MlDsaPrivateKey, SigningKey
from pki.certificates import load_certificate
from pki.errors import (
    LIBRARY_FAULTS,
    InputTooLarge,
    KeyMismatch,
    MalformedBundle,
    UnsupportedKey,
    WrongPassphrase,
)
from pki.keys import key_matches

MAX_BUNDLE_BYTES = 4 * 1024 * 1024
_PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_CERTIFICATE_LABELS = frozenset({b"CERTIFICATE", b"X509 CERTIFICATE"})
_PKCS7_LABELS = frozenset({b"PKCS7", b"CMS", b"PKCS #7 SIGNED DATA"})
_PKCS7_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")


def pem_block(label: str, der: bytes) -> bytes:
    """Armour DER as RFC 7468 wants it: 64 characters a line."""
    text = base64.b64encode(der)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return b"\n".join(
        (b"-----BEGIN %b-----" % label.encode(), *lines, b"-----END %b-----\n" % label.encode())
    )


def certificates_pem(ders: Iterable[bytes]) -> bytes:
    """Return certificates as PEM, one after the other in the order given."""
    return b"".join(pem_block("CERTIFICATE", der) for der in ders)


def csr_pem(der: bytes) -> bytes:
    """Return a certificate signing request as PEM."""
    return pem_block("CERTIFICATE REQUEST", der)


def read_certificates(data: bytes) -> tuple[bytes, ...]:
    """Return the DER of every certificate in a PEM, DER or PKCS#7 file, in the file's order.

    Every certificate has been parsed once. Raises InputTooLarge, MalformedBundle (nothing found, broken
    armour) or MalformedCertificate.
    """
    if len(data) > MAX_BUNDLE_BYTES:
        raise InputTooLarge(f"a certificate file is not larger than {MAX_BUNDLE_BYTES} bytes")
    ders = _read_pem(data) if b"-----BEGIN " in data else _read_der(data)
    if not ders:
        raise MalformedBundle("there is no certificate in the file")
    for der in ders:
        load_certificate(der)
    return ders


def _read_pem(data: bytes) -> tuple[bytes, ...]:
    ders: list[bytes] = []
    for label, text in _PEM_BLOCK.findall(data):
        if label in _CERTIFICATE_LABELS:
            ders.append(_from_base64(text))
        elif label in _PKCS7_LABELS:
            ders += read_pkcs7(_from_base64(text))
    return tuple(ders)


def _from_base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error as fault:
        raise MalformedBundle("a PEM block is not base64") from fault


def _read_der(data: bytes) -> tuple[bytes, ...]:
    if _PKCS7_SIGNED_DATA in data[:32]:
        return read_pkcs7(data)
    return (data,)


def read_pkcs7(der: bytes) -> tuple[bytes, ...]:
    """Return the certificates of a DER PKCS#7 bundle, in no particular order; raise MalformedBundle."""
    try:
        return tuple(
            certificate.public_bytes(Encoding.DER) for certificate in pkcs7.load_der_pkcs7_certificates(der)
        )
    except LIBRARY_FAULTS as fault:
        raise MalformedBundle("this is not a PKCS#7 bundle of certificates") from fault


def write_pkcs7(ders: Iterable[bytes]) -> bytes:
    """Return a DER PKCS#7 bundle of certificates; raise MalformedCertificate."""
    certificates = [load_certificate(der) for der in ders]
    return pkcs7.serialize_certificates(certificates, Encoding.DER)


@dataclass(frozen=True, slots=True)
class Pkcs12Contents:
    """What a PKCS#12 file holds."""

    private_key: SigningKey | None = field(repr=False)
    certificate: bytes | None
    chain: tuple[bytes, ...]
    name: str


def read_pkcs12(data: bytes, passphrase: bytes | None) -> Pkcs12Contents:
    """Open a PKCS#12 file; raise InputTooLarge, WrongPassphrase (or a damaged file) or UnsupportedKey."""
    if len(data) > MAX_BUNDLE_BYTES:
        raise InputTooLarge(f"a PKCS#12 file is not larger than {MAX_BUNDLE_BYTES} bytes")
    try:
        loaded = pkcs12.load_pkcs12(data, passphrase)
    except LIBRARY_FAULTS as fault:
        raise WrongPassphrase("the PKCS#12 file is damaged or has another passphrase") from fault
    if loaded.key is not None and not isinstance(loaded.key, SigningKey):
        raise UnsupportedKey
    main = loaded.cert
    return Pkcs12Contents(
        private_key=loaded.key,
        certificate=main.certificate.public_bytes(Encoding.DER) if main else None,
        chain=tuple(item.certificate.public_bytes(Encoding.DER) for item in loaded.additional_certs),
        name=(main.friendly_name or b"").decode("utf-8", "replace") if main else "",
    )


def write_pkcs12(
    private_key: SigningKey,
    certificate: bytes,
    *,
    chain: Iterable[bytes] = (),
    passphrase: bytes,
    name: str,
    legacy: bool = False,
) -> bytes:
    """Return a PKCS#12 file.

    Raises KeyMismatch, WrongPassphrase (an empty one), UnsupportedKey or MalformedCertificate.

    ``legacy`` uses 3DES and SHA-1, the only thing that Windows Server 2016 and old Java runtimes can import.
    """
    leaf = load_certificate(certificate)
    if not key_matches(private_key, leaf):
        raise KeyMismatch
    if not passphrase:
        raise WrongPassphrase("a PKCS#12 file needs a passphrase")
    if isinstance(private_key, MlDsaPrivateKey):
        raise UnsupportedKey("programs that read PKCS#12 know no ML-DSA keys yet")
    issuers: list[x509.Certificate] = [load_certificate(der) for der in chain]
    encryption = _legacy_encryption(passphrase) if legacy else BestAvailableEncryption(passphrase)
    return pkcs12.serialize_key_and_certificates(name.encode(), private_key, leaf, issuers, encryption)


def _legacy_encryption(passphrase: bytes) -> KeySerializationEncryption:
    return (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(50_000)
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())  # noqa: S303 the format's old profile, integrity comes from the passphrase
        .build(passphrase)
    )
