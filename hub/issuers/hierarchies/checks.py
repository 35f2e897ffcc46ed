"""May this CA be made, may this certificate or CRL be imported? Ordered, pure checks with stable reasons."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509

from hub.issuers.hierarchies.records import CA_TEMPLATES, NewCa, signature_algorithm
from hub.issuers.private_ca.hsm import HSM_KEY_TYPES
from pki.algorithms import WEAK_SIGNATURE_NAMES
from pki.certificates import CertificateFacts, is_signed_by, load_certificate
from pki.findings import Finding

MAX_DAYS = 36_500
# How far another CA's clock may be ahead of ours before it is called wrong.
CLOCK_TOLERANCE = timedelta(minutes=5)


def _name(new: NewCa) -> Finding | None:
    if 1 <= len(new.name.strip()) <= 64 and new.name.isprintable():
        return None
    return Finding("NameInvalid", "a name has 1 to 64 printable characters")


def _template(new: NewCa) -> Finding | None:
    template = CA_TEMPLATES.get(new.template)
    if template is None:
        return Finding("TemplateUnknown", f"template is one of {', '.join(CA_TEMPLATES)}")
    is_root = new.parent_id is None and not new.external
    if is_root == (template.role == "root"):
        return None
    return Finding(
        "TemplateOfOtherRole", "a root takes a root's template, an issuing CA one of an issuing CA"
    )


def _hash(new: NewCa) -> Finding | None:
    try:
        signature_algorithm(CA_TEMPLATES[new.template].key_type, new.signature_hash)
    except KeyError:
        return Finding("HashNotForKey", "Ed25519 and ML-DSA keys sign in one way only; choose no hash")
    return None


def _key_store(new: NewCa) -> Finding | None:
    if new.key_store != "hsm" or CA_TEMPLATES[new.template].key_type in HSM_KEY_TYPES:
        return None
    return Finding("KeyTypeNotInHsm", f"an HSM keeps {', '.join(sorted(HSM_KEY_TYPES))}")


def _days(new: NewCa) -> Finding | None:
    if 0 <= new.days <= MAX_DAYS:
        return None
    return Finding("DaysInvalid", f"days is from 1 to {MAX_DAYS}, or 0 for the template's lifetime")


def _subject(new: NewCa) -> Finding | None:
    if new.subject.common_name or new.subject.organization:
        return None
    return Finding("SubjectMissing", "a CA needs an organization or a common name")


def _path_length(new: NewCa) -> Finding | None:
    if new.path_length is None or 0 <= new.path_length <= 8:
        return None
    return Finding("PathLengthInvalid", "the path length is from 0 to 8")


def _constraints(new: NewCa) -> Finding | None:
    if new.name_constraints is None:
        return None
    if CA_TEMPLATES[new.template].role == "root":
        return Finding("ConstraintsOnRoot", "name constraints stand in the certificate of an issuing CA")
    try:
        for network in (*new.name_constraints.permitted_networks, *new.name_constraints.excluded_networks):
            ipaddress.ip_network(network)
    except ValueError as fault:
        return Finding("NetworkInvalid", str(fault))
    return None


def _policies(new: NewCa) -> Finding | None:
    for policy in new.policies:
        try:
            x509.ObjectIdentifier(policy)
        except ValueError:
            return Finding("PolicyInvalid", f"{policy!r} is no OID")
    return None


def _trial(new: NewCa) -> Finding | None:
    if not (new.trial and new.external):
        return None
    return Finding("TrialIsOnline", "trial mode is for CAs of an online root only")


NEW_CA_CHECKS: tuple[tuple[str, Callable[[NewCa], Finding | None]], ...] = (
    ("name", _name),
    ("template", _template),
    ("signature_hash", _hash),
    ("key_store", _key_store),
    ("days", _days),
    ("subject", _subject),
    ("path_length", _path_length),
    ("name_constraints", _constraints),
    ("policies", _policies),
    ("trial", _trial),
)
"""The field that a check is about, and the check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedImport:
    """A certificate that came back from whoever signed, and what it is compared with."""

    facts: CertificateFacts
    key_sha256: str
    """Of the key that waits for it."""
    csr: bytes = field(repr=False)
    issuers: Sequence[CertificateFacts] = field(repr=False)
    """The roots that are known here."""
    at: datetime

    @property
    def issuer(self) -> CertificateFacts | None:
        """The known root whose key signed the certificate."""
        certificate = load_certificate(self.facts.der)
        return next(
            (item for item in self.issuers if is_signed_by(certificate, load_certificate(item.der))), None
        )


def certificate_of_other_key(given: SignedImport) -> Finding | None:
    """It certifies another key than the one that was made here."""
    if given.facts.spki_sha256 == given.key_sha256:
        return None
    return Finding(
        "CertificateOfOtherKey", "the certificate is for another key than the one of this signing request"
    )


def not_a_ca(given: SignedImport) -> Finding | None:
    """It was signed as something else than a CA that may sign certificates and CRLs."""
    if given.facts.is_ca and {"keyCertSign", "cRLSign"} <= set(given.facts.key_usage):
        return None
    return Finding(
        "NotACa", "it is no CA certificate with keyCertSign and cRLSign: was it signed as a server's?"
    )


def subject_differs(given: SignedImport) -> Finding | None:
    """It is for somebody else. Order and encoding of the attributes are the signing CA's affair."""
    asked = x509.load_der_x509_csr(given.csr).subject
    signed = load_certificate(given.facts.der).subject
    if _attributes(asked) == _attributes(signed):
        return None
    return Finding(
        "SubjectDiffers",
        f"the request is for {asked.rfc4514_string()}, the certificate for {given.facts.subject}",
    )


