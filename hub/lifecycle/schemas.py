"""What the routes of certificates take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr

from hub.lifecycle.requests import AutoRenew, TargetNode
from pki.crls import RevocationReason
from pki.download_formats import DownloadFormat


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


class DecisionBody(_Body):
    """A message to the requester."""

    message: str = Field(default="", max_length=4000)


class RevokeBody(_Body):
    """Why a certificate is revoked."""

    reason: RevocationReason = RevocationReason.UNSPECIFIED
    comments: str = Field(default="", max_length=4000)


class NoteBody(_Body):
    """A remark on a certificate."""

    text: str = Field(min_length=1, max_length=4000)


class LocationBody(_Body):
    """A place that no agent can see, such as an appliance."""

    name: str = Field(min_length=1, max_length=400)
    details: str = Field(default="", max_length=4000)


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
    sub_type: str | None
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
    authority: str = Field(description="The CA as people know it: the issuer's organization, or its name.")
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
    renewal_due: datetime | None = Field(description="When it renews itself; null: it doesn't.")
    notifications_suspended: bool
    custom: dict[str, str | int | float] = Field(
        default_factory=dict, description="Values of custom fields by name."
    )
