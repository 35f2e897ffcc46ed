"""What the routes of automatic renewal take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from hub.lifecycle.requests import AutoRenew, KeyLocation, Method
from hub.lifecycle.schemas import TargetBody
from hub.renewals.service import FoundRenewal, RenewalAnswer
from pki.keys import KeyType

_MAX_CSR = 64 * 1024


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FoundRenewalBody(_Body):
    """With what a certificate that was found, not issued here, is renewed."""

    profile_id: int
    term_days: int = Field(ge=1, le=3650)
    method: Method
    csr: str | None = Field(default=None, max_length=_MAX_CSR)
    key_type: KeyType | None = None
    pks_agent_id: str | None = Field(default=None, max_length=36)
    key_location: KeyLocation | None = None
    targets: Annotated[list[TargetBody], Field(max_length=100)] = []

    def typed(self) -> FoundRenewal:
        """Return it as the service takes it."""
        return FoundRenewal(
            profile_id=self.profile_id,
            term_days=self.term_days,
            method=self.method,
            csr=self.csr.encode() if self.csr else None,
            key_type=self.key_type.value if self.key_type else "",
            pks_agent_id=self.pks_agent_id,
            key_location=self.key_location,
            targets=tuple(target.typed() for target in self.targets),
        )


class AutoRenewalBody(_Body):
    """Whether and when the certificate is renewed by itself."""

    enabled: bool
    days_before: int | None = Field(
        default=None,
        ge=1,
        le=365,
        description="Days before the end. Null with no share: as the profile says.",
    )
    share: float | None = Field(
        default=None, gt=0, lt=1, description="Instead of days: the share of the lifetime that is over."
    )
    new_key_pair: bool | None = Field(default=None, description="Null: as the profile says.")
    successor: FoundRenewalBody | None = Field(
        default=None, description="Of a found certificate: with what it is renewed."
    )

    def typed(self) -> AutoRenew:
        """Return it as the lifecycle takes it."""
        return AutoRenew(
            enabled=self.enabled,
            days_before=self.days_before,
            share=self.share,
            new_key_pair=self.new_key_pair,
        )


class RulesView(BaseModel):
    """The settings that count, and where each comes from."""

    enabled: bool
    days_before: int | None
    share: float
    new_key_pair: bool
    jitter_hours: int
    revoke_after_hours: int | None
    sources: dict[str, str]


class PlanView(BaseModel):
    """The planned moment with each factor of it."""

    due_at: datetime
    latest_safe_at: datetime
    reason: str
    sentence: str
    evidence: dict[str, str]


class AttemptView(BaseModel):
    """A line of the trail."""

    at: datetime
    outcome: str
    reason: str
    sentence: str
    evidence: dict[str, Any]


class RenewalView(BaseModel):
    """Why the certificate was (not) renewed, with the evidence."""

    id: int
    renewal_state: str
    reason: str = Field(description="A stable word.")
    sentence: str
    instruction: str = Field(description="What a person should do; empty: nothing.")
    due_at: datetime | None
    not_after: datetime | None
    hours_left: float | None
    attempts_made: int
    renewed_by_id: int | None
    revoked_after: datetime | None = Field(description="When this certificate is to be revoked.")
    rules: RulesView
    plan: PlanView | None
    attempts: list[AttemptView]


def renewal_view(answer: RenewalAnswer, now: datetime) -> RenewalView:
    """Return an answer as it is sent."""
    row, plan = answer.row, answer.plan
    hours = None if row.not_after is None else round((row.not_after - now).total_seconds() / 3600, 1)
    return RenewalView(
        id=row.id,
        renewal_state=row.renewal_state,
        reason=answer.why.reason,
        sentence=answer.why.sentence,
        instruction=answer.why.instruction,
        due_at=row.renewal_due_at,
        not_after=row.not_after,
        hours_left=hours,
        attempts_made=row.renewal_attempts,
        renewed_by_id=row.renewed_by_id,
        revoked_after=answer.schedule.retire_at,
        rules=RulesView(
            enabled=answer.rules.enabled,
            days_before=answer.rules.days_before,
            share=answer.rules.share,
            new_key_pair=answer.rules.new_key_pair,
            jitter_hours=answer.rules.jitter_hours,
            revoke_after_hours=answer.rules.revoke_after_hours,
            sources=dict(answer.rules.sources),
        ),
        plan=None
        if plan is None
        else PlanView(
            due_at=plan.due_at,
            latest_safe_at=plan.latest_safe_at,
            reason=plan.reason.value,
            sentence=plan.sentence,
            evidence=dict(plan.evidence),
        ),
        attempts=[
            AttemptView(
                at=item.at,
                outcome=item.outcome,
                reason=item.reason,
                sentence=item.sentence,
                evidence=dict(item.evidence),
            )
            for item in answer.attempts
        ],
    )
