"""What a certificate is going to say, before it is signed: typed templates and the checks on them.

A template is complete: the same template always gives the same TBSCertificate (:mod:`pki.issuing`). Serial
numbers and times are passed in. Builders for the three usual kinds (root, issuing CA, leaf) stand at the end.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pki import der
from pki.algorithms import SignatureAlgorithm
from pki.errors import InvalidTemplate
from pki.findings import Finding
from pki.subject_alt_names import AltNames

SERIAL_RANDOM_BYTES = 16
ANY_POLICY = "2.5.29.32.0"
_EMPTY_NAME = b"\x30\x00"
_RSA_ENCRYPTION = der.object_identifier("1.2.840.113549.1.1.1")


@dataclass(frozen=True, slots=True)
class IssuerRef:
    """Who issues: the CA's subject and its subject key identifier."""

    name_der: bytes
    key_id: bytes
    """Empty in a root, whose authority key identifier would repeat its own."""


@dataclass(frozen=True, slots=True)
class Validity:
    """Aware datetimes, used in whole seconds; both ends are included (RFC 5280, 4.1.2.5)."""

    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class SubjectRef:
    """Who is certified: distinguished name, public key and normalized alternative names."""

    name_der: bytes
    spki_der: bytes = field(repr=False)
    names: AltNames = field(default_factory=AltNames)


@dataclass(frozen=True, slots=True)
class StatusUrls:
    """Where to find the issuer's CRL, OCSP responder and certificate."""

    crl: tuple[str, ...] = ()
    ocsp: tuple[str, ...] = ()
    ca_issuers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NameConstraints:
    """What a subordinate CA may certify (RFC 5280, 4.2.1.10): DNS suffixes and networks in CIDR form."""

    permitted_dns: tuple[str, ...] = ()
    excluded_dns: tuple[str, ...] = ()
    permitted_networks: tuple[str, ...] = ()
    excluded_networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionSet:
    """The extensions that all certificates of a profile share; hashable, so their DER is cached."""

    ca: bool = False
    path_length: int | None = None
    key_usage: tuple[str, ...] = ()
    extended_key_usage: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    """Dotted OIDs."""
    urls: StatusUrls = field(default_factory=StatusUrls)
    name_constraints: NameConstraints | None = None
    ocsp_no_check: bool = False
    """For an OCSP responder, whose own revocation is not to be asked for (RFC 6960, 4.2.2.2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateTemplate:
    """Everything a TBSCertificate says."""

    serial: int
    signature_algorithm: SignatureAlgorithm
    issuer: IssuerRef
    validity: Validity
    subject: SubjectRef
    extensions: ExtensionSet


def serial_from_random(random: bytes) -> int:
    """Turn exactly 128 random bits into a serial number; raise InvalidTemplate (also for all zeros)."""
    if len(random) != SERIAL_RANDOM_BYTES:
        raise InvalidTemplate(f"a serial number is made of {SERIAL_RANDOM_BYTES} random bytes")
    serial = int.from_bytes(random, "big")
    if serial == 0:
        raise InvalidTemplate("a serial number is positive")
    return serial


def key_identifier(spki_der: bytes) -> bytes:
    """Return the 160-bit identifier of a public key (RFC 7093, 2, method 1); raise MalformedDer."""
    _, key = der.read_children(der.read_element(spki_der).content)
    return hashlib.sha256(key.content[1:]).digest()[:20]


def _serial_out_of_range(template: CertificateTemplate) -> Finding | None:
    if 0 < template.serial < 1 << 159:
        return None
    return Finding("SerialOutOfRange", "a serial number is positive and has at most 20 octets")


def _validity_reversed(template: CertificateTemplate) -> Finding | None:
    validity = template.validity
    if validity.not_before.tzinfo is None or validity.not_after.tzinfo is None:
        return Finding("ValidityNotAware", "validity needs datetimes with a time zone")
    if validity.not_before < validity.not_after:
        return None
    return Finding("ValidityReversed", "the certificate would end before it begins")


def _name_missing(template: CertificateTemplate) -> Finding | None:
    subject = template.subject
    nameless = subject.name_der == _EMPTY_NAME
    if nameless and (template.extensions.ca or subject.names == AltNames()):
        return Finding("NameMissing", "the certificate would name nobody")
    return None


def _other_names_unsupported(template: CertificateTemplate) -> Finding | None:
    if not template.subject.names.other_names:
        return None
    return Finding(
        "AltNameKindUnsupported", f"can not certify {', '.join(template.subject.names.other_names)}"
    )


def _usage_contradicts_role(template: CertificateTemplate) -> Finding | None:
    extensions = template.extensions
    if extensions.ca != ("keyCertSign" in extensions.key_usage):
        return Finding("UsageContradictsRole", "keyCertSign is for CAs, and CAs need it")
    if not extensions.ca and (extensions.path_length is not None or extensions.name_constraints is not None):
        return Finding("UsageContradictsRole", "path length and name constraints are for CAs")
    return None


TEMPLATE_CHECKS: Sequence[Callable[[CertificateTemplate], Finding | None]] = (
    _serial_out_of_range,
    _validity_reversed,
    _name_missing,
    _other_names_unsupported,
    _usage_contradicts_role,
)
"""Whatever asks for a signature: a template that fails one of these is never signed."""


@dataclass(frozen=True, slots=True)
class LeafProfile:
    """What a certificate profile says about leaf certificates."""

    extended_key_usage: tuple[str, ...] = ("serverAuth",)
    key_usage: tuple[str, ...] = ()
    """Empty: what suits the key type."""
    policies: tuple[str, ...] = ()


def default_key_usage(spki_der: bytes) -> tuple[str, ...]:
    """Return the usages that suit a leaf's key: only RSA keys can also encipher. Raises MalformedDer."""
    algorithm = der.read_element(der.read_element(spki_der).content)
    if der.read_element(algorithm.content).encoded == _RSA_ENCRYPTION:
        return ("digitalSignature", "keyEncipherment")
    return ("digitalSignature",)


