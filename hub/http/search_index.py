"""What a big list needs beside its table to be searched quickly: an index that finds rows by part of a text.

Such an index is good at rare texts and bad at common ones, for which walking along the order of the list is
good: the first rows that match come soon. So a list first asks the index how many rows there are, up to
:data:`FEW`; so many are fetched and sorted, of more the list is walked. See :mod:`hub.http.pages`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

FEW = 10_000
"""So many rows are fetched and sorted about as soon as the first page of them is found by walking.

With a million rows a walk reads 100 for each that matches, 5,000 for a page.
"""


@dataclass(frozen=True, slots=True)
class Hits:
    """Rows with a text: how many, and which, if the index has told that at once.

    A ``count`` of more than :data:`FEW` may be guessed.
    """

    text: str
    count: int
    ids: Sequence[int] | None = None


class SearchIndex(Protocol):
    """Finds rows whose names contain a text: at least those that the list's own condition lets through."""

    min_length: int
    """Shorter texts it can't find."""

    columns: frozenset[str]
    """Columns of the list whose ``contains`` filters it narrows down; so does a search."""

    async def find(self, session: AsyncSession, text: str, *, up_to: int) -> Hits | None:
        """Look for rows with ``text``, for ``up_to`` at most; None when there is no index."""

    def among(self, hits: Hits, *, limit: int, postgresql: bool) -> ColumnElement[bool]:
        """Return the condition that a row is among the first ``limit`` of ``hits``."""

    def is_exact(self, text: str) -> bool:
        """Tell whether a search for ``text`` finds just the rows that have it."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the index knows of a text; ``exact``: a search for it finds just these rows."""

    hits: Hits
    exact: bool

    @property
    def common(self) -> bool:
        """Whether too many rows have it to fetch them all."""
        return self.hits.count > FEW


async def narrow(session: AsyncSession, index: SearchIndex, texts: Sequence[str]) -> Narrowed | None:
    """Ask the index for the longest of ``texts``, all of which a row must contain."""
    usable = [text for text in texts if len(text) >= index.min_length]
    if not usable:
        return None
    text = max(usable, key=len)
    hits = await index.find(session, text, up_to=FEW + 1)
    return None if hits is None else Narrowed(hits, index.is_exact(text))
