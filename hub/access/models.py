"""Tables of administrators, their roles, sessions and tokens, failed sign-ins, settings, the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.append_only import APPEND_ONLY
from hub.db.base import Base, BigId


class Administrator(Base):
    """Somebody who may sign in. ``username`` is stored in lower case.

    ``type`` is one of :data:`hub.access.administrators.TYPES`. An empty ``password_hash`` fits no password.
    """

    __tablename__ = "administrators"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(128))
    email: Mapped[str] = mapped_column(String(254), default="")
    type: Mapped[str] = mapped_column(String(16), default="standard")
    privileges: Mapped[list[str]] = mapped_column(default=list)
    password_hash: Mapped[str] = mapped_column(String(256))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(128), default="")
    last_login_at: Mapped[datetime | None]
    deactivated_at: Mapped[datetime | None]

    title: Mapped[str] = mapped_column(String(64), default="")
    phone: Mapped[str] = mapped_column(String(32), default="")
    street: Mapped[str] = mapped_column(String(128), default="")
    locality: Mapped[str] = mapped_column(String(128), default="")
    state: Mapped[str] = mapped_column(String(128), default="")
    postal_code: Mapped[str] = mapped_column(String(40), default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    relationship: Mapped[str] = mapped_column(String(64), default="")
    locale: Mapped[str] = mapped_column(String(16), default="en")


class RoleGrantRow(Base):
    """One role of an administrator, perhaps limited to an organization, a department, certificate types."""

    __tablename__ = "role_grants"

    id: Mapped[int] = mapped_column(primary_key=True)
    administrator_id: Mapped[int] = mapped_column(
        ForeignKey("administrators.id", ondelete="CASCADE"), index=True
    )
    role: Mapped[str] = mapped_column(String(8))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    certificate_types: Mapped[list[str]]
    # The types once more, all of them if none is named, sorted and joined: JSON can't be compared in SQL.
    types_key: Mapped[str] = mapped_column(String(64))


class Session(Base):
    """A console session. The token itself is only in the browser; here is its SHA-256."""

    __tablename__ = "sessions"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    # What lists and revocation call it; stays when a step-up gives it a new token.
    id: Mapped[str] = mapped_column(String(32), unique=True)
    administrator_id: Mapped[int] = mapped_column(
        ForeignKey("administrators.id", ondelete="CASCADE"), index=True
    )
    # How they showed who they are: "password", "totp", "passkey", "client_certificate", ...
    methods: Mapped[list[str]]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    remote: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(200))


class ApiToken(Base):
    """An API token of an administrator; its rights are theirs, narrowed by ``scopes``."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    administrator_id: Mapped[int] = mapped_column(
        ForeignKey("administrators.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(64))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    # The first characters, so that people can tell their tokens apart.
    hint: Mapped[str] = mapped_column(String(12))
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class LoginFailures(Base):
    """Failed sign-ins under one user name, whether there is such a user or not."""

    __tablename__ = "login_failures"

    # SHA-256 of the name: people type passwords into the wrong field.
    username_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)


class AuditEntry(Base):
    """One line of the audit log, chained to the one before. Never updated, never deleted."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index(None, "organization_id", "sequence"),
        Index(None, "object_type", "object_id", "sequence"),
        {"info": APPEND_ONLY},
    )

    sequence: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(index=True)
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(64))
    actor_name: Mapped[str] = mapped_column(String(128))
    action: Mapped[str] = mapped_column(String(64))
    object_type: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[str] = mapped_column(String(64))
    # Not foreign keys: the log outlives the organization.
    organization_id: Mapped[int | None] = mapped_column(BigInteger)
    department_id: Mapped[int | None] = mapped_column(BigInteger)
    certificate_type: Mapped[str | None] = mapped_column(String(16))
    remote: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(200))
    details: Mapped[dict[str, Any]]
    previous_sha256: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The end of the audit chain; one row, updated with each entry in the same transaction."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))


class AuditKey(Base):
    """A key that signs checkpoints and archives. ``id`` is the start of SHA-256 over the public key."""

    __tablename__ = "audit_keys"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    # Under the hub's key-encryption key, which is not in the database.
    private_key: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class AuditCheckpoint(Base):
    """A signed statement that the chain had this hash at this entry."""

    __tablename__ = "audit_checkpoints"
    __table_args__ = ({"info": APPEND_ONLY},)

    sequence: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    key_id: Mapped[str] = mapped_column(ForeignKey("audit_keys.id"))
    signature: Mapped[str] = mapped_column(String(128))


class AuditArchive(Base):
    """A signed statement that entries up to ``last`` went into a file; the chain goes on from ``sha256``."""

    __tablename__ = "audit_archives"
    __table_args__ = ({"info": APPEND_ONLY},)

    last: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    first: Mapped[int] = mapped_column(BigInteger)
    previous_sha256: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    file_sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    key_id: Mapped[str] = mapped_column(ForeignKey("audit_keys.id"))
    signature: Mapped[str] = mapped_column(String(128))


class Setting(Base):
    """A setting of the whole installation that administrators change; absent means the default."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(128))
