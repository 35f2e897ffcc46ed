"""Every route, called by everybody, about things inside and outside of what they see.

Outside must not be told from non-existing, nothing outside may change, nothing outside may be told.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import replace

import pytest

from hub.access.policy import ACTIONS, authorize
from tests.integration.access_policy.callers import CALLERS, STRANGERS, WALKERS
from tests.integration.access_policy.discretion import assert_discreet
from tests.integration.access_policy.places import INHERITED, NOWHERE, PLACES
from tests.integration.access_policy.routes import (
    AT_PLACES,
    BODIES,
    LISTS,
    MOVES,
    PUBLIC_ROUTES,
    all_routes,
    guarded_routes,
)
from tests.integration.access_policy.things import KINDS

ROUTES = [route for route in guarded_routes() if route.name != "GET /api/v1/events"]
NAMED = [route for route in ROUTES if route.kind is not None]
GENERAL = [route for route in ROUTES if route.kind is None and route.is_safe]
PLACED = [route for route in ROUTES if route.short in AT_PLACES]

# What a caller may be answered for something that they see and may do; 409, 422 and 429 are rules of rooms.
_SERVED = {200, 201, 202, 204, 400, 409, 422, 429, 502, 503}
_IN_SESSIONS_ONLY = "not with an API token"
_NOT_FOUND = {404}
_ABSENT = {
    # A list of what happened to it: of nothing.
    "GET /audit/objects/certificate/{id}": {200},
    # The organization that it names is looked at first.
    "POST /certificates/{id:int}/assign": {404, 422},
    # Only with a console session.
    "DELETE /profile/passkeys/{id:int}": {401},
}


def _ids(route):
    return route.short


def _may(caller, route):
    return authorize(CALLERS[caller].principal, route.action).allowed


def _normalized(answer, *ids):
    text = re.sub(r'"request_id": "[^"]*"', "", answer.text)
    for value in ids:
        # Not within other numbers: 42 is a part of 422.
        text = re.sub(rf"(?<!\d){re.escape(str(value))}(?!\d)", "#", text)
    return answer.status, text


def _nowhere(params):
    return {
        name: str(uuid.uuid4())
        if "-" in value
        else uuid.uuid4().hex
        if len(value) == 32
        else value
        if name == "type"
        else str(9_999_100 + number)
        for number, (name, value) in enumerate(params.items())
    }


def test_every_route_has_a_policy_or_a_reason_why_not():
    for route in all_routes():
        if route.action == "public":
            assert route.name in PUBLIC_ROUTES, f"say in PUBLIC_ROUTES why {route.name} has no policy"
        else:
            assert route.action in ACTIONS, f"{route.name}: add {route.action} to hub.access.actions"


def test_every_route_says_what_it_is_about():
    for route in guarded_routes():
        if "{" in route.path:
            assert route.kind is not None, f"add the object of {route.name} to the walk's routes"
        elif route.is_safe and route.bound.spec.listing is not None:
            assert route.path.removeprefix("/api/v1") in LISTS, f"add {route.name} to LISTS"
        if route.bound.spec.body is not None:
            assert route.short in BODIES, f"add a body for {route.name} to BODIES"


def test_nothing_is_described_that_is_not_there():
    names = {route.short for route in all_routes()}
    assert set(BODIES) <= names
    assert set(AT_PLACES) <= names
    assert set(PUBLIC_ROUTES) <= {route.name for route in all_routes()}
    assert {f"GET {path}" for path in LISTS} <= names


@pytest.mark.parametrize("route", ROUTES, ids=_ids)
def test_strangers_learn_nothing(hub, route):
    thing = hub.make(route.kind, KINDS[route.kind].places[0]) if route.kind else None
    path = route.filled(dict(thing.params)) if thing else route.path
    body = route.body(hub.at(PLACES["in"], thing))
    for caller in sorted(STRANGERS):
        answer = hub.call(caller, route.bound.spec.method, path, body)
        assert answer.status == 401, caller


@pytest.mark.parametrize("route", ROUTES, ids=_ids)
def test_roles_privileges_and_scopes_that_do_not_suffice_are_refused(hub, route):
    thing = hub.make(route.kind, KINDS[route.kind].places[0]) if route.kind else None
    path = route.filled(dict(thing.params)) if thing else route.path
    body = route.body(hub.at(PLACES["in"], thing))
    before = hub.row(thing) if thing else None
    for caller in WALKERS:
        if not _may(caller, route):
            answer = hub.call(caller, route.bound.spec.method, path, body)
            assert answer.status == 403, caller
    if thing:
        assert hub.row(thing) == before


@pytest.mark.parametrize("route", NAMED, ids=_ids)
def test_outside_is_as_if_it_was_not_there(hub, route):
    """Same status, same text, and nothing changed."""
    for place in KINDS[route.kind].places:
        thing = hub.make(route.kind, place)
        before = hub.row(thing)
        for caller in WALKERS:
            if caller in thing.seen_by or not _may(caller, route):
                continue
            params = _nowhere(thing.params)
            body = route.body(hub.at(thing.place, thing))
            method = route.bound.spec.method
            outside = hub.call(caller, method, route.filled(dict(thing.params)), body)
            missing = hub.call(caller, method, route.filled(params), body)
            where = f"{caller} at {place}"
            assert outside.status < 500, (where, outside.text)
            assert _normalized(outside, *thing.params.values()) == _normalized(missing, *params.values()), (
                where
            )
            assert outside.status in _ABSENT.get(route.short, _NOT_FOUND), (where, outside.text)
        assert hub.row(thing) == before, place


@pytest.mark.parametrize("route", NAMED, ids=_ids)
def test_inside_is_served(hub, route):
    """Whoever sees a thing gets it, or a reason; what they get names nothing that they don't see."""
    for place in KINDS[route.kind].places:
        for caller in sorted(KINDS[route.kind].seen_by(place)):
            if not _may(caller, route):
                continue
            thing = hub.make(route.kind, place)
            body = route.body(hub.at(thing.place, thing))
            answer = hub.call(caller, route.bound.spec.method, route.filled(dict(thing.params)), body)
            where = f"{caller} at {place}"
            if route.short in MOVES:
                hub.forget(thing)
            if answer.status == 401:
                assert _IN_SESSIONS_ONLY in answer.text
                continue
            assert answer.status in _SERVED | {403}, (where, answer.text)
            if route.is_safe or caller == "mrao":
                assert answer.status in _SERVED, (where, answer.text)
            assert_discreet(hub, caller, answer.text, where)


