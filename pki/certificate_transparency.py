"""Certificate Transparency for issuers (RFC 6962): precertificates, and timestamps inside certificates.

The hub's certificates are built twice from one TBSCertificate: with the poison, for the logs (3.1), and with
the timestamps that the logs gave for it (3.3). What a log signs is the TBSCertificate without either (3.2).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from pki import der
from pki.errors import MalformedDer, PkiError

_POISON_OID = "1.3.6.1.4.1.11129.2.4.3"
_SCT_LIST_OID = "1.3.6.1.4.1.11129.2.4.2"
_NULL = b"\x05\x00"
_EXTENSIONS_TAG = 0xA3
_PRECERT_ENTRY = b"\x00\x01"
_SHA256, _RSA, _ECDSA = 4, 1, 3


class BadTimestamp(PkiError):
    """What a log answered is no timestamp of it for this certificate."""


@dataclass(frozen=True, slots=True)
class CtLog:
    """A log: where it is, and its public key (SubjectPublicKeyInfo, DER)."""

    url: str
    spki_der: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> CtLog:
        """Read ``ADDRESS KEY`` with the key in Base64, as lists of logs have it; raise ValueError."""
        url, _, key = text.strip().partition(" ")
        try:
            spki = base64.b64decode(key.strip(), validate=True)
            serialization.load_der_public_key(spki)
        except (binascii.Error, ValueError) as fault:
            raise ValueError(f"{url}: after the address comes the log's public key in Base64") from fault
        return cls(url.rstrip("/"), spki)

    @property
    def id(self) -> bytes:
        """The log's id: the SHA-256 of its key (3.2)."""
        return hashlib.sha256(self.spki_der).digest()


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A signed certificate timestamp. ``signature`` is the TLS structure with its algorithms."""

    log_id: bytes
    timestamp_ms: int
    extensions: bytes
    signature: bytes

    @classmethod
    def from_answer(cls, answer: Mapping[str, object]) -> Timestamp:
        """Read what a log answers to ``add-pre-chain`` (4.1); raise BadTimestamp."""
        timestamp = answer.get("timestamp")
        if answer.get("sct_version") != 0 or not isinstance(timestamp, int) or not 0 <= timestamp < 1 << 63:
            raise BadTimestamp("the log answered with no timestamp of version 1")
        try:
            parts = [
                base64.b64decode(str(answer.get(name, "")), validate=True)
                for name in ("id", "extensions", "signature")
            ]
        except binascii.Error as fault:
            raise BadTimestamp("the log's answer is not Base64") from fault
        return cls(parts[0], timestamp, parts[1], parts[2])

    @property
    def at(self) -> datetime:
        """When the log saw the certificate."""
        return datetime.fromtimestamp(self.timestamp_ms / 1000, UTC)

    def encoded(self) -> bytes:
        """Return the structure as it stands in certificates (3.2, 3.3)."""
        return b"".join(
            (
                b"\x00",
                self.log_id,
                self.timestamp_ms.to_bytes(8, "big"),
                _vector(self.extensions, 2),
                self.signature,
            )
        )

    def verify(self, log: CtLog, *, tbs: bytes, issuer_spki: bytes) -> None:
        """Check that the log signed this for a TBSCertificate; raise BadTimestamp."""
        if self.log_id != log.id:
            raise BadTimestamp(f"{log.url} answered in another log's name")
        if len(self.signature) < 4 or len(self.signature) != 4 + int.from_bytes(self.signature[2:4], "big"):
            raise BadTimestamp(f"{log.url}: the signature has another length than it says")
        if not _is_signed(log, self.signature, signed_data(self, tbs=tbs, issuer_spki=issuer_spki)):
            raise BadTimestamp(f"{log.url}: the signature is not the log's for this certificate")


def signed_data(timestamp: Timestamp, *, tbs: bytes, issuer_spki: bytes) -> bytes:
    """Return what a log signs for a precertificate (3.2): version, type, time, entry, extensions."""
    return b"".join(
        (
            b"\x00\x00",
            timestamp.timestamp_ms.to_bytes(8, "big"),
            _PRECERT_ENTRY,
            hashlib.sha256(issuer_spki).digest(),
            _vector(tbs, 3),
            _vector(timestamp.extensions, 2),
        )
    )


def with_poison(tbs: bytes) -> bytes:
    """Return the precertificate's TBSCertificate: nobody may take it for a certificate (3.1)."""
    poison = der.sequence(der.object_identifier(_POISON_OID), der.boolean_true(), der.octet_string(_NULL))
    return _with_extension(tbs, poison)


def with_timestamps(tbs: bytes, timestamps: Iterable[Timestamp]) -> bytes:
    """Return the TBSCertificate with the list of timestamps in it (3.3)."""
    serialized = _vector(b"".join(_vector(item.encoded(), 2) for item in timestamps), 2)
    value = der.octet_string(der.octet_string(serialized))
    return _with_extension(tbs, der.sequence(der.object_identifier(_SCT_LIST_OID), value))


def _with_extension(tbs: bytes, extension: bytes) -> bytes:
    fields = list(der.read_children(der.read_element(tbs).content))
    if not fields or fields[-1].tag != _EXTENSIONS_TAG:
        raise MalformedDer("the TBSCertificate has no extensions")
    extensions = der.read_element(fields[-1].content).content
    others = (item.encoded for item in fields[:-1])
    return der.sequence(*others, der.explicit(3, der.sequence(extensions, extension)))


def _vector(data: bytes, size: int) -> bytes:
    # TLS presentation language (RFC 8446, 3.4).
    return len(data).to_bytes(size, "big") + data


def _is_signed(log: CtLog, signature: bytes, data: bytes) -> bool:
    key = serialization.load_der_public_key(log.spki_der)
    algorithm, value = signature[:2], signature[4:]
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm == bytes((_SHA256, _ECDSA)):
            key.verify(value, data, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm == bytes((_SHA256, _RSA)):
            key.verify(value, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            return False
    except InvalidSignature:
        return False
    return True
