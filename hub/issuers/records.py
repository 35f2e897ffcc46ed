"""The room's typed values: what other rooms and the routes are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendRecord:
    """One configured CA backend, without its secrets. ``status``: "active" or "disabled"."""

    id: int
    name: str
    kind: str
    settings: dict[str, Any]
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CrlRecord:
    """The facts of a revocation list that is out; ``shard`` 0: the authority's only one."""

    authority_id: int
    shard: int
    number: int
    entries: int
    this_update: datetime
    next_update: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityRecord:
    """One authority of a private backend, with the facts of its CRLs."""

    id: int
    role: str
    slug: str
    certificate: bytes = field(repr=False)
    not_before: datetime
    not_after: datetime
    crl_shards: int
    crl_base: str
    crls: tuple[CrlRecord, ...] = ()
