"""What a big list needs beside its table to be searched quickly: an index that finds rows by part of a text.

Such an index is good at rare texts and bad at common ones, for which walking along the order of the list is
good: the first rows that match come soon. So a list asks the index for a few rows (:data:`FEW`); if there are
no more, they are fetched and sorted, otherwise the list is walked. See :mod:`hub.http.pages`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

FEW = 2000
"""So many rows are fetched and sorted sooner than the first page of them is found by walking."""


class SearchIndex(Protocol):
    """Finds rows whose names contain a text, at least as many as the list's own condition lets through."""

    min_length: int
    """Shorter texts it can't find."""

    columns: frozenset[str]
    """Columns of the list whose ``contains`` filters it narrows down; so does a search."""

    async def ids(self, session: AsyncSession, text: str, *, limit: int) -> list[int] | None:
        """Return the ids of up to ``limit`` rows in no particular order; None when there is no index."""

    def is_one_of(self, ids: Sequence[int], *, postgresql: bool) -> ColumnElement[bool]:
        """Return the condition that a row is one of these."""

    def hits(self, text: str, *, limit: int, postgresql: bool) -> Any:
        """Return a subquery with the column ``id`` of up to ``limit`` rows, to count those that match."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the index knows: the rows, if they are few, else the text that is common."""

    condition: ColumnElement[bool] | None = None
    common: str | None = None


async def narrow(session: AsyncSession, index: SearchIndex, texts: Sequence[str]) -> Narrowed:
    """Ask the index for the rows of the longest of ``texts``, all of which a row must contain."""
    usable = [text for text in texts if len(text) >= index.min_length]
    if not usable:
        return Narrowed()
    text = max(usable, key=len)
    ids = await index.ids(session, text, limit=FEW + 1)
    if ids is None:
        return Narrowed()
    if len(ids) > FEW:
        return Narrowed(common=text)
    postgresql = session.get_bind().dialect.name == "postgresql"
    return Narrowed(condition=index.is_one_of(ids, postgresql=postgresql))
