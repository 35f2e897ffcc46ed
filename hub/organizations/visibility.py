"""May a principal act at this organization or department? The policy decides; here are this room's questions.

What a principal may not see does not exist for them: the answer is the same NotFound as for a wrong id. What
they see but may not change is Forbidden, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from hub.access import policy
from hub.access.policy import Target
from hub.db.errors import NotFound
from hub.http.principal import Principal
from hub.organizations.errors import CertificateTypeNotYours, DepartmentNeeded, DepartmentNotFound


def require_reach(principal: Principal, action: str, organization_id: int, *, absent: type[NotFound]) -> None:
    """Do nothing if the principal may do ``action`` in the organization, or in a department of it.

    Raises:
        NotFound: ``absent``, when the organization is outside everything the principal's roles reach.
        Forbidden: the principal sees it, but none of the roles that reach it allows the action.
    """
    target = Target(organization_id=organization_id, undivided=True)
    policy.require_object(principal, action, target, absent=absent)


def require_department(
    principal: Principal,
    action: str,
    place: tuple[int, int | None],
    *,
    absent: type[NotFound] = DepartmentNotFound,
) -> None:
    """Do nothing if the principal may do ``action`` at ``place``: organization and department, or None.

    Who acts for departments can't act for the whole organization.

    Raises:
        DepartmentNeeded: no department is named by somebody who acts for departments only.
        NotFound: ``absent``, when the place is outside everything the principal's roles reach.
        Forbidden: as :func:`require_reach`.
    """
    organization_id, department_id = place
    require_reach(principal, action, organization_id, absent=absent)
    target = Target(organization_id=organization_id, department_id=department_id)
    if department_id is None and not policy.authorize(principal, action, target).allowed:
        raise DepartmentNeeded("you act for departments: name one of yours", field="department_id")
    policy.require_object(principal, action, target, absent=absent)


def require_types(
    principal: Principal, action: str, place: tuple[int, int | None], certificate_types: Iterable[str]
) -> None:
    """Do nothing if the principal may do ``action`` at ``place`` for these types of certificate.

    Raises:
        CertificateTypeNotYours: their roles are for other types.
    """
    organization_id, department_id = place
    for certificate_type in certificate_types:
        target = Target(
            organization_id=organization_id, department_id=department_id, certificate_type=certificate_type
        )
        if not policy.authorize(principal, action, target).allowed:
            raise CertificateTypeNotYours(
                f"your roles are not for certificates of type {certificate_type}", field="certificate_types"
            )


def scope_with_whole(
    principal: Principal, organization_column: Any, department_column: Any, *, action: str
) -> ColumnElement[bool] | None:
    """Return the condition on rows that concern a principal: theirs, and those of their whole organizations.

    A domain that was delegated to an organization serves each of its departments, so its DRAO sees it.
    """
    own = policy.scope(principal, organization_column, department_column, action=action)
    if own is None:
        return None
    of_organization = policy.scope(principal, organization_column, action=action)
    if of_organization is None:
        return own
    return or_(own, and_(of_organization, department_column.is_(None)))
