"""Group commit for what agents report: one transaction for all that has come in meanwhile.

A commit waits about a millisecond for the disk whether it holds one report or three hundred. Each stream
hands over one entry at a time and waits for its answer, so entries of one agent stay in order, and nothing is
acknowledged before it is committed. When a group fails it is cut in halves until the one entry that can't be
written stands alone; only its stream hears of it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.db.errors import HubError, Unavailable
from hub.db.uow import Database, UnitOfWork
from hub.fleet.errors import LedgerClosed

GROUP = 300

AnswerT_co = TypeVar("AnswerT_co", covariant=True)
AnswerT = TypeVar("AnswerT")
_log = structlog.get_logger(__name__)


class Entry(Protocol[AnswerT_co]):
    """Something to be recorded. The type parameter is what its recorder answers."""

    def answer_type(self) -> AnswerT_co:
        """Never called: carries the answer's type."""
        ...


Recorder = Callable[[UnitOfWork, Sequence[Any]], Awaitable[Sequence[Any]]]
"""Writes entries of one type; returns an answer, or a HubError to be raised, for each."""

_Waiting = tuple[Any, "asyncio.Future[Any] | None"]


class Ledger:
    """Collects entries and writes them in groups. ``recorders`` run in the order of the mapping."""

    def __init__(self, db: Database, recorders: dict[type, Recorder]) -> None:
        self._db = db
        self._recorders = recorders
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._closed = False

    async def submit(self, entry: Entry[AnswerT]) -> AnswerT:
        """Record ``entry`` and return its recorder's answer, after the commit.

        Raises:
            HubError: the recorder refused it, or the database is away.
        """
        if self._closed:
            raise LedgerClosed
        future: asyncio.Future[AnswerT] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, future))
        self._arrived.set()
        return await future

    def post(self, entry: Entry[Any]) -> None:
        """Record ``entry`` soon; nobody waits for it."""
        self._waiting.append((entry, None))
        self._arrived.set()

    async def run(self) -> None:
        """Write groups until :meth:`close`, and then what is left."""
        while not self._closed or self._waiting:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                size = min(GROUP, len(self._waiting))
                await self._commit([self._waiting.popleft() for _ in range(size)])

    def close(self) -> None:
        """Take no more entries; :meth:`run` ends once the present ones are written."""
        self._closed = True
        self._arrived.set()

    async def _commit(self, group: list[_Waiting]) -> None:
        try:
            answers = await self._write([entry for entry, _ in group])
        except Exception as error:  # noqa: BLE001 - border: job runner
            if _database_is_away(error):
                _log.warning("ledger_database_away", entries=len(group), error=str(error))
                _answer_all(group, Unavailable("the hub's database can't be written now"))
            else:
                await self._divide(group, error)
        else:
            for (_, future), answer in zip(group, answers, strict=True):
                _answer(future, answer)

    async def _divide(self, group: list[_Waiting], error: Exception) -> None:
        if len(group) == 1:
            _log.exception("ledger_entry_failed", entry=type(group[0][0]).__name__)
            refusal = error if isinstance(error, HubError) else HubError("the report could not be stored")
            _answer_all(group, refusal)
            return
        middle = len(group) // 2
        await self._commit(group[:middle])
        await self._commit(group[middle:])

    async def _write(self, entries: list[Any]) -> list[Any]:
        places: dict[type, list[int]] = defaultdict(list)
        for place, entry in enumerate(entries):
            places[type(entry)].append(place)
        answers: list[Any] = [None] * len(entries)
        async with self._db.write() as uow:
            for kind, record in self._recorders.items():
                if kind in places:
                    given = await record(uow, [entries[place] for place in places[kind]])
                    for place, answer in zip(places[kind], given, strict=True):
                        answers[place] = answer
        return answers


def _database_is_away(error: Exception) -> bool:
    """Whether no entry could be written now, so that dividing the group would only cost time."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or "database is locked" in str(error.orig)
    return isinstance(error, PoolTimeout | OSError)


def _answer(future: asyncio.Future[Any] | None, answer: Any) -> None:
    if future is None or future.done():
        return
    if isinstance(answer, HubError):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _answer_all(group: list[_Waiting], error: HubError) -> None:
    for _, future in group:
        _answer(future, error)
