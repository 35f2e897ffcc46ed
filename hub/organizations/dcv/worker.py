"""The clock's hand: dates that pass, renewals that begin by themselves, and steps of attempts that are due.

Any number of replicas run one: a transition is a compare-and-set, a step is done by who holds its attempt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy import or_, select, update

from hub.db.uow import Database, UnitOfWork
from hub.organizations.dcv.assets import VALIDATION_COLUMNS, move, open_challenge
from hub.organizations.dcv.errors import MethodUnknown, TransitionNotAllowed, ValidationChanged
from hub.organizations.dcv.models import DcvValidation
from hub.organizations.dcv.records import ValidationRecord
from hub.organizations.dcv.rounds import Rounds
from hub.organizations.dcv.states import DcvEvent, DcvState

CHANNEL = "dcv"
POLL_S = 10.0
_AT_A_TIME = 8
_BATCH = 64

_log = structlog.get_logger(__name__)

Restart = Callable[[UnitOfWork, ValidationRecord], Awaitable[None]]


class DcvWorker:
    """Does what is due, until cancelled."""

    def __init__(self, db: Database, rounds: Rounds, restart: Restart) -> None:
        self._db = db
        self._rounds = rounds
        self._restart = restart

    async def run(self) -> None:
        """Work until cancelled; woken by notices and by the clock."""
        async with self._db.notifier.subscribe(CHANNEL) as notices:
            while True:
                done = await self._guarded("sweep", self.sweep)
                done += await self._guarded("steps", self.run_due)
                if not done:
                    await notices.get(timeout_s=POLL_S)

    async def run_due(self) -> int:
        """Do the steps that are due now and return how many this replica did."""
        limit = asyncio.Semaphore(_AT_A_TIME)

        async def one(challenge_id: int) -> int:
            async with limit:
                return await self._step(challenge_id)

        due = await self._rounds.due(limit=_BATCH)
        return sum(await asyncio.gather(*(one(challenge_id) for challenge_id in due)))

    async def _step(self, challenge_id: int) -> int:
        try:
            held = await self._rounds.hold(challenge_id, due_only=True)
            if held is None:
                return 0
            await self._rounds.step(held)
        except Exception as error:  # noqa: BLE001 - a job's border; the hold's end is the delay
            _log.warning(
                "dcv_step_failed",
                challenge_id=challenge_id,
                error=str(error),
                error_type=type(error).__name__,
            )
        return 1

    async def sweep(self) -> int:
        """Let time pass: renew, warn, expire. Return how many validations changed."""
        now = self._db.clock()
        ageing = DcvValidation.state.in_([DcvState.VALIDATED, DcvState.EXPIRING])
        async with self._db.read() as session:
            rows = await session.execute(
                select(*VALIDATION_COLUMNS)
                .where(
                    or_(
                        ageing & (DcvValidation.expires_at <= now),
                        (DcvValidation.state == DcvState.VALIDATED) & (DcvValidation.action_at <= now),
                        DcvValidation.next_revalidation_at <= now,
                    )
                )
                .order_by(DcvValidation.id)
                .limit(_BATCH)
            )
            due = [ValidationRecord(**row._asdict()) for row in rows]
        return sum([await self._age(validation) for validation in due])

    async def _age(self, validation: ValidationRecord) -> int:
        try:
            async with self._db.write() as uow:
                await self._pass(uow, validation)
        except (ValidationChanged, TransitionNotAllowed):
            # Another replica saw the same.
            return 0
        return 1

    async def _pass(self, uow: UnitOfWork, validation: ValidationRecord) -> None:
        renew_at, state = validation.next_revalidation_at, DcvState(validation.state)
        if renew_at is not None and renew_at <= uow.now:
            await self._renew(uow, validation)
            return
        details = {"expires_at": str(validation.expires_at)}
        if validation.expires_at is not None and validation.expires_at <= uow.now:
            await move(uow, validation, DcvEvent.EXPIRE, details=details)
        elif state is DcvState.VALIDATED:
            await move(uow, validation, DcvEvent.COME_DUE, details=details)

    async def _renew(self, uow: UnitOfWork, validation: ValidationRecord) -> None:
        claimed = await uow.session.execute(
            update(DcvValidation)
            .where(
                DcvValidation.id == validation.id,
                DcvValidation.next_revalidation_at == validation.next_revalidation_at,
            )
            .values(next_revalidation_at=None)
            .returning(DcvValidation.id)
        )
        if claimed.one_or_none() is None:
            raise ValidationChanged
        if await open_challenge(uow.session, validation.id) is not None:
            # A person is at it already.
            return
        try:
            await self._restart(uow, validation)
        except MethodUnknown:
            _log.warning("dcv_renewal_method_missing", domain=validation.domain)

    async def _guarded(self, what: str, work: Callable[[], Awaitable[int]]) -> int:
        # A database that is away for a while must not end the worker.
        try:
            return await work()
        except Exception as error:  # noqa: BLE001 - a job's border
            _log.warning("dcv_worker_failed", what=what, error=str(error), error_type=type(error).__name__)
            return 0
