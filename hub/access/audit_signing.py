"""The hub's Ed25519 key for the audit log: made at the first need, kept under the key-encryption key.

Whoever can write to the database but does not have the hub's key file can't sign. The public key travels with
each signed statement; a copy kept elsewhere is what makes it trustworthy.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.audit_chain import canonical
from hub.access.models import AuditKey
from hub.db.uow import UnitOfWork
from pki.at_rest import KeyEncryptionKey

AT_REST_PURPOSE = b"audit signing key"
_ID_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An unlocked key."""

    id: str
    private: Ed25519PrivateKey = field(repr=False)

    def sign(self, statement: Mapping[str, Any]) -> str:
        """Return the signature over ``statement`` as base64."""
        return base64.b64encode(self.private.sign(canonical(statement).encode())).decode()


def key_id_of(public_key: bytes) -> str:
    """Return the id of a raw public key."""
    return hashlib.sha256(public_key).hexdigest()[:_ID_CHARACTERS]


async def signing_key(uow: UnitOfWork, kek: KeyEncryptionKey) -> SigningKey:
    """Return the newest key; make one if there is none.

    Raises:
        WrongEncryptionKey: ``kek`` is not the one that it was stored under.
    """
    newest = select(AuditKey.id, AuditKey.private_key).order_by(AuditKey.created_at.desc(), AuditKey.id)
    row = (await uow.session.execute(newest.limit(1))).first()
    if row is not None:
        raw = kek.unwrap(row.private_key, AT_REST_PURPOSE)
        return SigningKey(row.id, Ed25519PrivateKey.from_private_bytes(raw))
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    uow.session.add(
        AuditKey(
            id=key_id_of(public),
            public_key=public,
            private_key=kek.wrap(private.private_bytes_raw(), AT_REST_PURPOSE),
            created_at=uow.now,
        )
    )
    await uow.session.flush()
    return SigningKey(key_id_of(public), private)


async def public_keys(session: AsyncSession) -> dict[str, bytes]:
    """Return the raw public keys by their ids."""
    rows = await session.execute(select(AuditKey.id, AuditKey.public_key))
    return {row.id: row.public_key for row in rows}


def is_signed(statement: Mapping[str, Any], signature: str, public_key: bytes) -> bool:
    """Whether ``signature`` over ``statement`` was made with the key of ``public_key``."""
    try:
        raw = base64.b64decode(signature, validate=True)
        Ed25519PublicKey.from_public_bytes(public_key).verify(raw, canonical(statement).encode())
    except (InvalidSignature, ValueError):
        return False
    return True
