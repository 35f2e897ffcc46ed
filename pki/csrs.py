"""Certificate signing requests (PKCS#10, RFC 2986): parsing with proof of possession, and building.

Reading is tolerant of what people paste (text around the PEM, CRLF, the old ``NEW CERTIFICATE REQUEST``
label, base64 without armour) and strict about the rest. Whether a request is acceptable is decided by
:mod:`pki.csr_policy`.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import ExtensionOID, NameOID

from pki import der
from pki.algorithms import (
    SIGNATURE_NAMES,
    SignatureAlgorithm,
    SigningKey,
    VerifyingKey,
    algorithm_identifier,
    default_signature_algorithm,
    sign,
    weak_signature_valid,
)
from pki.errors import (
    LIBRARY_FAULTS,
    BadCsrSignature,
    InputTooLarge,
    MalformedCsr,
    PrivateKeyDisclosed,
    UnsupportedKey,
)
from pki.keys import key_bits, key_type_of, spki_der
from pki.names import SubjectFields, encode_name, normalize_dns_name, normalize_ip_address
from pki.subject_alt_names import AltNames, encode_alt_names, printable, read_alt_names

MAX_CSR_BYTES = 64 * 1024
_EXTENSION_REQUEST, _SUBJECT_ALTERNATIVE_NAME = "1.2.840.113549.1.9.14", "2.5.29.17"
_DER_SEQUENCE = b"\x30"  # no base64 of a request begins with "0"

_PEM = re.compile(
    rb"-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----(.*?)-----END (?:NEW )?CERTIFICATE REQUEST-----", re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedCsr:
    """What a request says; its signature has been verified."""

    der: bytes = field(repr=False)
    subject: str
    """RFC 4514."""
    common_name: str
    """Empty when the subject has none; the last one when it has several."""
    dns_names: tuple[str, ...]
    """From the subject alternative name, lower case, not validated."""
    ip_addresses: tuple[str, ...]
    emails: tuple[str, ...]
    other_names: tuple[str, ...]
    """Alternative names of other kinds, as ``kind:value``."""
    key_type: str
    key_bits: int
    spki_der: bytes = field(repr=False)
    spki_sha256: str
    signature_algorithm: str
    rsa_modulus: int | None = field(default=None, repr=False)
    rsa_exponent: int | None = None


def parse_csr(data: bytes) -> ParsedCsr:
    """Parse a PEM, DER or bare base64 request and verify that its key signed it.

    Raises InputTooLarge, PrivateKeyDisclosed, MalformedCsr, UnsupportedKey or BadCsrSignature.
    """
    encoded = _to_der(data)
    try:
        csr = x509.load_der_x509_csr(encoded)
    except LIBRARY_FAULTS as fault:
        raise MalformedCsr from fault
    key = _public_key(csr)
    _verify_possession(csr, key)
    try:
        return _facts(encoded, csr, key)
    except LIBRARY_FAULTS as fault:
        raise MalformedCsr(f"a field of the request can not be read: {fault}") from fault


def _to_der(data: bytes) -> bytes:
    if len(data) > MAX_CSR_BYTES:
        raise InputTooLarge(f"a request is not larger than {MAX_CSR_BYTES} bytes")
    match = _PEM.search(data)
    if match is None and data[:1] == _DER_SEQUENCE:
        return data
    if b"PRIVATE KEY-----" in data:
        raise PrivateKeyDisclosed
    if match is None and b"-----BEGIN CERTIFICATE-----" in data:
        raise MalformedCsr("this is a certificate, not a certificate signing request")
    text = match[1] if match else data
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error as fault:
        raise MalformedCsr from fault


def _public_key(csr: x509.CertificateSigningRequest) -> PublicKeyTypes:
    try:
        return csr.public_key()
    except LIBRARY_FAULTS as fault:
        raise UnsupportedKey("the request's public key is malformed or of an unsupported kind") from fault


def _verify_possession(csr: x509.CertificateSigningRequest, key: PublicKeyTypes) -> None:
    try:
        valid = csr.is_signature_valid or weak_signature_valid(
            key, csr.signature_hash_algorithm, signature=csr.signature, message=csr.tbs_certrequest_bytes
        )
    except LIBRARY_FAULTS as fault:
        raise BadCsrSignature(f"the request's signature can not be verified: {fault}") from fault
    if not valid:
        raise BadCsrSignature


def _facts(encoded: bytes, csr: x509.CertificateSigningRequest, key: PublicKeyTypes) -> ParsedCsr:
    spki = spki_der(key)
    names = _alt_names(csr)
    common_names = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    numbers = key.public_numbers() if isinstance(key, rsa.RSAPublicKey) else None
    oid = csr.signature_algorithm_oid.dotted_string
    return ParsedCsr(
        der=encoded,
        subject=printable(csr.subject.rfc4514_string()),
        common_name=printable(str(common_names[-1].value)) if common_names else "",
        dns_names=names.dns_names,
        ip_addresses=names.ip_addresses,
        emails=names.emails,
        other_names=names.other_names,
        key_type=key_type_of(key),
        key_bits=key_bits(key),
        spki_der=spki,
        spki_sha256=hashlib.sha256(spki).hexdigest(),
        signature_algorithm=SIGNATURE_NAMES.get(oid, oid),
        rsa_modulus=numbers.n if numbers else None,
        rsa_exponent=numbers.e if numbers else None,
    )


def _alt_names(csr: x509.CertificateSigningRequest) -> AltNames:
    try:
        extension = csr.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    except x509.ExtensionNotFound:
        return AltNames()
    if not isinstance(extension.value, x509.SubjectAlternativeName):
        raise MalformedCsr("the subject alternative name can not be read")
    return read_alt_names(extension.value)


def build_csr(
    private_key: SigningKey,
    subject: SubjectFields,
    dns_names: Iterable[str] = (),
    ip_addresses: Iterable[str] = (),
) -> bytes:
    """Build and sign a request; return its DER. Raises InvalidName."""
    names = AltNames(
        dns_names=tuple(normalize_dns_name(name) for name in dns_names),
        ip_addresses=tuple(normalize_ip_address(address) for address in ip_addresses),
    )
    algorithm = default_signature_algorithm(private_key.public_key())
    signer = CsrSigner(private_key.public_key(), algorithm, partial(sign, private_key, algorithm))
    return build_csr_with(signer, subject, names)


@dataclass(frozen=True, slots=True)
class CsrSigner:
    """A key that may be elsewhere: its public half, and what signs with the other."""

    public_key: VerifyingKey
    algorithm: SignatureAlgorithm
    sign: Callable[[bytes], bytes]


def build_csr_with(signer: CsrSigner, subject: SubjectFields, names: AltNames) -> bytes:
    """Build a request and have it signed; return its DER. Raises InvalidName."""
    public_key = signer.public_key
    info = der.sequence(
        der.integer(0), encode_name(subject), spki_der(public_key), der.explicit(0, _extension_request(names))
    )
    return der.sequence(info, algorithm_identifier(signer.algorithm), der.bit_string(signer.sign(info)))


def _extension_request(names: AltNames) -> bytes:
    # The attribute of RFC 2985, 5.4.2 that carries the extensions asked for.
    if names == AltNames():
        return b""
    alt_names = der.sequence(
        der.object_identifier(_SUBJECT_ALTERNATIVE_NAME), der.octet_string(encode_alt_names(names))
    )
    values = der.tlv(der.SET, der.sequence(alt_names))
    return der.sequence(der.object_identifier(_EXTENSION_REQUEST), values)
