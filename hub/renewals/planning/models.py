"""Tables of planning: freezes, maintenance windows, quotas of CAs, and plans that have to be made anew.

Freezes are kept as they were said, in local time with a zone, because a yearly freeze moves in UTC when the
zone's rules do. ``starts_at`` and ``ends_at`` are the first occurrence in UTC, for lists and ranges.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base, BigId


class RenewalFreeze(Base):
    """A time in which nothing is renewed. Scope columns that are None narrow nothing."""

    __tablename__ = "renewal_freezes"
    __table_args__ = (Index(None, "organization_id"), Index(None, "ends_at"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    profile_id: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"))
    agent_id: Mapped[str | None] = mapped_column(ForeignKey("agents.id"))
    # With * and ?, against names of agents, their hosts and servers; empty: any.
    server_pattern: Mapped[str] = mapped_column(String(128), default="")
    # ISO 8601 without a zone, to the minute: what the clock on the wall shows there.
    starts: Mapped[str] = mapped_column(String(16))
    ends: Mapped[str] = mapped_column(String(16))
    time_zone: Mapped[str] = mapped_column(String(64))
    repeats_yearly: Mapped[bool] = mapped_column(default=False)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    comment: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class MaintenanceWindow(Base):
    """Times of the week in which renewals may touch servers."""

    __tablename__ = "maintenance_windows"
    __table_args__ = (Index(None, "organization_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    profile_id: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"))
    agent_id: Mapped[str | None] = mapped_column(ForeignKey("agents.id"))
    server_pattern: Mapped[str] = mapped_column(String(128), default="")
    # 0 is Monday; the day on which the window opens.
    weekdays: Mapped[list[Any]]
    # Minutes since midnight; an end that is not after the start is on the next day.
    opens: Mapped[int]
    closes: Mapped[int]
    time_zone: Mapped[str] = mapped_column(String(64))
    comment: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CaQuota(Base):
    """How many certificates a CA issues in an hour, a day or a week, and what one costs."""

    __tablename__ = "ca_quotas"
    __table_args__ = (UniqueConstraint("backend_id", "period"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    backend_id: Mapped[int] = mapped_column(ForeignKey("ca_backends.id"))
    # "hour", "day" or "week".
    period: Mapped[str] = mapped_column(String(8))
    limit: Mapped[int] = mapped_column("max_certificates")
    # In hundredths of ``currency``; None: not known.
    cost_cents: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class RenewalReplan(Base):
    """Certificates whose plan has to be made anew because the calendar changed: a scope, and how far it got.

    Written with the change; a job works it off, so that a million plans don't wait on one request.
    """

    __tablename__ = "renewal_replans"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    scope: Mapped[dict[str, Any]]
    after_id: Mapped[int] = mapped_column(BigId, default=0)
    created_at: Mapped[datetime]
