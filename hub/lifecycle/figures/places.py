"""Whose certificates somebody's figures count: those that their lists show (:mod:`hub.lifecycle.scoping`)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_

from hub.access.policy import grants_for, types_of
from hub.http.principal import Principal, Role

ALL, ORGANIZATION, DEPARTMENT = "all", "organization", "department"


@dataclass(frozen=True, slots=True)
class Place:
    """A place that is counted for itself, and the certificate types that count in it (None: all)."""

    kind: str
    id: int
    types: frozenset[str] | None = None


def places_of(principal: Principal) -> list[Place]:
    """Return the places that make up somebody's scope; no certificate is in two of them."""
    if principal.kind == "system":
        return [Place(ALL, 0)]
    grants = grants_for(principal, "certificates.view")
    if any(grant.role is Role.MRAO for grant in grants):
        return [Place(ALL, 0)]
    organizations: dict[int, frozenset[str]] = defaultdict(frozenset)
    departments: dict[tuple[int, int], frozenset[str]] = defaultdict(frozenset)
    for grant in grants:
        if grant.organization_id is None:
            continue
        if grant.department_id is None:
            organizations[grant.organization_id] |= types_of(grant)
        else:
            departments[grant.organization_id, grant.department_id] |= types_of(grant)
    places = [Place(ORGANIZATION, number, types) for number, types in sorted(organizations.items())]
    for (organization, department), types in sorted(departments.items()):
        # What the whole organization's role shows already is not counted twice.
        further = types - organizations.get(organization, frozenset())
        if further:
            places.append(Place(DEPARTMENT, department, further))
    return places


def of_counts(places: list[Place], counts: Any) -> ColumnElement[bool]:
    """Return the condition on the counts that make up ``places``."""
    return _any(
        places,
        {kind: counts.place == kind for kind in (ALL, ORGANIZATION, DEPARTMENT)},
        {ORGANIZATION: counts.place_id, DEPARTMENT: counts.place_id},
        counts.type,
    )


def of_changes(places: list[Place], changes: Any) -> ColumnElement[bool]:
    """Return the condition on changes of certificates in ``places``."""
    ids = {ORGANIZATION: changes.organization_id, DEPARTMENT: changes.department_id}
    return _any(places, {}, ids, changes.type)


def _any(
    places: list[Place], kinds: dict[str, ColumnElement[bool]], ids: dict[str, Any], type_: Any
) -> ColumnElement[bool]:
    conditions = []
    for kind in (ALL, ORGANIZATION, DEPARTMENT):
        by_types: dict[frozenset[str] | None, list[int]] = defaultdict(list)
        for place in places:
            if place.kind == kind:
                by_types[place.types].append(place.id)
        for types, members in by_types.items():
            parts = [kinds[kind]] if kind in kinds else []
            if kind != ALL:
                parts.append(ids[kind].in_(members))
            if types is not None:
                parts.append(type_.in_(sorted(types)))
            conditions.append(and_(*parts) if parts else type_.is_not(None))
    return or_(*conditions) if conditions else false()


def covers(places: list[Place], place: str, place_id: int, type_: str) -> bool:
    """Tell whether a count of this place and type is among those that make up ``places``."""
    return any(
        item.kind == place and item.id == place_id and (item.types is None or type_ in item.types)
        for item in places
    )
