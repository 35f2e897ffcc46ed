"""A CA that signs what a simulator decided to issue: root, issuing CA, and certificates after requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DER = serialization.Encoding.DER


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(_DER)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass
class SigningCa:
    """``issued`` holds every certificate that was ever signed, by serial number."""

    name: str = "Simulated"
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    issued: dict[int, x509.Certificate] = field(default_factory=dict)
    revoked: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._root_key = ec.generate_private_key(ec.SECP256R1())
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._ca(f"{self.name} Root", self._root_key, f"{self.name} Root", self._root_key)
        self.certificate = self._ca(f"{self.name} CA", self.key, f"{self.name} Root", self._root_key)

    def _ca(
        self,
        subject: str,
        key: ec.EllipticCurvePrivateKey,
        issuer: str,
        issuer_key: ec.EllipticCurvePrivateKey,
    ) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(days=1))
            .not_valid_after(self.now + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(issuer_key, hashes.SHA256())
        )

    @property
    def chain(self) -> list[x509.Certificate]:
        """The issuing CA and its root."""
        return [self.certificate, self.root]

    def issue(
        self, csr: x509.CertificateSigningRequest, *, days: int = 90, names: list[str] | None = None
    ) -> x509.Certificate:
        """Sign after a request, whose signature is checked; ``names`` instead of its own."""
        assert csr.is_signature_valid
        if names is None:
            extension = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            names = extension.value.get_values_for_type(x509.DNSName)
        alt_names = x509.SubjectAlternativeName([x509.DNSName(item) for item in names])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(csr.subject)
            .issuer_name(self.certificate.subject)
            .public_key(csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(minutes=5))
            .not_valid_after(self.now + timedelta(days=days))
            .add_extension(alt_names, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        self.issued[certificate.serial_number] = certificate
        return certificate


def real_clock() -> datetime:
    return datetime.now(UTC)
