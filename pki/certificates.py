"""What the inventory wants to know of a certificate, read from its DER whoever made it.

Discovery meets certificates that are old, odd or hostile. What identifies a certificate (names, serial,
dates, digests) must be readable; a key of an unknown kind or a broken extension is noted in ``unreadable``
and the rest still listed.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from pki import der
from pki.algorithms import SIGNATURE_NAMES, weak_signature_valid
from pki.errors import LIBRARY_FAULTS, InputTooLarge, MalformedCertificate, MalformedDer
from pki.keys import key_bits, key_type_of
from pki.subject_alt_names import AltNames, printable, read_alt_names
from pki.usages import read_extended_key_usage, read_key_usage

MAX_CERTIFICATE_BYTES = 256 * 1024
_VERSION_TAG = 0xA0
_READ_FAULTS: tuple[type[Exception], ...] = (MalformedDer, *LIBRARY_FAULTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionFacts:
    """What a certificate's extensions say."""

    alt_names: AltNames = field(default_factory=AltNames)
    key_usage: tuple[str, ...] = ()
    extended_key_usage: tuple[str, ...] = ()
    is_ca: bool = False
    aki: str = ""
    ski: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """A certificate as the inventory lists it."""

    sha256: str
    """Fingerprints in lower-case hex, as everything hexadecimal here."""
    sha1: str
    md5: str
    serial: str
    """Hex, as encoded, without leading zeros."""
    subject: str
    """RFC 4514."""
    issuer: str
    common_name: str
    """Empty when the subject has none; the last one when it has several."""
    dns_names: tuple[str, ...]
    """Lower case, not validated."""
    ip_addresses: tuple[str, ...]
    emails: tuple[str, ...]
    other_names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key_type: str
    key_bits: int
    signature_algorithm: str
    key_usage: tuple[str, ...]
    extended_key_usage: tuple[str, ...]
    is_ca: bool
    self_signed: bool
    spki_sha256: str
    aki: str
    """Authority key identifier, empty when absent."""
    ski: str
    unreadable: tuple[str, ...] = ()
    """Parts that could not be read: ``public key``, ``extensions``."""
    der: bytes = field(repr=False, compare=False)


def load_certificate(der_bytes: bytes) -> x509.Certificate:
    """Load a DER certificate; raise InputTooLarge or MalformedCertificate. Fields may fail later."""
    if len(der_bytes) > MAX_CERTIFICATE_BYTES:
        raise InputTooLarge(f"a certificate is not larger than {MAX_CERTIFICATE_BYTES} bytes")
    try:
        return x509.load_der_x509_certificate(der_bytes)
    except LIBRARY_FAULTS as fault:
        raise MalformedCertificate from fault


def parse_certificate(der_bytes: bytes) -> CertificateFacts:
    """Read a DER certificate; raise InputTooLarge or MalformedCertificate and nothing else."""
    certificate = load_certificate(der_bytes)
    try:
        return _facts(der_bytes, certificate)
    except _READ_FAULTS as fault:
        raise MalformedCertificate(f"a field of the certificate can not be read: {fault}") from fault


def _facts(der_bytes: bytes, certificate: x509.Certificate) -> CertificateFacts:
    serial, spki = _serial_and_key(certificate.tbs_certificate_bytes)
    key_type, bits = _key(certificate)
    extensions = _extensions(certificate)
    read = extensions or ExtensionFacts()
    unreadable = ("public key",) * (not key_type) + ("extensions",) * (extensions is None)
    oid = certificate.signature_algorithm_oid.dotted_string
    common_names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return CertificateFacts(
        sha256=hashlib.sha256(der_bytes).hexdigest(),
        sha1=hashlib.sha1(der_bytes, usedforsecurity=False).hexdigest(),
        md5=hashlib.md5(der_bytes, usedforsecurity=False).hexdigest(),
        serial=serial,
        subject=printable(certificate.subject.rfc4514_string()),
        issuer=printable(certificate.issuer.rfc4514_string()),
        common_name=printable(_text(common_names[-1].value)) if common_names else "",
        dns_names=read.alt_names.dns_names,
        ip_addresses=read.alt_names.ip_addresses,
        emails=read.alt_names.emails,
        other_names=read.alt_names.other_names,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key_type=key_type or "unknown",
        key_bits=bits,
        signature_algorithm=SIGNATURE_NAMES.get(oid, oid),
        key_usage=read.key_usage,
        extended_key_usage=read.extended_key_usage,
        is_ca=read.is_ca,
        self_signed=is_signed_by(certificate, certificate),
        spki_sha256=hashlib.sha256(spki).hexdigest(),
        aki=read.aki,
        ski=read.ski,
        unreadable=unreadable,
        der=der_bytes,
    )


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.hex()


def _serial_and_key(tbs: bytes) -> tuple[str, bytes]:
    # Read from the DER: the library refuses serial numbers and keys that discovery still wants to list.
    children = der.read_children(der.read_element(tbs).content)
    elements = [child for child in islice(children, 7) if child.tag != _VERSION_TAG]
    serial, _algorithm, _issuer, _validity, _subject, spki = elements[:6]
    return serial.content.hex().lstrip("0") or "0", spki.encoded


def _key(certificate: x509.Certificate) -> tuple[str, int]:
    try:
        key = certificate.public_key()
    except LIBRARY_FAULTS:
        return "", 0
    return key_type_of(key), key_bits(key)


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether a certificate names another as its issuer and its signature is by that one's key."""
    try:
        if certificate.issuer != issuer.subject:
            return False
        certificate.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return False
    except LIBRARY_FAULTS:
        return _is_weakly_signed_by(certificate, issuer)
    return True


def _is_weakly_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        return weak_signature_valid(
            issuer.public_key(),
            certificate.signature_hash_algorithm,
            signature=certificate.signature,
            message=certificate.tbs_certificate_bytes,
        )
    except LIBRARY_FAULTS:
        return False


def _extensions(certificate: x509.Certificate) -> ExtensionFacts | None:
    found: dict[str, Any] = {}
    try:
        for extension in certificate.extensions:
            value = extension.value
            reader = _EXTENSION_READERS.get(type(value))
            if reader is not None:
                name, read = reader
                found[name] = read(value)
    except LIBRARY_FAULTS:
        return None
    return ExtensionFacts(**found)


# Extension -> field of ExtensionFacts and what reads it; others are of no interest to the inventory.
_EXTENSION_READERS: dict[type[x509.ExtensionType], tuple[str, Callable[[Any], Any]]] = {
    x509.SubjectAlternativeName: ("alt_names", read_alt_names),
    x509.KeyUsage: ("key_usage", read_key_usage),
    x509.ExtendedKeyUsage: ("extended_key_usage", read_extended_key_usage),
    x509.BasicConstraints: ("is_ca", lambda value: value.ca),
    x509.AuthorityKeyIdentifier: ("aki", lambda value: (value.key_identifier or b"").hex()),
    x509.SubjectKeyIdentifier: ("ski", lambda value: value.digest.hex()),
}
