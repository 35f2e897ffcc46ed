"""Ordering certificates from a CA, many at a time: apply (record the intent), then submit (have it signed).

Why two steps: the intent fixes serial, dates and bytes and is committed before anything is signed. A hub that
dies between the CA's signature and the commit submits the same intent again and gets the same certificate.
Both steps work on batches, so that one commit covers all requests that came together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.errors import HubError
from hub.db.outbox import Event
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import SYSTEM
from hub.issuers.contract import CaBackend, CertificateOrder, Intent, Pending, Refused
from hub.issuers.records import HealthState
from hub.lifecycle import backend_choice, step_queue
from hub.lifecycle.backend_choice import Later, Prepared
from hub.lifecycle.ca_answers import ASK_LIMIT_S, Answers, IssuedRow, ask, is_remote
from hub.lifecycle.facts import fact_columns, store_bodies
from hub.lifecycle.follow_up import after_issue
from hub.lifecycle.models import Certificate
from hub.lifecycle.orders import OrderRow, intent_document, order_of, read_orders
from hub.lifecycle.ports import Rooms
from hub.lifecycle.predecessors import predecessor_der
from hub.lifecycle.putting_off import put_off
from hub.lifecycle.scoping import CERTIFICATE_TYPE
from hub.lifecycle.states import CertificateEvent, CertificateStatus
from hub.lifecycle.step_queue import NewStep, Step
from hub.lifecycle.transitions import OBJECT_TYPE, Change, transition
from hub.organizations.dcv.service import names_not_validated
from hub.organizations.service import EffectiveSettings, synced_end
from hub.profiles.service import ProfileRecord, public_term_fault

# Orders that a remote CA is asked about at the same time.
AT_ONCE = 32
VALIDATION_RETRY_S = 300
# Nobody else takes an order while a CA may be at it; then there is time left to record the answer.
_HELD_S = 2 * ASK_LIMIT_S + 60
_TABLE: Any = Certificate.__table__


class Issuance:
    """The steps ``apply`` and ``submit``."""

    def __init__(self, db: Database, rooms: Rooms) -> None:
        self._db = db
        self._rooms = rooms
        # Issuers that are known to be stored: the same few certificates come with every issue.
        self._stored_issuers: set[str] = set()

    # ---- apply

    async def prepare(
        self,
        session: AsyncSession,
        row: OrderRow,
        profile: ProfileRecord,
        settings: EffectiveSettings | None = None,
    ) -> Prepared | Refused | Later:
        """Have the CA fix everything about an order; nothing is ordered yet.

        ``settings`` are those of the certificate's organization or department, read if None.
        """
        settings = settings or await self._settings(session, row)
        order = _order(row, _usages(profile), self._db.clock(), settings.synced_expiry_day)
        order = replace(order, replaces=await predecessor_der(session, row))
        return await backend_choice.prepare(self._rooms.issuers, session, row, profile, order)

    async def _settings(self, session: AsyncSession, row: OrderRow) -> EffectiveSettings:
        by_department = await self._rooms.organizations.effective_settings(
            session, row.organization_id or 0, row.type
        )
        return by_department.of(row.department_id)

    async def apply(self, steps: Sequence[Step]) -> None:
        """Record the intents of approved requests that have their signing request."""
        answers: dict[int, Prepared | Refused | Later] = {}
        async with self._db.read() as session:
            rows = await read_orders(session, [step.certificate_id for step in steps])
            keys = {row.spki_sha256 for row in rows.values()}
            known = (await self._rooms.profiles.key_knowledge(session, keys)).compromised
            for row in rows.values():
                if row.status == CertificateStatus.APPROVED and row.csr is not None:
                    profile = await self._rooms.profiles.get(session, row.profile_id or 0)
                    answers[row.id] = (
                        _compromised(row, known)
                        or self._too_long_now(row, profile)
                        or await self._not_validated(session, row, profile)
                        or await self.prepare(session, row, profile)
                    )
        async with self._db.write() as uow:
            await self._record_applied(uow, steps, rows, answers)

    def _too_long_now(self, row: OrderRow, profile: ProfileRecord) -> Refused | None:
        # Public trust may have become shorter while the request waited.
        if not profile.is_public:
            return None
        fault = public_term_fault(row.term_days, self._db.clock().date())
        return Refused(reason="TermTooLongNow", message=fault, invalid=False) if fault else None

    async def _not_validated(
        self, session: AsyncSession, row: OrderRow, profile: ProfileRecord
    ) -> Later | None:
        # A request may have waited for its approval longer than a validation may be reused. It goes on by
        # itself once the domain is validated again.
        if profile.trust != "public":
            return None
        names = [*row.dns_names, *row.ip_addresses]
        findings = await names_not_validated(session, names, at=self._db.clock())
        if not findings:
            return None
        return Later(message=findings[0].message, retry_after_s=VALIDATION_RETRY_S)

    async def _record_applied(
        self,
        uow: UnitOfWork,
        steps: Sequence[Step],
        rows: Mapping[int, OrderRow],
        answers: dict[int, Prepared | Refused | Later],
    ) -> None:
        later = {key: answer for key, answer in answers.items() if isinstance(answer, Later)}
        for step in steps:
            if step.certificate_id in later:
                await put_off(uow, step, later[step.certificate_id])
        ours = await step_queue.finish(uow, [step for step in steps if step.certificate_id not in later])
        for step in steps:
            if step.id not in ours:
                continue
            match answers.get(step.certificate_id):
                case Prepared() as prepared:
                    await self._record_intent(uow, rows[step.certificate_id], prepared)
                case Refused() as refused:
                    await _refuse(uow, step.certificate_id, refused)

    async def record_intents(self, uow: UnitOfWork, intents: Sequence[Intent]) -> None:
        """Let the CAs record the serial numbers that are about to be signed."""
        await self._rooms.issuers.record_intents(uow, intents)

    async def _record_intent(self, uow: UnitOfWork, row: OrderRow, prepared: Prepared) -> None:
        await self.record_intents(uow, [prepared.intent])
        values = {**_intent_columns(prepared), "status_reason": "", "status_message": ""}
        await transition(uow, row.id, CertificateEvent.APPLY, Change(principal=SYSTEM, values=values))
        await step_queue.schedule(uow, [NewStep(certificate_id=row.id, name=step_queue.SUBMIT)])
        if prepared.move is not None:
            await backend_choice.record_move(uow, row, prepared.move)

    # ---- submit

    async def submit(self, steps: Sequence[Step], rows: dict[int, OrderRow] | None = None) -> dict[int, str]:
        """Perform orders, or find out what became of them, and record the answers.

        What is signed here is recorded in one transaction; what CAs elsewhere answer group by group, and
        while they are asked nobody else takes those orders. Returns the new statuses by certificate; one
        that the CA has not decided on is left out.
        """
        if rows is None:
            async with self._db.read() as session:
                rows = await read_orders(session, [step.certificate_id for step in steps])
        due = {
            row.id: row
            for row in rows.values()
            if row.status == CertificateStatus.APPLIED and row.intent is not None
        }
        away = [step for step in steps if step.certificate_id in due and is_remote(due[step.certificate_id])]
        here = [step for step in steps if step not in away]
        statuses = await self._submit(here, due) if here else {}
        for group in _groups(away, AT_ONCE):
            held = await step_queue.hold(self._db, group, lease_s=_HELD_S)
            # Read again: somebody may have had the order in hand since.
            async with self._db.read() as session:
                fresh = await read_orders(session, [step.certificate_id for step in held])
            statuses |= await self._submit(held, fresh)
        return statuses

    async def _submit(self, steps: Sequence[Step], rows: Mapping[int, OrderRow]) -> dict[int, str]:
        asked = [
            rows[step.certificate_id]
            for step in steps
            if step.certificate_id in rows
            and rows[step.certificate_id].status == CertificateStatus.APPLIED
            and rows[step.certificate_id].intent is not None
        ]
        async with self._db.read() as session:
            backends = await self._backends(session, asked)
            away = {row.backend_id or 0 for row in asked if is_remote(row)}
            health = await self._rooms.issuers.health(session, away) if away else {}
        down = [item for item, seen in health.items() if seen.state is HealthState.DOWN]
        answers = Answers()
        for row, answer in await ask(asked, backends, down=down):
            answers.add(row, answer, at=self._db.clock())
        moved = await self._elsewhere(answers)
        async with self._db.write() as uow:
            for backend_id, fault in answers.faults.items():
                await self._rooms.issuers.backend_asked(uow, backend_id, fault=fault or None)
            return await self._record_answers(uow, steps, answers, moved)

    async def _elsewhere(self, answers: Answers) -> dict[int, Prepared]:
        """Prepare what a CA certainly did not take at the profile's next CA."""
        stranded = [
            (row, answer)
            for row, answer in answers.others
            if isinstance(answer, Later) and answer.not_ordered and row.profile_id is not None
        ]
        moved: dict[int, Prepared] = {}
        if not stranded:
            return moved
        async with self._db.read() as session:
            for row, answer in stranded:
                profile = await self._rooms.profiles.get(session, row.profile_id or 0)
                settings = await self._settings(session, row)
                order = _order(row, _usages(profile), self._db.clock(), settings.synced_expiry_day)
                prepared = await backend_choice.elsewhere(
                    self._rooms.issuers, session, row, profile, order, why=answer.message
                )
                if prepared is not None:
                    moved[row.id] = prepared
        return moved

    async def _backends(
        self, session: AsyncSession, rows: Sequence[OrderRow]
    ) -> dict[int, CaBackend | HubError]:
        backends: dict[int, CaBackend | HubError] = {}
        for backend_id in {row.backend_id or 0 for row in rows}:
            try:
                backends[backend_id] = await self._rooms.issuers.backend(session, backend_id)
            except HubError as fault:
                # Disabled, or its plug-in is gone: what is ordered already waits for its return.
                backends[backend_id] = fault
        return backends

    async def _record_answers(
        self,
        uow: UnitOfWork,
        steps: Sequence[Step],
        answers: Answers,
        moved: Mapping[int, Prepared],
    ) -> dict[int, str]:
        by_certificate = {step.certificate_id: step for step in steps}
        stay: set[int] = set()
        for row, answer in answers.others:
            if row.id in moved:
                stay.add(row.id)
                await self._record_moved(uow, by_certificate[row.id], row, moved[row.id])
            elif isinstance(answer, Pending | Later):
                stay.add(row.id)
                await put_off(uow, by_certificate[row.id], answer, row=row)
        done = [step for step in steps if step.certificate_id not in stay]
        ours = await step_queue.finish(uow, done)
        statuses: dict[int, str] = {}
        for row, answer in answers.others:
            if isinstance(answer, Refused) and by_certificate[row.id].id in ours:
                statuses[row.id] = await _refuse(uow, row.id, answer)
        issued = [item for item in answers.issued if by_certificate[item.row.id].id in ours]
        for item in await self._record_issued(uow, issued):
            statuses[item.row.id] = CertificateStatus.ISSUED
        return statuses

    async def _record_moved(self, uow: UnitOfWork, step: Step, row: OrderRow, prepared: Prepared) -> None:
        message = "another CA is asked"
        if prepared.move is None or not await step_queue.postpone(uow, step, message=message, delay_s=0):
            return
        await self.record_intents(uow, [prepared.intent])
        await uow.session.execute(
            update(Certificate)
            .where(Certificate.id == row.id, Certificate.status == CertificateStatus.APPLIED)
            .values(**_intent_columns(prepared), order_number="", status_reason="", status_message="")
        )
        await backend_choice.record_move(uow, row, prepared.move)

    async def _record_issued(self, uow: UnitOfWork, items: Sequence[IssuedRow]) -> Sequence[IssuedRow]:
        if not items:
            return []
        changed = await uow.session.execute(
            update(_TABLE)
            .where(
                _TABLE.c.id.in_([item.row.id for item in items]),
                _TABLE.c.status == CertificateStatus.APPLIED,
            )
            .values(status=CertificateStatus.ISSUED, issued_at=uow.now, status_reason="", status_message="")
            .returning(_TABLE.c.id)
        )
        winners = set(changed.scalars())
        items = [item for item in items if item.row.id in winners]
        columns: list[dict[str, Any]] = []
        bodies: dict[str, bytes] = {}
        for item in items:
            chain = [hashlib.sha256(der).hexdigest() for der in item.issued.chain]
            columns.append(
                {
                    **fact_columns(item.facts, chain),
                    "order_number": item.issued.order_number,
                    "row_id": item.row.id,
                }
            )
            bodies[chain[0]] = item.issued.chain[0]
            for sha256, der in zip(chain[1:], item.issued.chain[1:], strict=True):
                if sha256 not in self._stored_issuers:
                    bodies[sha256] = der
                    uow.after_commit(lambda known=sha256: self._stored_issuers.add(known))  # type: ignore[misc]
        if not items:
            return []
        await uow.session.execute(_update_by_id(tuple(columns[0])), columns)
        await store_bodies(uow, bodies)
        await _tell_issued(uow, items)
        fingerprints = {item.row.id: item.facts.sha256 for item in items}
        await after_issue(uow, [item.row for item in items], fingerprints)
        return items


