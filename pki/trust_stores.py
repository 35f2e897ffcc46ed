"""Trust stores for Java: PKCS#12 with Oracle's attribute for trusted keys, and the older JKS.

Both want a password, which protects nothing here: certificates are public. ``changeit`` is Java's own.
The JKS format has no specification; this follows OpenJDK's ``sun.security.provider.JavaKeyStore``.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from datetime import datetime

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from pki.certificates import load_certificate, parse_certificate

TRUST_STORE_PASSWORD = "changeit"  # noqa: S105 - public, as Java's own trust store has it
_JKS_MAGIC, _JKS_VERSION, _TRUSTED_CERTIFICATE = 0xFEEDFEED, 2, 2
# Mixed into the digest of every JKS.
_JKS_PHRASE = b"Mighty Aphrodite"


def pkcs12_trust_store(certificates: Sequence[bytes]) -> bytes:
    """Return DER certificates as a PKCS#12 trust store that Java 8u301 and later read."""
    entries = [
        pkcs12.PKCS12Certificate(load_certificate(der), alias.encode())
        for alias, der in _aliases(certificates)
    ]
    return pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(TRUST_STORE_PASSWORD.encode()))


def jks_trust_store(certificates: Sequence[bytes], *, at: datetime) -> bytes:
    """Return DER certificates as a JKS trust store, for Java before 8u301; ``at``: when they were added."""
    stamp = int(at.timestamp() * 1000)
    entries = b"".join(_jks_entry(alias, der, stamp) for alias, der in _aliases(certificates))
    body = struct.pack(">III", _JKS_MAGIC, _JKS_VERSION, len(certificates)) + entries
    keyed = TRUST_STORE_PASSWORD.encode("utf-16-be") + _JKS_PHRASE
    return body + hashlib.sha1(keyed + body, usedforsecurity=False).digest()


def _jks_entry(alias: str, der: bytes, stamp: int) -> bytes:
    head = struct.pack(">I", _TRUSTED_CERTIFICATE) + _utf(alias) + struct.pack(">q", stamp)
    return head + _utf("X.509") + struct.pack(">I", len(der)) + der


def _utf(text: str) -> bytes:
    encoded = text.encode("ascii")
    return struct.pack(">H", len(encoded)) + encoded


def _aliases(certificates: Sequence[bytes]) -> list[tuple[str, bytes]]:
    # Stable and different for each, whatever the certificates are called.
    return [(f"ca-{parse_certificate(der).sha256[:16]}", der) for der in certificates]
