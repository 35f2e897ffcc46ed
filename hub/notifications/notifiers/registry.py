"""Finding notifiers: entry points, one file each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points

from hub.notifications.errors import ChannelKindUnknown
from hub.notifications.notifiers.contract import Notifier

GROUP = "certwright.notifiers"

Kinds = Mapping[str, type[Notifier]]


@cache
def installed_notifiers() -> Kinds:
    """Return the installed kinds by name."""
    kinds: list[type[Notifier]] = [point.load() for point in entry_points(group=GROUP)]
    return {kind.kind: kind for kind in kinds}


def notifier_kind(kinds: Kinds, name: str) -> type[Notifier]:
    """Return a kind; raise ChannelKindUnknown."""
    if name not in kinds:
        raise ChannelKindUnknown(f"{name[:64]!r} is none of {', '.join(sorted(kinds))}", field="kind")
    return kinds[name]
