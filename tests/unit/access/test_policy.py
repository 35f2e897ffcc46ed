"""The policy: unknown actions, roles, certificate types, privileges, places, tokens, row conditions."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Integer, String, column, create_engine, insert, select, table

from hub.access.actions import ACTIONS, CERTIFICATE_TYPES
from hub.access.policy import (
    CHECKS,
    PolicyAuthorizer,
    Target,
    authorize,
    require,
    require_object,
    scope,
)
from hub.access.privileges import API_ONLY, BY_NAME, EVERY_POWER
from hub.db.errors import Forbidden, NotFound
from hub.http.principal import ANONYMOUS, SYSTEM, Principal, Role, RoleGrant

HUB = Path(__file__).parents[3] / "hub"


def _principal(*grants, **more):
    more = {"privileges": EVERY_POWER, **more}
    return Principal(kind=more.pop("kind", "administrator"), id="1", name="x", grants=grants, **more)


MRAO = _principal(RoleGrant(role=Role.MRAO))
RAO = _principal(RoleGrant(role=Role.RAO, organization_id=7))
RAO_CLIENT = _principal(RoleGrant(role=Role.RAO, organization_id=7, certificate_types=frozenset({"client"})))
DRAO = _principal(RoleGrant(role=Role.DRAO, organization_id=7, department_id=3))


@pytest.mark.parametrize("principal", [MRAO, SYSTEM])
def test_unknown_actions_are_refused_to_everybody(principal):
    assert authorize(principal, "nothing.known").reason == "UnknownAction"


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_the_system_and_masters_may_do_everything_and_strangers_nothing(action):
    assert authorize(SYSTEM, action).allowed
    assert authorize(MRAO, action, organization_id=99).allowed
    assert not authorize(ANONYMOUS, action).allowed


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_every_rule_names_known_types_and_privileges_that_its_roles_may_hold(action):
    rule = ACTIONS[action]
    assert rule.types <= CERTIFICATE_TYPES
    if rule.privilege is not None:
        assert rule.roles <= BY_NAME[rule.privilege].roles


def test_roles_and_organizations_limit():
    assert authorize(RAO, "organizations.edit", organization_id=7).allowed
    assert authorize(RAO, "organizations.edit", organization_id=8).reason == "OrganizationOutOfScope"
    assert authorize(RAO, "organizations.create").reason == "RoleNotSufficient"
    assert authorize(DRAO, "agents.edit").reason == "RoleNotSufficient"
    # The role that covers the organization must be one that may do it.
    both = _principal(*DRAO.grants, RoleGrant(role=Role.RAO, organization_id=8))
    assert authorize(both, "agents.edit", organization_id=7).reason == "OrganizationOutOfScope"


def test_objects_of_the_whole_installation_take_a_master():
    assert authorize(RAO, "agents.view", Target()).reason == "OrganizationOutOfScope"
    assert authorize(MRAO, "agents.view", Target()).allowed


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        (Target(organization_id=7, department_id=3), True),
        (Target(organization_id=7, department_id=4), False),
        # What belongs to the whole organization is not a department's.
        (Target(organization_id=7), False),
        # Unless nothing of its kind ever is.
        (Target(organization_id=7, undivided=True), True),
        (Target(organization_id=8, department_id=3), False),
    ],
)
def test_departments_limit(target, allowed):
    assert authorize(DRAO, "certificates.view", target).allowed is allowed


def test_certificate_types_limit():
    ssl, client = (
        Target(organization_id=7, certificate_type="ssl"),
        Target(organization_id=7, certificate_type="client"),
    )
    assert authorize(RAO_CLIENT, "certificates.view", client).allowed
    assert authorize(RAO_CLIENT, "certificates.view", ssl).reason == "OrganizationOutOfScope"
    assert authorize(RAO_CLIENT, "discovery.view").reason == "TypeNotHeld"


def test_privileges_limit_whatever_the_role():
    powerless = _principal(*MRAO.grants, privileges=frozenset())
    assert authorize(powerless, "profiles.edit").reason == "PrivilegeNotHeld"
    assert authorize(powerless, "profiles.view").allowed


def test_a_first_password_is_changed_before_anything_else():
    fresh = _principal(*MRAO.grants, must_change_password=True)
    assert authorize(fresh, "certificates.view").reason == "PasswordChangeRequired"
    assert authorize(fresh, "account.view").reason == "PasswordChangeRequired"
    assert authorize(fresh, "session.edit").allowed


def test_api_use_only_closes_the_console():
    rights = {"privileges": EVERY_POWER | {API_ONLY}}
    console = _principal(*MRAO.grants, **rights)
    assert authorize(console, "certificates.view").reason == "ApiUseOnly"
    assert authorize(console, "account.view").allowed
    assert authorize(console, "api_tokens.edit").allowed
    assert authorize(_principal(*MRAO.grants, kind="api_token", **rights), "certificates.view").allowed


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


def test_what_is_out_of_sight_does_not_exist_and_what_is_seen_is_refused():
    inside, outside = Target(organization_id=7, undivided=True), Target(organization_id=8, undivided=True)
    require_object(RAO, "agents.edit", inside, absent=NotFound)
    with pytest.raises(NotFound):
        require_object(RAO, "agents.edit", outside, absent=NotFound)
    with pytest.raises(Forbidden):
        require_object(DRAO, "agents.edit", inside, absent=NotFound)


def _sql(condition):
    return str(condition.compile(compile_kwargs={"literal_binds": True}))


def test_conditions_on_rows():
    organization, department, kind = column("org", Integer), column("dep", Integer), column("kind", String)
    assert scope(MRAO, organization) is None
    assert scope(SYSTEM, organization) is None
    assert _sql(scope(RAO, organization, department)) == "org IN (7)"
    assert _sql(scope(DRAO, organization, department)) == "dep IN (3)"
    assert _sql(scope(DRAO, organization)) == "org IN (7)"
    assert _sql(scope(ANONYMOUS, organization)) == "false"
    assert (
        _sql(scope(RAO_CLIENT, organization, type_column=kind))
        == "org IN (7) AND (kind IS NULL OR kind IN ('client'))"
    )
    assert _sql(scope(RAO_CLIENT, organization, certificate_type="ssl")) == "false"
    assert _sql(scope(DRAO, organization, action="audit.view")) == "false"


_TYPES = st.frozensets(st.sampled_from(sorted(CERTIFICATE_TYPES)), max_size=3)
_ORGANIZATIONS = st.integers(1, 3)
# Department 11 is the first of organization 1, and so on.
_DEPARTMENTS = st.integers(1, 2)


@st.composite
def _grants(draw):
    role = draw(st.sampled_from(Role))
    organization = draw(_ORGANIZATIONS)
    return RoleGrant(
        role=role,
        organization_id=None if role is Role.MRAO else organization,
        department_id=organization * 10 + draw(_DEPARTMENTS) if role is Role.DRAO else None,
        certificate_types=frozenset() if role is Role.MRAO else draw(_TYPES),
    )


@given(
    grants=st.lists(_grants(), max_size=3),
    action=st.sampled_from(["certificates.view", "audit.view", "discovery.edit", "organizations.view"]),
)
def test_lists_show_exactly_what_may_be_opened(grants, action):
    """The query scope and the decision on one object are the same rule."""
    principal = _principal(*grants)
    things = table("things", column("id"), column("org"), column("dep"), column("kind"))
    places = [(None, None)] + [(org, dep) for org in (1, 2, 3) for dep in (None, org * 10 + 1, org * 10 + 2)]
    rows = [
        {"id": number, "org": org, "dep": dep, "kind": kind}
        for number, ((org, dep), kind) in enumerate(
            (place, kind) for place in places for kind in (None, *sorted(CERTIFICATE_TYPES))
        )
    ]
    allowed = {
        row["id"]
        for row in rows
        if authorize(
            principal,
            action,
            Target(organization_id=row["org"], department_id=row["dep"], certificate_type=row["kind"]),
        ).allowed
    }
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE things (id, org, dep, kind)")
        connection.execute(insert(things), rows)
        condition = scope(principal, things.c.org, things.c.dep, action=action, type_column=things.c.kind)
        statement = select(things.c.id) if condition is None else select(things.c.id).where(condition)
        listed = set(connection.execute(statement).scalars())
    engine.dispose()
    assert listed == allowed


def _scope_calls():
    for path in sorted(HUB.rglob("*.py")):
        if path == HUB / "access" / "policy.py" or "node_modules" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            name = (
                getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
            )
            if name == "scope" and len(node.args) >= 2:
                yield pytest.param(node, id=f"{path.relative_to(HUB)}:{node.lineno}")


@pytest.mark.parametrize("call", list(_scope_calls()))
def test_every_list_says_for_which_action_it_is_scoped(call):
    assert "action" in {keyword.arg for keyword in call.keywords}


def test_checks_have_a_docstring_that_states_the_fault():
    assert all(check.__doc__ for check in CHECKS)
