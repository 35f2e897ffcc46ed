"""Who may do what to which object: :func:`authorize` for one object, :func:`scope` for lists.

Both read the same table (:mod:`hub.access.actions`) and the same grants, so what a list shows is what may be
opened. Rooms use :func:`require_object`: what somebody may not see does not exist for them, and the answer is
the same as for an id that was never given out. ``docs/access.md`` explains it all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_

from hub.access.actions import ACTIONS, CERTIFICATE_TYPES, Rule
from hub.access.privileges import API_ONLY
from hub.db.errors import Forbidden, NotFound
from hub.http.principal import Principal, Role, RoleGrant
from pki.findings import Finding, first_finding

__all__ = [
    "ACTIONS",
    "Decision",
    "PolicyAuthorizer",
    "Target",
    "authorize",
    "reaches",
    "require",
    "require_object",
    "scope",
]

_OWN_BUSINESS = frozenset({"session.view", "session.edit", "account.view", "account.edit"})
_UNTIL_PASSWORD_CHANGED = frozenset({"session.view", "session.edit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where an object belongs.

    Without organization it is the whole installation's. ``undivided`` objects, such as agents, belong to an
    organization and never to one of its departments: a role in any of these reaches them. Without certificate
    type the object is of none in particular.
    """

    organization_id: int | None = None
    department_id: int | None = None
    certificate_type: str | None = None
    undivided: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The policy's answer. ``reason`` is a stable word, ``message`` for people; both empty when allowed."""

    allowed: bool
    reason: str = ""
    message: str = ""


_ALLOWED = Decision(allowed=True)


@dataclass(frozen=True, slots=True)
class Question:
    """May ``principal`` do ``action``, at all (no target) or to ``target``?"""

    principal: Principal
    action: str
    rule: Rule
    target: Target | None


def token_not_scoped(asked: Question) -> Finding | None:
    """The API token was made for other actions."""
    if _in_scopes(asked.principal.scopes, asked.action):
        return None
    return Finding("TokenNotScoped", f"this API token is not for {asked.action}")


def password_change_required(asked: Question) -> Finding | None:
    """Somebody who was given a password has not chosen their own yet."""
    who = asked.principal
    if not who.must_change_password or who.kind != "administrator" or asked.action in _UNTIL_PASSWORD_CHANGED:
        return None
    return Finding("PasswordChangeRequired", "choose a password of your own first")


def api_use_only(asked: Question) -> Finding | None:
    """Somebody who may use API tokens only works in the console."""
    who = asked.principal
    if API_ONLY not in who.privileges or who.kind != "administrator":
        return None
    if asked.action in _OWN_BUSINESS or asked.action.startswith("api_tokens."):
        return None
    return Finding("ApiUseOnly", "this administrator works through API tokens only")


def role_not_sufficient(asked: Question) -> Finding | None:
    """None of the roles is one that may do it."""
    if any(grant.role in asked.rule.roles for grant in asked.principal.grants):
        return None
    return Finding("RoleNotSufficient", f"{asked.action} needs the role {_names(asked.rule.roles)}")


def type_not_held(asked: Question) -> Finding | None:
    """The roles that may do it are for other types of certificate."""
    if any(_holds(grant, asked.rule) for grant in asked.principal.grants):
        return None
    types = ", ".join(sorted(asked.rule.types))
    return Finding("TypeNotHeld", f"{asked.action} needs a role for certificates of type {types}")


def privilege_not_held(asked: Question) -> Finding | None:
    """The privilege for it was not given."""
    needed = asked.rule.privilege
    if needed is None or needed in asked.principal.privileges:
        return None
    return Finding("PrivilegeNotHeld", f"{asked.action} needs the privilege {needed}")


def out_of_scope(asked: Question) -> Finding | None:
    """No role that may do it reaches where the object belongs."""
    target = asked.target
    if target is None:
        return None
    if any(_holds(grant, asked.rule) and _covers(grant, target) for grant in asked.principal.grants):
        return None
    if target.organization_id is None:
        return Finding("OrganizationOutOfScope", "this is the whole installation's; it takes an MRAO")
    return Finding("OrganizationOutOfScope", "your roles don't cover this organization")


CHECKS = (
    token_not_scoped,
    password_change_required,
    api_use_only,
    role_not_sufficient,
    type_not_held,
    privilege_not_held,
    out_of_scope,
)
"""Asked in this order; the first that finds something decides."""


def authorize(
    principal: Principal,
    action: str,
    target: Target | None = None,
    *,
    organization_id: int | None = None,
) -> Decision:
    """Decide whether ``principal`` may do ``action``, at all or to the object ``target``.

    ``organization_id`` is short for an undivided object of that organization.
    """
    rule = ACTIONS.get(action)
    if rule is None:
        return Decision(False, "UnknownAction", f"there is no action {action!r}")
    if principal.kind == "system":
        return _ALLOWED
    if target is None and organization_id is not None:
        target = Target(organization_id=organization_id, undivided=True)
    finding = first_finding(CHECKS, Question(principal, action, rule, target))
    return _ALLOWED if finding is None else Decision(False, finding.reason, finding.message)


