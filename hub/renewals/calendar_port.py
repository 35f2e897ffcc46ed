"""When renewals may not start: what the planner asks, and what the rooms of freezes and windows answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession


class IntervalKind(StrEnum):
    """What an interval of the calendar says about renewals."""

    FREEZE = "freeze"
    """Nothing starts in it."""
    WINDOW = "window"
    """A maintenance window. As soon as one is given, renewals start in windows only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A time from ``start`` up to but not including ``end``; ``name`` is what people call it."""

    start: datetime
    end: datetime
    name: str
    kind: IntervalKind = IntervalKind.FREEZE


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCertificate:
    """A certificate as the planner and the calendar see it.

    ``agent_ids`` are the agents that make its key or install it.
    """

    id: int
    not_before: datetime
    not_after: datetime
    serial_hex: str = ""
    common_name: str = ""
    organization_id: int | None = None
    department_id: int | None = None
    profile_id: int | None = None
    backend_id: int | None = None
    agent_ids: tuple[str, ...] = ()


class RenewalCalendar(Protocol):
    """Freezes and maintenance windows."""

    async def closed(
        self, session: AsyncSession, certificate: PlannedCertificate, begin: datetime, end: datetime
    ) -> Sequence[Interval]:
        """Return what concerns a certificate between two times; windows that are open at ``begin`` too."""


class EmptyCalendar:
    """No freezes and no windows: renewals start whenever they are due."""

    async def closed(
        self,
        session: AsyncSession,  # noqa: ARG002 - the port's signature
        certificate: PlannedCertificate,  # noqa: ARG002 - the port's signature
        begin: datetime,  # noqa: ARG002 - the port's signature
        end: datetime,  # noqa: ARG002 - the port's signature
    ) -> Sequence[Interval]:
        """Return nothing."""
        return ()
