"""Finding notifiers: entry points, one file each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from hub.notifications.errors import ChannelKindUnknown
from hub.notifications.notifiers.contract import Notifier
from hub.plugins import load_plugins

GROUP = "certwright.notifiers"

Kinds = Mapping[str, type[Notifier]]


@cache
def installed_notifiers() -> Kinds:
    """Return the installed kinds by name."""
    kinds: list[type[Notifier]] = load_plugins(GROUP)
    return {kind.kind: kind for kind in kinds}


def notifier_kind(kinds: Kinds, name: str) -> type[Notifier]:
    """Return a kind; raise ChannelKindUnknown."""
    if name not in kinds:
        raise ChannelKindUnknown(f"{name[:64]!r} is none of {', '.join(sorted(kinds))}", field="kind")
    return kinds[name]
