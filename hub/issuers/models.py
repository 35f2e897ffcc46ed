"""Tables of CA backends, the authorities of private ones, and what those issued and revoked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base


class CaBackendRow(Base):
    """One configured CA backend."""

    __tablename__ = "ca_backends"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Names the backend in the encryption of its secrets; unlike the name it never changes.
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    settings: Mapped[dict[str, Any]]
    # The settings' secret fields as JSON, encrypted under the hub's key-encryption key.
    secrets: Mapped[bytes | None] = mapped_column(LargeBinary)
    status: Mapped[str] = mapped_column(String(16), default="active")
    created_at: Mapped[datetime]


class CaAuthority(Base):
    """One certification authority of a private backend: a root, or the issuing CA under it."""

    __tablename__ = "ca_authorities"

    id: Mapped[int] = mapped_column(primary_key=True)
    backend_id: Mapped[int] = mapped_column(ForeignKey("ca_backends.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("ca_authorities.id"))
    role: Mapped[str] = mapped_column(String(16))
    # In the addresses that certificates carry (/crl/<slug>.crl, /aia/<slug>.cer): never changes.
    slug: Mapped[str] = mapped_column(String(96), unique=True)
    certificate: Mapped[bytes] = mapped_column(LargeBinary)
    # Encrypted under the hub's key-encryption key; None when the key is kept elsewhere.
    locked_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    key_sha256: Mapped[str] = mapped_column(String(64))
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    created_at: Mapped[datetime]
    crl_number: Mapped[int] = mapped_column(default=0)
    crl: Mapped[bytes | None] = mapped_column(LargeBinary)
    crl_this_update: Mapped[datetime | None]
    crl_next_update: Mapped[datetime | None]
    # When the next list is due, well before the one that is out ends.
    crl_refresh_at: Mapped[datetime | None] = mapped_column(index=True)


class CaSerial(Base):
    """One serial number that an authority was about to sign, and its revocation if there is one.

    Recorded before the signature: a certificate that the CA signed is never unknown to it.
    """

    __tablename__ = "ca_serials"
    __table_args__ = (
        Index(
            "ix_ca_serials_revoked",
            "authority_id",
            postgresql_where=text("revoked_at IS NOT NULL"),
            sqlite_where=text("revoked_at IS NOT NULL"),
        ),
    )

    authority_id: Mapped[int] = mapped_column(ForeignKey("ca_authorities.id"), primary_key=True)
    # Lower-case hex without leading zeros.
    serial_hex: Mapped[str] = mapped_column(String(40), primary_key=True)
    recorded_at: Mapped[datetime]
    # None where only a serial number was given: such an entry stays on the list for good.
    not_after: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(32))
    # The entry's DER: never changes, so that a list is a join of these.
    crl_entry: Mapped[bytes | None] = mapped_column(LargeBinary)
