"""Where an entry of the calendar belongs: who may change it, and whether what its scope names is there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, column, or_, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.policy import Target, authorize
from hub.db.errors import Forbidden, NotFound
from hub.http.principal import Principal
from hub.renewals.planning.errors import FieldFinding
from hub.renewals.planning.scope import Scope

ACTION = "renewals.plan"
_ORGANIZATIONS = table("organizations", column("id"))
_DEPARTMENTS = table("departments", column("id"), column("organization_id"))
_PROFILES = table("profiles", column("id"))
_AGENTS = table("agents", column("id"), column("organization_id"), column("status"))


def may_change(principal: Principal, scope: Scope) -> bool:
    """Tell whether somebody may keep entries of a scope; one for everybody takes an MRAO."""
    target = Target(organization_id=scope.organization_id, department_id=scope.department_id)
    return authorize(principal, ACTION, target).allowed


def require_change(principal: Principal, scope: Scope, *, absent: type[NotFound]) -> None:
    """Do nothing if somebody may change an entry that they see.

    Raises:
        Forbidden: it is for more than what is theirs.
        NotFound: ``absent``, if they don't even see it.
    """
    if may_change(principal, scope):
        return
    target = Target(organization_id=scope.organization_id, undivided=True)
    if scope.organization_id is not None and not authorize(principal, "renewals.view", target).allowed:
        raise absent
    raise Forbidden(
        "this entry is for more than your organizations; it takes who is responsible for all of it"
    )


async def scope_findings(session: AsyncSession, principal: Principal, scope: Scope) -> list[FieldFinding]:
    """Return what of a scope is not the caller's to plan for, or does not exist."""
    # Before anything is looked up: what exists elsewhere is not for strangers.
    if not may_change(principal, scope):
        field = "department_id" if scope.department_id is not None else "organization_id"
        if scope.organization_id is None:
            return [FieldFinding("organization_id", "OrganizationNeeded", "choose one of your organizations")]
        return [FieldFinding(field, "OrganizationUnknown", "choose one of your organizations")]
    findings = []
    if scope.department_id is not None and scope.organization_id is None:
        findings.append(
            FieldFinding("organization_id", "OrganizationNeeded", "a department needs its organization")
        )
    statements = {
        "organization_id": select(_ORGANIZATIONS.c.id).where(_ORGANIZATIONS.c.id == scope.organization_id),
        "department_id": select(_DEPARTMENTS.c.id).where(
            _DEPARTMENTS.c.id == scope.department_id, _DEPARTMENTS.c.organization_id == scope.organization_id
        ),
        "profile_id": select(_PROFILES.c.id).where(_PROFILES.c.id == scope.profile_id),
        "agent_id": _agents_of(principal, scope),
    }
    for field, statement in statements.items():
        wanted = getattr(scope, field)
        if wanted is not None and (await session.execute(statement)).first() is None:
            noun = field.removesuffix("_id")
            findings.append(FieldFinding(field, f"{noun.capitalize()}Unknown", f"there is no such {noun}"))
    return findings


def _agents_of(principal: Principal, scope: Scope) -> Select[Any]:
    statement = select(_AGENTS.c.id).where(_AGENTS.c.id == scope.agent_id, _AGENTS.c.status == "active")
    if principal.sees_everything and scope.organization_id is None:
        return statement
    # Agents that serve everybody install for every organization.
    mine = _AGENTS.c.organization_id == scope.organization_id
    return statement.where(or_(mine, _AGENTS.c.organization_id.is_(None)))
