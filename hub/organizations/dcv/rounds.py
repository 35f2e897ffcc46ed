"""Working on attempts: holding one, looking, asking other vantage points, and deciding.

Each attempt is worked on in small steps that start from what is stored: write the record or send the mails,
look, take the record away again. A step first takes hold of the attempt by a compare-and-set on
``held_until``, so replicas don't look twice; a hub that dies lets go when that time passes. What has been
asked of agents comes back through :meth:`Rounds.on_answer`, in the transaction that records their answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, or_, select, update

from hub.db.errors import HubError
from hub.db.uow import Database, UnitOfWork
from hub.organizations.dcv.assets import (
    CHALLENGE_COLUMNS,
    end_challenge,
    lock_challenge,
    move,
    prove,
    read_validation,
    renewal_after_failure,
)
from hub.organizations.dcv.contract import Mailed, Probed, Proof, Sight, VantageAnswer, Writable, look
from hub.organizations.dcv.errors import WriterFailed
from hub.organizations.dcv.mails import Mails
from hub.organizations.dcv.models import DcvChallenge, DcvSighting, DcvWriter
from hub.organizations.dcv.quorum import Verdict, Vote, judge
from hub.organizations.dcv.records import HUB, ChallengeRecord, DcvTools, ValidationRecord
from hub.organizations.dcv.registry import method_named
from hub.organizations.dcv.states import ChallengeState, DcvEvent, Delivery
from hub.organizations.dcv.writer_store import WriterStore
from pki.errors import PkiError
from pki.findings import Finding

HOLD = timedelta(minutes=2)
"""Longer than any step takes."""
ANSWER_WAIT = timedelta(minutes=10)
"""How long other vantage points are waited for before the hub looks again."""
_PROPAGATION = timedelta(seconds=15)
_REMOVAL_TRIES = 12
_KEPT_ROUNDS = 5
_BACK_OFF_MINUTES = (1, 1, 2, 5, 5, 10, 15, 30, 60, 120, 240)
AWAITING = Finding("AwaitingVantagePoints", "seen from this hub; other vantage points are being asked")


def back_off(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts that came to nothing."""
    place = min(max(attempts, 1), len(_BACK_OFF_MINUTES)) - 1
    return timedelta(minutes=_BACK_OFF_MINUTES[place])


