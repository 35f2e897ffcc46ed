"""Settings of identity providers, as an MRAO gives them and as they are stored."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.http.principal import Role

SAML, OIDC = "saml", "oidc"
_Attribute = Annotated[str, Field(max_length=256)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AttributeMapping(_Settings):
    """Which attribute or claim holds what. An empty one is the subject itself for the user name."""

    username: _Attribute = ""
    name: _Attribute = ""
    email: _Attribute = ""


class TemplateGrant(_Settings):
    """A role that a template gives. The organization is named, or found by an attribute's value."""

    role: Role
    organization_id: int | None = None
    organization_attribute: _Attribute = Field(
        default="", description="Attribute whose value is looked up in `organization_aliases`."
    )
    department_id: int | None = None
    certificate_types: list[str] = Field(default_factory=list, max_length=4)


class Template(_Settings):
    """What somebody who signs in for the first time becomes, if an attribute has a value."""

    attribute: _Attribute = Field(default="", description="Empty: everybody whom the provider knows.")
    value: str = Field(default="", max_length=512, description="One of the attribute's values, exactly.")
    grants: list[TemplateGrant] = Field(min_length=1, max_length=20)
    privileges: list[str] | None = Field(
        default=None, max_length=50, description="Null: what the roles have by default."
    )


class CommonSettings(_Settings):
    """What SAML and OIDC providers share."""

    mapping: AttributeMapping = AttributeMapping()
    templates: list[Template] = Field(default_factory=list, max_length=100)
    organization_aliases: dict[str, int] = Field(
        default_factory=dict, max_length=1000, description="Name at the provider -> organization here."
    )
    second_factor: Literal["hub", "provider"] = Field(
        default="hub",
        description="Who sees to the second factor: the hub, or the provider before it answers.",
    )


class SamlSettings(CommonSettings):
    """A SAML 2.0 identity provider."""

    entity_id: str = Field(default="", max_length=1024)
    sso_url: str = Field(default="", max_length=2048)
    certificates: list[str] = Field(default_factory=list, max_length=20)
    signed: Literal["assertion", "response", "either"] = "assertion"
    subject_attribute: _Attribute = Field(
        default="", description="Attribute that names a person for good; empty: the NameID."
    )
    name_id_format: str = Field(default="", max_length=256, description="Asked of the provider; empty: any.")


class OidcSettings(CommonSettings):
    """An OpenID Connect provider."""

    issuer: str = Field(max_length=1024)
    client_id: str = Field(min_length=1, max_length=256)
    scopes: list[str] = Field(default=["openid", "profile", "email"], max_length=20)
    private_network: bool = Field(
        default=False, description="Whether the provider may be at a private or loopback address."
    )
    ca_pem: str = Field(
        default="", max_length=65536, description="CA certificates to trust instead of the public ones."
    )
