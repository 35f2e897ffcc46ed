"""Figures of domain validations for the dashboard: by state, and how many end soon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.policy import authorize
from hub.http.principal import Principal
from hub.organizations.dcv.models import DcvValidation
from hub.organizations.dcv.visibility import visible_validations

_VIEW = "dcv.view"
_WINDOWS_DAYS = (30, 60, 90, 180)


@dataclass(frozen=True, slots=True)
class EndingValidations:
    """Validations that end within so many days, before ``until``."""

    days: int
    until: datetime
    count: int


@dataclass(frozen=True, slots=True)
class ValidationFigures:
    """How many validations are in each state, and how many end soon."""

    states: Mapping[str, int]
    ending: Sequence[EndingValidations]


async def validation_figures(
    session: AsyncSession, principal: Principal, now: datetime
) -> ValidationFigures | None:
    """Return the figures of the validations that ``principal`` may see; None: they may not see any."""
    if not authorize(principal, _VIEW).allowed:
        return None
    visible = visible_validations(principal, _VIEW)
    conditions = [] if visible is None else [visible]
    states = await session.execute(
        select(DcvValidation.state, func.count()).where(*conditions).group_by(DcvValidation.state)
    )
    ends = [now + timedelta(days=days) for days in _WINDOWS_DAYS]
    within = DcvValidation.expires_at.between(now, ends[-1])
    counted = select(*(func.count().filter(DcvValidation.expires_at <= end) for end in ends))
    row = (await session.execute(counted.where(*conditions, within))).one()
    ending = [
        EndingValidations(days, end, count) for days, end, count in zip(_WINDOWS_DAYS, ends, row, strict=True)
    ]
    return ValidationFigures(states=dict(states.all()), ending=ending)
