"""Who walks: one administrator of each role inside and outside, and some who may do less than they seem."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.access.privileges import EVERY_POWER, holdable
from hub.http.principal import Principal, Role, RoleGrant

# Numbers that nothing else has, so that one of them in an answer is a find.
IN, OUT = 7_100_001, 7_200_002
IN_DEPARTMENT, IN_SIBLING, OUT_DEPARTMENT = 7_100_101, 7_100_102, 7_200_201


@dataclass(frozen=True)
class Caller:
    """Somebody who calls the hub with an API token, or with nothing."""

    name: str
    id: int
    grants: tuple[RoleGrant, ...] = ()
    scopes: tuple[str, ...] = ("*",)
    active: bool = True
    privileges: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        # All that the roles may hold: only roles, places, types and scopes limit these callers.
        object.__setattr__(self, "privileges", EVERY_POWER & holdable(self.grants))

    @property
    def principal(self) -> Principal:
        """The same person as the policy sees them."""
        return Principal(
            kind="api_token",
            id=str(self.id),
            name=self.name,
            grants=self.grants,
            privileges=self.privileges,
            scopes=frozenset(self.scopes),
        )


def _rao(organization: int, *types: str) -> RoleGrant:
    return RoleGrant(role=Role.RAO, organization_id=organization, certificate_types=frozenset(types))


def _drao(organization: int, department: int) -> RoleGrant:
    return RoleGrant(
        role=Role.DRAO,
        organization_id=organization,
        department_id=department,
        certificate_types=frozenset({"ssl"}),
    )


_MRAO = RoleGrant(role=Role.MRAO)

CALLERS: dict[str, Caller] = {
    caller.name: caller
    for caller in (
        Caller("mrao", 7_300_001, (_MRAO,)),
        Caller("rao_in", 7_300_002, (_rao(IN, "ssl"),)),
        Caller("rao_out", 7_300_003, (_rao(OUT, "ssl"),)),
        Caller("drao_in", 7_300_004, (_drao(IN, IN_DEPARTMENT),)),
        Caller("drao_out", 7_300_005, (_drao(OUT, OUT_DEPARTMENT),)),
        Caller("rao_client", 7_300_006, (_rao(IN, "client"),)),
        Caller("narrow", 7_300_007, (_MRAO,), scopes=("certificates.view",)),
        Caller("deactivated", 7_300_008, (_MRAO,), active=False),
        Caller("anonymous", 7_300_009),
    )
}

STRANGERS = frozenset({"deactivated", "anonymous"})
"""Those whom the hub does not let in at all."""

WALKERS = tuple(name for name in CALLERS if name not in STRANGERS)
