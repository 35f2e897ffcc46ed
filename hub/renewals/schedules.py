"""The engine's own rows: what is planned, when to look again, and the trail of attempts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.renewals.models import RenewalAttempt, RenewalSchedule
from hub.renewals.plan import CaWindow, Plan

CHANNEL = "renewals"
_EVIDENCE_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A row of ``renewal_schedules``."""

    certificate_id: int
    look_at: datetime | None = None
    first_due_at: datetime | None = None
    reason: str = ""
    sentence: str = ""
    evidence: Mapping[str, Any]
    window_start: datetime | None = None
    window_end: datetime | None = None
    explanation_url: str = ""
    poll_at: datetime | None = None
    warned_s: int = 0
    retire_at: datetime | None = None
    successor: dict[str, Any] | None = None

    @property
    def window(self) -> CaWindow | None:
        """The CA's window, if it has told one."""
        if self.window_start is None or self.window_end is None:
            return None
        return CaWindow(start=self.window_start, end=self.window_end, explanation_url=self.explanation_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A line of a certificate's trail of renewal."""

    at: datetime
    outcome: str
    reason: str
    sentence: str
    evidence: Mapping[str, Any]


_COLUMNS = tuple(getattr(RenewalSchedule, field.name) for field in fields(Schedule))


async def read_schedules(session: AsyncSession, ids: Iterable[int]) -> dict[int, Schedule]:
    """Return schedules by certificate."""
    rows = await session.execute(select(*_COLUMNS).where(RenewalSchedule.certificate_id.in_(list(ids))))
    return {row.certificate_id: Schedule(**row._asdict()) for row in rows}


async def read_schedule(session: AsyncSession, certificate_id: int) -> Schedule:
    """Return a certificate's schedule; an empty one where there is none."""
    found = await read_schedules(session, [certificate_id])
    return found.get(certificate_id) or Schedule(certificate_id=certificate_id, evidence={})


async def write_schedules(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write columns of schedules, new or there already; all rows name the same columns."""
    if not rows:
        return
    statement = insert_for(uow.session, RenewalSchedule)
    names = [name for name in rows[0] if name != "certificate_id"]
    statement = statement.on_conflict_do_update(
        index_elements=["certificate_id"], set_={name: getattr(statement.excluded, name) for name in names}
    )
    defaults = {"reason": "", "sentence": "", "evidence": {}, "explanation_url": "", "warned_s": 0}
    await uow.session.execute(statement, [defaults | dict(row) for row in rows])


def plan_columns(plan: Plan) -> dict[str, Any]:
    """Return the columns that show a plan."""
    return {
        "reason": plan.reason.value,
        "sentence": plan.sentence,
        "evidence": dict(plan.evidence) | {"latest_safe_at": plan.latest_safe_at.isoformat()},
    }


async def claim_looks(uow: UnitOfWork, *, limit: int, lease_s: int) -> list[int]:
    """Take certificates that are to be looked at."""
    due = (
        select(RenewalSchedule.certificate_id)
        .where(RenewalSchedule.look_at <= uow.now)
        .order_by(RenewalSchedule.look_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list((await uow.session.execute(due)).scalars())
    if ids:
        await uow.session.execute(
            update(RenewalSchedule)
            .where(RenewalSchedule.certificate_id.in_(ids))
            .values(look_at=uow.now + timedelta(seconds=lease_s))
        )
    return ids


async def look_soon(uow: UnitOfWork, ids: Iterable[int] | None = None) -> None:
    """Have certificates looked at as soon as possible: all that renew themselves, or some."""
    statement = update(RenewalSchedule).values(look_at=uow.now)
    if ids is not None:
        statement = statement.where(RenewalSchedule.certificate_id.in_(list(ids)))
    await uow.session.execute(statement)
    uow.notify(CHANNEL)


async def add_attempt(
    uow: UnitOfWork,
    certificate_id: int,
    *,
    outcome: str,
    reason: str = "",
    sentence: str = "",
    evidence: Mapping[str, Any] | None = None,
) -> None:
    """Add a line to a certificate's trail."""
    await uow.session.execute(
        insert(RenewalAttempt).values(
            certificate_id=certificate_id,
            at=uow.now,
            outcome=outcome,
            reason=reason,
            sentence=sentence,
            evidence=dict(evidence or {}),
        )
    )


async def read_attempts(session: AsyncSession, certificate_id: int) -> list[Attempt]:
    """Return the last lines of a certificate's trail, the newest first."""
    rows = await session.execute(
        select(
            RenewalAttempt.at,
            RenewalAttempt.outcome,
            RenewalAttempt.reason,
            RenewalAttempt.sentence,
            RenewalAttempt.evidence,
        )
        .where(RenewalAttempt.certificate_id == certificate_id)
        .order_by(RenewalAttempt.id.desc())
        .limit(_EVIDENCE_MAX)
    )
    return [Attempt(**row._asdict()) for row in rows]


def with_warning(schedule: Schedule, warned_s: int) -> Schedule:
    """Return a schedule whose last warning was at this many seconds before the end."""
    return replace(schedule, warned_s=warned_s)
