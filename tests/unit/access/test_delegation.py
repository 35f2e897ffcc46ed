"""Nobody gives away more than they have: examples, and properties over all roles, places and privileges."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.access.actions import ACTIONS, CERTIFICATE_TYPES
from hub.access.delegation import HANDOVER_CHECKS, Deed, Handover, Rights, within
from hub.access.policy import Target, authorize
from hub.access.privileges import API_ONLY, BY_NAME, EVERY_POWER, PRIVILEGES, holdable
from hub.http.principal import SYSTEM, Principal, Role, RoleGrant
from pki.findings import all_findings


def mrao():
    return RoleGrant(role=Role.MRAO)


def rao(organization=7, *types):
    return RoleGrant(role=Role.RAO, organization_id=organization, certificate_types=frozenset(types))


def drao(organization=7, department=3, *types):
    return RoleGrant(
        role=Role.DRAO,
        organization_id=organization,
        department_id=department,
        certificate_types=frozenset(types),
    )


def who(*grants, privileges=EVERY_POWER):
    return Principal(kind="administrator", id="1", name="x", grants=grants, privileges=frozenset(privileges))


def reasons(principal, *grants, privileges=(), deed=Deed.CREATE, before=None, own=False):
    handover = Handover(
        principal=principal,
        deed=deed,
        before=before or Rights(),
        after=Rights(grants, frozenset(privileges)),
        own=own,
    )
    return {finding.reason for finding in all_findings(HANDOVER_CHECKS, handover)}


@pytest.mark.parametrize(
    ("principal", "grant", "expected"),
    [
        (who(mrao()), mrao(), set()),
        (who(rao(7)), mrao(), {"RoleBeyondYours"}),
        (who(rao(7)), rao(8), {"RoleBeyondYours"}),
        (who(rao(7)), rao(7), set()),
        (who(rao(7)), drao(7, 3), set()),
        (who(rao(7, "client")), rao(7, "ssl"), {"RoleBeyondYours"}),
        (who(rao(7, "client")), rao(7), {"RoleBeyondYours"}),
        (who(rao(7, "client"), rao(7, "ssl")), rao(7, "ssl", "client"), set()),
        (who(drao(7, 3)), drao(7, 4), {"RoleBeyondYours"}),
        (who(drao(7, 3)), rao(7), {"RoleBeyondYours"}),
        (who(rao(7), privileges=()), rao(7), {"PeerNotAllowed"}),
        (who(rao(7), privileges=()), drao(7, 3), set()),
        (who(drao(7, 3), privileges=()), drao(7, 3), {"PeerNotAllowed"}),
        (who(mrao(), privileges=()), rao(7), set()),
        (SYSTEM, mrao(), set()),
    ],
)
def test_roles_are_handed_over_within_ones_own(principal, grant, expected):
    assert reasons(principal, grant) == expected


@pytest.mark.parametrize(
    "grant",
    [
        RoleGrant(role=Role.RAO),
        RoleGrant(role=Role.DRAO, organization_id=7),
        RoleGrant(role=Role.MRAO, organization_id=7),
        RoleGrant(role=Role.MRAO, certificate_types=frozenset({"ssl"})),
    ],
)
def test_roles_have_their_shape(grant):
    assert reasons(SYSTEM, grant) == {"RoleMalformed"}


def test_privileges_are_ones_own_and_for_the_role():
    assert reasons(who(mrao(), privileges={"create_peers"}), mrao(), privileges={"dcv"}) == {
        "PrivilegeBeyondYours"
    }
    assert reasons(who(mrao()), rao(7), privileges={"edit_profiles"}) == {"PrivilegeNotForRole"}
    assert reasons(who(mrao()), rao(7), privileges={"fly"}) == {"PrivilegeUnknown", "PrivilegeNotForRole"}


def test_somebody_who_has_more_can_not_be_touched():
    weaker = who(mrao(), privileges={"edit_peers"})
    stronger = Rights((mrao(),), frozenset({"download_keys"}))
    assert reasons(weaker, mrao(), deed=Deed.EDIT, before=stronger) == {"PrivilegeBeyondYours"}
    assert reasons(who(rao(7)), drao(7, 3), deed=Deed.EDIT, before=Rights((mrao(),))) == {"RoleBeyondYours"}
    assert reasons(who(rao(7)), deed=Deed.DELETE, before=Rights((mrao(),))) == {"RoleBeyondYours"}


def test_a_restriction_is_handed_on():
    limited = who(mrao(), privileges=EVERY_POWER | {API_ONLY})
    assert reasons(limited, mrao()) == {"RestrictionDropped"}
    assert reasons(limited, mrao(), privileges={API_ONLY}) == set()
    # Nobody needs to be restricted to restrict others.
    assert reasons(who(mrao()), mrao(), privileges={API_ONLY}) == set()


_TYPES = st.frozensets(st.sampled_from(sorted(CERTIFICATE_TYPES)), max_size=3)
_PRIVILEGES = st.frozensets(st.sampled_from(sorted(BY_NAME)))


@st.composite
def grants(draw):
    role = draw(st.sampled_from(Role))
    organization, department = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    if role is Role.MRAO:
        return mrao()
    types = draw(_TYPES)
    return rao(organization, *types) if role is Role.RAO else drao(organization, department, *types)


@st.composite
def handovers(draw):
    """Draw an administrator, and rights that they are likely, not certain, to be able to hand over."""
    own, powers = draw(_GRANTS), draw(_PRIVILEGES) - {API_ONLY}
    wanted = []
    for _ in range(draw(st.integers(1, 3))):
        source = draw(st.sampled_from(own))
        if source.role is Role.MRAO or draw(st.integers(0, 4)) == 0:
            wanted.append(draw(grants()))
            continue
        types = draw(_TYPES) & (source.certificate_types or CERTIFICATE_TYPES) or source.certificate_types
        department = source.department_id or draw(st.sampled_from([None, 1, 2]))
        place = rao(source.organization_id, *types)
        wanted.append(drao(source.organization_id, department, *types) if department else place)
    return who(*own, privileges=powers), tuple(wanted), draw(_PRIVILEGES) & powers & holdable(wanted)


_GRANTS = st.lists(grants(), min_size=1, max_size=3).map(tuple)
_TARGETS = st.builds(
    Target,
    organization_id=st.sampled_from([None, 1, 2]),
    department_id=st.sampled_from([None, 1, 2]),
    certificate_type=st.sampled_from([None, *sorted(CERTIFICATE_TYPES)]),
    undivided=st.booleans(),
)


@given(handover=handovers(), action=st.sampled_from(sorted(ACTIONS)), target=_TARGETS)
def test_whoever_is_created_can_do_nothing_that_their_creator_could_not(handover, action, target):
    creator, given_grants, given_powers = handover
    assume(not reasons(creator, *given_grants, privileges=given_powers))
    made = who(*given_grants, privileges=given_powers)
    if authorize(made, action, target).allowed:
        assert authorize(creator, action, target).allowed


@given(own=_GRANTS, powers=_PRIVILEGES, wanted=_GRANTS, wanted_powers=_PRIVILEGES)
def test_nobody_raises_themselves(own, powers, wanted, wanted_powers):
    me = who(*own, privileges=powers & holdable(own))
    before = Rights(own, me.privileges)
    found = reasons(me, *wanted, privileges=wanted_powers, deed=Deed.EDIT, before=before, own=True)
    if not found:
        assert all(within(grant, me) for grant in wanted)
        restricting = {item.name for item in PRIVILEGES if item.restricts}
        assert wanted_powers - restricting <= me.privileges
        assert me.privileges & restricting <= wanted_powers


@given(first=_GRANTS, second=_GRANTS, third=_GRANTS)
def test_being_within_is_transitive(first, second, third):
    """A chain of handovers reaches no further than its first link."""
    if all(within(grant, who(*first)) for grant in second) and all(
        within(grant, who(*second)) for grant in third
    ):
        assert all(within(grant, who(*first)) for grant in third)
