"""What follows when a renewal starts, fails or succeeds: its trail, the next try, the old one's retirement.

Called in the transaction that records the fact, so that a failed renewal is never without its next try.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from hub.db.uow import UnitOfWork
from hub.lifecycle import renewal_rows
from hub.lifecycle.hooks import InstallEnded, RenewalEnded, RenewalStarted
from hub.lifecycle.renewal_rows import RenewalRow
from hub.lifecycle.states import CertificateStatus, InstallState, RenewalState
from hub.renewals import schedules
from hub.renewals.failures import FAILURES, failure_kind, next_try
from hub.renewals.reading import Reader, RenewalRooms
from hub.renewals.retirement import works

STARTED, FAILED, SUCCESSFUL = "Started", "Failed", "Successful"
_RETIRABLE = frozenset({CertificateStatus.ISSUED, CertificateStatus.DOWNLOADED})
_HOUR = timedelta(hours=1)


class Outcomes:
    """The handlers of the lifecycle's hooks."""

    def __init__(self, rooms: RenewalRooms) -> None:
        self._rooms = rooms

    async def on_started(self, uow: UnitOfWork, started: RenewalStarted) -> None:
        """It is due no more until it fails."""
        await renewal_rows.count_attempt(uow, started.certificate_id)
        if started.successor_id is None:
            return
        await schedules.add_attempt(
            uow,
            started.certificate_id,
            outcome=STARTED,
            sentence=f"certificate {started.successor_id} is to take its place",
            evidence={"successor_id": started.successor_id},
        )

    async def on_ended(self, uow: UnitOfWork, ended: RenewalEnded) -> None:
        """Plan the next try, or what is to become of the old certificate."""
        row = await renewal_rows.read_renewal_row(uow.session, ended.certificate_id)
        if row is None:
            return
        if ended.succeeded:
            await self._succeeded(uow, row, ended)
        else:
            await self._failed(uow, row, ended)

    async def _failed(self, uow: UnitOfWork, row: RenewalRow, ended: RenewalEnded) -> None:
        rules = await Reader(self._rooms, uow.session).rules(row)
        kind = failure_kind(ended.reason, stage=ended.stage)
        not_after = row.not_after or uow.now
        again = next_try(kind, attempts=row.renewal_attempts, now=uow.now, not_after=not_after)
        if not rules.enabled:
            again = None
        await renewal_rows.set_due(uow, {row.id: again})
        facts = {
            "kind": kind.value,
            "instruction": FAILURES[kind].instruction,
            "hours_left": hours_left(not_after, uow.now),
            "next_try_at": again.isoformat() if again else None,
        }
        ended.data.update(facts)
        await schedules.add_attempt(
            uow,
            row.id,
            outcome=FAILED,
            reason=ended.reason or kind.value,
            sentence=ended.message,
            evidence=facts | {"stage": ended.stage, "successor_id": ended.successor_id},
        )

    async def _succeeded(self, uow: UnitOfWork, row: RenewalRow, ended: RenewalEnded) -> None:
        await renewal_rows.set_due(uow, {row.id: None})
        await schedules.add_attempt(
            uow,
            row.id,
            outcome=SUCCESSFUL,
            sentence=f"certificate {ended.successor_id} took its place",
            evidence={"successor_id": ended.successor_id},
        )
        await self._plan_retirement(uow, row)

    async def on_install_ended(self, uow: UnitOfWork, ended: InstallEnded) -> None:
        """A successor that was installed by hand works now too."""
        if ended.state is not InstallState.SUCCESSFUL:
            return
        successor = await renewal_rows.read_renewal_row(uow.session, ended.certificate_id)
        if successor is None or successor.renews_id is None:
            return
        old = await renewal_rows.read_renewal_row(uow.session, successor.renews_id)
        if old is not None and old.renewal_state == RenewalState.SUCCESSFUL:
            await self._plan_retirement(uow, old)

    async def _plan_retirement(self, uow: UnitOfWork, old: RenewalRow) -> None:
        hours = (await Reader(self._rooms, uow.session).rules(old)).revoke_after_hours
        successor = None
        if old.renewed_by_id is not None:
            successor = await renewal_rows.read_renewal_row(uow.session, old.renewed_by_id)
        values: dict[str, Any] = {"certificate_id": old.id, "look_at": None}
        if hours is not None and successor is not None and old.status in _RETIRABLE:
            known = await schedules.read_schedule(uow.session, old.id)
            if works(method=successor.method, install_state=successor.install_state):
                at = known.retire_at or uow.now + timedelta(hours=hours)
                values |= {"look_at": at, "retire_at": at}
        await schedules.write_schedules(uow, [values])


def hours_left(not_after: datetime, now: datetime) -> float:
    """Return the hours until a certificate ends; 0 when it has."""
    return max(0.0, round((not_after - now) / _HOUR, 1))


def instruction_of(evidence: Mapping[str, Any]) -> str:
    """Return what a person should do, as it was recorded with a failure."""
    return str(evidence.get("instruction", ""))
