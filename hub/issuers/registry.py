"""Finding CA backends: every entry point of the group ``certwright.ca_backends`` is a kind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from hub.issuers.contract import CaBackend
from hub.issuers.errors import UnknownBackendKind
from hub.plugins import load_plugins

GROUP = "certwright.ca_backends"

BackendKinds = Mapping[str, type[CaBackend]]


@cache
def installed_kinds() -> BackendKinds:
    """Return the kinds that are installed, by the ``kind`` that each class says it is."""
    classes: list[type[CaBackend]] = load_plugins(GROUP)
    return {item.kind: item for item in classes}


def kind_named(kinds: BackendKinds, kind: str) -> type[CaBackend]:
    """Return a kind's class; raise UnknownBackendKind."""
    if kind not in kinds:
        raise UnknownBackendKind(f"no CA backend of kind {kind!r} is installed", field="kind")
    return kinds[kind]
