"""What has to be done next: rows of ``lifecycle_steps``, written with the change that made them necessary.

A step is claimed by moving its ``due_at`` a lease into the future; that time is also the fence: whoever
finishes a step removes the row only if it still carries the lease it was given. So several replicas share the
work, and one that died leaves it to the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from hub.db.uow import Database, UnitOfWork
from hub.db.upsert import insert_for
from hub.lifecycle.errors import ChangedMeanwhile
from hub.lifecycle.models import LifecycleStep

CHANNEL = "lifecycle"
LEASE_S = 30
_FIRST_DELAY_S = 2
_LONGEST_DELAY_S = 3600

_TABLE: Any = LifecycleStep.__table__

GENERATE_KEY = "generate_key"
APPLY = "apply"
SUBMIT = "submit"
STORE = "store"
EXPORT_KEY = "export_key"
DELIVER = "deliver"
INSTALL = "install"
REVOKE = "revoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step, claimed until ``lease``."""

    id: int
    certificate_id: int
    name: str
    agent_id: str
    attempts: int
    payload: dict[str, Any] | None
    lease: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """A step to be scheduled; ``due_at`` None: at once."""

    certificate_id: int
    name: str
    agent_id: str = ""
    due_at: datetime | None = None
    attempts: int = 0
    payload: dict[str, Any] | None = None
    message: str = ""


async def schedule(uow: UnitOfWork, steps: Sequence[NewStep]) -> None:
    """Make steps due; one that is there already for the same certificate and agent is made due again."""
    if not steps:
        return
    rows = [
        {
            "certificate_id": step.certificate_id,
            "name": step.name,
            "agent_id": step.agent_id,
            "due_at": step.due_at or uow.now,
            "attempts": step.attempts,
            "message": step.message,
            "payload": step.payload,
        }
        for step in steps
    ]
    statement = insert_for(uow.session, LifecycleStep)
    statement = statement.on_conflict_do_update(
        index_elements=["certificate_id", "name", "agent_id"],
        set_={"due_at": statement.excluded.due_at, "payload": statement.excluded.payload},
    )
    await uow.session.execute(statement, rows)
    uow.notify(CHANNEL)


async def hold_new(uow: UnitOfWork, certificate_ids: Sequence[int], name: str) -> list[Step]:
    """Write steps that the caller does itself right after the commit; others may take them when it dies."""
    lease = uow.now + timedelta(seconds=LEASE_S)
    rows = [
        {
            "certificate_id": certificate_id,
            "name": name,
            "agent_id": "",
            "due_at": lease,
            "attempts": 0,
            "message": "",
            "payload": None,
        }
        for certificate_id in certificate_ids
    ]
    written = await uow.session.execute(insert(_TABLE).returning(_TABLE.c.id, _TABLE.c.certificate_id), rows)
    return [
        Step(
            id=step_id,
            certificate_id=certificate_id,
            name=name,
            agent_id="",
            attempts=0,
            payload=None,
            lease=lease,
        )
        for step_id, certificate_id in written.all()
    ]


async def claim(db: Database, *, limit: int = 100, lease_s: int = LEASE_S) -> list[Step]:
    """Take up to ``limit`` due steps for ``lease_s`` seconds, the longest due first."""
    async with db.write() as uow:
        lease = uow.now + timedelta(seconds=lease_s)
        due = (
            select(LifecycleStep.id)
            .where(LifecycleStep.due_at <= uow.now)
            .order_by(LifecycleStep.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        ids = list((await uow.session.execute(due)).scalars())
        if not ids:
            return []
        taken = await uow.session.execute(
            update(LifecycleStep)
            .where(LifecycleStep.id.in_(ids), LifecycleStep.due_at <= uow.now)
            .values(due_at=lease)
            .returning(
                LifecycleStep.id,
                LifecycleStep.certificate_id,
                LifecycleStep.name,
                LifecycleStep.agent_id,
                LifecycleStep.attempts,
                LifecycleStep.payload,
            )
        )
        steps = [Step(**row._asdict(), lease=lease) for row in taken]
    return sorted(steps, key=lambda step: step.id)


async def finish(uow: UnitOfWork, steps: Sequence[Step]) -> set[int]:
    """Remove finished steps and return the ids of those that were still ours.

    For the others nothing may be recorded: a lease had run out and somebody else took the step.
    """
    if not steps:
        return set()
    removed: set[int] = set()
    for lease in {step.lease for step in steps}:
        ids = [step.id for step in steps if step.lease == lease]
        rows = await uow.session.execute(
            delete(_TABLE).where(_TABLE.c.id.in_(ids), _TABLE.c.due_at == lease).returning(_TABLE.c.id)
        )
        removed.update(rows.scalars())
    return removed


async def finish_one(uow: UnitOfWork, step: Step) -> None:
    """Remove one finished step.

    Raises:
        ChangedMeanwhile: it is no longer ours.
    """
    if step.id not in await finish(uow, [step]):
        raise ChangedMeanwhile("the step was taken over by another hub")


async def postpone(uow: UnitOfWork, step: Step, *, message: str, delay_s: float | None = None) -> bool:
    """Try a step again later: after ``delay_s``, or with a delay that doubles with each attempt.

    Returns whether the step was still ours; if not, nothing may be recorded with it.
    """
    delay = delay_s if delay_s is not None else backoff_s(step.attempts)
    changed = await uow.session.execute(
        update(LifecycleStep)
        .where(LifecycleStep.id == step.id, LifecycleStep.due_at == step.lease)
        .values(
            due_at=uow.now + timedelta(seconds=delay),
            attempts=LifecycleStep.attempts + 1,
            message=message,
        )
        .returning(LifecycleStep.id)
    )
    return changed.scalar_one_or_none() is not None


async def hold(db: Database, steps: Sequence[Step], *, lease_s: float) -> list[Step]:
    """Hold claimed steps for ``lease_s`` seconds from now; return those that were still ours, re-leased."""
    held: list[Step] = []
    async with db.write() as uow:
        lease = uow.now + timedelta(seconds=lease_s)
        for old in {step.lease for step in steps}:
            group = [step for step in steps if step.lease == old]
            rows = await uow.session.execute(
                update(LifecycleStep)
                .where(LifecycleStep.id.in_([step.id for step in group]), LifecycleStep.due_at == old)
                .values(due_at=lease)
                .returning(LifecycleStep.id)
            )
            ours = set(rows.scalars())
            held += [replace(step, lease=lease) for step in group if step.id in ours]
    return held


async def move(
    uow: UnitOfWork, step: Step, *, due_at: datetime, message: str, payload: dict[str, Any] | None
) -> None:
    """Put a step off to a time that it waits for; that is no failed attempt."""
    await uow.session.execute(
        update(LifecycleStep)
        .where(LifecycleStep.id == step.id, LifecycleStep.due_at == step.lease)
        .values(due_at=due_at, message=message, payload=payload)
    )


def backoff_s(attempts: int) -> float:
    """Return the seconds to wait after so many failed attempts."""
    return float(min(_FIRST_DELAY_S * 2 ** min(attempts, 16), _LONGEST_DELAY_S))
