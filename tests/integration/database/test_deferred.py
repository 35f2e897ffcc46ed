"""What a unit of work defers to its end can no longer tell of anything, and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.db.outbox import Event
from hub.db.tables import all_tables
from hub.db.uow import Database, UnitOfWork

if TYPE_CHECKING:
    from pathlib import Path

EVENT = Event(kind="SomethingHappened", object_type="thing", object_id="1")


@pytest.mark.parametrize("tell", [lambda uow: uow.emit(EVENT), lambda uow: uow.notify("things")])
async def test_an_event_that_would_be_lost_is_refused(tmp_path: Path, tell) -> None:
    db = Database.open(f"sqlite:///{tmp_path}/hub.db")
    try:
        async with db.engine.begin() as connection:
            await connection.run_sync(all_tables().create_all)

        async def flush(uow: UnitOfWork, _items: list[object]) -> None:
            tell(uow)

        with pytest.raises(RuntimeError, match="emit before"):
            async with db.write() as uow:
                uow.defer(flush, None)
    finally:
        await db.close()