def _attributes(name: x509.Name) -> list[tuple[str, str]]:
    return sorted((item.oid.dotted_string, str(item.value)) for item in name)


def ended(given: SignedImport) -> Finding | None:
    """It is over."""
    if given.at <= given.facts.not_after:
        return None
    return Finding("CertificateExpired", f"it ended on {given.facts.not_after:%Y-%m-%d}")


def begins_in_future(given: SignedImport) -> Finding | None:
    """The clock of whoever signed is ahead, or ours is behind."""
    if given.facts.not_before <= given.at + CLOCK_TOLERANCE:
        return None
    return Finding(
        "CertificateNotYetValid",
        f"it begins on {given.facts.not_before:%Y-%m-%d %H:%M} UTC, here it is {given.at:%Y-%m-%d %H:%M} UTC:"
        " is the clock of the signing CA right?",
    )


def weak_signature(given: SignedImport) -> Finding | None:
    """Nobody takes a CA whose certificate is signed over SHA-1 or MD5."""
    if given.facts.signature_algorithm not in WEAK_SIGNATURE_NAMES:
        return None
    return Finding("WeakSignatureHash", f"the certificate is signed with {given.facts.signature_algorithm}")


def issuer_unknown(given: SignedImport) -> Finding | None:
    """No root that is known here signed it."""
    if given.issuer is not None:
        return None
    return Finding(
        "IssuerUnknown", f"no CA that is known here signed it; import the root {given.facts.issuer} first"
    )


def outlives_issuer(given: SignedImport) -> Finding | None:
    """It would end after its issuer."""
    if given.issuer is None or given.facts.not_after <= given.issuer.not_after:
        return None
    return Finding("OutlivesIssuer", "the certificate ends after the one of its issuer")


SIGNED_CHECKS: tuple[Callable[[SignedImport], Finding | None], ...] = (
    certificate_of_other_key,
    not_a_ca,
    subject_differs,
    ended,
    begins_in_future,
    weak_signature,
    issuer_unknown,
    outlives_issuer,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RootImport:
    """A root whose key stays elsewhere."""

    facts: CertificateFacts
    at: datetime


def root_not_self_signed(given: RootImport) -> Finding | None:
    """It is not signed by its own key."""
    certificate = load_certificate(given.facts.der)
    if given.facts.self_signed and is_signed_by(certificate, certificate):
        return None
    return Finding("NotARoot", "the certificate is not signed by its own key; import the root of the chain")


def root_not_a_ca(given: RootImport) -> Finding | None:
    """It may not sign certificates."""
    if given.facts.is_ca and "keyCertSign" in given.facts.key_usage:
        return None
    return Finding("NotACa", "it is no CA certificate with keyCertSign")


def root_not_valid_now(given: RootImport) -> Finding | None:
    """It is over, or has not begun."""
    if given.facts.not_before <= given.at + CLOCK_TOLERANCE and given.at <= given.facts.not_after:
        return None
    return Finding(
        "CertificateNotValid",
        f"it is valid from {given.facts.not_before:%Y-%m-%d %H:%M} to {given.facts.not_after:%Y-%m-%d %H:%M}"
        f" UTC, here it is {given.at:%Y-%m-%d %H:%M} UTC",
    )


ROOT_CHECKS: tuple[Callable[[RootImport], Finding | None], ...] = (
    root_not_self_signed,
    root_not_a_ca,
    root_not_valid_now,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrlImport:
    """A list that an offline CA made. ``known`` is the number of the one that is out, 0 if there is none."""

    crl: x509.CertificateRevocationList = field(repr=False)
    issuer: x509.Certificate = field(repr=False)
    number: int | None
    known: int
    at: datetime


def crl_of_other_issuer(given: CrlImport) -> Finding | None:
    """Another CA made it, or somebody changed it."""
    public_key = given.issuer.public_key()
    if given.crl.issuer == given.issuer.subject and given.crl.is_signature_valid(public_key):  # type: ignore[arg-type]
        return None
    return Finding("CrlOfOtherIssuer", "the list is not signed by this CA")


def crl_without_number(given: CrlImport) -> Finding | None:
    """RFC 5280, 5.2.3 wants one, and without it nobody can tell old from new."""
    return None if given.number is not None else Finding("CrlNumberMissing", "the list has no number")


def crl_number_goes_back(given: CrlImport) -> Finding | None:
    """An older list would bring revoked certificates back."""
    if given.number is None or given.number > given.known:
        return None
    return Finding(
        "CrlNumberGoesBack", f"the list has number {given.number}, the one that is out has {given.known}"
    )


def crl_ended(given: CrlImport) -> Finding | None:
    """Nobody would take it any more."""
    end = given.crl.next_update_utc
    if end is not None and end > given.at:
        return None
    return Finding("CrlExpired", "the list is over; make a new one with the offline CA")


def crl_begins_in_future(given: CrlImport) -> Finding | None:
    """The clock of the offline CA is ahead."""
    begin = given.crl.last_update_utc
    if begin <= given.at + CLOCK_TOLERANCE:
        return None
    return Finding("CrlNotYetValid", f"the list begins on {begin:%Y-%m-%d %H:%M} UTC: is that clock right?")


CRL_CHECKS: tuple[Callable[[CrlImport], Finding | None], ...] = (
    crl_of_other_issuer,
    crl_without_number,
    crl_number_goes_back,
    crl_ended,
    crl_begins_in_future,
)
