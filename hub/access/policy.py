"""What each role may do: one table from actions to roles, and the conditions on rows that go with it.

An action that the table does not know is refused to everybody. Roles are those of
:class:`hub.http.principal.Role`; an RAO is limited to organizations, a DRAO to departments of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, false, or_

from hub.db.errors import Forbidden
from hub.http.principal import Principal, Role, RoleGrant

_MRAO = frozenset({Role.MRAO})
_RAO = frozenset({Role.MRAO, Role.RAO})
_ALL = frozenset({Role.MRAO, Role.RAO, Role.DRAO})

ACTIONS: dict[str, frozenset[Role]] = {
    # Own session and tokens
    "session.view": _ALL,
    "session.edit": _ALL,
    "api_tokens.view": _ALL,
    "api_tokens.edit": _ALL,
    # Operations
    "events.view": _ALL,
    "metrics.view": _MRAO,
    # Access
    "administrators.view": _MRAO,
    "administrators.edit": _MRAO,
    "audit.view": _RAO,
    # Organizations
    "organizations.view": _ALL,
    "organizations.create": _MRAO,
    "organizations.edit": _RAO,
    "departments.view": _ALL,
    "departments.edit": _RAO,
    "domains.view": _ALL,
    "domains.edit": _RAO,
    "domains.approve": _MRAO,
    # Profiles and CAs
    "profiles.view": _ALL,
    "profiles.edit": _MRAO,
    "ca_backends.view": _ALL,
    "ca_backends.edit": _MRAO,
    # Fleet
    "agents.view": _ALL,
    "agents.edit": _RAO,
    "agents.enroll": _RAO,
    "agents.remove": _RAO,
    "commands.view": _ALL,
    "commands.edit": _RAO,
    # Certificates
    "certificates.view": _ALL,
    "certificates.request": _ALL,
    "certificates.approve": _ALL,
    "certificates.decline": _ALL,
    "certificates.revoke": _ALL,
    "certificates.renew": _ALL,
    "certificates.install": _ALL,
    "certificates.edit": _ALL,
    # Discovery
    "discovery.view": _ALL,
    "discovery.edit": _RAO,
    "discovery.run": _RAO,
}
"""Action -> roles that may do it (within what they are limited to)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The policy's answer. ``reason`` is a stable word, ``message`` for people; both empty when allowed."""

    allowed: bool
    reason: str = ""
    message: str = ""


_ALLOWED = Decision(allowed=True)


def authorize(principal: Principal, action: str, *, organization_id: int | None = None) -> Decision:
    """Decide whether ``principal`` may do ``action``, at all or to an object of ``organization_id``."""
    roles = ACTIONS.get(action)
    if roles is None:
        return Decision(False, "UnknownAction", f"there is no action {action!r}")
    if principal.kind == "system":
        return _ALLOWED
    if not _in_scopes(principal.scopes, action):
        return Decision(False, "TokenNotScoped", f"this API token is not for {action}")
    holding = [grant for grant in principal.grants if grant.role in roles]
    if not holding:
        return Decision(False, "RoleNotSufficient", f"{action} needs the role {_names(roles)}")
    if organization_id is not None and not any(_covers(grant, organization_id) for grant in holding):
        return Decision(False, "OrganizationOutOfScope", "your roles don't cover this organization")
    return _ALLOWED


def require(principal: Principal, action: str, *, organization_id: int | None = None) -> None:
    """Do nothing if allowed.

    Raises:
        Forbidden: :func:`authorize` said no.
    """
    decision = authorize(principal, action, organization_id=organization_id)
    if not decision.allowed:
        raise Forbidden(decision.message)


def scope(
    principal: Principal, organization_column: Any, department_column: Any = None
) -> ColumnElement[bool] | None:
    """Return the condition on the rows that ``principal`` may see; None when they see all.

    A DRAO is held to departments where ``department_column`` is given, and to the organization elsewhere.
    """
    if principal.sees_everything:
        return None
    whole = {grant.organization_id for grant in principal.grants if grant.department_id is None}
    departments = {grant.department_id for grant in principal.grants if grant.department_id is not None}
    if department_column is None:
        whole = set(principal.organization_ids)
    conditions: list[ColumnElement[bool]] = []
    if organizations := sorted(item for item in whole if item is not None):
        conditions.append(organization_column.in_(organizations))
    if departments and department_column is not None:
        conditions.append(department_column.in_(sorted(departments)))
    return or_(*conditions) if conditions else false()


class PolicyAuthorizer:
    """The policy as the web shell's port."""

    def refusal(self, principal: Principal, action: str) -> str | None:
        """Return why ``principal`` may not do ``action``, or None."""
        decision = authorize(principal, action)
        return None if decision.allowed else decision.message


def _in_scopes(scopes: frozenset[str], action: str) -> bool:
    room = action.partition(".")[0]
    return not scopes.isdisjoint({"*", action, f"{room}.*"})


def _covers(grant: RoleGrant, organization_id: int) -> bool:
    return grant.role is Role.MRAO or grant.organization_id == organization_id


def _names(roles: frozenset[Role]) -> str:
    return " or ".join(role.value for role in Role if role in roles)