def require(
    principal: Principal,
    action: str,
    target: Target | None = None,
    *,
    organization_id: int | None = None,
) -> None:
    """Do nothing if allowed.

    Raises:
        Forbidden: :func:`authorize` said no.
    """
    decision = authorize(principal, action, target, organization_id=organization_id)
    if not decision.allowed:
        raise Forbidden(decision.message)


def require_object(principal: Principal, action: str, target: Target, *, absent: type[NotFound]) -> None:
    """Do nothing if ``principal`` may do ``action`` to the object.

    Raises:
        NotFound: ``absent``, when they may not even see it: as if there was no such object.
        Forbidden: they see it, but may not do this.
    """
    if not authorize(principal, _viewing(action), target).allowed:
        raise absent
    require(principal, action, target)


def scope(
    principal: Principal,
    organization_column: Any,
    department_column: Any = None,
    *,
    action: str | None = None,
    type_column: Any = None,
    certificate_type: str | None = None,
) -> ColumnElement[bool] | None:
    """Return the condition on the rows that ``principal`` may see; None when they see all.

    ``action`` is the list's: only roles that may do it count. Without ``department_column`` the objects are
    undivided, and a DRAO is held to the organization. The rows' certificate type is in ``type_column``, or is
    ``certificate_type`` for all of them.
    """
    if principal.kind == "system":
        return None
    grants = _counting(principal, action, certificate_type)
    if any(grant.role is Role.MRAO for grant in grants):
        return None
    conditions = []
    for types, members in _by_types(grants, typed=type_column is not None):
        places = _places(members, organization_column, department_column)
        if types != CERTIFICATE_TYPES:
            places = and_(places, or_(type_column.is_(None), type_column.in_(sorted(types))))
        conditions.append(places)
    return or_(*conditions) if conditions else false()


def grants_for(principal: Principal, action: str) -> list[RoleGrant]:
    """Return the roles of ``principal`` that may do ``action``: those that :func:`scope` counts."""
    return _counting(principal, action, None)


def reaches(principal: Principal, target: Target) -> bool:
    """Whether any role covers the object, whatever it allows; for what comes before a question of actions."""
    return principal.kind == "system" or any(_covers(grant, target) for grant in principal.grants)


def types_of(grant: RoleGrant) -> frozenset[str]:
    """Return the certificate types of a role; one that names none is for all of them."""
    return grant.certificate_types or CERTIFICATE_TYPES


class PolicyAuthorizer:
    """The policy as the web shell's port."""

    def refusal(self, principal: Principal, action: str) -> str | None:
        """Return why ``principal`` may not do ``action``, or None."""
        decision = authorize(principal, action)
        return None if decision.allowed else decision.message


def _viewing(action: str) -> str:
    viewing = f"{action.partition('.')[0]}.view"
    return viewing if viewing in ACTIONS else action


def _in_scopes(scopes: frozenset[str], action: str) -> bool:
    room = action.partition(".")[0]
    return not scopes.isdisjoint({"*", action, f"{room}.*"})


def _holds(grant: RoleGrant, rule: Rule) -> bool:
    return grant.role in rule.roles and not types_of(grant).isdisjoint(rule.types)


def _covers(grant: RoleGrant, target: Target) -> bool:
    if grant.role is Role.MRAO:
        return True
    if target.certificate_type is not None and target.certificate_type not in types_of(grant):
        return False
    if target.organization_id is None or grant.organization_id != target.organization_id:
        return False
    return grant.role is Role.RAO or target.undivided or grant.department_id == target.department_id


def _counting(principal: Principal, action: str | None, certificate_type: str | None) -> list[RoleGrant]:
    rule = None if action is None else ACTIONS[action]
    return [
        grant
        for grant in principal.grants
        if (rule is None or _holds(grant, rule))
        and (certificate_type is None or grant.role is Role.MRAO or certificate_type in types_of(grant))
    ]


def _by_types(grants: Iterable[RoleGrant], *, typed: bool) -> list[tuple[frozenset[str], list[RoleGrant]]]:
    groups: dict[frozenset[str], list[RoleGrant]] = {}
    for grant in grants:
        groups.setdefault(types_of(grant) if typed else CERTIFICATE_TYPES, []).append(grant)
    return sorted(groups.items(), key=lambda group: sorted(group[0]))


def _places(
    grants: Iterable[RoleGrant], organization_column: Any, department_column: Any
) -> ColumnElement[bool]:
    organizations: set[int] = set()
    departments: set[int] = set()
    for grant in grants:
        if grant.department_id is not None and department_column is not None:
            departments.add(grant.department_id)
        elif grant.organization_id is not None:
            organizations.add(grant.organization_id)
    conditions = []
    if organizations:
        conditions.append(organization_column.in_(sorted(organizations)))
    if departments:
        conditions.append(department_column.in_(sorted(departments)))
    return or_(*conditions)


def _names(roles: frozenset[Role]) -> str:
    return " or ".join(role.value for role in Role if role in roles)
