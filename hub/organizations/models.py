"""Tables of organizations, their departments and settings, delegated domains, persons, and custom fields."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base, BigId
from hub.organizations.states import DomainState, ValidationState


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
    # Who may recover escrowed keys of client certificates; fixed when the organization is made.
    key_recovery: Mapped[list[str]] = mapped_column(default=list)
    validation: Mapped[str] = mapped_column(String(16), default=ValidationState.NOT_VALIDATED)
    validation_changed_at: Mapped[datetime | None]
    validated_at: Mapped[datetime | None]
    validation_expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class OrganizationValidation(Base):
    """One step of an organization's validation: its history, never changed."""

    __tablename__ = "organization_validations"
    __table_args__ = (Index(None, "organization_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    event: Mapped[str] = mapped_column(String(16))
    validation: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    actor: Mapped[str] = mapped_column(String(255))
    comment: Mapped[str] = mapped_column(Text, default="")


class Department(Base):
    """A part of an organization that administrators can be limited to.

    Without an address of its own (all fields empty) it has its organization's.
    """

    __tablename__ = "departments"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    name: Mapped[str] = mapped_column(String(64))
    street: Mapped[str] = mapped_column(String(128), default="")
    locality: Mapped[str] = mapped_column(String(128), default="")
    state: Mapped[str] = mapped_column(String(128), default="")
    postal_code: Mapped[str] = mapped_column(String(40), default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    status: Mapped[str] = mapped_column(String(16), default="active")
    key_recovery: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime]


_WHOLE = text("department_id IS NULL")
_PART = text("department_id IS NOT NULL")


class CertificateSettings(Base):
    """What an organization, or a department of it, may do with one type of certificate.

    No row: everything that is not decided elsewhere is allowed.
    """

    __tablename__ = "certificate_settings"
    __table_args__ = (
        # NULL is never equal to NULL, so that one constraint over all three would let repetitions through.
        Index(
            "uq_certificate_settings_organization",
            "organization_id",
            "certificate_type",
            unique=True,
            sqlite_where=_WHOLE,
            postgresql_where=_WHOLE,
        ),
        Index(
            "uq_certificate_settings_department",
            "department_id",
            "certificate_type",
            unique=True,
            sqlite_where=_PART,
            postgresql_where=_PART,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    certificate_type: Mapped[str] = mapped_column(String(16))
    enabled: Mapped[bool] = mapped_column(default=True)
    # With all_profiles, profile_ids is empty and says nothing.
    all_profiles: Mapped[bool] = mapped_column(default=True)
    profile_ids: Mapped[list[Any]] = mapped_column(default=list)
    synced_expiry_day: Mapped[int | None]
    external_requester_required: Mapped[bool] = mapped_column(default=False)
    external_requester_pattern: Mapped[str] = mapped_column(String(255), default="")
    principal_name_allowed: Mapped[bool] = mapped_column(default=False)
    principal_name_customizable: Mapped[bool] = mapped_column(default=False)


class Domain(Base):
    """One delegation: a domain pattern and the organization or department that may certify names under it.

    It counts once it is approved and while it is active. Several may hold the same domain.
    """

    __tablename__ = "domains"
    __table_args__ = (
        Index(
            "uq_domains_organization_name",
            "organization_id",
            "name",
            unique=True,
            sqlite_where=_WHOLE,
            postgresql_where=_WHOLE,
        ),
        Index(
            "uq_domains_department_name",
            "department_id",
            "name",
            unique=True,
            sqlite_where=_PART,
            postgresql_where=_PART,
        ),
        Index(None, "name"),
        Index(None, "parent"),
        Index(None, "organization_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    name: Mapped[str] = mapped_column(String(255))
    # Of an exact domain: the name without its first label, which finds what a wildcard also stands for.
    parent: Mapped[str] = mapped_column(String(255), default="")
    certificate_types: Mapped[list[str]]
    state: Mapped[str] = mapped_column(String(16), default=DomainState.REQUESTED)
    active: Mapped[bool] = mapped_column(default=True)
    requested_by: Mapped[str] = mapped_column(String(255), default="")
    decided_by: Mapped[str] = mapped_column(String(255), default="")
    decided_at: Mapped[datetime | None]
    decision_message: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]


class Person(Base):
    """Somebody who owns client certificates or asks for others; known by the e-mail address."""

    __tablename__ = "persons"
    __table_args__ = (
        UniqueConstraint("organization_id", "email_key"),
        Index(None, "email_key"),
        Index(None, "last_name"),
        Index(None, "common_name"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    # The delegated domain that the address is under.
    domain: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(320))
    # The address in lower case: mail systems tell no case apart, certificates show what was typed.
    email_key: Mapped[str] = mapped_column(String(320))
    common_name: Mapped[str] = mapped_column(String(64))
    first_name: Mapped[str] = mapped_column(String(64))
    middle_name: Mapped[str] = mapped_column(String(64), default="")
    last_name: Mapped[str] = mapped_column(String(64))
    phone: Mapped[str] = mapped_column(String(32), default="")
    alternative_emails: Mapped[list[str]] = mapped_column(default=list)
    # Argon2id: it is only ever compared with what the person types.
    secret_id_hash: Mapped[str | None] = mapped_column(String(255))
    validation_type: Mapped[str] = mapped_column(String(16), default="standard")
    principal_name: Mapped[str] = mapped_column(String(320), default="")
    eppn: Mapped[str] = mapped_column(String(320), default="")
    created_via: Mapped[str] = mapped_column(String(32), default="")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class CustomField(Base):
    """A field that administrators added to requests of one type of certificate.

    Certificates keep values by the field's id, so that a new name loses none.
    """

    __tablename__ = "custom_fields"
    __table_args__ = (UniqueConstraint("certificate_type", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_type: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    choices: Mapped[list[str]] = mapped_column(default=list)
    mandatory_admin_ui: Mapped[bool] = mapped_column(default=False)
    mandatory_api: Mapped[bool] = mapped_column(default=False)
    mandatory_forms: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
