"""The certificate, its chain and its key as they arrive, and as the PEM that servers read."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from agents.network.installers.errors import RefusedError
from agents.network.servers.certificate_files import fingerprint
from agents.network.verify import Expectation

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Material:
    """One certificate with everything a server needs to use it."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    """Intermediates, the issuer of the certificate first."""
    key: PrivateKeyTypes = field(repr=False)

    @classmethod
    def from_der(cls, certificate: bytes, chain: tuple[bytes, ...], private_key: bytes) -> Material:
        """Parse DER certificates and an unencrypted PKCS#8 key; raises RefusedError `MaterialMalformed`."""
        try:
            return cls(
                x509.load_der_x509_certificate(certificate),
                _without_root([x509.load_der_x509_certificate(each) for each in chain]),
                serialization.load_der_private_key(private_key, password=None),
            )
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            # The parser's own words may quote its input, and the input holds a key.
            raise RefusedError("MaterialMalformed", "certificate, chain or key can't be read") from error

    @property
    def expectation(self) -> Expectation:
        """What a port that uses this material serves."""
        leaf = fingerprint(self.certificate)
        return Expectation(leaf, (leaf, *(fingerprint(each) for each in self.chain)))

    def certificate_pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(_PEM)

    def chain_pem(self) -> bytes:
        """The intermediates, in the order in which they are to be sent."""
        return b"".join(each.public_bytes(_PEM) for each in self.chain)

    def key_pem(self) -> bytes:
        """The key as unencrypted PKCS#8."""
        return self.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _without_root(chain: list[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Intermediates only: clients have the root, and sending it costs every handshake (RFC 8446 4.4.2)."""
    ends_in_root = len(chain) > 1 and chain[-1].issuer == chain[-1].subject
    return tuple(chain[:-1] if ends_in_root else chain)
