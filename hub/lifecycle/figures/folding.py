"""Folding changes into counts: a few thousand changes become a few dozen additions.

Runs in the background of every replica; one at a time does it, the others find nothing to do. Readers add
what is not folded yet (:func:`cells_of`), so when it runs, and whether, changes no figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import structlog
from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import Database
from hub.db.upsert import insert_for
from hub.lifecycle.figures.models import CertificateChange, CertificateCount

_log = structlog.get_logger(__name__)

FOLD_AT_ONCE = 5000
_ROWS_A_STATEMENT = 500
_CHANGES: Any = CertificateChange.__table__
_COUNTS: Any = CertificateCount.__table__
# One replica folds at a time: two that add to the same counts would wait for each other anyway.
_POSTGRES_LOCK = 0x63657275

DIMENSIONS: dict[str, str] = {
    "total": "",
    "organization": "organization_id",
    "profile": "profile_id",
    "expiry_day": "expiry_day",
    "requested_month": "requested_month",
    "issued_month": "issued_month",
    "authority": "authority",
    "key_type": "key_type",
    "signature_algorithm": "signature_algorithm",
    "term_days": "term_days",
}
"""What certificates are counted by -> the column of a change; ``total`` by type and status alone."""


_counted = attrgetter(
    "organization_id", "department_id", "type", "status", *filter(None, DIMENSIONS.values())
)


class Cell(NamedTuple):
    """The key of a count."""

    place: str
    place_id: int
    dimension: str
    value: str
    type: str
    status: str


def cells_of(change: Any) -> Iterator[Cell]:
    """Yield the counts to which a change adds its amount."""
    places = [("all", 0)]
    if change.organization_id is not None:
        places.append(("organization", change.organization_id))
    if change.department_id is not None:
        places.append(("department", change.department_id))
    for dimension, column in DIMENSIONS.items():
        value = getattr(change, column) if column else ""
        written = "" if value is None else str(value)
        for place, place_id in places:
            if dimension != "organization" or place == "all":
                yield Cell(place, place_id, dimension, written, change.type, change.status)


def sums(changes: Iterable[Any]) -> Counter[Cell]:
    """Return what the changes add up to, by count."""
    # What was changed together is much alike: most changes differ in nothing that is counted.
    alike: dict[tuple[Any, ...], tuple[Any, int]] = {}
    for change in changes:
        key = _counted(change)
        alike[key] = change, alike.get(key, (change, 0))[1] + change.amount
    added: Counter[Cell] = Counter()
    for change, amount in alike.values():
        for cell in cells_of(change):
            added[cell] += amount
    return added


async def fold(db: Database, *, at_most: int = FOLD_AT_ONCE) -> int:
    """Fold the oldest changes; return how many there were."""
    async with db.read() as session:
        if (await session.execute(select(_CHANGES.c.id).limit(1))).first() is None:
            return 0
    async with db.write() as uow:
        if not await _is_mine(uow.session, sqlite=db.is_sqlite):
            return 0
        changes = (await uow.session.execute(select(_CHANGES).order_by(_CHANGES.c.id).limit(at_most))).all()
        if changes:
            await _add(uow.session, sums(changes))
            await _remove(uow.session, [change.id for change in changes])
    return len(changes)


async def fold_all(db: Database) -> int:
    """Fold until nothing is left; return how many changes there were."""
    total = 0
    while folded := await fold(db):
        total += folded
    return total


async def _is_mine(session: AsyncSession, *, sqlite: bool) -> bool:
    if sqlite:
        return True
    taken = await session.scalar(text(f"SELECT pg_try_advisory_xact_lock({_POSTGRES_LOCK})"))
    return bool(taken)


async def _add(session: AsyncSession, added: Counter[Cell]) -> None:
    rows = [{**cell._asdict(), "amount": amount} for cell, amount in sorted(added.items()) if amount]
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        statement = insert_for(session, _COUNTS)
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=list(Cell._fields),
                set_={"amount": _COUNTS.c.amount + statement.excluded.amount},
            ),
            rows[start : start + _ROWS_A_STATEMENT],
        )


async def _remove(session: AsyncSession, ids: Sequence[int]) -> None:
    # By id, one by one: on PostgreSQL changes of transactions still open may lie between them.
    for start in range(0, len(ids), _ROWS_A_STATEMENT):
        await session.execute(
            delete(_CHANGES).where(_CHANGES.c.id.in_(ids[start : start + _ROWS_A_STATEMENT]))
        )


async def backlog(session: AsyncSession) -> int:
    """Return how many changes wait to be folded."""
    return int(await session.scalar(select(func.count()).select_from(_CHANGES)) or 0)
