"""What has to happen to a certificate at a time of its own: plan anew, warn, revoke what was renewed."""

from __future__ import annotations

from typing import Any

import structlog

from hub.db.errors import Conflict, HubError, NotFound
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import SYSTEM
from hub.lifecycle import renewal_rows
from hub.lifecycle.service import LifecycleService
from hub.lifecycle.states import RenewalState
from hub.lifecycle.transitions import event_of, head_of
from hub.renewals import schedules
from hub.renewals.outcomes import hours_left
from hub.renewals.reading import Candidate, RenewalRooms
from hub.renewals.retirement import RetirementFacts, retire_now
from hub.renewals.scheduling import LEASE_S, Scheduler, next_look
from hub.renewals.warnings import warning_due
from hub.renewals.why_facts import explain_renewal

AT_RISK = "RenewalAtRisk"

_log = structlog.get_logger(__name__)


class Looks:
    """Does the looks that are due."""

    def __init__(
        self, db: Database, lifecycle: LifecycleService, rooms: RenewalRooms, *, scheduler: Scheduler
    ) -> None:
        self._db = db
        self._lifecycle = lifecycle
        self._rooms = rooms
        self._scheduler = scheduler

    async def run_due(self, *, limit: int) -> int:
        """Look at certificates whose time has come; return how many."""
        async with self._db.write() as uow:
            ids = await schedules.claim_looks(uow, limit=limit, lease_s=LEASE_S)
        for certificate_id in ids:
            try:
                await self._look(certificate_id)
            except HubError as fault:
                # Somebody changed it in the same moment; the claim runs out, and it is looked at again.
                _log.info("renewal_look_failed", certificate_id=certificate_id, error=fault.message)
            except Exception as error:  # noqa: BLE001 - a job's border: one must not stop the others
                _log.error("renewal_look_failed", certificate_id=certificate_id, exc_info=error)
        return len(ids)

    async def _look(self, certificate_id: int) -> None:
        await self._scheduler.poll(certificate_id)
        await self._retire(certificate_id)
        async with self._db.write() as uow:
            candidate = await self._scheduler.look(uow, certificate_id)
            if candidate is not None:
                await self._warn(uow, candidate)

    async def _warn(self, uow: UnitOfWork, candidate: Candidate) -> None:
        row = await renewal_rows.read_renewal_row(uow.session, candidate.row.id)
        if row is None or not candidate.rules.enabled or row.renewal_state in _AT_EASE:
            return
        schedule = await schedules.read_schedule(uow.session, row.id)
        if schedule.first_due_at is None:
            return
        not_after = candidate.planned.not_after
        threshold = warning_due(
            first_due_at=schedule.first_due_at,
            not_after=not_after,
            warned_s=schedule.warned_s,
            now=uow.now,
        )
        if threshold is None or uow.now >= not_after:
            return
        why = await explain_renewal(uow.session, self._rooms, row.id, now=uow.now)
        data: dict[str, Any] = {
            "hours_left": hours_left(not_after, uow.now),
            "not_after": not_after.isoformat(),
            "reason": why.reason,
            "sentence": why.sentence,
            "instruction": why.instruction,
        }
        uow.emit(event_of(await head_of(uow.session, row.id), AT_RISK, **data))
        await schedules.add_attempt(
            uow, row.id, outcome="AtRisk", reason=why.reason, sentence=why.sentence, evidence=data
        )
        warned = int(threshold.total_seconds())
        told = schedules.with_warning(schedule, warned)
        look_at = next_look(candidate, told, now=uow.now)
        values = {"certificate_id": row.id, "warned_s": warned, "look_at": look_at}
        await schedules.write_schedules(uow, [values])

    async def _retire(self, certificate_id: int) -> None:
        async with self._db.read() as session:
            schedule = await schedules.read_schedule(session, certificate_id)
            now = self._db.clock()
            if schedule.retire_at is None or schedule.retire_at > now:
                return
            row = await renewal_rows.read_renewal_row(session, certificate_id)
            successor_id = row.renewed_by_id if row else None
            successor = await renewal_rows.read_renewal_row(session, successor_id) if successor_id else None
            seen = await renewal_rows.is_seen_anywhere(session, certificate_id)
        again = (
            False
            if row is None or row.not_after is None
            else retire_now(
                RetirementFacts(
                    now=now,
                    status=row.status,
                    not_after=row.not_after,
                    successor_status=successor.status if successor else "",
                    successor_method=successor.method if successor else "",
                    successor_install_state=successor.install_state if successor else "",
                    seen_somewhere=seen,
                )
            )
        )
        if again is True:
            await self._revoke(certificate_id, successor_id)
        retire_at = None if isinstance(again, bool) else again
        async with self._db.write() as uow:
            await schedules.write_schedules(uow, [{"certificate_id": certificate_id, "retire_at": retire_at}])

    async def _revoke(self, certificate_id: int, successor_id: int | None) -> None:
        comments = f"renewed by certificate {successor_id}"
        try:
            await self._lifecycle.revoke(SYSTEM, certificate_id, reason="superseded", comments=comments)
        except (Conflict, NotFound) as fault:
            # It was revoked before the hub could note it, or is gone: there is nothing left to do.
            _log.info("retirement_skipped", certificate_id=certificate_id, error=fault.message)


_AT_EASE = frozenset({RenewalState.NOT_SCHEDULED, RenewalState.SUCCESSFUL})
