"""Tables of imports: what was asked, how far it is, a result a file. The archive itself is never stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base, BigId


class CertificateImport(Base):
    """One archive that somebody sent.

    ``state``: Waiting, Running, Finished, or Failed with what was done until then. ``heartbeat_at`` tells
    other hubs that somebody is at work on it.
    """

    __tablename__ = "certificate_imports"
    __table_args__ = (Index(None, "organization_id"), Index(None, "state", "heartbeat_at"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    filename: Mapped[str] = mapped_column(String(255), default="")
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    # Not a foreign key: what was done outlives the administrator.
    administrator_id: Mapped[int | None] = mapped_column(BigInteger)
    administrator: Mapped[str] = mapped_column(String(255), default="")
    state: Mapped[str] = mapped_column(String(16))
    message: Mapped[str] = mapped_column(Text, default="")
    files: Mapped[int] = mapped_column(default=0)
    files_done: Mapped[int] = mapped_column(default=0)
    files_imported: Mapped[int] = mapped_column(default=0)
    files_known: Mapped[int] = mapped_column(default=0)
    files_failed: Mapped[int] = mapped_column(default=0)
    certificates: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class CertificateImportFile(Base):
    """What became of one file of an archive: Imported, AlreadyKnown, or Failed with the reason."""

    __tablename__ = "certificate_import_files"
    __table_args__ = (Index(None, "import_id", "result"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("certificate_imports.id"))
    name: Mapped[str] = mapped_column(String(400))
    result: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    certificate_ids: Mapped[list[Any]] = mapped_column(default=list)
