"""Privileges: what an administrator may do beyond what their roles allow by themselves.

They are data: this table is what the API shows, what the policy asks and what ``docs/access.md`` prints. One
that ``restricts`` takes away instead, so whoever has it must hand it on to those they create.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from hub.http.principal import Role, RoleGrant

_MRAO = frozenset({Role.MRAO})
_RAO = frozenset({Role.MRAO, Role.RAO})
_ALL = frozenset(Role)

CREATE_PEERS = "create_peers"
EDIT_PEERS = "edit_peers"
DELETE_PEERS = "delete_peers"
APPROVE_OWN = "approve_own_requests"
EDIT_REQUESTS = "edit_requests"
DCV = "dcv"
DISCOVERY = "discovery"
AD_DISCOVERY = "ad_discovery"
DOWNLOAD_KEYS = "download_keys"
EDIT_PROFILES = "edit_profiles"
MANAGE_AGENTS = "manage_agents"
MANAGE_ORGANIZATIONS = "manage_organizations"
APPROVE_DOMAINS = "approve_domains"
API_ONLY = "api_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Privilege:
    """One privilege. ``roles`` may hold it; ``given_to`` have it unless their creator says otherwise."""

    name: str
    title: str
    description: str
    roles: frozenset[Role]
    given_to: frozenset[Role] = _MRAO
    restricts: bool = False


PRIVILEGES: tuple[Privilege, ...] = (
    Privilege(
        name=CREATE_PEERS,
        title="Create peers",
        description="Create administrators of the own rank; those below need no privilege.",
        roles=_ALL,
    ),
    Privilege(
        name=EDIT_PEERS,
        title="Edit peers",
        description="Change, deactivate and reset administrators of the own rank.",
        roles=_ALL,
    ),
    Privilege(
        name=DELETE_PEERS,
        title="Delete peers",
        description="Delete administrators of the own rank.",
        roles=_ALL,
    ),
    Privilege(
        name=APPROVE_OWN,
        title="Approve own requests",
        description="Approve certificates that one has asked for oneself.",
        roles=_ALL,
    ),
    Privilege(
        name=EDIT_REQUESTS,
        title="Change details before approval",
        description="Change the details of a request that waits for approval.",
        roles=_ALL,
        given_to=_ALL,
    ),
    Privilege(
        name=DCV,
        title="Validate domains",
        description="Start and check domain control validation.",
        roles=_ALL,
        given_to=_RAO,
    ),
    Privilege(
        name=DISCOVERY,
        title="Network discovery",
        description="Set up and run discovery tasks.",
        roles=_ALL,
        given_to=_RAO,
    ),
    Privilege(
        name=AD_DISCOVERY,
        title="Active Directory discovery",
        description="Set up and run discovery in Active Directory.",
        roles=_MRAO,
    ),
    Privilege(
        name=DOWNLOAD_KEYS,
        title="Download keys",
        description="Download private keys that agents or the key vault keep, and remove them.",
        roles=_ALL,
        given_to=frozenset(),
    ),
    Privilege(
        name=EDIT_PROFILES,
        title="Edit profiles",
        description="Create, change and delete certificate profiles.",
        roles=_MRAO,
    ),
    Privilege(
        name=MANAGE_AGENTS,
        title="Manage agents",
        description="Enroll, rename and remove agents; cancel and repeat their commands.",
        roles=_RAO,
        given_to=_RAO,
    ),
    Privilege(
        name=MANAGE_ORGANIZATIONS,
        title="Manage organizations and departments",
        description="Change organizations, departments, their settings and domains.",
        roles=_RAO,
        given_to=_RAO,
    ),
    Privilege(
        name=APPROVE_DOMAINS,
        title="Approve domains",
        description="Approve and reject domains that share no names with another organization's.",
        roles=_RAO,
    ),
    Privilege(
        name=API_ONLY,
        title="API use only",
        description="Work with API tokens only; the console refuses everything but the own profile.",
        roles=_ALL,
        given_to=frozenset(),
        restricts=True,
    ),
)
"""All privileges, in the order in which they are shown."""

BY_NAME: dict[str, Privilege] = {item.name: item for item in PRIVILEGES}

EVERY_POWER = frozenset(item.name for item in PRIVILEGES if not item.restricts)
"""What the first administrator of an installation has."""


def holdable(grants: Iterable[RoleGrant]) -> frozenset[str]:
    """Return the privileges that somebody with these roles may hold."""
    roles = {grant.role for grant in grants}
    return frozenset(item.name for item in PRIVILEGES if not roles.isdisjoint(item.roles))


def given_by_default(grants: Iterable[RoleGrant], *, within: Collection[str]) -> frozenset[str]:
    """Return what somebody new with these roles gets, of what their creator has."""
    roles = {grant.role for grant in grants}
    given = {item.name for item in PRIVILEGES if not roles.isdisjoint(item.given_to)}
    restrictions = {item.name for item in PRIVILEGES if item.restricts and item.name in within}
    return frozenset(given.intersection(within) | restrictions)
