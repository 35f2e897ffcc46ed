"""PostgreSQL's LISTEN: notices of other replicas reach this process's :class:`~hub.db.notify.Notifier`."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import structlog
from sqlalchemy.engine import make_url

from hub.db.notify import Notice, Notifier
from hub.db.uow import POSTGRES_CHANNEL

_log = structlog.get_logger(__name__)
_RETRY_S = 2.0


async def listen(database_url: str, notifier: Notifier) -> None:
    """Feed ``notifier`` until cancelled; reconnects when the connection is lost."""
    dsn = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        try:
            await _listen_once(dsn, notifier)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("database_listen_lost", error=str(error))
        await asyncio.sleep(_RETRY_S)


async def _listen_once(dsn: str, notifier: Notifier) -> None:
    connection = await asyncpg.connect(dsn)
    closed = asyncio.Event()

    def on_notice(_connection: object, _pid: int, _channel: str, payload: str) -> None:
        channel, value = json.loads(payload)
        notifier.publish([Notice(channel, value)])

    def on_close(_connection: Any) -> None:
        closed.set()

    try:
        connection.add_termination_listener(on_close)
        await connection.add_listener(POSTGRES_CHANNEL, on_notice)
        await closed.wait()
    finally:
        if not connection.is_closed():
            await connection.close()
