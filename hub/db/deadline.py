"""A time by which a statement has to be done: nobody's list may keep the database busy for minutes.

SQLite asks every so many steps of its virtual machine whether to go on (see :mod:`hub.db.sqlite_driver` and
https://sqlite.org/c3ref/progress_handler.html); PostgreSQL cancels by itself (``statement_timeout``).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.errors import Unavailable

_QUERY_CANCELED = "57014"
# Until the transaction ends. From the sixth time on PostgreSQL may take a plan that is made for any value at
# all, which suits common ones.
_POSTGRESQL_SETTINGS = text(
    "SELECT set_config('statement_timeout', :timeout, true),"
    " set_config('plan_cache_mode', 'force_custom_plan', true)"
)


class TooSlow(Unavailable):
    """This would take too long: it reads too many rows. Narrow it down, or sort by another column."""

    code = "too_slow"

    def __init__(self, message: str | None = None) -> None:
        # Asking the same again soon is not going to be faster.
        super().__init__(message, retry_after_s=60)


@asynccontextmanager
async def deadline(session: AsyncSession, seconds: float) -> AsyncIterator[None]:
    """Give the statements of the block ``seconds`` altogether (SQLite) or each (PostgreSQL).

    On PostgreSQL each is planned for the values that it is about, too. For sessions that only read: after
    :class:`TooSlow` the transaction may have to be rolled back.

    Raises:
        TooSlow: the time is over.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(_POSTGRESQL_SETTINGS, {"timeout": f"{max(int(seconds * 1000), 1)}"})
        try:
            yield
        except exc.DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _QUERY_CANCELED:
                raise TooSlow from error
            raise
        return
    driver = await _driver(session)
    before, driver.deadline = driver.deadline, time.monotonic() + seconds
    try:
        yield
    except exc.OperationalError as error:
        if str(error.orig) == "interrupted":
            raise TooSlow from error
        raise
    finally:
        driver.deadline = before


async def _driver(session: AsyncSession) -> Any:
    connection = await session.connection()
    return (await connection.get_raw_connection()).driver_connection
