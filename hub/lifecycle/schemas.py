"""What the routes of certificates take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr

from hub.lifecycle.requests import (
    AutoRenew,
    EnrollmentRequest,
    Installation,
    KeyLocation,
    Method,
    TargetNode,
)
from pki.crls import RevocationReason
from pki.download_formats import DownloadFormat
from pki.keys import KeyType

_MAX_CSR = 64 * 1024


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


CustomValues = Annotated[
    dict[str, StrictStr | StrictInt | StrictFloat],
    Field(max_length=200, description='Values of custom fields by name; "" leaves one empty.'),
]


class TargetBody(_Body):
    """A node of a server, as the agent's inventory names it."""

    agent_id: str = Field(max_length=36)
    server: str = Field(max_length=128)
    node_id: str = Field(max_length=255)

    def typed(self) -> TargetNode:
        """Return it as the lifecycle takes it."""
        return TargetNode(agent_id=self.agent_id, server=self.server, node_id=self.node_id)


class AutoRenewBody(_Body):
    """Whether and when the certificate is renewed by itself."""

    enabled: bool = False
    days_before: int | None = Field(default=None, ge=1, le=365, description="Null: as the profile says.")
    share: float | None = Field(
        default=None, gt=0, lt=1, description="Instead of days: the share of the lifetime that is over."
    )
    new_key_pair: bool | None = Field(default=None, description="Null: as the profile says.")

    def typed(self) -> AutoRenew:
        """Return it as the lifecycle takes it."""
        return AutoRenew(
            enabled=self.enabled,
            days_before=self.days_before,
            share=self.share,
            new_key_pair=self.new_key_pair,
        )


class CertificateRequestBody(_Body):
    """A request for a certificate.

    `csr`: you bring a signing request. `pks`: the private key store agent makes the key. `auto_install`: an
    agent makes the key, on the target or in the private key store, and the certificate is installed on nodes.
    """

    method: Literal["csr", "pks", "auto_install"]
    organization_id: int
    department_id: int | None = None
    profile_id: int
    term_days: int = Field(ge=1, le=36_500)
    common_name: str = Field(default="", max_length=255, description="Empty with a CSR: the CSR's names.")
    subject_alternative_names: list[str] = Field(default_factory=list, max_length=1000)
    csr: str | None = Field(default=None, max_length=_MAX_CSR, description="PEM; with method `csr`.")
    key_type: KeyType | None = Field(default=None, description="With methods `pks` and `auto_install`.")
    pks_agent_id: str | None = Field(default=None, max_length=36)
    key_location: KeyLocation = Field(
        default=KeyLocation.TARGET, description="Where `auto_install` makes the key."
    )
    targets: list[TargetBody] = Field(default_factory=list, max_length=200)
    installation: Installation = Field(
        default=Installation.TRIGGERED,
        description="`triggered`: when somebody says so; `immediate`: as soon as the certificate is there.",
    )
    comments: str = Field(default="", max_length=4000)
    external_requester: str = Field(default="", max_length=1000)
    custom_fields: CustomValues = Field(default_factory=dict)
    auto_renew: AutoRenewBody | None = None

    def typed(self, *, requested_via: str) -> EnrollmentRequest:
        """Return the request as every front door hands it over."""
        return EnrollmentRequest(
            method=Method(self.method),
            organization_id=self.organization_id,
            department_id=self.department_id,
            profile_id=self.profile_id,
            term_days=self.term_days,
            common_name=self.common_name,
            names=tuple(self.subject_alternative_names),
            csr=self.csr.encode() if self.csr else None,
            key_type=self.key_type.value if self.key_type else "",
            pks_agent_id=self.pks_agent_id,
            key_location=self.key_location,
            targets=tuple(target.typed() for target in self.targets),
            installation=self.installation,
            comments=self.comments,
            external_requester=self.external_requester,
            custom_fields=self.custom_fields,
            auto_renew=self.auto_renew.typed() if self.auto_renew else None,
            requested_via=requested_via,
        )


class RenewBody(_Body):
    """How a certificate is renewed; what is absent stays as it was."""

    new_key_pair: bool = Field(default=True, description="False: the same key pair and details.")
    csr: str | None = Field(
        default=None, max_length=_MAX_CSR, description="PEM; method `csr` and a new key pair."
    )
    organization_id: int | None = None
    department_id: int | None = None
    profile_id: int | None = None
    term_days: int | None = Field(default=None, ge=1, le=36_500)
    method: Literal["csr", "pks", "auto_install"] | None = None
    key_type: KeyType | None = None
    pks_agent_id: str | None = Field(default=None, max_length=36)
    key_location: KeyLocation | None = None
    targets: list[TargetBody] | None = Field(default=None, max_length=200)
    installation: Installation | None = None
    comments: str | None = Field(default=None, max_length=4000)
    custom_fields: CustomValues = Field(default_factory=dict)


class DecisionBody(_Body):
    """A message to the requester."""

    message: str = Field(default="", max_length=4000)


