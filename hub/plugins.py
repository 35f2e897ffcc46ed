"""Loading plug-ins: the entry points of a group. One that can't be loaded is left out and said in the log."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import structlog

_log = structlog.get_logger(__name__)


def load_plugins(group: str) -> list[Any]:
    """Return what the entry points of ``group`` name.

    A broken package of somebody else must not keep the hub from starting: what it offers is missing, as if
    it were not installed.
    """
    loaded = []
    for point in entry_points(group=group):
        try:
            loaded.append(point.load())
        except Exception as error:  # noqa: BLE001 - whatever a foreign module raises while it is imported
            _log.error("plugin_broken", group=group, plugin=point.name, exc_info=error)
    return loaded
