"""Throw-away certificates for private servers: a root, an issuing authority, and leaves."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from tests.real_servers.site import Site

_PEM = serialization.Encoding.PEM
_DER = serialization.Encoding.DER
_PKCS8 = serialization.PrivateFormat.PKCS8


@dataclass(frozen=True)
class Leaf:
    """A certificate with its key and the intermediates that belong to it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def fingerprint(self) -> str:
        """SHA-256, lower-case hex."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def der(self) -> tuple[bytes, tuple[bytes, ...], bytes]:
        """Certificate, chain, and the key as PKCS#8: what an installer is given."""
        key = self.key.private_bytes(_DER, _PKCS8, serialization.NoEncryption())
        chain = tuple(each.public_bytes(_DER) for each in self.chain)
        return self.certificate.public_bytes(_DER), chain, key

    def write(self, site: Site) -> None:
        """Write the files that a site names, the key readable by its owner only."""
        certificates = [self.certificate, *(() if site.chain else self.chain)]
        site.certificate.write_bytes(b"".join(each.public_bytes(_PEM) for each in certificates))
        if site.chain:
            site.chain.write_bytes(b"".join(each.public_bytes(_PEM) for each in self.chain))
        site.key.touch(mode=0o600)
        site.key.write_bytes(self.key_pem())

    def key_pem(self) -> bytes:
        """The key as PEM."""
        return self.key.private_bytes(_PEM, _PKCS8, serialization.NoEncryption())


class Authority:
    """A root and an issuing certificate under it."""

    def __init__(self) -> None:
        self._root_key, self._key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Private Root")])
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Private Issuer")])
        self.root = _sign(root, root, self._root_key, self._root_key, authority=True)
        self.issuer = _sign(self._name, root, self._key, self._root_key, authority=True)

    def leaf(self, *names: str, days: float = 30) -> Leaf:
        """A certificate for these DNS names; expired when `days` is negative."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
        certificate = _sign(subject, self._name, key, self._key, names=names, days=days)
        return Leaf(certificate, key, (self.issuer,))


def self_signed(*names: str, days: float = 30) -> Leaf:
    """A certificate that signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    return Leaf(_sign(subject, subject, key, key, names=names, days=days), key)


def _sign(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    names: tuple[str, ...] = (),
    days: float = 30,
    authority: bool = False,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=60))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
