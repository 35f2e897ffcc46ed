"""Certificates that nobody asked this hub for, found as discovery finds them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.lifecycle.service import Find
from tests.simulators.hub_world import World

_SAME = object()
_KEYS: dict[str, ec.EllipticCurvePrivateKey] = {}
_BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def key_of(name: str) -> ec.EllipticCurvePrivateKey:
    """Return the key that goes with a name; always the same one."""
    return _KEYS.setdefault(name, ec.generate_private_key(ec.SECP256R1()))


@lru_cache(maxsize=256)
def certificate(
    name: str, *, issuer: str = "", is_ca: bool = False, serial: int | None = None, days: int = 365
) -> x509.Certificate:
    """Return a certificate for a name, self-signed or signed by the key of another name."""
    signer = issuer or name
    # The same name is the same certificate (hence the cache), as on servers that are looked at twice.
    number = serial or int.from_bytes(hashlib.sha256(f"{name}<{signer}".encode()).digest()[:8], "big") + 1
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(signer))
        .public_key(key_of(name).public_key())
        .serial_number(number)
        .not_valid_before(_BEGIN)
        .not_valid_after(_BEGIN + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key_of(name).public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key_of(signer).public_key()), critical=False
        )
    )
    if not is_ca:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(key_of(signer), hashes.SHA256())


def der(found: x509.Certificate) -> bytes:
    """Return a certificate's DER."""
    return found.public_bytes(serialization.Encoding.DER)


def pem(found: x509.Certificate) -> bytes:
    """Return a certificate's PEM."""
    return found.public_bytes(serialization.Encoding.PEM)


async def self_signed(world: World, name: str, *, organization_id: Any = _SAME) -> int:
    """Have a self-signed certificate found, of the world's organization if not said otherwise."""
    body = der(certificate(name))
    sha256 = hashlib.sha256(body).hexdigest()
    owner = world.organization_id if organization_id is _SAME else organization_id
    async with world.db.write() as uow:
        find = Find(chains={sha256: [sha256]}, bodies={sha256: body}, organization_id=owner)
        recorded = await world.lifecycle.record_found(uow, find)
    return recorded.ids[sha256]


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
