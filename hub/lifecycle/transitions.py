"""Changing the state of certificates: one compare-and-set UPDATE, its event and its audit line together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.lifecycle.errors import CertificateNotFound, ChangedMeanwhile
from hub.lifecycle.models import Certificate
from hub.lifecycle.states import (
    CERTIFICATE,
    INSTALL,
    RENEWAL,
    CertificateEvent,
    CertificateStatus,
    InstallEvent,
    InstallState,
    RenewalEvent,
    RenewalState,
    next_state,
)

OBJECT_TYPE = "certificate"

# The column of the time span that an event fills.
TIMES = {
    CertificateEvent.APPROVE: "approved_at",
    CertificateEvent.DECLINE: "declined_at",
    CertificateEvent.APPLY: "applied_at",
    CertificateEvent.ISSUE: "issued_at",
    CertificateEvent.DOWNLOAD: "downloaded_at",
    CertificateEvent.REVOKE: "revoked_at",
    CertificateEvent.REPLACE: "replaced_at",
}


@dataclass(frozen=True, slots=True)
class Head:
    """The part of a certificate's row that transitions look at."""

    id: int
    status: str
    install_state: str
    renewal_state: str
    organization_id: int | None
    department_id: int | None
    common_name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What goes with a transition: who did it, further columns, and what the audit log should tell."""

    principal: Principal
    values: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


async def head_of(session: AsyncSession, certificate_id: int) -> Head:
    """Return the head of a certificate; raise CertificateNotFound."""
    row = (
        await session.execute(
            select(
                Certificate.id,
                Certificate.status,
                Certificate.install_state,
                Certificate.renewal_state,
                Certificate.organization_id,
                Certificate.department_id,
                Certificate.common_name,
                Certificate.type,
            ).where(Certificate.id == certificate_id)
        )
    ).one_or_none()
    if row is None:
        raise CertificateNotFound(f"there is no certificate {certificate_id}")
    return Head(*row)


def event_of(head: Head, kind: str, **data: Any) -> Event:
    """Return the outbox event ``kind`` about a certificate."""
    return Event(
        kind=kind,
        object_type=OBJECT_TYPE,
        object_id=str(head.id),
        organization_id=head.organization_id,
        department_id=head.department_id,
        certificate_type=head.type,
        data={"common_name": head.common_name, **data},
    )


async def transition(
    uow: UnitOfWork, certificate_id: int, event: CertificateEvent, change: Change
) -> CertificateStatus:
    """Let ``event`` happen to a certificate and return its new status.

    Raises:
        CertificateNotFound: there is none of this id.
        TransitionNotAllowed: the state table has no such row.
        ChangedMeanwhile: somebody else was first.
    """
    head = await head_of(uow.session, certificate_id)
    row = next_state(CERTIFICATE, CertificateStatus(head.status), event)
    values = {**change.values, "status": row.next}
    if event in TIMES:
        values[TIMES[event]] = uow.now
    await _compare_and_set(uow, head, column="status", expected=head.status, values=values)
    await _tell(uow, head, row.effect, change, status=row.next)
    return CertificateStatus(row.next)


async def install_transition(
    uow: UnitOfWork, certificate_id: int, event: InstallEvent, change: Change
) -> InstallState:
    """Let ``event`` happen to a certificate's installation; raises as :func:`transition` does."""
    head = await head_of(uow.session, certificate_id)
    row = next_state(INSTALL, InstallState(head.install_state), event)
    values = {**change.values, "install_state": row.next}
    await _compare_and_set(uow, head, column="install_state", expected=head.install_state, values=values)
    await _tell(uow, head, row.effect, change, install_state=row.next)
    return InstallState(row.next)


async def renewal_transition(
    uow: UnitOfWork, certificate_id: int, event: RenewalEvent, change: Change
) -> RenewalState:
    """Let ``event`` happen to a certificate's renewal; raises as :func:`transition` does."""
    head = await head_of(uow.session, certificate_id)
    row = next_state(RENEWAL, RenewalState(head.renewal_state), event)
    values = {**change.values, "renewal_state": row.next}
    await _compare_and_set(uow, head, column="renewal_state", expected=head.renewal_state, values=values)
    await _tell(uow, head, row.effect, change, renewal_state=row.next)
    return RenewalState(row.next)


async def _compare_and_set(
    uow: UnitOfWork, head: Head, *, column: str, expected: str, values: Mapping[str, Any]
) -> None:
    changed = await uow.session.execute(
        update(Certificate)
        .where(Certificate.id == head.id, getattr(Certificate, column) == expected)
        .values(**values)
        .returning(Certificate.id)
    )
    if changed.one_or_none() is None:
        raise ChangedMeanwhile


async def _tell(uow: UnitOfWork, head: Head, effect: str, change: Change, **data: Any) -> None:
    uow.emit(event_of(head, effect, **data, **change.details))
    await audit.record(
        uow,
        principal=change.principal,
        action=effect,
        object_type=OBJECT_TYPE,
        object_id=str(head.id),
        organization_id=head.organization_id,
        department_id=head.department_id,
        certificate_type=head.type,
        details={**data, **change.details},
    )
