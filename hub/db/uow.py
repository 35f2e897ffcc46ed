"""Unit of work: one transaction that holds a change, its events and its notices.

Rooms take a :class:`UnitOfWork` and never commit; whoever opens it (a front door, a job, the control stream)
decides where the transaction ends. Raising anything inside rolls everything back: nothing is half-applied.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, event, exc, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from hub.db.clock import Clock, utc_now
from hub.db.engine import BUSY_TIMEOUT_MS, open_engine
from hub.db.notify import Notice, Notifier
from hub.db.outbox import Event, OutboxEvent

POSTGRES_CHANNEL = "certwright"
_WRITE = "certwright_write"
# The table, not the mapped class: nobody needs objects of these rows.
_INSERT_EVENTS = insert(OutboxEvent.__table__)  # type: ignore[arg-type]  # a table by its mapping
# Other transactions may commit between two ids: readers on PostgreSQL stop at the oldest open one, which they
# tell by this number.
_INSERT_EVENTS_OF_TRANSACTION = _INSERT_EVENTS.values(transaction_id=func.txid_current())
Flusher = Callable[["UnitOfWork", list[Any]], Awaitable[None]]
Follower = Callable[["UnitOfWork", Sequence[Event]], Awaitable[None]]


class UnitOfWork:
    """An open write transaction.

    ``session`` runs statements; ``now`` is the one time that all rows of this transaction carry.
    """

    def __init__(self, session: AsyncSession, now: datetime) -> None:
        self.session = session
        self.now = now
        self.events: list[Event] = []
        self.notices: list[Notice] = []
        self._noticed: set[Notice] = set()
        self._after_commit: list[Callable[[], None]] = []
        self._deferred: list[tuple[Flusher, Any]] = []
        self._flushing = False

    def emit(self, event_: Event) -> None:
        """Record that something happened; stored with the transaction."""
        self._refuse_while_flushing()
        self.events.append(event_)

    def notify(self, channel: str, payload: str = "") -> None:
        """Wake up the readers of ``channel``, in every replica, once this is committed."""
        self._refuse_while_flushing()
        notice = Notice(channel, payload)
        if notice not in self._noticed:
            self._noticed.add(notice)
            self.notices.append(notice)

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Run ``callback`` in this process after the commit; for memory, never for data."""
        self._after_commit.append(callback)

    def defer(self, flush: Flusher, item: Any) -> None:
        """Have ``flush`` store ``item``, with the others deferred to it, as the last act of the transaction.

        For rows that every transaction contends for, such as the head of the audit chain: taken last, their
        lock is held for a moment only and can't close a circle of waiters.
        """
        self._deferred.append((flush, item))

    async def flush_deferred(self) -> None:
        """Store what was deferred. Called by :class:`Database` only."""
        self._flushing = True
        by_flusher: dict[Flusher, list[Any]] = {}
        for flush, item in self._deferred:
            by_flusher.setdefault(flush, []).append(item)
        for flush, items in by_flusher.items():
            await flush(self, items)

    def _refuse_while_flushing(self) -> None:
        # Events are stored before what was deferred, so one that comes now would be lost without a word.
        if self._flushing:
            raise RuntimeError("what was deferred can't tell of anything: emit before the transaction ends")

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo the block's statements, events, notices and callbacks when it raises; the rest stays."""
        marks = len(self.events), len(self.notices), len(self._after_commit), len(self._deferred)
        try:
            async with self.session.begin_nested():
                yield
        except BaseException:
            del self.events[marks[0] :]
            self._noticed.difference_update(self.notices[marks[1] :])
            del self.notices[marks[1] :]
            del self._after_commit[marks[2] :]
            del self._deferred[marks[3] :]
            raise

    def committed(self) -> None:
        """Run the callbacks. Called by :class:`Database` only."""
        for callback in self._after_commit:
            callback()


class Database:
    """The one shared state of the hub: read and write transactions on an engine."""

    def __init__(
        self, engine: AsyncEngine, *, clock: Clock = utc_now, notifier: Notifier | None = None
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.notifier = notifier or Notifier()
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._followers: list[tuple[frozenset[str], Follower]] = []
        self._followed: frozenset[str] = frozenset()
        self._writing = engine.execution_options(**{_WRITE: True})
        # SQLite has one writer: queueing here is fair and costs nothing, unlike retrying on a busy file. When
        # another process holds the file, nobody waits here for the time of all who came before as well.
        self._writer = asyncio.Lock() if self.is_sqlite else None
        if self.is_sqlite:
            event.listen(engine.sync_engine, "begin", _begin_sqlite)

    @classmethod
    def open(cls, database_url: str, *, clock: Clock = utc_now) -> Database:
        """Open the database at ``database_url``."""
        return cls(open_engine(database_url), clock=clock)

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a read transaction: one consistent snapshot."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        """Open a unit of work; commits at the end of the block, rolls back when it raises.

        Raises:
            sqlalchemy.exc.TimeoutError, OperationalError: others kept the database locked for too long.
        """
        async with AsyncExitStack() as stack:
            if self._writer is not None:
                await _take_turn(self._writer)
                stack.callback(self._writer.release)
            session = await stack.enter_async_context(AsyncSession(self._writing, expire_on_commit=False))
            await stack.enter_async_context(session.begin())
            uow = UnitOfWork(session, self.clock())
            yield uow
            await self._follow(uow)
            await self._store_events(uow)
            await uow.flush_deferred()
        # After the stack: committed, and the writer's lock is free again.
        uow.committed()
        if self.is_sqlite:
            self.notifier.publish(uow.notices)

    def follow(self, kinds: Iterable[str], follower: Follower) -> None:
        """Have ``follower`` add its statements to every transaction that emits events of these kinds.

        It is given those events together, in their order, and may emit others; raising undoes everything.
        """
        wanted = frozenset(kinds)
        self._followers.append((wanted, follower))
        self._followed |= wanted

    async def _follow(self, uow: UnitOfWork) -> None:
        seen = 0
        while seen < len(uow.events):
            fresh = [item for item in uow.events[seen:] if item.kind in self._followed]
            seen = len(uow.events)
            if not fresh:
                continue
            for kinds, follower in self._followers:
                wanted = [item for item in fresh if item.kind in kinds]
                if wanted:
                    await follower(uow, wanted)

    async def _store_events(self, uow: UnitOfWork) -> None:
        if uow.events:
            uow.notify("events")
            await uow.session.flush()
            await uow.session.execute(
                _INSERT_EVENTS if self.is_sqlite else _INSERT_EVENTS_OF_TRANSACTION,
                [
                    {
                        "at": uow.now,
                        "kind": item.kind,
                        "object_type": item.object_type,
                        "object_id": item.object_id,
                        "organization_id": item.organization_id,
                        "department_id": item.department_id,
                        "certificate_type": item.certificate_type,
                        "data": item.data,
                    }
                    for item in uow.events
                ],
            )
        if uow.notices and not self.is_sqlite:
            for notice in uow.notices:
                body = json.dumps([notice.channel, notice.payload])
                await uow.session.execute(select(func.pg_notify(POSTGRES_CHANNEL, body)))

    async def check(self) -> None:
        """Run a trivial statement; raises what the driver raises when the database is away."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))


async def _take_turn(writer: asyncio.Lock) -> None:
    try:
        async with asyncio.timeout(BUSY_TIMEOUT_MS / 1000):
            await writer.acquire()
    except TimeoutError:
        raise exc.TimeoutError("others have been writing to the database all the time") from None


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITE, False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    driver: Any = connection.connection.driver_connection
    driver.begin_with_next()
