"""Finding server installers: every entry point of the group `certwright.server_installers`.

The name of the entry point is the kind of server. Packages of third parties add kinds by an entry point of
their own; a frozen build carries the metadata of this distribution, so the same way works there.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agents.network.installers.contract import ServerInstaller

GROUP = "certwright.server_installers"


def load_installers() -> Mapping[str, ServerInstaller]:
    """One installer object a kind of server."""
    return {point.name: cast("ServerInstaller", point.load()()) for point in entry_points(group=GROUP)}
