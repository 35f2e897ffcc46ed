"""Which domain validations somebody sees: those of domains that are theirs to use.

A validation belongs to an organization. Who acts for departments sees it when a delegation that serves one of
theirs covers the domain, or lies within it: other departments' domains are none of their business.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.policy import scope
from hub.http.principal import Principal
from hub.organizations.dcv.models import DcvValidation
from hub.organizations.models import Domain
from hub.organizations.visibility import scope_with_whole

_EVERYTHING = "*"


def visible_validations(principal: Principal, action: str) -> ColumnElement[bool] | None:
    """Return the condition on the validations that ``principal`` may do ``action`` to; None: all of them."""
    of_organization = scope(principal, DcvValidation.organization_id, action=action)
    if of_organization is None:
        return None
    delegated = scope_with_whole(principal, Domain.organization_id, Domain.department_id, action=action)
    serving = Domain.organization_id == DcvValidation.organization_id
    if delegated is not None:
        serving = and_(serving, delegated)
    whole = scope(principal, DcvValidation.organization_id, literal(None), action=action)
    used = exists().where(serving, _concerns())
    return and_(of_organization, used if whole is None else or_(whole, used))


def _concerns() -> ColumnElement[bool]:
    """Return that a delegation covers the validation's domain, or lies within it."""
    name, domain = Domain.name, DcvValidation.domain
    return or_(
        name == _EVERYTHING,
        name == domain,
        name == literal("*.") + domain,
        and_(name.like("*.%"), domain.like(literal("%") + func.substr(name, 2))),
        name.like(literal("%.") + domain),
    )


async def sees_validation(
    session: AsyncSession, principal: Principal, action: str, validation_id: int
) -> bool:
    """Whether ``principal`` may do ``action`` to this one."""
    condition = visible_validations(principal, action)
    if condition is None:
        return True
    found = exists().where(DcvValidation.id == validation_id, condition).select()
    return bool((await session.execute(found)).scalar_one())
