"""One certification authority: prepares what to sign, signs exactly that, and makes its CRLs.

Preparing and signing are apart so that the caller can store the TBSCertificate before anything is signed. If
the hub dies in between, signing the stored bytes again gives the same certificate. Everything here is pure
and may run in a thread; times and random bits are passed in.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from hub.issuers.private_ca.errors import (
    BadSignerOutput,
    ForeignTbs,
    NotACertificateAuthority,
    OutlivesIssuer,
    SignerMismatch,
)
from hub.issuers.private_ca.signer import Signer, SoftwareSigner
from pki import algorithms, der
from pki.algorithms import SignatureAlgorithm
from pki.certificates import CertificateFacts, load_certificate, parse_certificate
from pki.crls import CrlTemplate, build_crl_tbs
from pki.errors import BadSignature
from pki.issuing import assemble, build_tbs
from pki.keys import spki_sha256
from pki.name_constraints import read_name_constraints
from pki.templates import (
    ANY_POLICY,
    CertificateTemplate,
    IssuerRef,
    LeafProfile,
    NameConstraints,
    StatusUrls,
    SubjectRef,
    Validity,
    issuing_ca_template,
    leaf_template,
    responder_template,
    serial_from_random,
)

_VERSION_TAG = 0xA0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafRequest:
    """What differs from one leaf certificate to the next."""

    random: bytes
    """128 random bits for the serial number."""
    validity: Validity
    subject: SubjectRef
    profile: LeafProfile = field(default_factory=LeafProfile)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubordinateRequest:
    """What is needed to certify a subordinate CA."""

    random: bytes
    """128 random bits for the serial number."""
    validity: Validity
    subject: SubjectRef
    path_length: int | None = 0
    name_constraints: NameConstraints | None = None
    policies: tuple[str, ...] = (ANY_POLICY,)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A certificate that is ready to be signed: store it first."""

    serial: str
    """Lower-case hex without leading zeros, as the inventory lists it."""
    tbs: bytes = field(repr=False)


class PrivateCa:
    """A CA certificate, the signer of its key, and where its status is published."""

    def __init__(
        self,
        certificate: bytes,
        signer: Signer,
        *,
        urls: StatusUrls | Callable[[int], StatusUrls] | None = None,
    ) -> None:
        """Take a DER certificate, and where status is published, which may depend on the serial number.

        Raises:
            NotACertificateAuthority, SignerMismatch, MalformedCertificate: see there.
        """
        self.certificate = certificate
        self.facts: CertificateFacts = parse_certificate(certificate)
        self._signer = signer
        fixed = StatusUrls() if urls is None or callable(urls) else urls
        self._urls_of = urls if callable(urls) else lambda _serial: fixed
        if not self.facts.is_ca or not {"keyCertSign", "cRLSign"} <= set(self.facts.key_usage):
            raise NotACertificateAuthority
        if self.facts.spki_sha256 != spki_sha256(signer.public_key):
            raise SignerMismatch
        loaded = load_certificate(certificate)
        self.constraints: NameConstraints | None = read_name_constraints(loaded)
        self.issuer = IssuerRef(loaded.subject.public_bytes(), bytes.fromhex(self.facts.ski))

    @property
    def is_remote(self) -> bool:
        """Whether the key is somewhere else than in this process."""
        return not isinstance(self._signer, SoftwareSigner)

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """What this CA signs with."""
        return self._signer.algorithm

    def prepare(self, request: LeafRequest) -> Prepared:
        """Compose a leaf certificate; raise InvalidTemplate, OutlivesIssuer or another PkiError (the key)."""
        serial = serial_from_random(request.random)
        return self._prepared(
            leaf_template(
                serial=serial,
                signature_algorithm=self.algorithm,
                issuer=self.issuer,
                validity=request.validity,
                subject=request.subject,
                profile=request.profile,
                urls=self._urls_of(serial),
            )
        )

    def prepare_responder(self, *, random: bytes, validity: Validity, subject: SubjectRef) -> Prepared:
        """Compose the certificate of an OCSP responder; raises as ``prepare`` does."""
        return self._prepared(
            responder_template(
                serial=serial_from_random(random),
                signature_algorithm=self.algorithm,
                issuer=self.issuer,
                validity=validity,
                subject=subject,
            )
        )

    def prepare_subordinate(self, request: SubordinateRequest) -> Prepared:
        """Compose the certificate of a subordinate CA; raises as ``prepare`` does."""
        serial = serial_from_random(request.random)
        return self._prepared(
            issuing_ca_template(
                serial=serial,
                signature_algorithm=self.algorithm,
                issuer=self.issuer,
                validity=request.validity,
                subject=request.subject,
                urls=self._urls_of(serial),
                path_length=request.path_length,
                name_constraints=request.name_constraints,
                policies=request.policies,
            )
        )

    def _prepared(self, template: CertificateTemplate) -> Prepared:
        tbs = build_tbs(template)
        if template.validity.not_after > self.facts.not_after:
            raise OutlivesIssuer
        return Prepared(f"{template.serial:x}", tbs)

    def sign(self, tbs: bytes) -> bytes:
        """Sign a prepared TBSCertificate and return the certificate's DER; blocks.

        Raises ForeignTbs, BadSignerOutput or MalformedDer.
        """
        self._check_issuer(tbs)
        return self._signed(tbs)

    def build_crl(self, template: CrlTemplate, encoded_entries: Iterable[bytes]) -> bytes:
        """Return a signed CRL of entries from ``pki.crls.encode_crl_entry``; blocks. Raises InvalidTemplate.

        Issuer and algorithm of the template are replaced by this CA's.
        """
        own = replace(template, issuer=self.issuer, signature_algorithm=self.algorithm)
        return self._signed(build_crl_tbs(own, encoded_entries))

    def _check_issuer(self, tbs: bytes) -> None:
        # version, serial, algorithm, issuer (RFC 5280, 4.1.2)
        fields = list(der.read_children(der.read_element(tbs).content))
        is_version_3 = bool(fields) and fields[0].tag == _VERSION_TAG
        if not is_version_3 or len(fields) < 4 or fields[3].encoded != self.issuer.name_der:
            raise ForeignTbs

    def _signed(self, tbs: bytes) -> bytes:
        algorithm = self.algorithm
        signature = self._signer.sign(tbs)
        # A wrong signature from a faulty device would be published, and may give an RSA key away.
        try:
            algorithms.verify(self._signer.public_key, algorithm, signature=signature, message=tbs)
        except BadSignature as fault:
            raise BadSignerOutput from fault
        return assemble(tbs, algorithm, signature)
