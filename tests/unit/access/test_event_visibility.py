"""Events reach whoever may see what they are about, and nobody else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from hub.access.event_visibility import OBJECT_KINDS, sees_event
from hub.access.policy import ACTIONS
from hub.db.outbox import OutboxEvent
from hub.http.principal import Principal, Role, RoleGrant

HUB = Path(__file__).parents[3] / "hub"


def who(*grants, scopes=("*",)):
    return Principal(kind="administrator", id="1", name="x", grants=grants, scopes=frozenset(scopes))


MRAO = who(RoleGrant(role=Role.MRAO))
RAO = who(RoleGrant(role=Role.RAO, organization_id=7, certificate_types=frozenset({"ssl"})))
CLIENT = who(RoleGrant(role=Role.RAO, organization_id=7, certificate_types=frozenset({"client"})))
DRAO = who(RoleGrant(role=Role.DRAO, organization_id=7, department_id=3))
NARROW = who(RoleGrant(role=Role.MRAO), scopes={"events.view", "agents.view"})


def about(object_type, organization=7, department=None, certificate_type=None):
    return OutboxEvent(
        kind="Happened",
        object_type=object_type,
        object_id="1",
        organization_id=organization,
        department_id=department,
        certificate_type=certificate_type,
        data={},
    )


@pytest.mark.parametrize(
    ("event", "seen_by"),
    [
        (about("certificate", 7, 3, "ssl"), [MRAO, RAO, DRAO]),
        (about("certificate", 7, 4, "ssl"), [MRAO, RAO]),
        (about("certificate", 7, None, "client"), [MRAO, CLIENT]),
        (about("certificate", 8, None, "ssl"), [MRAO]),
        (about("certificate", None), [MRAO]),
        (about("agent"), [MRAO, RAO, CLIENT, DRAO, NARROW]),
        (about("organization", 7, 4), [MRAO, RAO, CLIENT]),
        (about("command"), [MRAO, RAO]),
        (about("administrator", None), [MRAO]),
        (about("something new"), [MRAO, NARROW]),
    ],
)
def test_events_go_to_whom_their_objects_are_shown(event, seen_by):
    everybody = [MRAO, RAO, CLIENT, DRAO, NARROW]
    assert [principal for principal in everybody if sees_event(principal, event)] == seen_by


def _emitted():
    """Yield the object kinds of all events that the hub emits, as far as they are written out."""
    for path in HUB.rglob("*.py"):
        if "node_modules" in path.parts:
            continue
        tree = ast.parse(path.read_text())
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Event":
                for keyword in node.keywords:
                    if keyword.arg == "object_type":
                        value = keyword.value
                        yield getattr(value, "value", None) or constants.get(getattr(value, "id", ""))


def test_every_kind_that_is_emitted_is_known():
    assert {kind for kind in _emitted() if kind} <= set(OBJECT_KINDS)


def test_every_kind_is_shown_by_a_known_action():
    assert {kind.action for kind in OBJECT_KINDS.values()} <= set(ACTIONS)
