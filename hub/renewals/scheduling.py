"""Keeping the plan: when a certificate is issued, its settings change, the CA or the calendar says otherwise.

Each certificate has one ``look_at``; whatever has to happen at a time of its own happens in a look, so that
nothing is forgotten when a hub dies: asking the CA for its window, planning, warning, revoking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from hub.db.errors import HubError
from hub.db.outbox import Event
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import SYSTEM
from hub.issuers.contract import HasRenewalInfo, RenewalInfo
from hub.lifecycle import renewal_rows
from hub.lifecycle.renewal_rows import RenewalRow
from hub.lifecycle.states import CertificateStatus, RenewalEvent, RenewalState
from hub.lifecycle.transitions import Change, renewal_transition
from hub.renewals import schedules
from hub.renewals.decisions import EXPIRED_GRACE
from hub.renewals.plan import Plan
from hub.renewals.reading import Candidate, Reader, RenewalRooms
from hub.renewals.schedules import Schedule
from hub.renewals.warnings import next_warning

LEASE_S = 120
_SHORTEST_POLL = timedelta(minutes=5)
_LONGEST_POLL = timedelta(days=1)
_POLL_AFTER_FAULT = timedelta(hours=1)
_PLANNED = frozenset({RenewalState.NOT_SCHEDULED, RenewalState.SCHEDULED})
_LIVE = frozenset({CertificateStatus.ISSUED, CertificateStatus.DOWNLOADED, CertificateStatus.EXTERNAL})

_log = structlog.get_logger(__name__)


class Scheduler:
    """Plans renewals and keeps them planned."""

    def __init__(self, db: Database, rooms: RenewalRooms) -> None:
        self._db = db
        self._rooms = rooms

    async def on_issued(self, uow: UnitOfWork, ids: Sequence[int]) -> None:
        """Plan the renewal of certificates that were just issued and renew themselves."""
        reader = Reader(self._rooms, uow.session)
        found = await reader.candidates(ids)
        planned = [item for item in found.values() if item.row.renewal_state in _PLANNED]
        for item in planned:
            if not item.rules.enabled:
                # It was edited, or its profile was, while it waited.
                await self._cancel(uow, item)
        wanted = [item for item in planned if item.rules.enabled]
        if wanted:
            await self._store(uow, reader, wanted, {})

    async def on_profile_changed(self, uow: UnitOfWork, events: Sequence[Event]) -> None:
        """Have the certificates of changed profiles planned again."""
        for event in events:
            ids = await renewal_rows.live_of_profile(uow.session, int(event.object_id))
            await schedules.write_schedules(uow, [{"certificate_id": key, "look_at": uow.now} for key in ids])
        uow.notify(schedules.CHANNEL)

    async def on_ended(self, uow: UnitOfWork, events: Sequence[Event]) -> None:
        """Certificates were revoked, replaced or released: nobody renews them any more."""
        rows = await renewal_rows.read_renewal_rows(uow.session, [int(event.object_id) for event in events])
        for row in rows.values():
            if row.renewal_state == RenewalState.SCHEDULED:
                details = {"reason": f"Is{row.status}"}
                change = Change(principal=SYSTEM, values={"renewal_due_at": None}, details=details)
                await renewal_transition(uow, row.id, RenewalEvent.CANCEL, change)
            elif row.renewal_due_at is not None:
                await renewal_rows.set_due(uow, {row.id: None})

    async def plan_now(self, uow: UnitOfWork, certificate_id: int) -> None:
        """Plan a certificate by its settings as they are now, or cancel what was planned."""
        reader = Reader(self._rooms, uow.session)
        candidate = await reader.candidate(certificate_id)
        if candidate is None:
            return
        schedule = await schedules.read_schedule(uow.session, certificate_id)
        await self._settle(uow, reader, candidate, schedule)

    # ---- looks

    async def poll(self, certificate_id: int) -> None:
        """Ask the CA for a certificate's window, if it offers one and it is time to."""
        async with self._db.read() as session:
            schedule = await schedules.read_schedule(session, certificate_id)
            if schedule.poll_at is None or schedule.poll_at > self._db.clock():
                return
            reader = Reader(self._rooms, session)
            candidate = await reader.candidate(certificate_id)
            if candidate is None:
                return
            source = await reader.window_source(candidate.row.backend_id)
            chain = await renewal_rows.bodies_of(session, candidate.row.chain)
        values: dict[str, Any] = {"poll_at": None}
        if source is not None and len(chain) > 1:
            values = await self._asked(source, chain)
        async with self._db.write() as uow:
            await schedules.write_schedules(uow, [{"certificate_id": certificate_id, **values}])

    async def _asked(self, source: HasRenewalInfo, chain: Sequence[bytes]) -> dict[str, Any]:
        now = self._db.clock()
        try:
            info = await source.renewal_info(chain[0], chain[1])
        except HubError as fault:
            # The hub's own rules go on; a window that was told before stays.
            _log.info("renewal_info_failed", error=fault.message)
            return {"poll_at": now + _POLL_AFTER_FAULT}
        if info is None or info.end <= info.start:
            return {"window_start": None, "window_end": None, "poll_at": now + _LONGEST_POLL}
        return _window_columns(info, now)

    async def look(self, uow: UnitOfWork, certificate_id: int) -> Candidate | None:
        """Plan a certificate again and set when it is looked at next; None: there is nothing to renew."""
        reader = Reader(self._rooms, uow.session)
        candidate = await reader.candidate(certificate_id)
        if candidate is None:
            await schedules.write_schedules(uow, [{"certificate_id": certificate_id, "look_at": None}])
            return None
        schedule = await schedules.read_schedule(uow.session, certificate_id)
        await self._settle(uow, reader, candidate, schedule)
        return candidate

    async def _settle(
        self, uow: UnitOfWork, reader: Reader, candidate: Candidate, schedule: Schedule
    ) -> None:
        row = candidate.row
        wanted = candidate.rules.enabled and is_renewable(row, uow.now)
        if row.renewal_state in _PLANNED and wanted:
            await self._store(uow, reader, [candidate], {row.id: schedule})
            return
        if not wanted:
            await self._cancel(uow, candidate)
        look_at = next_look(
            candidate, schedule, now=uow.now, warns=row.renewal_state != RenewalState.SUCCESSFUL
        )
        await schedules.write_schedules(uow, [{"certificate_id": row.id, "look_at": look_at}])

    async def _cancel(self, uow: UnitOfWork, candidate: Candidate) -> None:
        row, off = candidate.row, not candidate.rules.enabled
        # What failed stays failed for people to see, unless they don't want it renewed any more.
        if row.renewal_state == RenewalState.SCHEDULED or (off and row.renewal_state == RenewalState.FAILED):
            details = {"reason": "AutoRenewalOff" if off else f"Is{row.status}"}
            change = Change(principal=SYSTEM, values={"renewal_due_at": None}, details=details)
            await renewal_transition(uow, row.id, RenewalEvent.CANCEL, change)

    async def _store(
        self,
        uow: UnitOfWork,
        reader: Reader,
        candidates: Sequence[Candidate],
        known: dict[int, Schedule],
    ) -> None:
        due: dict[int, datetime | None] = {}
        rows: list[dict[str, Any]] = []
        for candidate in candidates:
            row = candidate.row
            schedule = known.get(row.id) or Schedule(certificate_id=row.id, evidence={})
            plan = await reader.plan(candidate, schedule, now=uow.now)
            if row.renewal_state == RenewalState.NOT_SCHEDULED:
                details = {"due_at": plan.due_at.isoformat(), "reason": plan.reason.value}
                change = Change(principal=SYSTEM, details=details)
                await renewal_transition(uow, row.id, RenewalEvent.SCHEDULE, change)
            due[row.id] = plan.due_at
            rows.append(await self._columns(uow, reader, candidate, schedule, plan))
        await renewal_rows.set_due(uow, due)
        await schedules.write_schedules(uow, rows)
        if any(at is not None and at <= uow.now for at in due.values()):
            uow.notify(schedules.CHANNEL)

    async def _columns(
        self, uow: UnitOfWork, reader: Reader, candidate: Candidate, schedule: Schedule, plan: Plan
    ) -> dict[str, Any]:
        poll_at = schedule.poll_at
        if poll_at is None and schedule.window is None:
            source = await reader.window_source(candidate.row.backend_id)
            poll_at = uow.now if source is not None else None
        # Once it has passed, the first moment stays the one that warnings go by.
        passed = schedule.first_due_at is not None and schedule.first_due_at <= uow.now
        first_due = schedule.first_due_at if passed else plan.due_at
        planned = replace(schedule, poll_at=poll_at, first_due_at=first_due)
        return {
            "certificate_id": candidate.row.id,
            "first_due_at": first_due,
            "poll_at": poll_at,
            "look_at": next_look(candidate, planned, now=uow.now),
            **schedules.plan_columns(plan),
        }


def is_renewable(row: RenewalRow, now: datetime) -> bool:
    """Whether a certificate can still be renewed by itself; what expired lately can."""
    if row.organization_id is None:
        return False
    if row.status == CertificateStatus.EXPIRED:
        return row.not_after is not None and now <= row.not_after + EXPIRED_GRACE
    return row.status in _LIVE


def next_look(
    candidate: Candidate, schedule: Schedule, *, now: datetime, warns: bool = True
) -> datetime | None:
    """Return when to look at a certificate next."""
    times = [schedule.poll_at if warns else None, schedule.retire_at]
    if warns and candidate.rules.enabled and schedule.first_due_at is not None:
        times.append(
            next_warning(
                first_due_at=schedule.first_due_at,
                not_after=candidate.planned.not_after,
                warned_s=schedule.warned_s,
                now=now,
            )
        )
    return min((at for at in times if at is not None), default=None)


def _window_columns(info: RenewalInfo, now: datetime) -> dict[str, Any]:
    pause = timedelta(seconds=info.retry_after_s)
    return {
        "window_start": info.start,
        "window_end": info.end,
        "explanation_url": info.explanation_url,
        "poll_at": now + min(max(pause, _SHORTEST_POLL), _LONGEST_POLL),
    }