def leaf_template(
    *,
    serial: int,
    signature_algorithm: SignatureAlgorithm,
    issuer: IssuerRef,
    validity: Validity,
    subject: SubjectRef,
    profile: LeafProfile,
    urls: StatusUrls,
) -> CertificateTemplate:
    """Compose an end-entity certificate; raise MalformedDer if the subject's key can not be read."""
    return CertificateTemplate(
        serial=serial,
        signature_algorithm=signature_algorithm,
        issuer=issuer,
        validity=validity,
        subject=subject,
        extensions=ExtensionSet(
            key_usage=profile.key_usage or default_key_usage(subject.spki_der),
            extended_key_usage=profile.extended_key_usage,
            policies=profile.policies,
            urls=urls,
        ),
    )


def responder_template(
    *,
    serial: int,
    signature_algorithm: SignatureAlgorithm,
    issuer: IssuerRef,
    validity: Validity,
    subject: SubjectRef,
) -> CertificateTemplate:
    """Compose the certificate of a CA's OCSP responder (RFC 6960, 4.2.2.2)."""
    return CertificateTemplate(
        serial=serial,
        signature_algorithm=signature_algorithm,
        issuer=issuer,
        validity=validity,
        subject=subject,
        extensions=ExtensionSet(
            key_usage=("digitalSignature",), extended_key_usage=("OCSPSigning",), ocsp_no_check=True
        ),
    )


def root_template(
    *,
    serial: int,
    signature_algorithm: SignatureAlgorithm,
    validity: Validity,
    subject: SubjectRef,
    path_length: int | None = None,
) -> CertificateTemplate:
    """Compose a self-signed root; the algorithm must suit the subject's own key."""
    return CertificateTemplate(
        serial=serial,
        signature_algorithm=signature_algorithm,
        issuer=IssuerRef(subject.name_der, b""),
        validity=validity,
        subject=subject,
        extensions=ExtensionSet(ca=True, path_length=path_length, key_usage=("keyCertSign", "cRLSign")),
    )


def issuing_ca_template(
    *,
    serial: int,
    signature_algorithm: SignatureAlgorithm,
    issuer: IssuerRef,
    validity: Validity,
    subject: SubjectRef,
    urls: StatusUrls,
    path_length: int | None = 0,
    name_constraints: NameConstraints | None = None,
    policies: tuple[str, ...] = (ANY_POLICY,),
) -> CertificateTemplate:
    """Compose a subordinate CA that by default may only issue end-entity certificates, under any policy."""
    return CertificateTemplate(
        serial=serial,
        signature_algorithm=signature_algorithm,
        issuer=issuer,
        validity=validity,
        subject=subject,
        extensions=ExtensionSet(
            ca=True,
            path_length=path_length,
            key_usage=("keyCertSign", "cRLSign", "digitalSignature"),
            policies=policies,
            urls=urls,
            name_constraints=name_constraints,
        ),
    )


def check_template(template: CertificateTemplate) -> None:
    """Raise InvalidTemplate with the first finding, if there is one."""
    for check in TEMPLATE_CHECKS:
        finding = check(template)
        if finding is not None:
            raise InvalidTemplate(f"{finding.reason}: {finding.message}")
