"""May the step ``install`` of an agent run now? What it waits for, and what that means for the expiry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from hub.db.uow import UnitOfWork
from hub.fleet.commands import InstallTarget
from hub.lifecycle.dispatch import INSTALL_DEADLINE_S, KEEPING_DEADLINE_S
from hub.lifecycle.install_schedule import schedule_from
from hub.lifecycle.install_windows import AlwaysOpen, InstallWindows, Opening, Place, next_opening
from hub.lifecycle.models import Certificate, InstallItem
from hub.lifecycle.orders import OrderRow
from hub.lifecycle.requests import Installation, InstallSchedule
from hub.lifecycle.states import ItemStatus

MAX_MISSED = 5
"""So many windows may close without an answer of the agent before the installation has failed."""

# An expiry that is this near the opening is worth a warning.
_NEAR = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What decides when an agent's step ``install`` runs."""

    opening: Opening
    schedule: InstallSchedule | None
    message: str

    @property
    def is_limited(self) -> bool:
        """Whether a window was asked for, or somebody closes the servers at times."""
        return self.schedule is not None or self.opening.window.end is not None or bool(self.opening.reason)

    def deadline_s(self, now: datetime) -> int:
        """Seconds that the command may take: never longer than the window."""
        end = self.opening.window.end
        if end is None:
            return KEEPING_DEADLINE_S if self.schedule is not None else INSTALL_DEADLINE_S
        return max(1, min(INSTALL_DEADLINE_S, int((end - now).total_seconds())))


async def timing_of(
    uow: UnitOfWork,
    windows: InstallWindows,
    row: OrderRow,
    *,
    agent_id: str,
    targets: tuple[InstallTarget, ...],
) -> Timing:
    """Return when an agent may install; at once where somebody asked for that, whatever is closed."""
    schedule = None
    if await _at_once(uow, row.id, agent_id):
        windows = AlwaysOpen()
    else:
        schedule = await _schedule(uow, row)
    servers = tuple(sorted({target.server for target in targets}))
    place = Place(certificate_id=row.id, agent_id=agent_id, servers=servers)
    opening = await next_opening(uow.session, windows, place, schedule=schedule, now=uow.now)
    message = await _message(uow, row, schedule, opening)
    return Timing(opening=opening, schedule=schedule, message=message)


async def _at_once(uow: UnitOfWork, certificate_id: int, agent_id: str) -> bool:
    found = await uow.session.execute(
        select(InstallItem.id)
        .where(
            InstallItem.certificate_id == certificate_id,
            InstallItem.agent_id == agent_id,
            InstallItem.at_once,
        )
        .limit(1)
    )
    return found.first() is not None


async def _schedule(uow: UnitOfWork, row: OrderRow) -> InstallSchedule | None:
    if row.installation != Installation.SCHEDULED:
        return None
    found = await uow.session.execute(select(Certificate.install_schedule).where(Certificate.id == row.id))
    return schedule_from(found.scalar_one())


async def _message(uow: UnitOfWork, row: OrderRow, schedule: InstallSchedule | None, opening: Opening) -> str:
    window, zone = opening.window, ZoneInfo(schedule.time_zone if schedule else "UTC")
    until = f" to {_local(window.end, zone)}" if window.end is not None else ""
    text = f"waits for its window, {_local(window.begin, zone)}{until} ({zone.key})"
    if opening.reason:
        text += f"; {opening.reason}"
    ends = await uow.session.execute(
        select(Certificate.id, Certificate.not_after).where(Certificate.id.in_({row.id, row.renews_id or 0}))
    )
    for certificate_id, not_after in ends.all():
        if not_after is None or not_after - window.begin > _NEAR:
            continue
        whose = "this certificate" if certificate_id == row.id else "the certificate that it replaces"
        when = "before that" if not_after <= window.begin else "soon after that"
        text += f". Warning: {whose} ends {when}, on {_local(not_after, zone)}: install it now"
    return text


def _local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


async def count_missed(uow: UnitOfWork, certificate_id: int, agent_id: str, *, message: str) -> int:
    """Note on an agent's items that a window closed without its answer; return how many have by now."""
    which = (
        InstallItem.certificate_id == certificate_id,
        InstallItem.agent_id == agent_id,
        InstallItem.status.not_in((ItemStatus.INVALID, ItemStatus.INSTALLED)),
    )
    missed = await uow.session.execute(
        update(InstallItem)
        .where(*which)
        .values(
            missed_windows=InstallItem.missed_windows + 1,
            reason="WindowMissed",
            message=message,
            updated_at=uow.now,
        )
        .returning(InstallItem.missed_windows)
    )
    return max(missed.scalars(), default=MAX_MISSED)
