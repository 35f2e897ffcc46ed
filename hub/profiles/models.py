"""Tables of certificate profiles: what may be issued, by which CA, to whom, and for which keys never."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base

_NULLABLE_LIST = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Profile(Base):
    """One certificate profile."""

    __tablename__ = "profiles"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    certificate_type: Mapped[str] = mapped_column(String(16), default="ssl")
    trust: Mapped[str] = mapped_column(String(16))
    backend_id: Mapped[int] = mapped_column(ForeignKey("ca_backends.id"), index=True)
    # CA backends that are taken in this order when the first can't be had and nothing was ordered there.
    backup_backend_ids: Mapped[list[Any]] = mapped_column(default=list)
    # What a certificate costs, in the administrator's words.
    cost_note: Mapped[str] = mapped_column(Text, default="")
    terms_days: Mapped[list[Any]]
    key_types: Mapped[list[str]]
    san_rule: Mapped[str] = mapped_column(String(16))
    min_names: Mapped[int] = mapped_column(default=1)
    max_names: Mapped[int]
    www_included: Mapped[bool] = mapped_column(default=False)
    # NULL: allowed where the trust is private.
    ip_addresses: Mapped[bool | None]
    internal_names: Mapped[bool | None]
    auto_approve: Mapped[bool]
    # How many administrators have to approve a request: 1 or 2.
    approvals: Mapped[int] = mapped_column(default=1)
    # What the CA validates, for people and columns: DV, OV, EV or nothing.
    sub_type: Mapped[str] = mapped_column(String(16), default="")
    # The subscriber agreement that applicants have to accept; empty: none.
    agreement: Mapped[str] = mapped_column(Text, default="")
    # How certificates of this profile renew themselves; see hub.profiles.records.RenewalPolicy.
    renewal: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Empty: what suits the certificate's key type.
    key_usage: Mapped[list[str]]
    extended_key_usage: Mapped[list[str]]
    # Attribute -> where its value comes from; see hub.profiles.subjects.
    subject_policy: Mapped[dict[str, Any]]
    # SQL NULL: every organization, also those that come later.
    organization_ids: Mapped[list[Any] | None] = mapped_column(_NULLABLE_LIST)
    status: Mapped[str] = mapped_column(String(16), default="active")
    created_at: Mapped[datetime]


class CompromisedKey(Base):
    """A key whose private half somebody else has, or may have: no certificate is issued for it again."""

    __tablename__ = "compromised_keys"
    __table_args__ = (Index(None, "added_at"),)

    # Of the SubjectPublicKeyInfo.
    spki_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    # Why it is here: a person's words, or the certificate that was revoked for it.
    source: Mapped[str] = mapped_column(String(255))
    added_by: Mapped[str] = mapped_column(String(255))
    added_at: Mapped[datetime]
