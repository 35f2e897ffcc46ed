"""Tables of organizations, their departments, and the domains delegated to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base


class Organization(Base):
    """A customer's legal entity; its address fills the subjects of certificates."""

    __tablename__ = "organizations"

    id: Mapped[int] = mapped_column(primary_key=True)
    # What customers and scripts see: unlike the id it tells nothing about how many others there are.
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    # 64 characters are what RFC 5280 leaves an organizationName.
    name: Mapped[str] = mapped_column(String(64), unique=True)
    street: Mapped[str] = mapped_column(String(128), default="")
    locality: Mapped[str] = mapped_column(String(128), default="")
    state: Mapped[str] = mapped_column(String(128), default="")
    postal_code: Mapped[str] = mapped_column(String(40), default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    status: Mapped[str] = mapped_column(String(16), default="active")
    created_at: Mapped[datetime]


class Department(Base):
    """A part of an organization that administrators can be limited to."""

    __tablename__ = "departments"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    name: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class Domain(Base):
    """One delegation: a domain pattern and the organization that may certify names under it.

    It counts once it is approved and while it is active. Several organizations may hold the same domain.
    """

    __tablename__ = "domains"
    __table_args__ = (UniqueConstraint("organization_id", "name"), Index(None, "name"))

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    name: Mapped[str] = mapped_column(String(255))
    approved: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    requested_by: Mapped[str] = mapped_column(String(128), default="")
    created_at: Mapped[datetime]
