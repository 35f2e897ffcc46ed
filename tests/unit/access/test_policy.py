"""The policy table: unknown actions, roles, organizations, token scopes, row conditions."""

from __future__ import annotations

import pytest
from sqlalchemy import Integer, column

from hub.access.policy import ACTIONS, PolicyAuthorizer, authorize, require, scope
from hub.db.errors import Forbidden
from hub.http.principal import ANONYMOUS, SYSTEM, Principal, Role, RoleGrant


def _principal(*grants, scopes=frozenset({"*"})):
    return Principal(kind="administrator", id="1", name="x", grants=grants, scopes=scopes)


MRAO = _principal(RoleGrant(role=Role.MRAO))
RAO = _principal(RoleGrant(role=Role.RAO, organization_id=7))
DRAO = _principal(RoleGrant(role=Role.DRAO, organization_id=7, department_id=3))


@pytest.mark.parametrize("principal", [MRAO, SYSTEM])
def test_unknown_actions_are_refused_to_everybody(principal):
    assert authorize(principal, "nothing.known").reason == "UnknownAction"


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_the_system_and_masters_may_do_everything_and_strangers_nothing(action):
    assert authorize(SYSTEM, action).allowed
    assert authorize(MRAO, action, organization_id=99).allowed
    assert not authorize(ANONYMOUS, action).allowed


def test_roles_and_organizations_limit():
    assert authorize(RAO, "organizations.edit", organization_id=7).allowed
    assert authorize(RAO, "organizations.edit", organization_id=8).reason == "OrganizationOutOfScope"
    assert authorize(RAO, "organizations.create").reason == "RoleNotSufficient"
    assert authorize(DRAO, "domains.edit").reason == "RoleNotSufficient"
    # The role that covers the organization must be one that may do it.
    both = _principal(*DRAO.grants, RoleGrant(role=Role.RAO, organization_id=8))
    assert authorize(both, "domains.edit", organization_id=7).reason == "OrganizationOutOfScope"


def test_scopes_narrow_a_token():
    token = _principal(*MRAO.grants, scopes=frozenset({"certificates.*", "agents.view"}))
    assert authorize(token, "certificates.revoke").allowed
    assert authorize(token, "agents.view").allowed
    assert authorize(token, "agents.edit").reason == "TokenNotScoped"


def test_require_raises():
    require(MRAO, "domains.edit")
    with pytest.raises(Forbidden, match="cover"):
        require(RAO, "domains.edit", organization_id=8)
    assert PolicyAuthorizer().refusal(RAO, "domains.edit") is None


def _sql(condition):
    return str(condition.compile(compile_kwargs={"literal_binds": True}))


def test_conditions_on_rows():
    organization, department = column("org", Integer), column("dep", Integer)
    assert scope(MRAO, organization) is None
    assert _sql(scope(RAO, organization, department)) == "org IN (7)"
    assert _sql(scope(DRAO, organization, department)) == "dep IN (3)"
    assert _sql(scope(DRAO, organization)) == "org IN (7)"
    assert _sql(scope(ANONYMOUS, organization)) == "false"
