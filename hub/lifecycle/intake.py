"""Where requests come in: those that arrive together are checked, stored and ordered together.

A commit costs a disk's round trip, whatever it holds. While one batch is on its way to the disk the next one
gathers, so that load makes batches larger instead of queues longer. A request from an administrator of an
auto-approving profile that brings its own CSR is Applied in the first commit (its intent within) and Issued
in the second; that is the same submit step which the worker does when the hub died in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.lifecycle.backend_choice import Later, Prepared, record_move
from hub.lifecycle.errors import FieldFinding, RequestRefused
from hub.lifecycle.gathering import Gatherer, read_request
from hub.lifecycle.issuance import Issuance
from hub.lifecycle.new_rows import Accepted, certificate_columns, new_order_id, order_row
from hub.lifecycle.policy import PROFILE, PolicyInput, check_enrollment
from hub.lifecycle.ports import Rooms
from hub.lifecycle.request_store import Entry, Stored, store_requests
from hub.lifecycle.requests import EnrollmentRequest, Method
from hub.lifecycle.states import CertificateStatus
from hub.profiles.service import is_offered_to

MAX_BATCH = 128
# A caller waits so long for a CA that answers at once, then learns that the request is Applied.
INLINE_WAIT_S = 3.0
QUICK_CA_S = 0.1

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A stored request: its id, and its status when the answer was made."""

    id: int
    status: str


@dataclass(slots=True, eq=False)
class _Item:
    principal: Principal
    request: EnrollmentRequest
    answer: asyncio.Future[Enrolled]

    def fail(self, error: BaseException) -> None:
        # The caller may be gone.
        if not self.answer.done():
            self.answer.set_exception(error)

    def succeed(self, certificate_id: int, status: str) -> None:
        if not self.answer.done():
            self.answer.set_result(Enrolled(certificate_id, status))


