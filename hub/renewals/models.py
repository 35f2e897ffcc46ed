"""Tables of automatic renewal: what is planned for a certificate, and what became of each attempt."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base, BigId


class RenewalSchedule(Base):
    """What the engine keeps about a certificate that renews itself, or was renewed and is to be revoked.

    ``look_at`` is when the engine looks at it next: to ask the CA for its window, to plan anew, to warn, or
    to revoke. Whoever looks moves it ahead first, so that replicas share the work.
    """

    __tablename__ = "renewal_schedules"
    __table_args__ = (Index(None, "look_at"),)

    certificate_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("certificates.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    look_at: Mapped[datetime | None]
    # The moment that was planned first, and why: warnings go by the time that it left.
    first_due_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(32), default="")
    sentence: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # The CA's window (RFC 9773), and when to ask for it again.
    window_start: Mapped[datetime | None]
    window_end: Mapped[datetime | None]
    explanation_url: Mapped[str] = mapped_column(Text, default="")
    poll_at: Mapped[datetime | None]
    # The last warning's threshold, in seconds before the end; 0: none yet.
    warned_s: Mapped[int] = mapped_column(default=0)
    retire_at: Mapped[datetime | None]
    # How a found certificate is renewed; see hub.renewals.settings.
    successor: Mapped[dict[str, Any] | None]


class RenewalAttempt(Base):
    """Something that happened to a certificate's renewal: started, failed, succeeded."""

    __tablename__ = "renewal_attempts"
    __table_args__ = (Index(None, "certificate_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificates.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64), default="")
    sentence: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
