"""Reading the counts of somebody's scope: sums, and the changes that are not folded into them yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.lifecycle.figures.folding import DIMENSIONS, sums
from hub.lifecycle.figures.models import CertificateChange, CertificateCount
from hub.lifecycle.figures.places import ALL, Place, covers, of_changes, of_counts

_COUNTS: Any = CertificateCount.__table__.c
_CHANGES: Any = CertificateChange.__table__.c


@dataclass(frozen=True, slots=True)
class Counts:
    """How many certificates have a value in a dimension and a status."""

    amounts: Mapping[str, Mapping[tuple[str, str], int]] = field(default_factory=dict)

    def of(self, dimension: str, statuses: Iterable[str] | None = None) -> dict[str, int]:
        """Return the amounts by value, of certificates in ``statuses`` (None: in any); none is zero."""
        wanted = None if statuses is None else frozenset(statuses)
        by_value: Counter[str] = Counter()
        for (value, status), amount in self.amounts.get(dimension, {}).items():
            if wanted is None or status in wanted:
                by_value[value] += amount
        return {value: amount for value, amount in by_value.items() if amount}

    def by_status(self) -> dict[str, int]:
        """Return the amounts by status."""
        return {
            status: amount for (_value, status), amount in self.amounts.get("total", {}).items() if amount
        }


async def in_one_snapshot(session: AsyncSession) -> None:
    """Let the session's statements see one state of the database; before its first statement.

    SQLite's transactions do that anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


async def read_counts(
    session: AsyncSession,
    places: list[Place],
    *,
    dimensions: Iterable[str] = tuple(DIMENSIONS),
    since: Mapping[str, str] | None = None,
) -> Counts:
    """Return the counts of ``places``; ``since`` leaves out smaller values of a dimension.

    The session must be :func:`in_one_snapshot`, or certificates may be counted twice while they are folded.
    """
    amounts: dict[str, Counter[tuple[str, str]]] = {}
    for dimension, value, status, amount in await _rows(session, places, tuple(dimensions), since or {}):
        amounts.setdefault(dimension, Counter())[value, status] += amount
    return Counts(amounts)


async def _rows(
    session: AsyncSession, places: list[Place], dimensions: tuple[str, ...], since: Mapping[str, str]
) -> list[tuple[str, str, str, int]]:
    plain = [name for name in dimensions if name not in since and name != "organization"]
    conditions = [_COUNTS.dimension.in_(plain)]
    conditions += [
        (_COUNTS.dimension == name) & (_COUNTS.value >= since[name]) for name in dimensions if name in since
    ]
    everything = any(place.kind == ALL for place in places)
    if everything and "organization" in dimensions:
        conditions.append(_COUNTS.dimension == "organization")
    folded = await session.execute(
        select(_COUNTS.dimension, _COUNTS.value, _COUNTS.status, func.sum(_COUNTS.amount))
        .where(of_counts(places, _COUNTS), or_(*conditions))
        .group_by(_COUNTS.dimension, _COUNTS.value, _COUNTS.status)
    )
    rows = [(row[0], row[1], row[2], int(row[3])) for row in folded.all()]
    if not everything and "organization" in dimensions:
        rows += await _by_organization(session, places)
    changes = (
        await session.execute(select(CertificateChange.__table__).where(of_changes(places, _CHANGES)))
    ).all()
    rows += _unfolded(changes, places, dimensions, since)
    return rows


async def _by_organization(session: AsyncSession, places: list[Place]) -> list[tuple[str, str, str, int]]:
    """Return the totals of organizations one by one; of whole organizations only."""
    own = [place for place in places if place.kind == "organization"]
    totals = await session.execute(
        select(_COUNTS.place_id, _COUNTS.status, func.sum(_COUNTS.amount))
        .where(of_counts(own, _COUNTS), _COUNTS.dimension == "total")
        .group_by(_COUNTS.place_id, _COUNTS.status)
    )
    return [("organization", str(place_id), status, int(amount)) for place_id, status, amount in totals.all()]


def _unfolded(
    changes: Iterable[Any], places: list[Place], dimensions: tuple[str, ...], since: Mapping[str, str]
) -> Iterator[tuple[str, str, str, int]]:
    for cell, amount in sums(changes).items():
        if not covers(places, cell.place, cell.place_id, cell.type):
            continue
        if cell.dimension in dimensions and cell.value >= since.get(cell.dimension, ""):
            yield cell.dimension, cell.value, cell.status, amount
        if cell.dimension == "total" and cell.place == "organization" and "organization" in dimensions:
            yield "organization", str(cell.place_id), cell.status, amount