def _compromised(row: OrderRow, known: Mapping[str, str]) -> Refused | None:
    # What happens to a key while its request waits counts as well.
    source = known.get(row.spki_sha256)
    if source is None:
        return None
    message = f"the key is known to be compromised by now ({source})"
    return Refused(reason="KeyCompromised", message=message, invalid=False)


def _order(row: OrderRow, usages: dict[str, Any], at: datetime, synced_day: int | None) -> CertificateOrder:
    not_after = None
    if synced_day is not None:
        not_after = synced_end(synced_day, begin=at, term_days=row.term_days)
    return order_of(row, usages, at, not_after)


def _usages(profile: ProfileRecord) -> dict[str, Any]:
    return {"key_usage": profile.key_usage, "extended_key_usage": profile.extended_key_usage}


def _intent_columns(prepared: Prepared) -> dict[str, Any]:
    return {
        "intent": intent_document(prepared.order, prepared.intent),
        "serial_hex": prepared.intent.serial_hex or "",
        **prepared.columns(),
    }


def _groups(steps: Sequence[Step], size: int) -> Iterator[Sequence[Step]]:
    for start in range(0, len(steps), size):
        yield steps[start : start + size]


@lru_cache(maxsize=8)
def _update_by_id(names: tuple[str, ...]) -> Any:
    values: dict[str, Any] = {name: bindparam(name) for name in names if name != "row_id"}
    return update(_TABLE).where(_TABLE.c.id == bindparam("row_id")).values(values)


