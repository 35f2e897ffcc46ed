"""Planning renewals anew after the calendar changed: in batches, each a transaction of its own.

Where it got to is in the row, so a hub that dies goes on where it was; several hubs take different rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import delete, select, update

from hub.db.uow import Database, UnitOfWork
from hub.lifecycle.models import Certificate
from hub.renewals.planning.models import RenewalReplan
from hub.renewals.planning.preview import AUTOMATIC, IN_SERVICE
from hub.renewals.planning.scope import Scope, condition

BATCH = 500


class Replanner(Protocol):
    """Who plans renewals."""

    async def plan_again(self, uow: UnitOfWork, certificate_ids: Sequence[int]) -> None:
        """Plan the renewals of these certificates again."""
        ...


class NoReplanner:
    """Plans nothing: for a hub without a renewal engine."""

    async def plan_again(self, uow: UnitOfWork, certificate_ids: Sequence[int]) -> None:
        """Do nothing."""


class Replans:
    """Works off the rows of :class:`~hub.renewals.planning.models.RenewalReplan`."""

    def __init__(self, db: Database, replanner: Replanner) -> None:
        self._db = db
        self._replanner = replanner

    async def work(self, *, batches: int | None = None) -> int:
        """Plan what is to be planned anew, at most so many batches; return how many certificates it were."""
        planned = 0
        while batches is None or batches > 0:
            count = await self._batch()
            if count is None:
                break
            planned += count
            batches = None if batches is None else batches - 1
        return planned

    async def _batch(self) -> int | None:
        async with self._db.write() as uow:
            row = (
                await uow.session.execute(
                    select(RenewalReplan.id, RenewalReplan.scope, RenewalReplan.after_id)
                    .order_by(RenewalReplan.id)
                    .limit(1)
                    .with_for_update(skip_locked=True)
                )
            ).first()
            if row is None:
                return None
            ids = await self._ids(uow, Scope(**row.scope), row.after_id)
            await self._replanner.plan_again(uow, ids)
            await uow.session.execute(
                update(RenewalReplan).where(RenewalReplan.id == row.id).values(after_id=ids[-1])
                if len(ids) == BATCH
                else delete(RenewalReplan).where(RenewalReplan.id == row.id)
            )
            return len(ids)

    async def _ids(self, uow: UnitOfWork, scope: Scope, after_id: int) -> Sequence[int]:
        narrowed = condition(scope)
        statement = (
            select(Certificate.id)
            .where(
                Certificate.id > after_id,
                Certificate.status.in_(IN_SERVICE),
                Certificate.renewal_state.in_(AUTOMATIC),
                Certificate.renewed_by_id.is_(None),
            )
            .order_by(Certificate.id)
            .limit(BATCH)
        )
        if narrowed is not None:
            statement = statement.where(narrowed)
        return (await uow.session.execute(statement)).scalars().all()
