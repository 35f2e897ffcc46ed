"""What the routes of private CAs take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pki.keys import KeyType
from pki.templates import ANY_POLICY

State = Literal["signed", "retired", "expired", "awaiting_signature"]


class PrivateCaView(BaseModel):
    """A private CA, or with state ``awaiting_signature`` a signing request for one."""

    id: int
    name: str
    role: Literal["root", "issuing"]
    state: State
    in_trial: bool
    trial_until: datetime | None
    subject: str
    key_type: str
    key_store: Literal["software", "hsm", "offline"]
    signature_algorithm: str = Field(description="With which it signs.")
    serial: str
    not_after: datetime | None
    parent_id: int | None
    backend_id: int | None
    created_at: datetime


class PrivateCaList(BaseModel):
    """All private CAs, the newest first, and the signing requests that wait."""

    items: list[PrivateCaView]
    requests: list[PrivateCaView]


class CrossCertificateView(BaseModel):
    """A certificate between two keys of one CA."""

    id: int
    kind: Literal["old_with_new", "new_with_old"]
    authority_id: int
    issuer_id: int
    serial: str
    sha256: str
    not_after: datetime


class PrivateCaDetail(PrivateCaView):
    """One private CA."""

    issuer: str
    not_before: datetime
    sha256: str
    public_key_sha256: str
    path_length: int | None
    permitted_names: list[str] = Field(description="Names that it may certify; empty: all.")
    excluded_names: list[str]
    policies: list[str]
    certificate_url: str
    crl_url: str
    crl_number: int | None
    crl_next_update: datetime | None
    cross_certificates: list[CrossCertificateView]


class CaTemplateView(BaseModel):
    """A kind of CA that can be made."""

    name: str
    role: Literal["root", "issuing"]
    key_type: KeyType
    years: int
    ends_at: datetime | None = Field(description="A fixed end; null: after so many years.")
    hashes: list[str] = Field(description="What its signatures can be made over; empty: there is no choice.")
    in_hsm: bool


class LeafTemplateView(BaseModel):
    """What certificates of one type are for."""

    certificate_type: str
    title: str
    key_usage: list[str]
    extended_key_usage: list[str]


class PrivateCaOptions(BaseModel):
    """What the wizard offers."""

    templates: list[CaTemplateView]
    leaf_templates: list[LeafTemplateView]
    hsm: str | None = Field(description="The HSM's token; null: this hub has none.")


class CaSubject(BaseModel):
    """The subject of a CA; without a common name it is made of the organization's."""

    model_config = ConfigDict(extra="forbid")

    common_name: str = Field(default="", max_length=64)
    organization: str = Field(default="", max_length=64)
    locality: str = Field(default="", max_length=128)
    state: str = Field(default="", max_length=128)
    country: str = Field(default="", max_length=2)


class PrivateCaCreate(BaseModel):
    """A new private CA, as the wizard asks for it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    parent_id: int | None = Field(default=None, description="The root that signs; null: a self-issued root.")
    external: bool = Field(
        default=False, description="A root that is not here signs: make a signing request."
    )
    template: str = Field(max_length=32, description="Key type and lifetime, such as ec-p384-root.")
    key_store: Literal["software", "hsm"] = "software"
    signature_hash: Literal["", "SHA-256", "SHA-384", "SHA-512"] = Field(
        default="", description="Empty: what suits the key."
    )
    days: int = Field(default=0, ge=0, le=36_500, description="Lifetime; 0: the template's.")
    subject: CaSubject
    path_length: int | None = Field(default=None, ge=0, le=8)
    permitted_dns: list[str] = Field(default=[], max_length=100)
    excluded_dns: list[str] = Field(default=[], max_length=100)
    permitted_networks: list[str] = Field(default=[], max_length=100)
    excluded_networks: list[str] = Field(default=[], max_length=100)
    policies: list[str] = Field(default=[ANY_POLICY], min_length=1, max_length=20)
    trial: bool = False


class RootImport(BaseModel):
    """An offline root."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    certificate: str = Field(min_length=1, max_length=100_000, description="PEM.")
    crl: str = Field(default="", max_length=10_000_000, description="PEM; may come later.")


class SignedCertificate(BaseModel):
    """The certificate that a signing request got."""

    model_config = ConfigDict(extra="forbid")

    certificate: str = Field(min_length=1, max_length=100_000, description="PEM, without its issuers.")


class CrlImport(BaseModel):
    """A new list of an offline CA."""

    model_config = ConfigDict(extra="forbid")

    crl: str = Field(min_length=1, max_length=10_000_000, description="PEM.")


class RolloverRequest(BaseModel):
    """A new key for a CA; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    key_type: KeyType | None = None
    key_store: Literal["software", "hsm"] | None = None
    days: int = Field(default=0, ge=0, le=36_500, description="Lifetime; 0: the template's.")


class TrialChange(BaseModel):
    """What becomes of a trial."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["extend", "end", "leave"]
    days: int = Field(default=30, ge=1, le=365, description="With extend.")


class CaRevocation(BaseModel):
    """Why a CA is revoked."""

    model_config = ConfigDict(extra="forbid")

    reason: Literal["unspecified", "keyCompromise", "cACompromise", "superseded", "cessationOfOperation"] = (
        "unspecified"
    )


class CeremonyView(BaseModel):
    """One step of a key ceremony; ``sequence`` and ``sha256`` are its place in the chain of the audit log."""

    sequence: int
    at: datetime
    actor: str
    action: str
    object_id: str
    details: dict[str, Any]
    sha256: str


class CeremonyList(BaseModel):
    """The latest key ceremonies, the oldest first."""

    items: list[CeremonyView]
