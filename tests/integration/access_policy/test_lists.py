"""Lists: rows, totals, search, filters and exports hold what the caller sees, no more and no less."""

from __future__ import annotations

import csv
import io
import json
import re
import urllib.parse

import pytest

from hub.access.policy import authorize
from tests.integration.access_policy.callers import CALLERS, WALKERS
from tests.integration.access_policy.discretion import assert_discreet
from tests.integration.access_policy.routes import API, LISTS, guarded_routes
from tests.integration.access_policy.things import KINDS, PREFIX

LISTINGS = [
    route
    for route in guarded_routes()
    if route.is_safe and route.bound.spec.listing is not None and route.path.removeprefix(API) in LISTS
]
PAGES = [route for route in LISTINGS if route.bound.spec.media_type == "application/json"]
# Without pages: all in one answer.
WHOLE = [route for route in guarded_routes() if route.short.removeprefix("GET ") in LISTS and route.is_safe]


def _ids(route):
    return route.short


def _callers(route):
    return [name for name in WALKERS if authorize(CALLERS[name].principal, route.action).allowed]


def _get(hub, caller, route, *parameters):
    query = urllib.parse.urlencode([*parameters])
    return hub.call(caller, "GET", f"{route.path}?{query}")


def _items(hub, caller, route, *parameters):
    """Return all items over all pages, and the total of the first."""
    items, cursor, total = [], None, None
    while True:
        more = [("cursor", cursor)] if cursor else []
        answer = _get(hub, caller, route, ("limit", 100), *parameters, *more)
        assert answer.status == 200, answer.text
        page = answer.document
        items += page["items"]
        total = page["total"] if total is None else total
        cursor = page["next_cursor"]
        if cursor is None:
            return items, total


@pytest.mark.parametrize("route", PAGES, ids=_ids)
def test_rows_and_totals(hub, route):
    for caller in _callers(route):
        items, total = _items(hub, caller, route)
        assert total == len(items), caller
        assert_discreet(hub, caller, json.dumps(items))


@pytest.mark.parametrize("route", [route for route in WHOLE if LISTS[route.path.removeprefix(API)]], ids=_ids)
def test_nothing_is_missing(hub, route):
    kind = LISTS[route.path.removeprefix(API)]
    fresh = [hub.make(kind, place) for place in KINDS[kind].places]
    for caller in _callers(route):
        if route.bound.spec.listing is not None:
            text = json.dumps(_items(hub, caller, route)[0])
        else:
            text = hub.call(caller, "GET", route.path).text
        for thing in fresh:
            shown = thing.marker in text or re.search(rf"\b{thing.id}\b", text) is not None
            assert shown is (caller in thing.seen_by), f"{caller}: {thing.kind} at {thing.place.name}"


@pytest.mark.parametrize("route", PAGES, ids=_ids)
def test_search_finds_nothing_outside(hub, route):
    if not any(column.searchable for column in route.bound.spec.listing.columns):
        return
    for caller in _callers(route):
        items, total = _items(hub, caller, route, ("q", PREFIX + "z"))
        assert (items, total) == ([], 0)
        everything = _get(hub, caller, route, ("q", PREFIX + "a"), ("limit", 500))
        assert everything.status == 200
        assert_discreet(hub, caller, everything.text)
        for thing in _hidden(hub, caller, route)[:6]:
            found = _get(hub, caller, route, ("q", thing.marker))
            assert (found.status, found.document["total"], found.document["items"]) == (200, 0, []), caller


_WIDE = (f"contains:{PREFIX}", "ne:0", "is_null:false", "is_null:true")


@pytest.mark.parametrize("route", PAGES, ids=_ids)
def test_filters_find_nothing_outside(hub, route):
    listing = route.bound.spec.listing
    for caller in _callers(route):
        hidden = _hidden(hub, caller, route)[:2]
        for column in listing.columns:
            if not column.filterable:
                continue
            for condition in _WIDE:
                wide = ("filter", f"{column.name}:{condition}")
                found = _get(hub, caller, route, wide, ("limit", 500))
                assert found.status in {200, 400}, found.text
                if found.status == 200:
                    assert_discreet(hub, caller, found.text, wide[1])
            for thing in hidden:
                for value in (thing.id, str(thing.place.organization)):
                    found = _get(hub, caller, route, ("filter", f"{column.name}:eq:{value}"))
                    if found.status == 200:
                        assert_discreet(hub, caller, found.text, column.name)
                    if found.status == 200 and column.name == "id" and value == thing.id:
                        assert found.document["total"] == 0, (caller, column.name)


@pytest.mark.parametrize("route", PAGES, ids=_ids)
def test_csv_exports_what_the_list_shows(hub, route):
    for caller in _callers(route):
        _, total = _items(hub, caller, route)
        answer = _get(hub, caller, route, ("format", "csv"))
        assert answer.media_type == "text/csv"
        assert len(list(csv.reader(io.StringIO(answer.text)))) == total + 1, caller
        assert_discreet(hub, caller, answer.text)


def _hidden(hub, caller, route):
    """Return things of the list's kind that the caller does not see, the newest first."""
    kind = LISTS[route.path.removeprefix(API)] or "certificate"
    return [thing for thing in reversed(hub.things) if thing.kind == kind and caller not in thing.told_to]
