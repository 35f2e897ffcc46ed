"""The room's typed values: what other rooms and the routes are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class HealthState(StrEnum):
    """How a backend fares."""

    UNKNOWN = "unknown"
    """It was never asked."""
    OK = "ok"
    DEGRADED = "degraded"
    """It failed the last time, or the last two."""
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a backend fares. ``last_error`` is what the last failure said."""

    state: HealthState = HealthState.UNKNOWN
    failures: int = 0
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_error: str = ""


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
    parent_id: int | None = None
    trial_until: datetime | None = None
    retired_at: datetime | None = None
    key_store: str = "software"
    """Where its key is: "software", "hsm" or "offline"."""
    crls: tuple[CrlRecord, ...] = ()
