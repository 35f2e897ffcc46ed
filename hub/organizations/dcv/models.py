"""Tables of domain validation: the asset, its attempts, what was seen, mails, and DNS writers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base

_DUE = text("state = 'open' OR delivery = 'removal'")


class DcvWriter(Base):
    """A configured DNS writer."""

    __tablename__ = "dcv_writers"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Names the writer in the encryption of its secrets; unlike the name it never changes.
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    # None: for the domains of all organizations.
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    settings: Mapped[dict[str, Any]]
    secrets: Mapped[bytes | None] = mapped_column(LargeBinary)
    # What its last use came to; empty: it worked, or was never used.
    problem: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]


class DcvValidation(Base):
    """A domain whose control an organization shows, with its own clock. See :mod:`.states`."""

    __tablename__ = "dcv_validations"
    __table_args__ = (
        UniqueConstraint("organization_id", "domain"),
        Index(None, "domain"),
        Index(None, "state", "action_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    domain: Mapped[str] = mapped_column(String(255))
    # "public": ends by the CA/Browser Forum's schedule; "private": after a year.
    trust: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(16))
    # Of the last proof.
    method: Mapped[str | None] = mapped_column(String(32))
    validated_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    action_at: Mapped[datetime | None]
    # When it is validated again without a person; None: it can't be.
    next_revalidation_at: Mapped[datetime | None] = mapped_column(index=True)
    evidence: Mapped[dict[str, Any]]
    vantage_agent_ids: Mapped[list[str]]
    # How it is validated again without a person; None: not at all.
    renewal_method: Mapped[str | None] = mapped_column(String(32))
    writer_id: Mapped[int | None] = mapped_column(ForeignKey("dcv_writers.id"), index=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(128))


class DcvChallenge(Base):
    """One attempt. At most one of a validation is open; one that was proved stays as the evidence."""

    __tablename__ = "dcv_challenges"
    __table_args__ = (
        Index("ix_dcv_challenges_due", "next_check_at", postgresql_where=_DUE, sqlite_where=_DUE),
        Index(
            "uq_dcv_challenges_open",
            "validation_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
            sqlite_where=text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    validation_id: Mapped[int] = mapped_column(ForeignKey("dcv_validations.id"), index=True)
    method: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    delivery: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(64))
    value: Mapped[str] = mapped_column(String(64))
    account_uri: Mapped[str] = mapped_column(String(300))
    writer_id: Mapped[int | None] = mapped_column(ForeignKey("dcv_writers.id"))
    automatic: Mapped[bool]
    started_at: Mapped[datetime]
    started_by: Mapped[str] = mapped_column(String(128))
    expires_at: Mapped[datetime]
    next_check_at: Mapped[datetime]
    # One replica at a time: who works on it holds it until then.
    held_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    round: Mapped[int] = mapped_column(default=0)
    # What the last look came to; a stable word and a sentence.
    reason: Mapped[str] = mapped_column(String(64), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    checked_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    covers_subdomains: Mapped[bool] = mapped_column(default=False)
    evidence: Mapped[dict[str, Any]]


class DcvSighting(Base):
    """What one vantage point saw in one round of an attempt; the hub's own has no agent."""

    __tablename__ = "dcv_sightings"
    __table_args__ = (UniqueConstraint("challenge_id", "round", "vantage"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    challenge_id: Mapped[int] = mapped_column(ForeignKey("dcv_challenges.id"))
    round: Mapped[int]
    # "hub", or an agent's id.
    vantage: Mapped[str] = mapped_column(String(36))
    vote: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class DcvMail(Base):
    """One mail with a random value of its own, of which only the hash is kept."""

    __tablename__ = "dcv_mails"
    __table_args__ = (UniqueConstraint("challenge_id", "recipient"),)

    # Random, part of the link: numbers would tell how many there are.
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    challenge_id: Mapped[int] = mapped_column(ForeignKey("dcv_challenges.id"))
    recipient: Mapped[str] = mapped_column(String(320))
    value_sha256: Mapped[str] = mapped_column(String(64), default="")
    sent_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(Text, default="")
    confirmed_at: Mapped[datetime | None]
