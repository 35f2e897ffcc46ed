"""Rows of validations and attempts, and moving them: one compare-and-set, one event, one audit entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.general_settings import read_general
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.http.principal import SYSTEM, Principal
from hub.organizations.dcv.clock import ProofTime, deadlines
from hub.organizations.dcv.contract import MethodFacts, Proof
from hub.organizations.dcv.errors import ValidationChanged, ValidationNotFound
from hub.organizations.dcv.models import DcvChallenge, DcvValidation
from hub.organizations.dcv.records import ChallengeRecord, ValidationRecord
from hub.organizations.dcv.states import (
    EVENT_KINDS,
    ChallengeState,
    DcvEvent,
    DcvState,
    Delivery,
    transition,
)

VALIDATION_COLUMNS = tuple(getattr(DcvValidation, name) for name in ValidationRecord.__dataclass_fields__)
CHALLENGE_COLUMNS = tuple(getattr(DcvChallenge, name) for name in ChallengeRecord.__dataclass_fields__)
_RENEWAL_PAUSE = timedelta(days=1)


async def read_validation(session: AsyncSession, validation_id: int) -> ValidationRecord:
    """Return a validation; raise ValidationNotFound."""
    statement = select(*VALIDATION_COLUMNS).where(DcvValidation.id == validation_id)
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise ValidationNotFound
    return ValidationRecord(**row._asdict())


async def find_validation(
    session: AsyncSession, organization_id: int, domain: str
) -> ValidationRecord | None:
    """Return the validation of an organization's domain, if there is one."""
    statement = select(*VALIDATION_COLUMNS).where(
        DcvValidation.organization_id == organization_id, DcvValidation.domain == domain
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else ValidationRecord(**row._asdict())


async def open_challenge(session: AsyncSession, validation_id: int) -> ChallengeRecord | None:
    """Return the open attempt of a validation."""
    statement = select(*CHALLENGE_COLUMNS).where(
        DcvChallenge.validation_id == validation_id, DcvChallenge.state == ChallengeState.OPEN
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else ChallengeRecord(**row._asdict())


async def lock_challenge(session: AsyncSession, challenge_id: int) -> ChallengeRecord | None:
    """Return an attempt, and keep others from deciding about it until the transaction ends."""
    statement = select(*CHALLENGE_COLUMNS).where(DcvChallenge.id == challenge_id).with_for_update()
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else ChallengeRecord(**row._asdict())


async def move(
    uow: UnitOfWork,
    validation: ValidationRecord,
    event: DcvEvent,
    *,
    principal: Principal = SYSTEM,
    values: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> DcvState:
    """Let an event happen to a validation.

    Raises:
        TransitionNotAllowed: the state has no such event.
        ValidationChanged: somebody else was first.
    """
    following = transition(DcvState(validation.state), event)
    changed = await uow.session.execute(
        update(DcvValidation)
        .where(DcvValidation.id == validation.id, DcvValidation.state == validation.state)
        .values(state=following.value, **(values or {}))
        .returning(DcvValidation.id)
    )
    if changed.one_or_none() is None:
        raise ValidationChanged
    await note(
        uow,
        EVENT_KINDS[event],
        validation,
        principal=principal,
        details={"state": following.value, **(details or {})},
    )
    return following


async def note(
    uow: UnitOfWork,
    kind: str,
    validation: ValidationRecord,
    *,
    principal: Principal,
    details: Mapping[str, Any],
) -> None:
    """Record what happened, as an event and in the audit log."""
    data = {"domain": validation.domain, **details}
    uow.emit(
        Event(
            kind=kind,
            object_type="domain_validation",
            object_id=str(validation.id),
            organization_id=validation.organization_id,
            data=data,
        )
    )
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type="domain_validation",
        object_id=str(validation.id),
        organization_id=validation.organization_id,
        details=data,
    )


async def end_challenge(
    uow: UnitOfWork,
    challenge: ChallengeRecord,
    state: ChallengeState,
    *,
    values: Mapping[str, Any] | None = None,
) -> bool:
    """Close an open attempt; False: it was closed already. A record that was written is taken away later."""
    removal = challenge.writer_id is not None and challenge.delivery in {Delivery.WANTED, Delivery.DONE}
    changed = await uow.session.execute(
        update(DcvChallenge)
        .where(DcvChallenge.id == challenge.id, DcvChallenge.state == ChallengeState.OPEN)
        .values(
            state=state.value,
            ended_at=uow.now,
            held_until=None,
            attempts=0,
            next_check_at=uow.now,
            delivery=Delivery.REMOVAL.value if removal else challenge.delivery,
            **(values or {}),
        )
        .returning(DcvChallenge.id)
    )
    return changed.one_or_none() is not None


def renewal_after_failure(validation: ValidationRecord, now: datetime) -> dict[str, Any]:
    """Return when a renewal that needs no person is tried again, after an attempt that came to nothing."""
    if validation.renewal_method is None:
        return {}
    return {"next_revalidation_at": now + _RENEWAL_PAUSE}


async def prove(
    uow: UnitOfWork,
    challenge: ChallengeRecord,
    facts: MethodFacts,
    *,
    proof: Proof,
    principal: Principal = SYSTEM,
) -> bool:
    """Record that control was shown; False: the attempt had ended meanwhile."""
    evidence = {"method": facts.name, "section": facts.section, "seen": proof.seen, **proof.sight.evidence()}
    values = {
        "covers_subdomains": facts.covers_subdomains,
        "evidence": evidence,
        "reason": "",
        "message": "",
        "checked_at": uow.now,
    }
    if not await end_challenge(uow, challenge, ChallengeState.PROVED, values=values):
        return False
    validation = await read_validation(uow.session, challenge.validation_id)
    lead_days = (await read_general(uow.session)).domain_expiry_days
    dates = deadlines(proof_time(facts, uow.now), validation.trust, lead_days=lead_days)
    await move(
        uow,
        validation,
        DcvEvent.PROVE,
        principal=principal,
        values={
            "method": facts.name,
            "validated_at": uow.now,
            "expires_at": dates.expires_at,
            "action_at": dates.action_at,
            "next_revalidation_at": dates.revalidate_at if validation.renewal_method else None,
            "evidence": evidence,
        },
        details={"method": facts.name, "expires_at": dates.expires_at.isoformat(), "evidence": evidence},
    )
    return True


def proof_time(facts: MethodFacts, validated_at: datetime) -> ProofTime:
    """Return what the clock needs to know of a proof."""
    return ProofTime(validated_at=validated_at, max_reuse_days=facts.max_reuse_days, ends_at=facts.ends_at)