class Intake:
    """Takes requests, batches them, and answers each."""

    def __init__(self, db: Database, rooms: Rooms, issuance: Issuance) -> None:
        self._db = db
        self._rooms = rooms
        self._issuance = issuance
        self._waiting: list[_Item] = []
        self._runner: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def add(self, principal: Principal, request: EnrollmentRequest) -> Enrolled:
        """Store a request; with an auto-approving profile and a quick CA, return once it is issued.

        Raises:
            RequestRefused: the request breaks rules; all of them are listed.
        """
        item = _Item(principal, request, asyncio.get_running_loop().create_future())
        self._waiting.append(item)
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        return await item.answer

    async def close(self) -> None:
        """Finish what was taken."""
        while self._runner is not None or self._tasks:
            await asyncio.wait({*self._tasks, *([self._runner] if self._runner else [])})

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                await self._enroll(batch)
        finally:
            self._runner = None

    async def _enroll(self, batch: Sequence[_Item]) -> None:
        try:
            entries = await self._decide(batch)
            if not entries:
                return
            async with self._db.write() as uow:
                stored = await store_requests(uow, list(entries.values()))
                await self._issuance.record_intents(
                    uow, [entry.prepared.intent for entry in entries.values() if entry.prepared]
                )
                await self._record_moves(uow, stored, list(entries.values()))
                await self._know_requesters(uow, list(entries.values()))
        except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
            # The database is away or locked, which is nobody's fault: all who wait are told at once, instead
            # of finding out one after the other.
            waiting, self._waiting = self._waiting, []
            for item in (*batch, *waiting):
                item.fail(error)
            return
        except Exception as error:  # noqa: BLE001 - the border of a batch: every waiting caller gets an answer
            await self._enroll_singly(batch, error)
            return
        items = dict(zip(stored.ids, entries, strict=True))
        for certificate_id, item in items.items():
            if certificate_id not in stored.rows:
                item.succeed(certificate_id, entries[item].status)
        if stored.steps:
            task = asyncio.create_task(self._submit(items, stored))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            # Meanwhile the next batch grows, which saves commits; only a slow CA is not waited for.
            await asyncio.wait({task}, timeout=QUICK_CA_S)

    async def _record_moves(self, uow: UnitOfWork, stored: Stored, entries: Sequence[Entry]) -> None:
        for certificate_id, entry in zip(stored.ids, entries, strict=True):
            if entry.prepared is not None and entry.prepared.move is not None:
                row = order_row(entry.columns, certificate_id)
                await record_move(uow, row, entry.prepared.move)

    async def _know_requesters(self, uow: UnitOfWork, entries: Sequence[Entry]) -> None:
        for entry in entries:
            request = entry.accepted.given.request
            if request.external_requester:
                await self._rooms.organizations.know_requesters(
                    uow,
                    organization_id=request.organization_id,
                    department_id=request.department_id,
                    external_requester=request.external_requester,
                    principal=entry.accepted.principal,
                )

    async def _enroll_singly(self, batch: Sequence[_Item], error: BaseException) -> None:
        # One request that the database refuses must not take the others with it.
        waiting = [item for item in batch if not item.answer.done()]
        if len(batch) == 1:
            batch[0].fail(error)
            return
        for item in waiting:
            await self._enroll([item])

    async def _decide(self, batch: Sequence[_Item]) -> dict[_Item, Entry]:
        reads = [read_request(item.request) for item in batch]
        async with self._db.read() as session:
            inputs = await Gatherer(self._rooms, session, at=self._db.clock()).all(reads)
            entries = {}
            for item, given in zip(batch, inputs, strict=True):
                try:
                    entries[item] = await self._entry(session, accept(item.principal, given))
                except RequestRefused as refused:
                    item.fail(refused)
        return entries

    async def _entry(self, session: AsyncSession, accepted: Accepted) -> Entry:
        columns = certificate_columns(accepted)
        if not accepted.auto_approved or accepted.given.request.method is not Method.CSR:
            return Entry(accepted=accepted, columns=columns)
        row = order_row(columns, 0)
        answer = await self._issuance.prepare(session, row, accepted.profile, accepted.given.settings)
        match answer:
            case Prepared():
                return Entry(accepted=accepted, columns=columns | answer.columns(), prepared=answer)
            case Later():
                # The worker goes on when the CA can be reached.
                return Entry(accepted=accepted, columns=columns)
            case _:
                raise RequestRefused((FieldFinding(PROFILE, answer.reason, answer.message),))

    async def _submit(self, items: dict[int, _Item], stored: Stored) -> None:
        statuses: dict[int, str] = {}
        work = asyncio.create_task(self._issuance.submit(stored.steps, stored.rows))
        try:
            statuses = await asyncio.wait_for(asyncio.shield(work), INLINE_WAIT_S)
        except TimeoutError:
            _log.info("issuance_slow", certificates=len(stored.rows))
        except Exception as error:  # noqa: BLE001 - a job's border: the step stays due, the worker takes it
            _log.warning("issuance_failed", error=str(error), error_type=type(error).__name__)
        for certificate_id in stored.rows:
            items[certificate_id].succeed(
                certificate_id, statuses.get(certificate_id, CertificateStatus.APPLIED)
            )
        await asyncio.wait({work})


def accept(principal: Principal, given: PolicyInput) -> Accepted:
    """Hold a request to the policy.

    Raises:
        RequestRefused: it breaks rules; all of them are listed.
    """
    mine = None if principal.sees_everything else principal.organization_ids
    if given.request.by_applicant:
        # An applicant has no organizations, but asks for one that let them in.
        mine = frozenset({given.request.organization_id})
    if given.profile is not None and not is_offered_to(given.profile, mine):
        # What somebody may not see does not exist for them.
        given = replace(given, profile=None)
    findings = check_enrollment(given)
    if findings or given.profile is None or given.organization is None:
        raise RequestRefused(findings)
    return Accepted(
        given=given,
        profile=given.profile,
        organization=given.organization,
        principal=principal,
        order_id=new_order_id(),
    )
