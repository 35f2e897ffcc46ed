"""One thing done to many certificates, and what became of each."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.lifecycle.bulk import BulkOrder
from hub.lifecycle.schemas import AutoRenewBody
from pki.crls import RevocationReason

MAX_CERTIFICATES = 1000


class BulkBody(BaseModel):
    """One action on many certificates.

    `renew` keeps key pair and details. `assign` is for found certificates, `move` for all; both want
    `organization_id`.
    """

    model_config = ConfigDict(extra="forbid")

    action: Literal[
        "approve",
        "decline",
        "revoke",
        "install",
        "renew",
        "delete",
        "assign",
        "move",
        "enable_auto_renew",
        "disable_auto_renew",
        "suspend_notifications",
        "resume_notifications",
    ]
    ids: list[int] = Field(min_length=1, max_length=MAX_CERTIFICATES)
    message: str = Field(
        default="", max_length=4000, description="Of `approve` and `decline`, comments of `revoke`."
    )
    reason: RevocationReason = RevocationReason.UNSPECIFIED
    organization_id: int | None = None
    department_id: int | None = None
    auto_renew: AutoRenewBody | None = Field(
        default=None, description="Of `enable_auto_renew`; null: as each profile says."
    )
    agreement_accepted: bool = Field(default=False, description="Of `renew`.")

    def typed(self, *, requested_via: str) -> BulkOrder:
        """Return it as the lifecycle takes it."""
        return BulkOrder(
            message=self.message,
            reason=self.reason.value,
            organization_id=self.organization_id,
            department_id=self.department_id,
            auto_renew=self.auto_renew.typed() if self.auto_renew else None,
            agreement_accepted=self.agreement_accepted,
            requested_via=requested_via,
        )


class BulkResult(BaseModel):
    """What became of one certificate."""

    id: int
    done: bool
    code: str = ""
    message: str = ""
    successor_id: int | None = Field(default=None, description="Of `renew`: the request for the successor.")


class BulkResults(BaseModel):
    """What became of each, in the order asked."""

    items: list[BulkResult]
