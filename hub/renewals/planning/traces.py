"""What every change of the calendar leaves: an event, an audit entry, and plans to be made anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert

from hub.access import audit
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.renewals.planning.entries import forget_calendar
from hub.renewals.planning.models import RenewalReplan
from hub.renewals.planning.scope import Scope

FREEZE = "renewal_freeze"
WINDOW = "maintenance_window"
QUOTA = "ca_quota"


async def note(
    uow: UnitOfWork,
    kind: str,
    *,
    object_type: str,
    object_id: int,
    principal: Principal,
    scope: Scope | None = None,
    details: Mapping[str, Any],
) -> None:
    """Record a change; ``scope`` says whose business it is."""
    organization_id = None if scope is None else scope.organization_id
    department_id = None if scope is None else scope.department_id
    uow.emit(
        Event(
            kind=kind,
            object_type=object_type,
            object_id=str(object_id),
            organization_id=organization_id,
            department_id=department_id,
            data={"name": details.get("name", "")},
        )
    )
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type=object_type,
        object_id=str(object_id),
        organization_id=organization_id,
        department_id=department_id,
        details=details,
    )


async def plan_anew(uow: UnitOfWork, *scopes: Scope) -> None:
    """Have the renewals within scopes planned again; a job does it after this transaction."""
    forget_calendar(uow.session)
    for scope in dict.fromkeys(scopes):
        values = {"scope": scope.document(), "after_id": 0, "created_at": uow.now}
        await uow.session.execute(insert(RenewalReplan).values(values))
