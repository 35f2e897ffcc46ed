"""Draws the state tables as Mermaid diagrams.

``make docs`` writes ``docs/states.md``, ``make check`` compares. The tables in each room's ``states.py`` are
the truth; nobody draws by hand.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from agents.runtime.session_states import TRANSITIONS as SESSION
from hub.access.signin.states import TRANSITIONS as SIGN_IN
from hub.discovery.states import SCAN
from hub.fleet.states import TRANSITIONS as COMMAND
from hub.lifecycle.key_transfer_states import KEY_TRANSFER
from hub.lifecycle.states import CERTIFICATE, INSTALL, ITEM, RENEWAL
from hub.notifications.states import DELIVERY
from hub.organizations.dcv.states import TRANSITIONS as DCV
from hub.organizations.states import DOMAIN, VALIDATION

TARGET = Path(__file__).resolve().parent.parent / "docs/states.md"


class Drawn(NamedTuple):
    """One table with its heading and the module it stands in."""

    title: str
    module: str
    table: Mapping[tuple[Any, Any], Any]


MACHINES = (
    Drawn("Certificate", "hub/lifecycle/states.py", CERTIFICATE),
    Drawn("Installation of a certificate", "hub/lifecycle/states.py", INSTALL),
    Drawn("Item: one node of an installation", "hub/lifecycle/states.py", ITEM),
    Drawn("Renewal", "hub/lifecycle/states.py", RENEWAL),
    Drawn("Key on its way", "hub/lifecycle/key_transfer_states.py", KEY_TRANSFER),
    Drawn("Command", "hub/fleet/states.py", COMMAND),
    Drawn("Scan", "hub/discovery/states.py", SCAN),
    Drawn("Domain and its delegation", "hub/organizations/states.py", DOMAIN),
    Drawn("Validation of an organization", "hub/organizations/states.py", VALIDATION),
    Drawn("Domain control validation", "hub/organizations/dcv/states.py", DCV),
    Drawn("Notification", "hub/notifications/states.py", DELIVERY),
    Drawn("Sign-in", "hub/access/signin/states.py", SIGN_IN),
    Drawn("Session of an agent with its hub", "agents/runtime/session_states.py", SESSION),
)


def document() -> str:
    """Return the whole page."""
    parts = [
        "# States",
        "Generated from the tables in the code by `make docs`. What is not drawn is refused.",
    ]
    for machine in MACHINES:
        parts += [f"## {machine.title}\n`{machine.module}`", diagram(machine.table)]
    return "\n\n".join(parts) + "\n"


def diagram(table: Mapping[tuple[Any, Any], Any]) -> str:
    """Return one table as a Mermaid state diagram; events between the same two states share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (state, event), row in table.items():
        arrows[_word(state), _word(row if isinstance(row, StrEnum) else row[0])].append(_word(event))
    names = sorted({name for pair in arrows for name in pair})
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{name}" as {_identifier(name)}' for name in names]
    for (origin, target), events in arrows.items():
        lines.append(f"    {_identifier(origin)} --> {_identifier(target)}: {', '.join(events)}")
    return "\n".join([*lines, "```"])


def _word(value: Any) -> str:
    return str(getattr(value, "value", value)).replace("_", " ")


def _identifier(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", name)


if __name__ == "__main__":
    TARGET.write_text(document())