class Rounds:
    """Does the next step of attempts."""

    def __init__(self, db: Database, tools: DcvTools, writers: WriterStore, mails: Mails) -> None:
        self._db = db
        self._tools = tools
        self._writers = writers
        self._mails = mails
        tools.vantage.on_answer(self.on_answer)

    async def due(self, *, limit: int) -> Sequence[int]:
        """Return attempts whose next step is due and that nobody holds."""
        now = self._db.clock()
        async with self._db.read() as session:
            rows = await session.execute(
                select(DcvChallenge.id)
                .where(_workable(now), DcvChallenge.next_check_at <= now)
                .order_by(DcvChallenge.next_check_at)
                .limit(limit)
            )
            return list(rows.scalars())

    async def hold(self, challenge_id: int, *, due_only: bool) -> ChallengeRecord | None:
        """Take hold of an attempt; None: somebody else has it, or there is nothing to do."""
        async with self._db.write() as uow:
            statement = update(DcvChallenge).where(DcvChallenge.id == challenge_id, _workable(uow.now))
            if due_only:
                statement = statement.where(DcvChallenge.next_check_at <= uow.now)
            values = {"held_until": uow.now + HOLD, "attempts": DcvChallenge.attempts + 1}
            changed = await uow.session.execute(statement.values(values).returning(*CHALLENGE_COLUMNS))
            row = changed.one_or_none()
            return None if row is None else ChallengeRecord(**row._asdict())

    async def step(self, held: ChallengeRecord) -> Finding | None:
        """Do the next step of an attempt that is held; return why it goes on, or None when it was proved."""
        async with self._db.read() as session:
            validation = await read_validation(session, held.validation_id)
        if held.delivery == Delivery.REMOVAL:
            return await self._take_away(held, validation)
        if held.expires_at <= self._db.clock():
            return await self._lapse(held, validation)
        if held.delivery == Delivery.WANTED:
            return await self._deliver(held, validation)
        return await self._look(held, validation)

    # ---- looking

    async def _look(self, held: ChallengeRecord, validation: ValidationRecord) -> Finding | None:
        method = method_named(self._tools.methods, held.method)
        if not isinstance(method, Probed):
            # Nothing to look at until the value lapses.
            return await self._go_on(held, Finding("AwaitingConfirmation", "nobody has confirmed yet"))
        challenge = held.challenge(validation.domain, self._tools.options.issuer)
        lookup = method.lookup(challenge)
        sight = await look(lookup, self._tools.probes)
        outcome = method.decide(challenge, sight, at=self._db.clock())
        async with self._db.write() as uow:
            current = await lock_challenge(uow.session, held.id)
            if current is None or not _same_hold(current, held):
                return Finding("ChangedMeanwhile", "the attempt ended, or was taken over, meanwhile")
            number = current.round + 1
            await _forget_rounds(uow, held.id, before=number - _KEPT_ROUNDS)
            await _sighted(uow, held.id, number, vantage=HUB, outcome=outcome, sight=sight)
            if isinstance(outcome, Finding):
                await self._postpone(uow, current, outcome, round=number)
                return outcome
            agents = (await read_validation(uow.session, validation.id)).vantage_agent_ids
            if not agents:
                await prove(uow, current, method.facts, proof=outcome)
                return None
            await self._postpone(uow, current, AWAITING, round=number, wait=ANSWER_WAIT)
            for agent_id in agents:
                await self._ask(uow, validation, agent_id, lookup=lookup, subject_id=f"{held.id}:{number}")
            return await self._judge(uow, held.id, number) or None

    async def _ask(
        self, uow: UnitOfWork, validation: ValidationRecord, agent_id: str, *, lookup: Any, subject_id: str
    ) -> None:
        challenge_id, _, number = subject_id.partition(":")
        await _sighted(uow, int(challenge_id), int(number), vantage=agent_id, outcome=None, sight=None)
        try:
            async with uow.savepoint():
                await self._tools.vantage.ask(
                    uow,
                    agent_id=agent_id,
                    lookup=lookup,
                    subject_id=subject_id,
                    organization_id=validation.organization_id,
                )
        except HubError as error:
            sight = Sight(fault=Finding("VantageUnusable", error.message), seen_at=uow.now)
            await _answered(uow, int(challenge_id), int(number), agent_id, outcome=sight.fault, sight=sight)

    async def on_answer(self, uow: UnitOfWork, answer: VantageAnswer) -> None:
        """Take what another vantage point saw; answers to earlier rounds are only written down."""
        challenge_id, _, number = answer.subject_id.partition(":")
        current = await lock_challenge(uow.session, int(challenge_id))
        if current is None:
            return
        method = method_named(self._tools.methods, current.method)
        validation = await read_validation(uow.session, current.validation_id)
        if not isinstance(method, Probed):
            return
        challenge = current.challenge(validation.domain, self._tools.options.issuer)
        outcome = method.decide(challenge, answer.sight, at=uow.now)
        await _answered(uow, current.id, int(number), answer.agent_id, outcome=outcome, sight=answer.sight)
        if current.state == ChallengeState.OPEN and current.round == int(number):
            await self._judge(uow, current.id, current.round)

    async def _judge(self, uow: UnitOfWork, challenge_id: int, number: int) -> Finding | None:
        current = await lock_challenge(uow.session, challenge_id)
        if current is None or current.state != ChallengeState.OPEN:
            return None
        rows = (
            await uow.session.execute(
                select(DcvSighting.vantage, DcvSighting.vote, DcvSighting.reason, DcvSighting.evidence).where(
                    DcvSighting.challenge_id == challenge_id, DcvSighting.round == number
                )
            )
        ).all()
        others = [row for row in rows if row.vantage != HUB]
        verdict = judge([Vote(row.vote) for row in others])
        if verdict is Verdict.WAIT:
            return AWAITING
        if verdict is Verdict.FAILED:
            against = [row for row in others if row.vote == Vote.DISAGREED]
            finding = Finding(
                "TooFewVantagePoints",
                f"seen from this hub, but {len(against)} of {len(others)} other vantage points did not"
                f" confirm it ({', '.join(sorted({row.reason for row in against}))})",
            )
            await self._postpone(uow, current, finding)
            return finding
        evidence = next(row.evidence for row in rows if row.vantage == HUB)
        facts = method_named(self._tools.methods, current.method).facts
        agreeing = [f"confirmed by agent {row.vantage}" for row in others if row.vote == Vote.CONFIRMED]
        sight = Sight(
            values=tuple(evidence["values"]),
            trail=(*evidence["trail"], *agreeing),
            authenticated=evidence["authenticated"],
            seen_at=datetime.fromisoformat(evidence["seen_at"]),
        )
        proof = Proof(seen=evidence["seen"], sight=sight)
        await prove(uow, current, facts, proof=proof)
        return None

    # ---- delivering and taking away

    async def _deliver(self, held: ChallengeRecord, validation: ValidationRecord) -> Finding | None:
        method = method_named(self._tools.methods, held.method)
        if isinstance(method, Mailed):
            problem = await self._mails.send_all(held, validation)
        else:
            problem = await self._write(held, validation, publish=True)
        if problem is not None:
            return await self._go_on(held, problem)
        async with self._db.write() as uow:
            mailed = isinstance(method, Mailed)
            await uow.session.execute(
                update(DcvChallenge)
                .where(*_held(held), DcvChallenge.state == ChallengeState.OPEN)
                .values(
                    delivery=Delivery.DONE.value,
                    held_until=None,
                    attempts=0,
                    next_check_at=held.expires_at if mailed else uow.now + _PROPAGATION,
                    reason="AwaitingConfirmation" if mailed else "RecordWritten",
                    message="the mails were sent" if mailed else "the record was written, not yet looked for",
                )
            )
        return None if isinstance(method, Mailed) else Finding("RecordWritten", "the record was written")

    async def _take_away(self, held: ChallengeRecord, validation: ValidationRecord) -> Finding | None:
        problem = await self._write(held, validation, publish=False)
        if problem is not None and held.attempts < _REMOVAL_TRIES:
            return await self._go_on(held, problem)
        async with self._db.write() as uow:
            await uow.session.execute(
                update(DcvChallenge)
                .where(*_held(held))
                .values(delivery=Delivery.REMOVED.value, held_until=None)
            )
        return None

    async def _write(
        self, held: ChallengeRecord, validation: ValidationRecord, *, publish: bool
    ) -> Finding | None:
        method = method_named(self._tools.methods, held.method)
        if held.writer_id is None or not isinstance(method, Writable):
            return None
        record = method.record(held.challenge(validation.domain, self._tools.options.issuer))
        problem: Finding | None = None
        try:
            async with self._db.read() as session:
                writer = await self._writers.open(session, held.writer_id)
            await (writer.publish(record) if publish else writer.withdraw(record))
        except WriterFailed as error:
            problem = Finding(error.reason, f"the DNS writer failed: {error}")
        except (HubError, PkiError) as error:
            problem = Finding("WriterUnusable", f"the DNS writer can't be used: {error}")
        async with self._db.write() as uow:
            await uow.session.execute(
                update(DcvWriter)
                .where(DcvWriter.id == held.writer_id)
                .values(problem="" if problem is None else problem.message)
            )
        return problem

    # ---- going on

    async def _lapse(self, held: ChallengeRecord, validation: ValidationRecord) -> Finding:
        finding = Finding("ValueTooOld", "the random value is older than 30 days; start again")
        async with self._db.write() as uow:
            values = {"reason": finding.reason, "message": finding.message}
            if await end_challenge(uow, held, ChallengeState.LAPSED, values=values):
                validation = await read_validation(uow.session, validation.id)
                await move(
                    uow,
                    validation,
                    DcvEvent.LAPSE,
                    values=renewal_after_failure(validation, uow.now),
                    details={"method": held.method, "last": held.message},
                )
        return finding

    async def _go_on(self, held: ChallengeRecord, finding: Finding) -> Finding:
        async with self._db.write() as uow:
            await self._postpone(uow, held, finding)
        return finding

    async def _postpone(
        self,
        uow: UnitOfWork,
        challenge: ChallengeRecord,
        finding: Finding,
        *,
        round: int | None = None,  # noqa: A002 - the column's name
        wait: timedelta | None = None,
    ) -> None:
        wait = back_off(challenge.attempts) if wait is None else wait
        next_check_at = min(uow.now + wait, max(challenge.expires_at, uow.now))
        values: dict[str, Any] = {
            "held_until": None,
            "next_check_at": next_check_at,
            "reason": finding.reason,
            "message": finding.message[:2000],
            "checked_at": uow.now,
        }
        if round is not None:
            values["round"] = round
        await uow.session.execute(update(DcvChallenge).where(DcvChallenge.id == challenge.id).values(values))


