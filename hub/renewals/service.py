"""Automatic renewal: settings, the engine, and the answer to why a certificate was (not) renewed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.lifecycle import renewal_rows
from hub.lifecycle.renewal_rows import RenewalRow
from hub.lifecycle.requests import AutoRenew
from hub.lifecycle.scoping import visible
from hub.lifecycle.service import LifecycleService
from hub.renewals import schedules
from hub.renewals.engine import RenewalEngine
from hub.renewals.looks import Looks
from hub.renewals.many import register_bulk_actions
from hub.renewals.outcomes import Outcomes
from hub.renewals.plan import Plan, RenewalRules
from hub.renewals.reading import Reader, RenewalRooms
from hub.renewals.schedules import Attempt, Schedule
from hub.renewals.scheduling import Scheduler
from hub.renewals.settings import FoundRenewal, set_auto_renewal
from hub.renewals.why import Why
from hub.renewals.why_facts import explain_renewal

__all__ = ["FoundRenewal", "RenewalAnswer", "RenewalRooms", "RenewalService"]

_PROFILE_CHANGED = ("ProfileChanged",)
_ENDED = ("CertificateRevoked", "CertificateReplaced", "CertificateReleased")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalAnswer:
    """Everything about a certificate's renewal. ``plan`` is None once nothing is planned any more."""

    row: RenewalRow
    rules: RenewalRules
    why: Why
    schedule: Schedule
    plan: Plan | None
    attempts: tuple[Attempt, ...]


class RenewalService:
    """Renews certificates without anybody's hand."""

    def __init__(self, db: Database, lifecycle: LifecycleService, rooms: RenewalRooms) -> None:
        self.db = db
        self.rooms = rooms
        self._scheduler = Scheduler(db, rooms)
        outcomes = Outcomes(rooms)
        lifecycle.on_issued(self._scheduler.on_issued)
        lifecycle.on_renewal_started(outcomes.on_started)
        lifecycle.on_renewal_ended(outcomes.on_ended)
        lifecycle.on_install_ended(outcomes.on_install_ended)
        db.follow(_PROFILE_CHANGED, self._scheduler.on_profile_changed)
        db.follow(_ENDED, self._scheduler.on_ended)
        looks = Looks(db, lifecycle, rooms, scheduler=self._scheduler)
        register_bulk_actions(lifecycle.bulk, self)
        self._engine = RenewalEngine(db, lifecycle, rooms, looks=looks)

    def engine(self) -> RenewalEngine:
        """Return what renews; run one in each hub."""
        return self._engine

    async def set_auto_renewal(
        self,
        principal: Principal,
        certificate_id: int,
        wanted: AutoRenew,
        *,
        found: FoundRenewal | None = None,
    ) -> None:
        """Set a certificate's automatic renewal; see :func:`hub.renewals.settings.set_auto_renewal`."""
        async with self.db.write() as uow:
            await set_auto_renewal(
                uow, self._scheduler, certificate_id, wanted=wanted, found=found, principal=principal
            )

    async def plan_again(self, uow: UnitOfWork, certificate_ids: Iterable[int] | None = None) -> None:
        """Have renewals planned again soon, because a freeze or a window changed: some, or all."""
        await schedules.look_soon(uow, certificate_ids)

    async def why(self, principal: Principal, certificate_id: int) -> RenewalAnswer:
        """Answer why a certificate was (not) renewed.

        Raises:
            CertificateNotFound: there is none of this id in the caller's scope.
        """
        now = self.db.clock()
        async with self.db.read() as session:
            await visible(session, principal, certificate_id)
            why = await explain_renewal(session, self.rooms, certificate_id, now=now)
            row = (await renewal_rows.read_renewal_rows(session, [certificate_id]))[certificate_id]
            reader = Reader(self.rooms, session)
            schedule = await schedules.read_schedule(session, certificate_id)
            return RenewalAnswer(
                row=row,
                rules=await reader.rules(row),
                why=why,
                schedule=schedule,
                plan=await self._plan(reader, row, schedule, now),
                attempts=tuple(await schedules.read_attempts(session, certificate_id)),
            )

    async def _plan(self, reader: Reader, row: RenewalRow, schedule: Schedule, now: datetime) -> Plan | None:
        candidate = await reader.candidate(row.id)
        if candidate is None or row.renewal_due_at is None:
            return None
        return await reader.plan(candidate, schedule, now=now)
