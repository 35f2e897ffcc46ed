"""Which administrators somebody sees: those whose every role lies within their own, and themselves.

The same as :func:`hub.access.delegation.within`, as a condition for the database.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations

from sqlalchemy import ColumnElement, and_, exists, false, not_, or_, select

from hub.access.actions import CERTIFICATE_TYPES
from hub.access.models import Administrator, RoleGrantRow
from hub.access.policy import types_of
from hub.http.principal import Principal, Role


def types_key(types: Collection[str]) -> str:
    """Return certificate types as they are compared in the database."""
    return ",".join(sorted(types))


def visible_administrator(principal: Principal) -> Sequence[ColumnElement[bool]]:
    """Return the conditions on administrators that ``principal`` may see; none when they see all."""
    if principal.sees_everything:
        return ()
    of_theirs = select(RoleGrantRow.id).where(RoleGrantRow.administrator_id == Administrator.id)
    beyond = of_theirs.where(not_(_within(principal)))
    inside = and_(exists(of_theirs), not_(exists(beyond)))
    return (or_(inside, Administrator.id == _own_id(principal)),)


def _within(principal: Principal) -> ColumnElement[bool]:
    organizations: dict[int | None, set[str]] = {}
    departments: dict[tuple[int | None, int | None], set[str]] = {}
    for own in principal.grants:
        if own.role is Role.RAO:
            organizations.setdefault(own.organization_id, set()).update(types_of(own))
        else:
            place = (own.organization_id, own.department_id)
            departments.setdefault(place, set()).update(types_of(own))
    conditions = [
        and_(
            RoleGrantRow.role.in_((Role.RAO.value, Role.DRAO.value)),
            RoleGrantRow.organization_id == organization_id,
            RoleGrantRow.types_key.in_(_keys_within(types)),
        )
        for organization_id, types in organizations.items()
    ]
    conditions += [
        and_(
            # Said although it follows: with the NULLs of other roles the rest is neither true nor false.
            RoleGrantRow.role == Role.DRAO.value,
            RoleGrantRow.organization_id == organization_id,
            RoleGrantRow.department_id == department_id,
            RoleGrantRow.types_key.in_(_keys_within(types | organizations.get(organization_id, set()))),
        )
        for (organization_id, department_id), types in departments.items()
    ]
    return or_(false(), *conditions)


def _keys_within(types: Collection[str]) -> list[str]:
    known = sorted(CERTIFICATE_TYPES.intersection(types))
    return [types_key(some) for size in range(1, len(known) + 1) for some in combinations(known, size)]


def _own_id(principal: Principal) -> int:
    return int(principal.id) if principal.id.isdecimal() else 0
