"""Tables of CA backends, the authorities of private ones, and what those issued and revoked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Index,
    Label,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    case,
    or_,
    text,
)
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


class CaKeepsake(Base):
    """Something that a backend must find again: the key of its account, or which order is whose."""

    __tablename__ = "ca_keepsakes"

    backend_id: Mapped[int] = mapped_column(ForeignKey("ca_backends.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    # Encrypted under the hub's key-encryption key.
    locked: Mapped[bytes] = mapped_column(LargeBinary)
    # Rises with each change, for whoever changes it at the same time.
    revision: Mapped[int]
    kept_at: Mapped[datetime]


class CaBackendHealth(Base):
    """What was seen of one backend the last time."""

    __tablename__ = "ca_backend_health"

    backend_id: Mapped[int] = mapped_column(
        ForeignKey("ca_backends.id", ondelete="CASCADE"), primary_key=True
    )
    # Failures since the last success.
    failures: Mapped[int] = mapped_column(default=0)
    last_success_at: Mapped[datetime | None]
    last_failure_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Text, default="")
    # When the next test is due; moved on by the replica that makes it.
    check_at: Mapped[datetime] = mapped_column(index=True)


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
    # CKA_ID of the key in the HSM. Neither: the key is offline, and others sign with it.
    hsm_key_id: Mapped[str | None] = mapped_column(String(64))
    key_sha256: Mapped[str] = mapped_column(String(64))
    # What it signs with; "": what suits the key.
    signature_algorithm: Mapped[str] = mapped_column(String(32), default="", server_default="")
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    created_at: Mapped[datetime]
    # In trial mode until then; None: not in trial mode.
    trial_until: Mapped[datetime | None]
    # When another key took over; its own certificates and lists go on.
    retired_at: Mapped[datetime | None]
    # Among how many lists revocations are spread: 1, or as many as certificates name. Never changes.
    crl_shards: Mapped[int] = mapped_column(default=1)
    # The address that those lists carry in themselves; "" where one list is for all certificates.
    crl_base: Mapped[str] = mapped_column(String(256), default="")


def key_is_here() -> ColumnElement[bool]:
    """Return the condition that the hub can sign with an authority's key."""
    return or_(CaAuthority.locked_key.is_not(None), CaAuthority.hsm_key_id.is_not(None))


def key_store() -> Label[str]:
    """Return the expression that says where an authority's key is: "software", "hsm" or "offline"."""
    return case(
        (CaAuthority.locked_key.is_not(None), "software"),
        (CaAuthority.hsm_key_id.is_not(None), "hsm"),
        else_="offline",
    ).label("key_store")


class CaSigningRequest(Base):
    """An issuing CA whose key is made and whose certificate somebody else signs: an offline root."""

    __tablename__ = "ca_signing_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    # None: the certificate makes a new backend; otherwise it takes over in this one.
    backend_id: Mapped[int | None] = mapped_column(ForeignKey("ca_backends.id"))
    name: Mapped[str] = mapped_column(String(64))
    csr: Mapped[bytes] = mapped_column(LargeBinary)
    locked_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    hsm_key_id: Mapped[str | None] = mapped_column(String(64))
    key_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    signature_algorithm: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime]


class CaCrossCertificate(Base):
    """One key of an authority certified by another key of the same name (RFC 4210, 4.4)."""

    __tablename__ = "ca_cross_certificates"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Whose key it certifies, and who signed it.
    authority_id: Mapped[int] = mapped_column(ForeignKey("ca_authorities.id"), index=True)
    issuer_id: Mapped[int] = mapped_column(ForeignKey("ca_authorities.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    certificate: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class CaCrl(Base):
    """One revocation list of an authority: the only one (shard 0), or one of several (1 and up)."""

    __tablename__ = "ca_crls"

    authority_id: Mapped[int] = mapped_column(ForeignKey("ca_authorities.id"), primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger, default=0)
    # Rises with each transaction that revokes: what is new since a revision can be asked for.
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    entries: Mapped[int] = mapped_column(default=0)
    der: Mapped[bytes | None] = mapped_column(LargeBinary)
    this_update: Mapped[datetime | None]
    next_update: Mapped[datetime | None]
    # When the next list is due, well before the one that is out ends.
    refresh_at: Mapped[datetime] = mapped_column(index=True)


class OcspResponder(Base):
    """A key and certificate with which answers about one authority's certificates are signed.

    Stored before it is certified, and used only once the certificate is stored as well.
    """

    __tablename__ = "ocsp_responders"
    __table_args__ = (UniqueConstraint("authority_id", "generation"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    authority_id: Mapped[int] = mapped_column(ForeignKey("ca_authorities.id"))
    # Two replicas that see that a new one is due choose the same number; one of them gets it.
    generation: Mapped[int]
    # Encrypted under the hub's key-encryption key.
    locked_key: Mapped[bytes] = mapped_column(LargeBinary)
    key_sha256: Mapped[str] = mapped_column(String(64))
    serial_hex: Mapped[str] = mapped_column(String(40))
    tbs: Mapped[bytes] = mapped_column(LargeBinary)
    certificate: Mapped[bytes | None] = mapped_column(LargeBinary)
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    created_at: Mapped[datetime]


class CaSerial(Base):
    """One serial number that an authority was about to sign, and its revocation if there is one.

    Recorded before the signature: a certificate that the CA signed is never unknown to it.
    """

    __tablename__ = "ca_serials"
    __table_args__ = (
        Index(
            "ix_ca_serials_revoked",
            "authority_id",
            "shard",
            "revision",
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
    # Of a revoked one: on which list of the authority it is, and since which revision of that list.
    shard: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int | None] = mapped_column(BigInteger)
    # The entry's DER: never changes, so that a list is a join of these.
    crl_entry: Mapped[bytes | None] = mapped_column(LargeBinary)
