"""Tables of certificate profiles: what may be issued, by which CA, to whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
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
    terms_days: Mapped[list[Any]]
    key_types: Mapped[list[str]]
    san_rule: Mapped[str] = mapped_column(String(16))
    max_names: Mapped[int]
    auto_approve: Mapped[bool]
    # Empty: what suits the certificate's key type.
    key_usage: Mapped[list[str]]
    extended_key_usage: Mapped[list[str]]
    # Attribute -> where its value comes from; see hub.profiles.subjects.
    subject_policy: Mapped[dict[str, Any]]
    # SQL NULL: every organization, also those that come later.
    organization_ids: Mapped[list[Any] | None] = mapped_column(_NULLABLE_LIST)
    status: Mapped[str] = mapped_column(String(16), default="active")
    created_at: Mapped[datetime]