async def _tell_issued(uow: UnitOfWork, items: Sequence[IssuedRow]) -> None:
    for item in items:
        data = {
            "common_name": item.row.common_name,
            "status": CertificateStatus.ISSUED.value,
            "serial": item.facts.serial,
            "not_after": item.facts.not_after.isoformat(),
        }
        uow.emit(
            Event(
                kind="CertificateIssued",
                object_type=OBJECT_TYPE,
                object_id=str(item.row.id),
                organization_id=item.row.organization_id,
                department_id=item.row.department_id,
                certificate_type=CERTIFICATE_TYPE,
                data=data,
            )
        )
        await audit.record(
            uow,
            principal=SYSTEM,
            action="CertificateIssued",
            object_type=OBJECT_TYPE,
            object_id=str(item.row.id),
            organization_id=item.row.organization_id,
            department_id=item.row.department_id,
            certificate_type=CERTIFICATE_TYPE,
            details=data,
        )


async def _refuse(uow: UnitOfWork, certificate_id: int, refused: Refused) -> CertificateStatus:
    event = CertificateEvent.FAIL if refused.invalid else CertificateEvent.REFUSE
    values: dict[str, Any] = {"status_reason": refused.reason, "status_message": refused.message}
    return await transition(
        uow,
        certificate_id,
        event,
        Change(
            principal=SYSTEM,
            values=values,
            details={"reason": refused.reason, "message": refused.message},
        ),
    )
