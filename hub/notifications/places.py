"""Where rules and channels belong: to everybody, to an organization, or to a department of it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.policy import Target, require
from hub.http.principal import Principal
from hub.notifications.errors import RuleInvalid
from hub.notifications.tables import DEPARTMENTS, ORGANIZATIONS
from hub.organizations.errors import DepartmentNotFound, OrganizationNotFound
from hub.organizations.visibility import require_department


async def require_place(
    session: AsyncSession, principal: Principal, action: str, place: tuple[int | None, int | None]
) -> None:
    """Do nothing if ``principal`` may do ``action`` at ``place``: organization and department, or None.

    Raises:
        RuleInvalid: a department without its organization.
        OrganizationNotFound, DepartmentNotFound: there is none in the principal's scope.
        Forbidden: the principal sees the place, but may not do this there.
    """
    organization_id, department_id = place
    if organization_id is None:
        if department_id is not None:
            raise RuleInvalid("a department needs its organization", field="department_id")
        require(principal, action, Target())
        return
    require_department(principal, action, (organization_id, department_id), absent=OrganizationNotFound)
    known = select(ORGANIZATIONS.c.id).where(ORGANIZATIONS.c.id == organization_id)
    if (await session.execute(known)).first() is None:
        raise OrganizationNotFound(field="organization_id")
    if department_id is not None:
        inside = select(DEPARTMENTS.c.id).where(
            DEPARTMENTS.c.id == department_id, DEPARTMENTS.c.organization_id == organization_id
        )
        if (await session.execute(inside)).first() is None:
            raise DepartmentNotFound(field="department_id")
