"""Tables of notifications: rules, templates, channels, the queue, and how far events and dates were read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base, BigId
from hub.notifications.states import DeliveryState

_EVERYWHERE = text("organization_id IS NULL")
_SOMEWHERE = text("organization_id IS NOT NULL")


class NotificationRule(Base):
    """Which type of notification goes to whom; ``organization_id`` None: for all organizations."""

    __tablename__ = "notification_rules"
    __table_args__ = (Index(None, "organization_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    type: Mapped[str] = mapped_column(String(48))
    enabled: Mapped[bool] = mapped_column(default=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    # Empty lists: all of them.
    certificate_types: Mapped[list[str]] = mapped_column(default=list)
    profile_ids: Mapped[list[Any]] = mapped_column(default=list)
    # Of types that warn of an end: so many days before. Of those that wait: so many minutes.
    days: Mapped[list[Any]] = mapped_column(default=list)
    minutes: Mapped[int] = mapped_column(default=0)
    recipients: Mapped[dict[str, Any]]
    email: Mapped[bool] = mapped_column(default=True)
    console: Mapped[bool] = mapped_column(default=True)
    channel_ids: Mapped[list[Any]] = mapped_column(default=list)
    digest: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(128), default="")
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(128), default="")


class NotificationTemplate(Base):
    """The words of a type where they differ from the built-in ones; ``language`` "" fits everybody."""

    __tablename__ = "notification_templates"
    __table_args__ = (
        # NULL is never equal to NULL, so that one constraint would let repetitions through.
        Index(
            "uq_notification_templates_everywhere",
            "type",
            "language",
            unique=True,
            sqlite_where=_EVERYWHERE,
            postgresql_where=_EVERYWHERE,
        ),
        Index(
            "uq_notification_templates_organization",
            "type",
            "language",
            "organization_id",
            unique=True,
            sqlite_where=_SOMEWHERE,
            postgresql_where=_SOMEWHERE,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(String(48))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    language: Mapped[str] = mapped_column(String(16), default="")
    subject: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(128), default="")


class NotificationChannel(Base):
    """A configured way out, such as a webhook or a chat; its secrets are encrypted under the hub's key."""

    __tablename__ = "notification_channels"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Authenticated with the secrets, so that one channel's can't be put in another's place.
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    settings: Mapped[dict[str, Any]]
    secrets: Mapped[bytes | None] = mapped_column(LargeBinary)
    enabled: Mapped[bool] = mapped_column(default=True)
    # Why the latest message did not get through; empty after one that did.
    problem: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(128), default="")
    changed_at: Mapped[datetime]


class Notification(Base):
    """One message to one recipient through one channel: the queue, and afterwards its history.

    Nothing here is a foreign key: what somebody was told outlives what it was about.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        Index(None, "state", "due_at"),
        Index(None, "object_type", "object_id"),
        Index(None, "certificate_id"),
        Index(None, "organization_id", "id"),
        Index(None, "administrator_id", "channel_kind", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # Of what happened, how and to whom: the same is never queued twice.
    dedupe_key: Mapped[str] = mapped_column(String(64), unique=True)
    type: Mapped[str] = mapped_column(String(48))
    rule_id: Mapped[int | None]
    object_type: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[str] = mapped_column(String(64))
    certificate_id: Mapped[int | None] = mapped_column(BigInteger)
    organization_id: Mapped[int | None] = mapped_column(BigInteger)
    department_id: Mapped[int | None] = mapped_column(BigInteger)
    certificate_type: Mapped[str | None] = mapped_column(String(16))
    # "console" and the hub's own mail server have no channel.
    channel_kind: Mapped[str] = mapped_column(String(32))
    channel_id: Mapped[int | None]
    administrator_id: Mapped[int | None]
    recipient: Mapped[str] = mapped_column(String(320), default="")
    subject: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]]
    # Messages that go out as one; empty: alone.
    batch: Mapped[str] = mapped_column(String(32), default="", index=True)
    state: Mapped[str] = mapped_column(String(16), default=DeliveryState.QUEUED)
    reason: Mapped[str] = mapped_column(String(64), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    receipt: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(default=0)
    # Counts what people asked to be sent again: each time is a message of its own.
    edition: Mapped[int] = mapped_column(default=1)
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    # Of notices in the console: when their reader read them, and took them off the list.
    read_at: Mapped[datetime | None]
    dismissed_at: Mapped[datetime | None]


class EventCursor(Base):
    """Up to where a reader of the outbox has taken over what it wants."""

    __tablename__ = "event_cursors"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    transaction_id: Mapped[int] = mapped_column(BigInteger)
    event_id: Mapped[int] = mapped_column(BigInteger)


class NotificationSweep(Base):
    """Up to which date the things that a rule warns of have been looked at, for one of its terms."""

    __tablename__ = "notification_sweeps"

    rule_id: Mapped[int] = mapped_column(
        ForeignKey("notification_rules.id", ondelete="CASCADE"), primary_key=True
    )
    # Minutes before (or, of those that wait, after) the date.
    term_minutes: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    through: Mapped[datetime]
    through_id: Mapped[str] = mapped_column(String(64), default="")
