"""What is done leaves events and audit entries: they reach whoever sees the object, and nobody else."""

from __future__ import annotations

import json

import pytest

from hub.access.event_visibility import OBJECT_KINDS
from tests.integration.access_policy.callers import CALLERS, STRANGERS, WALKERS
from tests.integration.access_policy.discretion import assert_discreet
from tests.integration.access_policy.places import PLACES
from tests.integration.access_policy.routes import AT_PLACES, MOVES, guarded_routes
from tests.integration.access_policy.things import KINDS

# What events call kinds of objects for which the walk has another name.
_NAMES = {
    "task": "discovery_task",
    "validation": "domain_validation",
    "writer": "dns_writer",
    "provider": "identity_provider",
    "saml_provider": "identity_provider",
    "private_ca": "ca_authority",
    "freeze": "renewal_freeze",
    "window": "maintenance_window",
    "quota": "ca_quota",
    "import": "certificate_import",
}


@pytest.fixture(scope="module")
def deeds(hub):
    """Everything that can be done, done by the MRAO at every place."""
    for route in guarded_routes():
        if route.is_safe:
            continue
        if route.kind is not None:
            for place in KINDS[route.kind].places:
                thing = hub.make(route.kind, place)
                body = route.body(hub.at(thing.place, thing))
                hub.call("mrao", route.bound.spec.method, route.filled(dict(thing.params)), body)
                if route.short in MOVES:
                    hub.forget(thing)
        elif route.short in AT_PLACES:
            for place in PLACES.values():
                hub.call("mrao", route.bound.spec.method, route.path, route.body(hub.at(place)))
    return hub


@pytest.fixture(scope="module")
def known(deeds):
    """Things by what events call them."""
    return {(_NAMES.get(thing.kind, thing.kind), thing.id): thing for thing in deeds.things}


@pytest.mark.parametrize("caller", sorted(WALKERS))
def test_events_reach_who_sees_the_object(deeds, known, caller):
    status, events = deeds.events(caller)
    if caller == "narrow":
        # A token that is not for events.
        assert status == 403
        return
    assert status == 200
    for event in events:
        thing = known.get((event["object_type"], event["object_id"]))
        if thing is not None:
            assert caller in thing.told_to, event
        assert_discreet(deeds, caller, json.dumps(event))
    seen = {(event["object_type"], event["object_id"]) for event in events}
    certificates = [key for key in seen if key[0] == "certificate" and key in known]
    assert bool(certificates) is (caller in {"mrao", "rao_in", "rao_out", "drao_in", "drao_out"})


@pytest.mark.parametrize("caller", sorted(STRANGERS))
def test_events_are_not_for_strangers(deeds, caller):
    assert deeds.events(caller) == (401, [])


@pytest.mark.parametrize("caller", ["mrao", "rao_in", "rao_out", "rao_client"])
def test_the_audit_log_shows_who_sees_the_object(deeds, known, caller):
    cursor, entries = "", []
    while cursor is not None:
        page = deeds.call(caller, "GET", f"/api/v1/audit?limit=500{cursor}").document
        entries += page["items"]
        cursor = None if page["next_cursor"] is None else f"&cursor={page['next_cursor']}"
    assert entries
    for entry in entries:
        thing = known.get((entry["object_type"], entry["object_id"]))
        if thing is not None and caller != "mrao":
            assert caller in thing.seen_by, entry
        assert_discreet(deeds, caller, json.dumps(entry))
        if caller != "mrao":
            assert entry["organization_id"] in {grant.organization_id for grant in CALLERS[caller].grants}
    # Those of the master tell everything, and from where it was done.
    mine = [entry for entry in entries if entry["actor_name"] == "mrao"]
    assert mine
    assert {entry["remote"] for entry in mine} == {"127.0.0.1"}
    lines = deeds.call(caller, "GET", "/api/v1/audit/export").text.splitlines()
    assert {json.loads(line)["sequence"] for line in lines} >= {entry["sequence"] for entry in entries}
    assert_discreet(deeds, caller, "\n".join(lines))


def test_the_audit_log_of_one_object(deeds):
    thing = deeds.make("certificate", "in")
    deeds.call("mrao", "POST", f"/api/v1/certificates/{thing.id}/decline", {"message": "no"})
    path = f"/api/v1/audit/objects/certificate/{thing.id}"
    seen = deeds.call("rao_in", "GET", path).document
    assert [(item["action"], item["details"]["message"]) for item in seen["items"]] == [
        ("CertificateDeclined", "no")
    ]
    assert deeds.call("rao_out", "GET", path).document["total"] == 0


def test_every_kind_of_thing_has_a_name_in_events():
    own = {"backend", "binding", "department", "department_settings", "organization_settings"}
    own |= {"passkey", "session", "own_session"}
    # Only the audit log tells of these.
    own |= {"ca_request", "notice", "notification", "notification_channel", "notification_rule"}
    assert {_NAMES.get(kind, kind) for kind in KINDS if kind not in own} <= set(OBJECT_KINDS)
