"""Asking the index of trigrams; see :mod:`.trigrams` for how it is made and kept."""

from __future__ import annotations

import json
import time
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ClauseElement,
    ColumnElement,
    Executable,
    Select,
    and_,
    any_,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
)
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased

from hub.http.search_index import Hits
from hub.lifecycle.models import Certificate
from hub.lifecycle.searching.trigrams import JOINER, MARKS, POSTGRESQL_INDEX, TABLE

_FTS = table(TABLE, column("rowid"), column(TABLE))
_MAX_ID = 2**63
_EXISTS = {
    "sqlite": ("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name", TABLE),
    "postgresql": ("SELECT 1 FROM pg_indexes WHERE indexname = :name", POSTGRESQL_INDEX),
}
_ASK_AGAIN_S = 300.0
# PostgreSQL's guess of a frequency rests on a thousand names: three times as many as asked for are enough.
_SURELY = 3
_OTHER = aliased(Certificate)
_JOINING = str.maketrans(dict.fromkeys(MARKS, JOINER))


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

    async def find(self, session: AsyncSession, text: str, *, up_to: int) -> Hits | None:
        """Look for certificates with ``text`` in a name, for ``up_to`` at most; None without an index."""
        if not await self._exists(session):
            return None
        found = _having(text, limit=up_to, postgresql=_is_postgresql(session))
        if not _is_postgresql(session):
            count = await session.scalar(select(func.count()).select_from(found.subquery()))
            return Hits(text, int(count or 0))
        if await _guess(session, text) > _SURELY * up_to:
            return Hits(text, up_to)
        ids = (await session.execute(found)).scalars().all()
        return Hits(text, len(ids), ids)

    def among(self, hits: Hits, *, limit: int, postgresql: bool) -> ColumnElement[bool]:
        """Return the condition that a certificate is among the first of ``hits``, or has this id."""
        if hits.ids is not None:
            found: ColumnElement[bool] = Certificate.id == any_(literal(list(hits.ids), ARRAY(BigInteger)))
        else:
            found = Certificate.id.in_(_having(hits.text, limit=limit, postgresql=postgresql))
        number = number_in(hits.text)
        return found if number is None else or_(found, Certificate.id == number)

    def is_exact(self, text: str) -> bool:
        """Tell whether nothing but names is searched for ``text``."""
        return number_in(text) is None

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


def _having(text: str, *, limit: int, postgresql: bool) -> Any:
    wanted = text.lower()
    if not postgresql:
        phrase = '"' + wanted.replace('"', '""') + '"'
        matching = select(_FTS.c.rowid.label("id")).where(_FTS.c[TABLE].op("MATCH")(phrase))
        return matching.limit(limit)
    # Another name for the same table: the condition may stand within a SELECT of certificates.
    return select(_OTHER.id).where(_named(wanted)).limit(limit)


def _named(wanted: str) -> ColumnElement[bool]:
    whole = [
        func.translate(
            column, literal_column(f"'{MARKS}'"), literal_column(f"'{JOINER * len(MARKS)}'")
        ).contains(wanted.translate(_JOINING), autoescape=True)
        for column in (_OTHER.search_names, _OTHER.search_custom)
    ]
    if not {*MARKS, JOINER} & set(wanted):
        return or_(*whole)
    # A mark and the letter that stands for it look the same to the index.
    exact = [
        column.contains(wanted, autoescape=True) for column in (_OTHER.search_names, _OTHER.search_custom)
    ]
    return or_(*(and_(*both) for both in zip(whole, exact, strict=True)))


async def _guess(session: AsyncSession, text: str) -> float:
    """Return how many certificates PostgreSQL thinks have ``text``, from the samples it keeps.

    To count the rows of a common text with the index it has to read of all of them, however few are wanted.
    """
    plan = await session.scalar(_Explained(select(_OTHER.id).where(_named(text.lower()))))
    return float((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"])


class _Explained(Executable, ClauseElement):
    inherit_cache = False

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement


@compiles(_Explained, "postgresql")
def _explain(element: _Explained, compiler: Any, **options: Any) -> str:
    return f"EXPLAIN (FORMAT JSON) {compiler.process(element.statement, **options)}"


def _is_postgresql(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"


NAMES = NameIndex()
