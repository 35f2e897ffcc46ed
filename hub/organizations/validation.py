"""Validation of organizations: that they exist and are who they say, with dates and history.

Set by administrators of the whole system, who looked into a register or heard from the CA. It runs out by
itself; the CA/B Forum lets what was checked be used for 398 days (BR 4.2.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.errors import Conflict
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.http.principal import SYSTEM, Principal
from hub.organizations.errors import InvalidValidation
from hub.organizations.models import Organization, OrganizationValidation
from hub.organizations.records import OrganizationRecord
from hub.organizations.states import VALIDATION, ValidationEvent, ValidationState, next_state

REUSE_DAYS = 398
MAX_DAYS = 825
_MAX_COMMENT = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationStep:
    """What somebody did about a validation. ``at`` None: now; ``expires_at`` None: 398 days after that."""

    event: ValidationEvent
    at: datetime | None = None
    expires_at: datetime | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRecord:
    """One step of an organization's validation, as its history tells it."""

    event: str
    validation: str
    at: datetime
    expires_at: datetime | None
    actor: str
    comment: str


async def step(
    uow: UnitOfWork, organization: OrganizationRecord, wanted: ValidationStep, *, principal: Principal
) -> None:
    """Take one step of a validation.

    Raises:
        StateNotAllowed: the validation is not in a state for it.
        InvalidValidation: dates that can't be.
    """
    at, expires_at = _dates(wanted, uow.now)
    state, effect = next_state(
        VALIDATION,
        ValidationState(organization.validation),
        wanted.event,
        what=f"the organization {organization.name}",
    )
    values: dict[str, Any] = {"validation": state.value, "validation_changed_at": uow.now}
    if state is ValidationState.VALIDATED:
        values |= {"validated_at": at, "validation_expires_at": expires_at}
    changed = await uow.session.execute(
        update(Organization)
        .where(Organization.id == organization.id, Organization.validation == organization.validation)
        .values(**values)
        .returning(Organization.id)
    )
    if changed.one_or_none() is None:
        raise Conflict("somebody else changed the validation first; look again")
    row = {
        "event": wanted.event.value,
        "validation": state.value,
        "at": at,
        "expires_at": expires_at,
        "actor": principal.name,
        "comment": wanted.comment,
    }
    await uow.session.execute(insert(OrganizationValidation).values(organization_id=organization.id, **row))
    await _note(uow, effect, organization.id, principal=principal, details=row)


async def history(session: AsyncSession, organization_id: int) -> Sequence[ValidationRecord]:
    """Return the steps of an organization's validation, the latest first."""
    rows = await session.execute(
        select(
            OrganizationValidation.event,
            OrganizationValidation.validation,
            OrganizationValidation.at,
            OrganizationValidation.expires_at,
            OrganizationValidation.actor,
            OrganizationValidation.comment,
        )
        .where(OrganizationValidation.organization_id == organization_id)
        .order_by(OrganizationValidation.id.desc())
    )
    return [ValidationRecord(**row._asdict()) for row in rows]


async def expire(uow: UnitOfWork, due: Sequence[OrganizationRecord]) -> None:
    """Let validations whose time is over run out."""
    for organization in due:
        await step(uow, organization, ValidationStep(event=ValidationEvent.EXPIRE), principal=SYSTEM)


def _dates(wanted: ValidationStep, now: datetime) -> tuple[datetime, datetime | None]:
    if len(wanted.comment) > _MAX_COMMENT:
        raise InvalidValidation(f"at most {_MAX_COMMENT} characters", field="comment")
    at = wanted.at or now
    if at > now:
        raise InvalidValidation("a validation can't be in the future", field="at")
    if wanted.event is not ValidationEvent.VALIDATE:
        if wanted.expires_at is not None:
            raise InvalidValidation("only what is validated expires", field="expires_at")
        return at, None
    expires_at = wanted.expires_at or at + timedelta(days=REUSE_DAYS)
    if not now < expires_at <= at + timedelta(days=MAX_DAYS):
        raise InvalidValidation(
            f"a validation ends in the future, at most {MAX_DAYS} days after it was made", field="expires_at"
        )
    return at, expires_at


async def _note(
    uow: UnitOfWork, kind: str, organization_id: int, *, principal: Principal, details: dict[str, Any]
) -> None:
    object_id = str(organization_id)
    uow.emit(
        Event(
            kind=kind,
            object_type="organization",
            object_id=object_id,
            organization_id=organization_id,
            data={"validation": details["validation"]},
        )
    )
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type="organization",
        object_id=object_id,
        organization_id=organization_id,
        details=details,
    )
