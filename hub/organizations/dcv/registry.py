"""Finding validation methods and DNS writers: entry points, one file each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from hub.organizations.dcv.contract import DcvMethod, DnsWriter
from hub.organizations.dcv.errors import MethodUnknown, WriterKindUnknown
from hub.plugins import load_plugins

METHODS_GROUP = "certwright.dcv_methods"
WRITERS_GROUP = "certwright.dns_writers"

Methods = Mapping[str, DcvMethod]
WriterKinds = Mapping[str, type[DnsWriter]]


@cache
def installed_methods() -> Methods:
    """Return the installed methods by name."""
    methods: list[DcvMethod] = [load() for load in load_plugins(METHODS_GROUP)]
    return {method.facts.name: method for method in methods}


@cache
def installed_writers() -> WriterKinds:
    """Return the installed kinds of DNS writers by name."""
    kinds: list[type[DnsWriter]] = load_plugins(WRITERS_GROUP)
    return {kind.kind: kind for kind in kinds}


def method_named(methods: Methods, name: str) -> DcvMethod:
    """Return a method; raise MethodUnknown."""
    if name not in methods:
        raise MethodUnknown(f"{name[:64]!r} is none of {', '.join(sorted(methods))}", field="method")
    return methods[name]


def writer_kind(kinds: WriterKinds, name: str) -> type[DnsWriter]:
    """Return a kind of DNS writer; raise WriterKindUnknown."""
    if name not in kinds:
        raise WriterKindUnknown(f"{name[:64]!r} is none of {', '.join(sorted(kinds))}", field="kind")
    return kinds[name]
