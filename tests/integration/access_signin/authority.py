"""A CA of the tests: server certificates, client certificates, revocation lists."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


class Authority:
    """A CA with its key, in memory."""

    def __init__(self, name="Test CA"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._certificate(
            name, self.key, issuer=_name(name), signer=self.key, extensions=[_BASIC, _CA_USAGE]
        )

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def _certificate(self, name, key, *, issuer, signer, extensions, since=None, until=None):
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since or now - timedelta(days=30))
            .not_valid_after(until or now + timedelta(days=30))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(signer, hashes.SHA256())

    def issue(self, name, *, usage=ExtendedKeyUsageOID.CLIENT_AUTH, **more):
        """A certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        extensions = [(x509.ExtendedKeyUsage([usage]), False), *more.pop("extensions", [])]
        certificate = self._certificate(
            name, key, issuer=self.certificate.subject, signer=self.key, extensions=extensions, **more
        )
        return certificate, key

    def server_context(self, folder):
        """TLS of a server on loopback."""
        names = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        )
        certificate, key = self.issue(
            "localhost", usage=ExtendedKeyUsageOID.SERVER_AUTH, extensions=[(names, False)]
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(write_pair(folder, "server", certificate, key))
        return context

    def crl(self, *revoked, until=None):
        now = datetime.now(UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now - timedelta(days=2))
            .next_update(until or now + timedelta(days=1))
        )
        for certificate in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(certificate.serial_number)
                .revocation_date(now - timedelta(days=1))
                .build()
            )
        return builder.sign(self.key, hashes.SHA256())


_BASIC = (x509.BasicConstraints(ca=True, path_length=None), True)
_CA_USAGE = (
    x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    ),
    True,
)


def write_pair(folder, name, certificate, key):
    """Write key and certificate into one PEM file and return its path."""
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