@pytest.mark.parametrize("route", PLACED, ids=_ids)
def test_bodies_about_places_outside_are_as_if_these_were_not_there(hub, route):
    for name, place in PLACES.items():
        for caller in WALKERS:
            if not _may(caller, route) or name in _reached(caller) or place.organization is None:
                continue
            at = hub.at(place)
            nowhere = hub.at(NOWHERE if place.department else replace(NOWHERE, department=None))
            outside = hub.call(caller, route.bound.spec.method, route.path, route.body(at))
            missing = hub.call(caller, route.bound.spec.method, route.path, route.body(nowhere))
            where = f"{caller} at {name}"
            assert _normalized(outside, *_named(at)) == _normalized(missing, *_named(nowhere)), where
            assert outside.status != 201, where


@pytest.mark.parametrize("reference", ["agent", "certificate", "profile", "department"])
@pytest.mark.parametrize("route", PLACED, ids=_ids)
def test_foreign_things_in_bodies_about_own_places_are_as_if_they_were_not_there(hub, route, reference):
    """Each single reference, so that no check of another one comes before."""
    caller = "rao_in"
    if not _may(caller, route):
        return
    answers = []
    for other in (PLACES["out/dept"], NOWHERE):
        own, foreign = hub.at(PLACES["in"]), hub.at(other)
        if reference == "department":
            at = replace(own, place=replace(own.place, department=other.department))
        else:
            at = replace(own, **{reference: getattr(foreign, reference)})
        answer = hub.call(caller, route.bound.spec.method, route.path, route.body(at))
        answers.append(_normalized(answer, *_named(at)))
    if answers[0][0] not in {200, 201}:
        assert answers[0] == answers[1]
    else:
        # The body of this route has no such reference.
        assert answers[1][0] in {200, 201}


@pytest.mark.parametrize("route", PLACED, ids=_ids)
def test_bodies_about_places_inside_are_served(hub, route):
    for name, place in PLACES.items():
        for caller in WALKERS:
            if not _may(caller, route) or name not in _reached(caller) or place.organization is None:
                continue
            answer = hub.call(caller, route.bound.spec.method, route.path, route.body(hub.at(place)))
            where = f"{caller} at {name}"
            assert answer.status in _SERVED | ({403} if caller != "mrao" else set()), (where, answer.text)
            assert_discreet(hub, caller, answer.text, where)


@pytest.mark.parametrize("route", GENERAL, ids=_ids)
def test_reading_tells_nothing_of_what_is_outside(hub, route):
    for caller in WALKERS:
        if not _may(caller, route):
            continue
        answer = hub.call(caller, "GET", route.path)
        assert answer.status < 500, answer.text
        assert_discreet(hub, caller, answer.text, caller)


def _reached(caller):
    """Return the places that a caller acts at, or at least knows of."""
    return {name for name in PLACES if caller in INHERITED[name] | {"narrow"}}


def _named(at):
    """Return the ids that a body about a place has."""
    ids = (at.place.department, at.place.organization, at.agent, at.certificate, at.profile, at.number)
    return [value for value in ids if value is not None]
