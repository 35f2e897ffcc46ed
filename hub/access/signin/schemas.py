"""What the routes of signing in take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from hub.access.passwords import MAX_LENGTH
from hub.access.schemas import SessionOut
from hub.access.signin.access_rules import Audience, Rule, parse_network
from hub.access.signin.provider_settings import OidcSettings, SamlSettings
from hub.http.principal import Role

_NAME = r"^[a-z0-9][a-z0-9-]{0,31}$"
# A WebAuthn answer is a few kilobytes; attestations with long chains are more.
MAX_CREDENTIAL = 64 * 1024


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Nothing(_Input):
    """An empty object."""


class SignInStep(BaseModel):
    """What is needed next; go on with the cookie that came along."""

    step: Literal["second_factor", "enrolment", "new_password"]
    factors: list[str] = Field(description="Of `second_factor`: what is set up.")
    expires_at: datetime


class EnrolledOut(BaseModel):
    """A second factor was set up while signing in."""

    recovery_codes: list[str] = Field(description="Shown this once; empty when there are some already.")
    next: SessionOut | SignInStep


class ProviderChoice(BaseModel):
    """An identity provider that people may sign in with."""

    name: str
    label: str
    kind: Literal["saml", "oidc"]


class SignInMethods(BaseModel):
    """The ways to sign in at this hub."""

    password: bool = True
    passkeys: bool
    client_certificates: bool
    client_certificate_url: str = Field(
        description="Where a browser is asked for a certificate; empty: here."
    )
    providers: list[ProviderChoice]


class ProviderIn(_Input):
    """Which identity provider."""

    provider: str = Field(pattern=_NAME)


class RedirectOut(BaseModel):
    """Where to send the browser."""

    redirect_url: str


class CodeIn(_Input):
    """A code of the authenticator app, or a recovery code."""

    code: SecretStr = Field(min_length=1, max_length=64)


class HandoffIn(_Input):
    """The code that the identity provider's answer led to."""

    code: SecretStr = Field(min_length=1, max_length=128)


class CredentialIn(_Input):
    """What ``navigator.credentials.get`` gave, as JSON."""

    credential: dict[str, Any]


class NewPasskeyIn(_Input):
    """What ``navigator.credentials.create`` gave, as JSON, and what to call it."""

    name: str = Field(min_length=1, max_length=64)
    credential: dict[str, Any]


class PasskeyOptions(BaseModel):
    """What the browser's WebAuthn call takes."""

    public_key: dict[str, Any]


class NewPasswordIn(_Input):
    """A password in place of the one that was given."""

    new_password: SecretStr = Field(max_length=MAX_LENGTH)


class OidcAnswer(BaseModel):
    """Query of an OpenID provider's answer."""

    # Providers add parameters of their own.
    model_config = ConfigDict(extra="ignore")

    state: str = Field(max_length=128)
    code: str = Field(default="", max_length=8192)
    error: str = Field(default="", max_length=256)
    iss: str | None = Field(default=None, max_length=1024)


class TotpOut(BaseModel):
    """A new authenticator app; shown this once."""

    secret: str
    uri: str
    qr_svg: str


class RecoveryCodesOut(BaseModel):
    """Recovery codes; shown this once."""

    recovery_codes: list[str]


class FactorsOut(BaseModel):
    """One's own second factors."""

    factors: list[str]
    recovery_codes_left: int
    required: bool = Field(description="Whether one's role needs a second factor.")


class PasskeyRow(BaseModel):
    """One of one's own passkeys."""

    id: int
    name: str
    transports: list[str]
    backed_up: bool
    created_at: datetime
    last_used_at: datetime | None


class PasskeyCreated(BaseModel):
    """A new passkey."""

    id: int
    recovery_codes: list[str] = Field(description="Shown this once; empty when there are some already.")


class SessionRow(BaseModel):
    """A console session."""

    id: str
    administrator_id: int
    username: str
    name: str
    methods: list[str]
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    remote: str
    user_agent: str


class AccessRuleSchema(_Input):
    """A network from which administrators may come."""

    applies_to: Audience
    network: str = Field(max_length=49, description="CIDR, such as `192.0.2.0/24`.")
    note: str = Field(default="", max_length=200)

    def to_rule(self) -> Rule:
        """Return the typed value; raises ``Malformed``."""
        return Rule(self.applies_to, parse_network(self.network), self.note)

    @classmethod
    def of(cls, rule: Rule) -> AccessRuleSchema:
        """Return the schema of a typed value."""
        return cls(applies_to=rule.applies_to, network=str(rule.network), note=rule.note)


class AccessRulesSchema(_Input):
    """All access rules."""

    rules: list[AccessRuleSchema] = Field(max_length=500)


class SignInPolicySchema(_Input):
    """Rules of signing in."""

    second_factor_roles: list[Role] = Field(max_length=3, description="Roles that need a second factor.")


class SamlProviderIn(_Input):
    """A new SAML identity provider. Metadata fill in entity id, address and certificates."""

    name: str = Field(pattern=_NAME)
    label: str = Field(min_length=1, max_length=64)
    metadata_xml: str = Field(default="", max_length=256 * 1024)
    settings: SamlSettings = SamlSettings()


class OidcProviderIn(_Input):
    """A new OpenID provider."""

    name: str = Field(pattern=_NAME)
    label: str = Field(min_length=1, max_length=64)
    client_secret: SecretStr = Field(max_length=1024)
    settings: OidcSettings


class SamlProviderChange(_Input):
    """A change of a SAML provider; what is left out stays."""

    label: str | None = Field(default=None, min_length=1, max_length=64)
    active: bool | None = None
    metadata_xml: str | None = Field(default=None, max_length=256 * 1024)
    settings: SamlSettings | None = None


class OidcProviderChange(_Input):
    """A change of an OpenID provider; what is left out stays."""

    label: str | None = Field(default=None, min_length=1, max_length=64)
    active: bool | None = None
    client_secret: SecretStr | None = Field(default=None, max_length=1024)
    settings: OidcSettings | None = None


class ProviderOut(BaseModel):
    """An identity provider, and what to tell its administrator."""

    id: int
    name: str
    label: str
    kind: Literal["saml", "oidc"]
    active: bool
    settings: SamlSettings | OidcSettings
    entity_id: str = Field(description="Of SAML: the hub's entity id, where its metadata is.")
    acs_url: str = Field(description="Of SAML: where responses go.")
    redirect_uri: str = Field(description="Of OIDC: to register at the provider.")


class ProviderRow(BaseModel):
    """An identity provider in a list."""

    id: int
    name: str
    label: str
    kind: str
    active: bool
    created_at: datetime


class LinkIn(_Input):
    """Who at the provider is which administrator."""

    subject: str = Field(min_length=1, max_length=512)
    administrator_id: int


class LinkRow(BaseModel):
    """A link between somebody at a provider and an administrator."""

    id: int
    subject: str
    administrator_id: int
    username: str
    created_at: datetime
    last_used_at: datetime | None


class CertificateBindingIn(_Input):
    """A certificate in PEM, or issuer and subject (RFC 4514), for an administrator."""

    administrator_id: int
    certificate_pem: str = Field(default="", max_length=65536)
    issuer: str = Field(default="", max_length=1024)
    subject: str = Field(default="", max_length=1024)


class CertificateBindingRow(BaseModel):
    """A client certificate of an administrator."""

    id: int
    administrator_id: int
    username: str
    sha256: str | None
    issuer: str
    subject: str
    not_after: datetime | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class CreatedId(BaseModel):
    """The id of what was created."""

    id: int
