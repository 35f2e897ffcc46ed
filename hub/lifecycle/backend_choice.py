"""Which CA an order goes to: the profile's, or the next one that can be had while nothing has been ordered.

A second CA is taken only when the first certainly has no order: before the intent is recorded, or when the
backend itself says so (:class:`hub.issuers.errors.NotOrdered`). Whoever can't be sure waits for the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.errors import HubError, NotFound, PolicyViolation, Unavailable
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.http.principal import SYSTEM
from hub.issuers.contract import CertificateOrder, Intent, Refused
from hub.issuers.records import Health, HealthState
from hub.lifecycle.orders import OrderRow
from hub.lifecycle.ports import Issuers
from hub.lifecycle.scoping import CERTIFICATE_TYPE
from hub.lifecycle.transitions import OBJECT_TYPE
from hub.profiles.service import ProfileRecord
from pki.errors import PkiError

ABSENT_BACKEND_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An order goes to another CA than the one it was meant for, and why."""

    from_id: int
    to_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An order whose intent can be recorded. ``move``: it goes to another CA than the row says."""

    order: CertificateOrder
    intent: Intent
    move: Move | None = None

    def columns(self) -> dict[str, Any]:
        """Return the columns of the certificate's row that change with the choice of the CA."""
        return {} if self.move is None else {"backend_id": self.move.to_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """The CA can't be asked now. ``not_ordered``: and it certainly has no order. ``asked``: it was tried."""

    message: str
    retry_after_s: int
    not_ordered: bool = False
    asked: bool = True


async def prepare(
    issuers: Issuers, session: AsyncSession, row: OrderRow, profile: ProfileRecord, order: CertificateOrder
) -> Prepared | Refused | Later:
    """Have the first CA that can be had fix everything about an order; nothing is ordered yet.

    A CA's refusal ends the search: another CA is for when one is away, not for when it says no.
    """
    first = row.backend_id or 0
    others = _others(profile, first)
    health = await issuers.health(session, [first, *others]) if others else {}
    faults: dict[int, Later] = {}
    for backend_id in sorted([first, *others], key=lambda item: _is_down(health, item)):
        answer = await _prepared(issuers, session, backend_id, order)
        if isinstance(answer, Later):
            faults[backend_id] = answer
        elif backend_id == first:
            return answer
        elif isinstance(answer, Prepared):
            why = faults[first].message if first in faults else health[first].last_error
            move = Move(from_id=first, to_id=backend_id, why=why)
            return Prepared(order=answer.order, intent=answer.intent, move=move)
    return faults[first]


async def elsewhere(
    issuers: Issuers,
    session: AsyncSession,
    row: OrderRow,
    profile: ProfileRecord,
    order: CertificateOrder,
    *,
    why: str,
) -> Prepared | None:
    """Prepare an order, that the row's CA certainly does not have, at another CA; None: there is none."""
    first = row.backend_id or 0
    others = _others(profile, first)
    health = await issuers.health(session, others) if others else {}
    for backend_id in others:
        if _is_down(health, backend_id):
            continue
        answer = await _prepared(issuers, session, backend_id, order)
        if isinstance(answer, Prepared):
            move = Move(from_id=first, to_id=backend_id, why=why)
            return Prepared(order=answer.order, intent=answer.intent, move=move)
    return None


async def record_move(uow: UnitOfWork, row: OrderRow, move: Move) -> None:
    """Tell that an order went to another CA, and why; the row is the caller's."""
    data = {"from_backend_id": move.from_id, "to_backend_id": move.to_id, "reason": move.why}
    uow.emit(
        Event(
            kind="CertificateBackendChanged",
            object_type=OBJECT_TYPE,
            object_id=str(row.id),
            organization_id=row.organization_id,
            department_id=row.department_id,
            certificate_type=CERTIFICATE_TYPE,
            data=data,
        )
    )
    await audit.record(
        uow,
        principal=SYSTEM,
        action="CertificateBackendChanged",
        object_type=OBJECT_TYPE,
        object_id=str(row.id),
        organization_id=row.organization_id,
        department_id=row.department_id,
        certificate_type=CERTIFICATE_TYPE,
        details=data,
    )


def _others(profile: ProfileRecord, first: int) -> list[int]:
    if not profile.backup_backend_ids:
        return []
    return [item for item in (profile.backend_id, *profile.backup_backend_ids) if item != first]


def _is_down(health: Mapping[int, Health], backend_id: int) -> bool:
    return backend_id in health and health[backend_id].state is HealthState.DOWN


async def _prepared(
    issuers: Issuers, session: AsyncSession, backend_id: int, order: CertificateOrder
) -> Prepared | Refused | Later:
    try:
        backend = await issuers.backend(session, backend_id)
    except NotFound:
        raise
    except HubError as fault:
        # Disabled, or its plug-in is gone: what waits for it goes on when it is back.
        return Later(message=fault.message, retry_after_s=ABSENT_BACKEND_S, asked=False)
    try:
        return Prepared(order=order, intent=await backend.prepare(order))
    except Unavailable as fault:
        return Later(message=fault.message, retry_after_s=fault.retry_after_s)
    except (PolicyViolation, PkiError) as fault:
        reason = getattr(fault, "reason", type(fault).__name__)
        return Refused(reason=reason, message=str(fault), invalid=isinstance(fault, PkiError))
