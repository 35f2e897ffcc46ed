"""The outbox: what happened, written in the same transaction as the change itself.

Server-sent events, notifications and reports read it by its growing id; nobody is called from within a
transaction. On PostgreSQL ids are handed out before commit, so a reader could see 8 before 7 exists;
``transaction_id`` lets it stop at the oldest transaction still open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base, BigId


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, in the past tense.

    ``kind`` is a stable CamelCase word such as ``CertificateIssued``; ``object_type`` and ``object_id`` name
    what it happened to; organization, department and certificate type decide who may see it (no organization:
    those who see everything). ``data`` holds a few values for readers, never a secret.
    """

    kind: str
    object_type: str
    object_id: str
    organization_id: int | None = None
    department_id: int | None = None
    certificate_type: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


class OutboxEvent(Base):
    """A stored :class:`Event`."""

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "object_type", "object_id"),
        # The order of reading on PostgreSQL; on SQLite the index stays empty.
        Index(None, "transaction_id", "id", sqlite_where=text("transaction_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(64))
    object_type: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[str] = mapped_column(String(64))
    # Not foreign keys: history outlives the organization.
    organization_id: Mapped[int | None] = mapped_column(BigInteger)
    department_id: Mapped[int | None] = mapped_column(BigInteger)
    certificate_type: Mapped[str | None] = mapped_column(String(16))
    data: Mapped[dict[str, Any]]
    transaction_id: Mapped[int | None] = mapped_column(BigInteger)
