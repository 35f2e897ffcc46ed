"""Starting what is due, and looking at what has a time of its own: the work of one hub among several.

Certificates are claimed for a minute; the renewal itself starts with one compare-and-set in the transaction
that stores the successor's request. A hub that dies in between leaves a claim that runs out, nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

import structlog

from hub.db.errors import HubError
from hub.db.uow import Database
from hub.http.principal import SYSTEM
from hub.lifecycle import follow_up, renewal_rows
from hub.lifecycle.errors import (
    CertificateNotFound,
    ChangedMeanwhile,
    NotRenewable,
    RequestRefused,
    TransitionNotAllowed,
)
from hub.lifecycle.policy import CSR
from hub.lifecycle.renewal import Renewal
from hub.lifecycle.service import LifecycleService
from hub.lifecycle.states import RenewalEvent, RenewalState
from hub.lifecycle.transitions import Change, renewal_transition
from hub.renewals import schedules
from hub.renewals.decisions import (
    Cancel,
    Decision,
    Done,
    Impossible,
    InstallAgain,
    Join,
    PutOff,
    Start,
    decide,
)
from hub.renewals.looks import Looks
from hub.renewals.reading import Candidate, Reader, RenewalRooms
from hub.renewals.schedules import Schedule
from hub.renewals.settings import successor_of
from hub.renewals.why import AUTO_VIA
from pki.findings import Finding

POLL_S = 30.0
LEASE_S = 60
AT_ONCE = 32
BATCH = 256

_log = structlog.get_logger(__name__)


class RenewalEngine:
    """Renews what is due."""

    def __init__(
        self, db: Database, lifecycle: LifecycleService, rooms: RenewalRooms, *, looks: Looks
    ) -> None:
        self._db = db
        self._lifecycle = lifecycle
        self._rooms = rooms
        self._looks = looks

    async def run(self) -> None:
        """Work until cancelled: woken by notices, and by the clock since time is what makes renewals due."""
        async with self._db.notifier.subscribe(schedules.CHANNEL) as notices:
            while True:
                done = await self._guarded(self.run_due)
                if not done:
                    await notices.get(timeout_s=POLL_S)
                    notices.drain()

    async def run_due(self) -> int:
        """Do what is due now, once; return how many certificates were taken."""
        return await self._looks.run_due(limit=BATCH) + await self.start_due(limit=BATCH)

    async def start_due(self, *, limit: int = BATCH) -> int:
        """Start renewals that are due; return how many certificates were taken."""
        async with self._db.write() as uow:
            ids = await renewal_rows.claim_due(uow, limit=limit, lease_s=LEASE_S)
        for group in _groups(ids, AT_ONCE):
            # Requests that come together are stored together.
            await asyncio.gather(*(self._start(certificate_id) for certificate_id in group))
        return len(ids)

    async def _start(self, certificate_id: int) -> None:
        try:
            await self._renew(certificate_id)
        except (ChangedMeanwhile, TransitionNotAllowed, CertificateNotFound):
            _log.info("renewal_lost", certificate_id=certificate_id)
        except HubError as fault:
            await self._fail(certificate_id, _finding(fault))
        except Exception as error:  # noqa: BLE001 - a job's border
            _log.error("renewal_failed", certificate_id=certificate_id, exc_info=error)
            await self._fail(certificate_id, Finding("InternalError", str(error) or type(error).__name__))

    async def _renew(self, certificate_id: int) -> None:
        async with self._db.read() as session:
            reader = Reader(self._rooms, session)
            candidate = await reader.candidate(certificate_id)
            if candidate is None:
                return
            schedule = await schedules.read_schedule(session, certificate_id)
            facts = await reader.due_facts(candidate, schedule, now=self._db.clock())
        await self._do(candidate, schedule, decide(facts))

    async def _do(self, candidate: Candidate, schedule: Schedule, decision: Decision) -> None:
        certificate_id = candidate.row.id
        match decision:
            case Start():
                await self._lifecycle.renew(SYSTEM, certificate_id, _renewal(schedule, decision))
            case Impossible():
                await self._fail(certificate_id, Finding(decision.reason, decision.message))
            case Cancel():
                await self._cancel(candidate, decision)
            case PutOff():
                async with self._db.write() as uow:
                    await renewal_rows.set_due(uow, {certificate_id: decision.until})
            case Join(successor_id=successor_id):
                async with self._db.write() as uow:
                    change = Change(principal=SYSTEM, details={"renewal": successor_id})
                    await renewal_transition(uow, certificate_id, RenewalEvent.START, change)
            case InstallAgain(successor_id=successor_id):
                async with self._db.write() as uow:
                    await follow_up.install_again(uow, certificate_id, successor_id)
            case Done(successor_id=successor_id):
                async with self._db.write() as uow:
                    await follow_up.conclude(uow, certificate_id, successor_id)

    async def _cancel(self, candidate: Candidate, decision: Cancel) -> None:
        row = candidate.row
        async with self._db.write() as uow:
            if row.renewal_state == RenewalState.SCHEDULED or decision.reason == "AutoRenewalOff":
                details = {"reason": decision.reason}
                change = Change(principal=SYSTEM, values={"renewal_due_at": None}, details=details)
                await renewal_transition(uow, row.id, RenewalEvent.CANCEL, change)
            else:
                await renewal_rows.set_due(uow, {row.id: None})
            await schedules.add_attempt(
                uow, row.id, outcome="Canceled", reason=decision.reason, sentence=decision.sentence
            )

    async def _fail(self, certificate_id: int, finding: Finding) -> None:
        try:
            async with self._db.write() as uow:
                await follow_up.fail_attempt(uow, certificate_id, finding)
        except (ChangedMeanwhile, TransitionNotAllowed, CertificateNotFound):
            _log.info("renewal_lost", certificate_id=certificate_id)

    async def _guarded(self, work: Callable[[], Awaitable[int]]) -> int:
        # A database that is away for a while must not end the job.
        try:
            return await work()
        except Exception as error:  # noqa: BLE001 - a job's border
            _log.warning("renewals_failed", error=str(error), error_type=type(error).__name__)
            return 0


def _renewal(schedule: Schedule, start: Start) -> Renewal:
    if schedule.successor:
        return successor_of(schedule.successor, via=AUTO_VIA)
    return Renewal(new_key_pair=start.new_key_pair, installation=start.installation, requested_via=AUTO_VIA)


def _finding(fault: HubError) -> Finding:
    if isinstance(fault, RequestRefused) and fault.findings:
        # What the profile no longer allows of the stored signing request, only its holder can mend.
        of_csr = any(finding.field == CSR for finding in fault.findings)
        reason = "NewSigningRequestNeeded" if of_csr else fault.findings[0].reason
        return Finding(reason, fault.message)
    if isinstance(fault, NotRenewable):
        return Finding("NotRenewable", fault.message)
    return Finding(type(fault).__name__, fault.message)


def _groups(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
