"""Nobody gives away more than they have: the rules for whoever creates or changes administrators.

Ordered, pure checks over :class:`Handover`. Somebody hands over roles and privileges; each role must lie
within roles of theirs (same organization or department, certificate types included), each privilege must be
one of theirs. To touch somebody at all, everything that they hold already must lie within too, or resetting
a password would be a way up. Within the own rank it takes a privilege; those below need none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hub.access.policy import types_of
from hub.access.privileges import BY_NAME, CREATE_PEERS, DELETE_PEERS, EDIT_PEERS, holdable
from hub.http.principal import Principal, Role, RoleGrant
from pki.findings import Finding

_RANK = {Role.DRAO: 0, Role.RAO: 1, Role.MRAO: 2}
_SHAPE = {Role.MRAO: (False, False), Role.RAO: (True, False), Role.DRAO: (True, True)}


class Deed(StrEnum):
    """What is done to an administrator."""

    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"


_PEER_PRIVILEGE = {Deed.CREATE: CREATE_PEERS, Deed.EDIT: EDIT_PEERS, Deed.DELETE: DELETE_PEERS}


@dataclass(frozen=True, slots=True)
class Rights:
    """Roles and privileges of an administrator."""

    grants: tuple[RoleGrant, ...] = ()
    privileges: frozenset[str] = frozenset()


NOTHING = Rights()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Who does what to whom. ``before`` is what they hold now, ``after`` what they shall hold."""

    principal: Principal
    deed: Deed
    before: Rights = NOTHING
    after: Rights = NOTHING
    own: bool = False


def malformed_grants(given: Handover) -> Finding | None:
    """A role has too few or too many limits, or there is none at all."""
    if given.deed is Deed.DELETE:
        return None
    if not given.after.grants:
        return Finding("RoleMissing", "give at least one role")
    for grant in given.after.grants:
        if (grant.organization_id is not None, grant.department_id is not None) != _SHAPE[grant.role]:
            message = "MRAO has no limits, RAO needs an organization, DRAO an organization and a department"
            return Finding("RoleMalformed", message)
        if grant.role is Role.MRAO and grant.certificate_types:
            return Finding("RoleMalformed", "an MRAO is for all types of certificate")
    return None


def privilege_unknown(given: Handover) -> Finding | None:
    """There is no such privilege."""
    unknown = sorted(given.after.privileges.difference(BY_NAME))
    return Finding("PrivilegeUnknown", f"there is no privilege {unknown[0][:64]!r}") if unknown else None


def privilege_not_for_role(given: Handover) -> Finding | None:
    """None of the roles may hold the privilege."""
    if given.deed is Deed.DELETE:
        return None
    odd = sorted(given.after.privileges - holdable(given.after.grants))
    return Finding("PrivilegeNotForRole", f"{odd[0]} is not for these roles") if odd else None


def grant_beyond_own(given: Handover) -> Finding | None:
    """A role that is handed over, or held already, reaches further than one's own."""
    for grant in (*given.before.grants, *given.after.grants):
        if not within(grant, given.principal):
            return Finding("RoleBeyondYours", f"the role {describe(grant)} reaches further than yours")
    return None


def privilege_beyond_own(given: Handover) -> Finding | None:
    """A privilege that is handed over, or held already, is not one's own."""
    if given.principal.kind == "system":
        return None
    both = given.before.privileges | given.after.privileges
    powers = {name for name in both if name in BY_NAME and not BY_NAME[name].restricts}
    beyond = sorted(powers - given.principal.privileges)
    return Finding("PrivilegeBeyondYours", f"you don't have the privilege {beyond[0]}") if beyond else None


def restriction_dropped(given: Handover) -> Finding | None:
    """Somebody who is restricted would make somebody who is not."""
    if given.deed is Deed.DELETE or given.principal.kind == "system":
        return None
    for name in sorted(given.principal.privileges - given.after.privileges):
        if BY_NAME[name].restricts:
            return Finding("RestrictionDropped", f"{name} holds for you, and for whom you create or change")
    return None


def peer_not_allowed(given: Handover) -> Finding | None:
    """Administrators of the own rank need a privilege; everybody may lower themselves."""
    needed = _PEER_PRIVILEGE[given.deed]
    if given.principal.kind == "system" or given.own or needed in given.principal.privileges:
        return None
    for grant in (*given.before.grants, *given.after.grants):
        if rank_over(given.principal, grant) <= _RANK[grant.role]:
            return Finding("PeerNotAllowed", f"administrators of your own rank take the privilege {needed}")
    return None


HANDOVER_CHECKS = (
    malformed_grants,
    privilege_unknown,
    privilege_not_for_role,
    grant_beyond_own,
    privilege_beyond_own,
    restriction_dropped,
    peer_not_allowed,
)
"""All are asked; what they find is reported together."""


def within(grant: RoleGrant, principal: Principal) -> bool:
    """Whether a role lies within a principal's own: place and every certificate type."""
    if principal.kind == "system" or any(own.role is Role.MRAO for own in principal.grants):
        return True
    if grant.role is Role.MRAO:
        return False
    held: set[str] = set()
    for own in principal.grants:
        if _contains(own, grant):
            held |= types_of(own)
    return types_of(grant) <= held


def rank_over(principal: Principal, grant: RoleGrant) -> int:
    """Return the highest rank that a principal has over the place of ``grant``; -1 for none."""
    return max(
        (_RANK[own.role] for own in principal.grants if own.role is Role.MRAO or _contains(own, grant)),
        default=-1,
    )


def _contains(own: RoleGrant, grant: RoleGrant) -> bool:
    if own.organization_id != grant.organization_id:
        return False
    if own.role is Role.RAO:
        return grant.role in (Role.RAO, Role.DRAO)
    return grant.role is Role.DRAO and own.department_id == grant.department_id


def describe(grant: RoleGrant) -> str:
    """Return a role in words."""
    place = "" if grant.organization_id is None else f" of organization {grant.organization_id}"
    place += "" if grant.department_id is None else f", department {grant.department_id}"
    return grant.role.value + place


def as_documents(grants: Iterable[RoleGrant]) -> list[dict[str, object]]:
    """Return roles as they stand in the audit log."""
    return [
        {
            "role": grant.role.value,
            "organization_id": grant.organization_id,
            "department_id": grant.department_id,
            "certificate_types": sorted(grant.certificate_types),
        }
        for grant in grants
    ]
