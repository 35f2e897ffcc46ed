"""Asking the index of trigrams; see :mod:`.trigrams` for how it is made and kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    any_,
    column,
    func,
    literal,
    or_,
    select,
    table,
)
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from hub.lifecycle.models import Certificate
from hub.lifecycle.searching.trigrams import POSTGRESQL_INDEX, TABLE

_FTS = table(TABLE, column("rowid"), column(TABLE))
_MAX_ID = 2**63
_EXISTS = {
    "sqlite": ("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name", TABLE),
    "postgresql": ("SELECT 1 FROM pg_indexes WHERE indexname = :name", POSTGRESQL_INDEX),
}
_ASK_AGAIN_S = 300.0


def number_in(wanted: str) -> int | None:
    """Return the id that a search text may mean."""
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 20 else _MAX_ID
    return number if number < _MAX_ID else None


def search(wanted: str) -> ColumnElement[bool]:
    """Return the condition that one of a certificate's names contains ``wanted``, or that it is its id."""
    names = Certificate.search_names.contains(wanted.lower(), autoescape=True)
    number = number_in(wanted)
    return names if number is None else or_(names, Certificate.id == number)


def search_custom(wanted: str) -> ColumnElement[bool]:
    """Return the condition that a name or the value of a custom field contains ``wanted``."""
    return or_(search(wanted), Certificate.search_custom.contains(wanted.lower(), autoescape=True))


def search_number(wanted: str) -> ColumnElement[bool] | None:
    """Return what a text too short for a search can mean: an id."""
    number = number_in(wanted)
    return None if number is None else Certificate.id == number


class NameIndex:
    """The index of the names in ``search_names`` and ``search_custom``."""

    min_length = 3
    columns = frozenset({"common_name", "subject_alternative_names"})

    def __init__(self) -> None:
        self._missing_until: dict[str, float] = {}
        self._there: set[str] = set()

    async def ids(self, session: AsyncSession, text: str, *, limit: int) -> list[int] | None:
        """Return the ids of up to ``limit`` certificates with ``text`` in a name; None without an index."""
        if not await self._exists(session):
            return None
        hits = self.hits(text, limit=limit, postgresql=_is_postgresql(session))
        ids = list((await session.execute(select(hits.c.id))).scalars())
        number = number_in(text)
        return ids if number is None else [*ids, number]

    def is_one_of(self, ids: Sequence[int], *, postgresql: bool) -> ColumnElement[bool]:
        """Return the condition that a certificate is one of these."""
        if postgresql:
            condition: ColumnElement[bool] = Certificate.id == any_(literal(list(ids), ARRAY(BigInteger)))
            return condition
        listed = func.json_each(str(list(ids))).table_valued("value")
        return Certificate.id.in_(select(listed.c.value))

    def hits(self, text: str, *, limit: int, postgresql: bool) -> Any:
        """Return a subquery of the ids of certificates with ``text`` in a name."""
        wanted = text.lower()
        if postgresql:
            found = select(Certificate.id).where(
                or_(
                    Certificate.search_names.contains(wanted, autoescape=True),
                    Certificate.search_custom.contains(wanted, autoescape=True),
                )
            )
        else:
            phrase = '"' + wanted.replace('"', '""') + '"'
            found = select(_FTS.c.rowid.label("id")).where(_FTS.c[TABLE].op("MATCH")(phrase))
        return found.limit(limit).subquery("hits")

    async def _exists(self, session: AsyncSession) -> bool:
        bind = session.get_bind()
        key = str(bind.engine.url)
        if key in self._there:
            return True
        if time.monotonic() < self._missing_until.get(key, 0.0):
            return False
        statement, name = _EXISTS[bind.dialect.name]
        if await session.scalar(sql(statement), {"name": name}):
            self._there.add(key)
            return True
        self._missing_until[key] = time.monotonic() + _ASK_AGAIN_S
        return False


def _is_postgresql(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"


NAMES = NameIndex()
