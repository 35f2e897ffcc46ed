"""What the routes of CA backends take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.issuers.records import HealthState

CaKeyType = Literal["EC-P256", "EC-P384", "RSA-2048", "RSA-3072", "RSA-4096"]


class HealthView(BaseModel):
    """How a CA backend fares, learnt from orders and from a test every few minutes."""

    model_config = ConfigDict(from_attributes=True)

    state: HealthState = Field(
        description="`down` after three failures in a row: new orders go to a profile's next backend."
    )
    failures: int = Field(description="Since the last success.")
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str


class BackendView(BaseModel):
    """One CA backend; secrets are never shown."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    kind: str
    settings: dict[str, Any]
    status: Literal["active", "disabled"]
    created_at: datetime
    health: HealthView | None = None


class BackendCreate(BaseModel):
    """A new CA backend of an installed kind; `settings` are those of `GET /ca-backends/kinds`."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    kind: str = Field(min_length=1, max_length=32)
    settings: dict[str, Any]


class BackendChange(BaseModel):
    """Changes to a CA backend; what is absent stays, and so do secrets that are absent."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, min_length=1, max_length=64)
    settings: dict[str, Any] | None = Field(default=None, description="All settings, except secrets.")
    status: Literal["active", "disabled"] | None = Field(
        default=None, description="A disabled backend takes no orders; what it has waits for its return."
    )


class BackendList(BaseModel):
    """CA backends by name."""

    items: list[BackendView]


class CrlView(BaseModel):
    """The revocation list that an authority has out."""

    url: str
    number: int
    entries: int
    this_update: datetime
    next_update: datetime


class ResponderView(BaseModel):
    """A certificate with which OCSP answers are signed."""

    serial: str
    not_before: datetime
    not_after: datetime


class AuthorityView(BaseModel):
    """One certification authority of a private CA."""

    id: int
    role: Literal["root", "issuing"]
    slug: str
    subject: str
    serial: str
    key_type: str
    signature_algorithm: str
    sha256: str
    not_before: datetime
    not_after: datetime
    certificate_url: str
    crl: CrlView | None
    crls: list[CrlView] = Field(description="All lists: several where revocations are spread.")
    ocsp_url: str | None = Field(description="Where OCSP requests go; null where there is no responder.")
    ocsp_in_certificates: bool = Field(description="Whether new certificates name that address.")
    responder: ResponderView | None = Field(description="The newest OCSP responder.")


class BackendDetail(BackendView):
    """One CA backend with its authorities, the newest issuing CA first; empty when the CA is elsewhere."""

    can_revoke: bool
    authorities: list[AuthorityView]


class KindView(BaseModel):
    """A kind of CA backend that is installed, with the JSON schema of its settings."""

    kind: str
    title: str
    settings_schema: dict[str, Any]


class KindList(BaseModel):
    """The kinds of CA backends that are installed."""

    items: list[KindView]


class PrivateHierarchyCreate(BaseModel):
    """A new private CA: a root, and an issuing CA under it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=50, description="Begins the common names of both CAs.")
    key_type: CaKeyType = Field(default="EC-P256", description="Of the issuing CA.")
    root_key_type: CaKeyType | None = Field(default=None, description="Absent: as the issuing CA's.")
    root_days: int = Field(default=7300, ge=1, le=36_500)
    issuing_days: int = Field(default=3650, ge=1, le=36_500)
    organization: str = Field(default="", max_length=64, description="For the subjects of the CAs.")
    country: str = Field(default="", max_length=2)
    crl_shards: int = Field(
        default=1,
        ge=1,
        le=256,
        description="Among how many lists revocations are spread; for CAs with very many certificates."
        " Can't be changed later.",
    )


class TestResult(BaseModel):
    """Whether a CA backend can be used now; ``code`` and ``message`` say why not."""

    ok: bool
    code: str | None = None
    message: str | None = None
