"""What the access routes take and give."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from hub.access.passwords import MAX_LENGTH
from hub.http.principal import Principal, Role, RoleGrant

CERTIFICATE_TYPES = r"^(ssl|client|code_signing|device)$"


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignInIn(_Input):
    """Credentials."""

    username: str = Field(min_length=1, max_length=64)
    password: SecretStr = Field(min_length=1, max_length=4096)


class GrantSchema(BaseModel):
    """One role. MRAO has no limits, RAO an organization, DRAO a department too."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    role: Role
    organization_id: int | None = None
    department_id: int | None = None
    certificate_types: list[str] = Field(default_factory=list, max_length=4)

    def to_grant(self) -> RoleGrant:
        """Return the typed value."""
        return RoleGrant(
            role=self.role,
            organization_id=self.organization_id,
            department_id=self.department_id,
            certificate_types=frozenset(self.certificate_types),
        )

    @classmethod
    def of(cls, grant: RoleGrant) -> GrantSchema:
        """Return the schema of a typed value."""
        return cls(
            role=grant.role,
            organization_id=grant.organization_id,
            department_id=grant.department_id,
            certificate_types=sorted(grant.certificate_types),
        )


class SessionOut(BaseModel):
    """Who is signed in, and what they may do."""

    administrator_id: int
    name: str
    kind: str = Field(description="`administrator` (console session) or `api_token`.")
    grants: list[GrantSchema]
    actions: list[str] = Field(
        description="Actions that the roles allow, so that a console can hide the rest."
    )
    csrf_token: str | None = Field(description="To be sent as X-CSRF-Token with changes; null for tokens.")

    @classmethod
    def of(cls, principal: Principal, *, actions: list[str], csrf_token: str | None) -> SessionOut:
        """Describe ``principal``."""
        return cls(
            administrator_id=int(principal.id),
            name=principal.name,
            kind=principal.kind,
            grants=[GrantSchema.of(grant) for grant in principal.grants],
            actions=actions,
            csrf_token=csrf_token,
        )


class PasswordIn(_Input):
    """A change of one's password."""

    current_password: SecretStr = Field(max_length=4096)
    new_password: SecretStr = Field(max_length=MAX_LENGTH)


class ApiTokenIn(_Input):
    """A new API token."""

    name: str = Field(min_length=1, max_length=64)
    scopes: list[str] = Field(
        default=["*"],
        min_length=1,
        max_length=50,
        description="Actions such as `certificates.view`, `certificates.*`, or `*`.",
    )
    expires_at: AwareDatetime | None = None


class ApiTokenCreated(BaseModel):
    """A new API token; the only time that it is shown."""

    id: int
    token: str


class ApiTokenRow(BaseModel):
    """One of one's own API tokens."""

    id: int
    name: str
    hint: str = Field(description="Its first characters.")
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
