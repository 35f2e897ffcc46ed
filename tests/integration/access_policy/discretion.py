"""Does an answer name something that its caller must not know of?"""

from __future__ import annotations

import re

from tests.integration.access_policy.places import DIVIDED, UNDIVIDED
from tests.integration.access_policy.running import Installation
from tests.integration.access_policy.things import PREFIX

_NAMES = re.compile(rf"{PREFIX}[a-z]+[0-9]*")

_PLACES = {
    f"{PREFIX}orgin": UNDIVIDED["in"],
    f"{PREFIX}orgout": UNDIVIDED["out"],
    f"{PREFIX}deptin": DIVIDED["in/dept"],
    f"{PREFIX}deptsibling": DIVIDED["in/sibling"],
    f"{PREFIX}deptout": DIVIDED["out/dept"],
}
"""Names of organizations and departments, and who may know them."""


def assert_discreet(hub: Installation, caller: str, text: str, where: str = "") -> None:
    """Fail when ``text`` names a thing, an organization or a department that ``caller`` does not see."""
    for name in set(_NAMES.findall(text)):
        thing = hub.by_marker.get(name)
        if thing is not None:
            assert caller in thing.told_to, f"{caller} {where}: told of {thing.kind} at {thing.place.name}"
        if name in _PLACES and caller != "narrow":
            assert caller in _PLACES[name], f"{caller} {where}: told of {name}"
