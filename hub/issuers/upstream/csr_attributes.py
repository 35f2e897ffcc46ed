"""What an EST server wants to see in signing requests (RFC 7030, 4.5.2), as far as it concerns keys."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki import der
from pki.errors import PkiError

EC_PUBLIC_KEY = bytes.fromhex("2a8648ce3d0201")
RSA_ENCRYPTION = bytes.fromhex("2a864886f70d010101")
CHALLENGE_PASSWORD = bytes.fromhex("2a864886f70d010907")
_CURVES = {
    "secp256r1": bytes.fromhex("2a8648ce3d030107"),
    "secp384r1": bytes.fromhex("2b81040022"),
    "secp521r1": bytes.fromhex("2b81040023"),
}
_OID = 0x06


@dataclass(frozen=True, slots=True)
class CsrAttributes:
    """Object identifiers, as encoded, with the contents of their values; bare ones have none."""

    values: dict[bytes, tuple[bytes, ...]]

    def fault(self, csr_der: bytes) -> str | None:
        """Return what a signing request does not fulfil."""
        if CHALLENGE_PASSWORD in self.values:
            return "the CA wants a challenge password in the signing request, which the hub does not make"
        wants_ec, wants_rsa = EC_PUBLIC_KEY in self.values, RSA_ENCRYPTION in self.values
        if not wants_ec and not wants_rsa:
            return None
        key = x509.load_der_x509_csr(csr_der).public_key()
        if (wants_rsa and isinstance(key, rsa.RSAPublicKey)) or (wants_ec and self._on_curve(key)):
            return None
        return "the CA wants another type of key than that of the signing request"

    def _on_curve(self, key: object) -> bool:
        curves = self.values[EC_PUBLIC_KEY]
        return isinstance(key, ec.EllipticCurvePublicKey) and (
            not curves or _CURVES.get(key.curve.name) in curves
        )


def parse(data: bytes) -> CsrAttributes:
    """Read ``CsrAttrs ::= SEQUENCE OF AttrOrOID``; raise PkiError if it is none."""
    values: dict[bytes, tuple[bytes, ...]] = {}
    for item in der.read_children(der.read_element(data).content):
        if item.tag == _OID:
            values[bytes(item.content)] = ()
            continue
        parts = list(der.read_children(item.content))
        if len(parts) != 2 or parts[0].tag != _OID:
            raise PkiError("neither an object identifier nor an attribute")
        values[bytes(parts[0].content)] = tuple(
            bytes(value.content) for value in der.read_children(parts[1].content)
        )
    return CsrAttributes(values)