class RevokeBody(_Body):
    """Why a certificate is revoked."""

    reason: RevocationReason = RevocationReason.UNSPECIFIED
    comments: str = Field(default="", max_length=4000)


class AssignBody(_Body):
    """Who a found certificate belongs to."""

    organization_id: int
    department_id: int | None = None


class NoteBody(_Body):
    """A remark on a certificate."""

    text: str = Field(min_length=1, max_length=4000)


class LocationBody(_Body):
    """A place that no agent can see, such as an appliance."""

    name: str = Field(min_length=1, max_length=400)
    details: str = Field(default="", max_length=4000)


class BulkBody(_Body):
    """One action on many certificates."""

    action: Literal["approve", "decline", "revoke", "install"]
    ids: list[int] = Field(min_length=1, max_length=1000)
    message: str = Field(default="", max_length=4000)
    reason: RevocationReason = RevocationReason.UNSPECIFIED


class BulkResult(BaseModel):
    """What became of one certificate."""

    id: int
    done: bool
    code: str = ""
    message: str = ""


class BulkResults(BaseModel):
    """What became of each, in the order asked."""

    items: list[BulkResult]


class DownloadQuery(_Body):
    """In which format."""

    format: DownloadFormat = DownloadFormat.WITH_ISSUERS_AFTER


class EnrolledView(BaseModel):
    """A stored request."""

    id: int
    status: str = Field(description="`Issued` at once where profile and CA allow it.")


class StatusView(BaseModel):
    """The state after an action."""

    id: int
    status: str
    install_state: str
    renewal_state: str


class CertificateRow(BaseModel):
    """A certificate in the list."""

    id: int
    type: str
    common_name: str
    status: str
    status_message: str
    comments: str
    order_number: str
    profile_id: int | None
    profile: str | None
    term_days: int
    method: str
    requester: str
    requested_via: str
    approver: str
    external_requester: str
    subject: str
    locality: str | None
    state: str | None
    country: str | None
    subject_alternative_names: list[str]
    issuer: str
    not_before: datetime | None
    expires: datetime | None
    serial_number: str
    key_usage: list[str]
    extended_key_usage: list[str]
    key_type: str
    key_bits: int
    signature_algorithm: str
    md5: str
    sha1: str
    sha256: str | None
    self_signed: bool
    organization_id: int | None
    organization: str | None
    department_id: int | None
    department: str | None
    requested: datetime | None
    approved: datetime | None
    declined: datetime | None
    applied: datetime | None
    issued: datetime | None
    downloaded: datetime | None
    discovered: datetime | None
    revoked: datetime | None
    replaced: datetime | None
    private_key: str
    private_key_agent: str | None
    install_state: str
    renewal_state: str
    custom: dict[str, str | int | float] = Field(
        default_factory=dict, description="Values of custom fields by name."
    )


class ChainEntry(BaseModel):
    """One certificate of the chain of trust."""

    kind: Literal["end entity", "intermediate", "root"]
    subject: str
    issuer: str
    serial_number: str
    sha256: str
    not_before: datetime
    not_after: datetime
    key_type: str
    signature_algorithm: str


class ItemView(BaseModel):
    """How far the installation on one node is."""

    agent_id: str
    agent: str | None
    server: str
    node_id: str
    status: str
    reason: str
    message: str
    rolled_back: bool
    served_sha256: str
    steps: list[str]
    updated_at: datetime


class LocationView(BaseModel):
    """A place where the certificate is, or was."""

    id: int
    kind: str
    agent_id: str
    agent: str | None
    address: str
    port: int
    name: str
    hostname: str
    details: str
    has_private_key: bool
    first_seen: datetime
    last_seen: datetime
    present: bool


class CommandView(BaseModel):
    """A command that was sent for the certificate; its details are under `/commands/{id}`."""

    command_id: str
    agent_id: str
    agent: str | None
    kind: str
    outcome: str = Field(description="Empty while it runs.")
    reason: str
    message: str
    created_at: datetime
    finished_at: datetime | None


class NoteView(BaseModel):
    """A remark that somebody left."""

    id: int
    author: str
    text: str
    created_at: datetime


class StepView(BaseModel):
    """A step that is due, and what it waits for."""

    name: str
    agent_id: str
    due_at: datetime
    attempts: int
    message: str


class EventView(BaseModel):
    """Something that happened to the certificate."""

    id: int
    at: datetime
    kind: str
    data: dict[str, Any]


class CertificateDetail(CertificateRow):
    """Everything about one certificate."""

    status_reason: str
    decision_message: str
    revocation_reason: str
    dns_names: list[str]
    ip_addresses: list[str]
    subject_fields: dict[str, Any]
    csr: str | None
    certificate: str | None
    key_id: str
    installation: str
    auto_renew: dict[str, Any] | None
    renews_id: int | None
    renewed_by_id: int | None
    expires_in_days: int | None
    actions: list[str] = Field(description="What its state allows now.")
    chain_of_trust: list[ChainEntry]
    items: list[ItemView]
    locations: list[LocationView]
    commands: list[CommandView]
    notes: list[NoteView]
    steps: list[StepView]
    events: list[EventView]