def _workable(now: datetime) -> Any:
    unheld = or_(DcvChallenge.held_until.is_(None), DcvChallenge.held_until <= now)
    working = or_(DcvChallenge.state == ChallengeState.OPEN, DcvChallenge.delivery == Delivery.REMOVAL)
    return unheld & working


def _held(held: ChallengeRecord) -> tuple[Any, ...]:
    return (DcvChallenge.id == held.id, DcvChallenge.held_until == held.held_until)


def _same_hold(current: ChallengeRecord, held: ChallengeRecord) -> bool:
    return current.state == ChallengeState.OPEN and current.held_until == held.held_until


async def _forget_rounds(uow: UnitOfWork, challenge_id: int, *, before: int) -> None:
    # An attempt may look some two hundred times; only the last rounds tell anybody anything.
    await uow.session.execute(
        delete(DcvSighting).where(DcvSighting.challenge_id == challenge_id, DcvSighting.round < before)
    )


async def _sighted(
    uow: UnitOfWork,
    challenge_id: int,
    number: int,
    *,
    vantage: str,
    outcome: Proof | Finding | None,
    sight: Sight | None,
) -> None:
    await uow.session.execute(
        insert(DcvSighting).values(
            challenge_id=challenge_id,
            round=number,
            vantage=vantage,
            at=uow.now,
            **_vote(outcome, sight),
        )
    )


async def _answered(
    uow: UnitOfWork,
    challenge_id: int,
    number: int,
    vantage: str,
    *,
    outcome: Proof | Finding | None,
    sight: Sight,
) -> None:
    await uow.session.execute(
        update(DcvSighting)
        .where(
            DcvSighting.challenge_id == challenge_id,
            DcvSighting.round == number,
            DcvSighting.vantage == vantage,
            DcvSighting.vote == Vote.WAITING,
        )
        .values(at=uow.now, **_vote(outcome, sight))
    )


def _vote(outcome: Proof | Finding | None, sight: Sight | None) -> dict[str, Any]:
    evidence = {} if sight is None else sight.evidence()
    if isinstance(outcome, Proof):
        return {
            "vote": Vote.CONFIRMED.value,
            "reason": "",
            "message": "",
            "evidence": {**evidence, "seen": outcome.seen},
        }
    if outcome is None:
        return {"vote": Vote.WAITING.value, "reason": "", "message": "", "evidence": evidence}
    return {
        "vote": Vote.DISAGREED.value,
        "reason": outcome.reason[:64],
        "message": outcome.message[:2000],
        "evidence": evidence,
    }
