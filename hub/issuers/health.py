"""How CA backends fare: learnt from what the hub orders anyway, and from a test of each every few minutes.

One row a backend. A success is written once a minute at most, so that a CA which issues a thousand
certificates a second pays for none of it; a failure always. Three failures in a row, and the CA counts as
down: new orders go to the profile's next backend, or wait without asking until a test finds it up again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.errors import HubError, Unavailable
from hub.db.outbox import Event
from hub.db.uow import Database, UnitOfWork
from hub.db.upsert import insert_for
from hub.issuers.contract import CaBackend
from hub.issuers.models import CaBackendHealth, CaBackendRow
from hub.issuers.records import Health, HealthState
from pki.errors import PkiError

DOWN_AFTER = 3
"""So many failures in a row, and a backend counts as down."""
CHECK_EVERY = timedelta(minutes=5)
CHECK_ILL_EVERY = timedelta(minutes=1)
TEST_LIMIT_S = 30.0
_SUCCESS_EVERY = timedelta(minutes=1)
_MESSAGE_LIMIT = 1000

_log = structlog.get_logger(__name__)


NEVER_ASKED = Health()
_COLUMNS = (
    CaBackendHealth.backend_id,
    CaBackendHealth.failures,
    CaBackendHealth.last_success_at,
    CaBackendHealth.last_failure_at,
    CaBackendHealth.last_error,
)


def state_of(failures: int, last_success_at: datetime | None) -> HealthState:
    """Return the state that so many failures in a row mean."""
    if failures >= DOWN_AFTER:
        return HealthState.DOWN
    if failures:
        return HealthState.DEGRADED
    return HealthState.OK if last_success_at else HealthState.UNKNOWN


class HealthBook:
    """Reads and writes the health of backends. ``backend``: opens one, as for an order."""

    def __init__(self, db: Database, backend: Callable[[AsyncSession, int], Awaitable[CaBackend]]) -> None:
        self._db = db
        self._backend = backend
        # Backends that this replica knows to be well, and since when that is written down.
        self._noted: dict[int, datetime] = {}

    async def of(self, session: AsyncSession, backend_ids: Collection[int]) -> Mapping[int, Health]:
        """Return the health of backends by id; one that was never asked is UNKNOWN."""
        found = dict.fromkeys(backend_ids, NEVER_ASKED)
        rows = await session.execute(
            select(*_COLUMNS).where(CaBackendHealth.backend_id.in_(list(backend_ids)))
        )
        for row in rows:
            values = row._asdict()
            backend_id = values.pop("backend_id")
            found[backend_id] = Health(state=state_of(row.failures, row.last_success_at), **values)
        return found

    async def succeeded(self, uow: UnitOfWork, backend_id: int) -> None:
        """Note that a backend answered."""
        noted = self._noted.get(backend_id)
        if noted is not None and uow.now - noted < _SUCCESS_EVERY:
            return
        before = (await self.of(uow.session, [backend_id]))[backend_id]
        values = {
            "failures": 0,
            "last_success_at": uow.now,
            "check_at": uow.now + CHECK_EVERY,
        }
        await self._write(uow, backend_id, values)
        uow.after_commit(lambda: self._noted.__setitem__(backend_id, uow.now))
        if before.state is HealthState.DOWN:
            _tell(uow, "CaBackendUp", backend_id, "")

    async def failed(self, uow: UnitOfWork, backend_id: int, message: str) -> None:
        """Note that a backend could not be asked, or could not answer."""
        self._noted.pop(backend_id, None)
        before = (await self.of(uow.session, [backend_id]))[backend_id]
        values = {
            "failures": before.failures + 1,
            "last_failure_at": uow.now,
            "last_error": message[:_MESSAGE_LIMIT],
            "check_at": uow.now + CHECK_ILL_EVERY,
        }
        await self._write(uow, backend_id, values)
        if before.failures + 1 == DOWN_AFTER:
            _tell(uow, "CaBackendDown", backend_id, message[:_MESSAGE_LIMIT])

    async def check_due(self) -> int:
        """Test the active backends whose test is due, each by one replica only; return how many."""
        due = await self._take_due()
        await asyncio.gather(*(self.check(backend_id) for backend_id in due))
        return len(due)

    async def check(self, backend_id: int) -> HubError | None:
        """Test one backend and note the outcome; return what is wrong with it."""
        fault: HubError | None = None
        try:
            async with self._db.read() as session:
                backend = await self._backend(session, backend_id)
            async with asyncio.timeout(TEST_LIMIT_S):
                await backend.test()
        except TimeoutError:
            fault = Unavailable(f"the CA did not answer within {TEST_LIMIT_S:.0f} s")
        except HubError as error:
            fault = error
        except (PkiError, OSError) as error:
            fault = Unavailable(str(error) or type(error).__name__)
        async with self._db.write() as uow:
            if fault is None:
                await self.succeeded(uow, backend_id)
            else:
                await self.failed(uow, backend_id, fault.message)
        if fault is not None:
            _log.warning("ca_backend_ill", backend_id=backend_id, error=fault.message)
        return fault

    async def _take_due(self) -> list[int]:
        async with self._db.write() as uow:
            rows = await uow.session.execute(
                select(CaBackendRow.id)
                .outerjoin(CaBackendHealth, CaBackendHealth.backend_id == CaBackendRow.id)
                .where(CaBackendRow.status == "active", CaBackendHealth.backend_id.is_(None))
            )
            new = list(rows.scalars())
            for backend_id in new:
                await self._write(uow, backend_id, {"check_at": uow.now})
            active = select(CaBackendRow.id).where(CaBackendRow.status == "active")
            taken = await uow.session.execute(
                update(CaBackendHealth)
                .where(CaBackendHealth.check_at <= uow.now, CaBackendHealth.backend_id.in_(active))
                .values(check_at=uow.now + CHECK_EVERY)
                .returning(CaBackendHealth.backend_id)
            )
            return sorted(taken.scalars())

    async def _write(self, uow: UnitOfWork, backend_id: int, values: dict[str, object]) -> None:
        row = {"backend_id": backend_id, "failures": 0, "last_error": "", **values}
        statement = insert_for(uow.session, CaBackendHealth)
        await uow.session.execute(
            statement.on_conflict_do_update(index_elements=["backend_id"], set_=values).values(row)
        )


def _tell(uow: UnitOfWork, kind: str, backend_id: int, message: str) -> None:
    data = {"message": message} if message else {}
    uow.emit(Event(kind=kind, object_type="ca_backend", object_id=str(backend_id), data=data))
