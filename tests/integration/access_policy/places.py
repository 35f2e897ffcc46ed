"""Where things are, and who sees what is there. Written out by hand: it is what the walk compares with."""

from __future__ import annotations

from dataclasses import dataclass

from tests.integration.access_policy.callers import IN, IN_DEPARTMENT, IN_SIBLING, OUT, OUT_DEPARTMENT


@dataclass(frozen=True)
class Place:
    """An organization, perhaps a department of it; neither: the whole installation."""

    name: str
    organization: int | None
    department: int | None = None


PLACES: dict[str, Place] = {
    place.name: place
    for place in (
        Place("in", IN),
        Place("in/dept", IN, IN_DEPARTMENT),
        Place("in/sibling", IN, IN_SIBLING),
        Place("out", OUT),
        Place("out/dept", OUT, OUT_DEPARTMENT),
        Place("hub", None),
    )
}

NOWHERE = Place("nowhere", 9_999_001, 9_999_002)

DIVIDED = {
    "in": {"mrao", "rao_in", "rao_client"},
    "in/dept": {"mrao", "rao_in", "rao_client", "drao_in"},
    "in/sibling": {"mrao", "rao_in", "rao_client"},
    "out": {"mrao", "rao_out"},
    "out/dept": {"mrao", "rao_out", "drao_out"},
    "hub": {"mrao"},
}
"""Things that departments own."""

UNDIVIDED = {
    "in": {"mrao", "rao_in", "rao_client", "drao_in"},
    "out": {"mrao", "rao_out", "drao_out"},
    "hub": {"mrao"},
}
"""Things that belong to whole organizations."""

INHERITED = {
    **DIVIDED,
    "in": {"mrao", "rao_in", "rao_client", "drao_in"},
    "out": {"mrao", "rao_out", "drao_out"},
}
"""What an organization has serves its departments too."""

EVERYBODY = {"mrao", "rao_in", "rao_out", "drao_in", "drao_out", "rao_client"}
