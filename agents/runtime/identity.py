"""The agent's identity: an EC P-256 key made here, its certificate by the hub, and the hub's agent CA."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from agents.runtime.errors import IdentityRejected, NotEnrolled
from agents.runtime.state_dir import StateDirectory, read_secret, write_file
from pki.csrs import build_csr
from pki.errors import LIBRARY_FAULTS, PkiError
from pki.keys import KeyType, decode_private_key, encode_private_key_pem, generate_key, key_matches
from pki.names import SubjectFields

REJOIN_CONTEXT = b"certwright-rejoin-v1"
_RENEW_AFTER = 2 / 3
_UNREADABLE: tuple[type[Exception], ...] = (PkiError, *LIBRARY_FAULTS)


@dataclass(frozen=True, slots=True)
class Identity:
    """Key, certificate and trust anchor."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate
    ca: x509.Certificate

    @property
    def not_after(self) -> datetime:
        """When the certificate expires."""
        return self.certificate.not_valid_after_utc

    @property
    def renew_at(self) -> datetime:
        """When the agent asks for a fresh certificate by itself, should the hub not have asked."""
        start = self.certificate.not_valid_before_utc
        return start + (self.not_after - start) * _RENEW_AFTER

    @property
    def ca_pem(self) -> bytes:
        """The trust anchor."""
        return self.ca.public_bytes(Encoding.PEM)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key, unencrypted; for the TLS stack and `agent.key`."""
        return encode_private_key_pem(self.key)

    def csr(self) -> bytes:
        """A request over the same key; the hub chooses the subject."""
        return identity_csr(self.key)

    def sign_rejoin(self, agent_id: str, challenge: bytes) -> bytes:
        """Show that this is the key that enrolled."""
        message = b"\x00".join((REJOIN_CONTEXT, agent_id.encode(), challenge))
        return self.key.sign(message, ec.ECDSA(hashes.SHA256()))

    def renewed(self, certificate: bytes) -> "Identity":
        """The identity with a fresh DER certificate for our key by our CA; raise IdentityRejected."""
        return replace(self, certificate=accept_certificate(certificate, key=self.key, ca=self.ca))


def new_identity_key() -> ec.EllipticCurvePrivateKey:
    """Make the key of a new agent."""
    key = generate_key(KeyType.EC_P256)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("EC-P256 is an elliptic curve key")
    return key


def identity_csr(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A DER request over an identity key."""
    return build_csr(key, SubjectFields(common_name="certwright-agent"))


def accept_certificate(
    der: bytes, *, key: ec.EllipticCurvePrivateKey, ca: x509.Certificate
) -> x509.Certificate:
    """Load a certificate that is for this key and issued by this CA; raise IdentityRejected."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.verify_directly_issued_by(ca)
    except LIBRARY_FAULTS as fault:
        raise IdentityRejected("the certificate was not issued by the hub's agent CA") from fault
    if not key_matches(key, certificate):
        raise IdentityRejected("the certificate is for another key")
    return certificate


def save_identity(directory: StateDirectory, identity: Identity) -> None:
    """Write key, CA and certificate; the certificate last: it is what makes a directory an enrolled one."""
    write_file(directory.key, identity.key_pem)
    write_file(directory.ca, identity.ca_pem, mode=0o644)
    save_certificate(directory, identity)


def save_certificate(directory: StateDirectory, identity: Identity) -> None:
    """Replace the certificate alone."""
    write_file(directory.certificate, identity.certificate_pem, mode=0o644)


def load_identity(directory: StateDirectory) -> Identity:
    """Read the identity; raise NotEnrolled, UnsafeMode or IdentityRejected."""
    try:
        key = decode_private_key(read_secret(directory.key))
        certificate = x509.load_pem_x509_certificate(directory.certificate.read_bytes())
        ca = x509.load_pem_x509_certificate(directory.ca.read_bytes())
    except OSError as fault:
        raise NotEnrolled(f"{directory.path} holds no identity: {fault.strerror}") from fault
    except _UNREADABLE as fault:
        raise IdentityRejected(f"{directory.path}: the identity can't be read: {fault}") from fault
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not key_matches(key, certificate):
        raise IdentityRejected(f"{directory.path}: the certificate is not for the key")
    return Identity(key, certificate, ca)
