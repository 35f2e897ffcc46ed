"""Writing accepted requests: a few statements, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert

from hub.access import audit
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.lifecycle import step_queue
from hub.lifecycle.agreements import accepted_agreement
from hub.lifecycle.backend_choice import Prepared
from hub.lifecycle.models import Certificate, InstallItem
from hub.lifecycle.new_rows import Accepted, item_columns, order_row
from hub.lifecycle.orders import OrderRow, intent_document
from hub.lifecycle.requests import Method
from hub.lifecycle.states import CertificateStatus, RenewalEvent
from hub.lifecycle.step_queue import NewStep, Step
from hub.lifecycle.transitions import OBJECT_TYPE, Change, renewal_transition

_TABLE: Any = Certificate.__table__


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An accepted request and its row; ``prepared`` when it is approved and its CA has fixed the order."""

    accepted: Accepted
    columns: dict[str, Any]
    prepared: Prepared | None = None

    @property
    def status(self) -> CertificateStatus:
        """The status that the request begins with."""
        if self.prepared is not None:
            return CertificateStatus.APPLIED
        return CertificateStatus.APPROVED if self.accepted.auto_approved else CertificateStatus.REQUESTED


@dataclass(slots=True)
class Stored:
    """What was written: ids in the order of the entries, and what is to be submitted at once."""

    ids: list[int] = field(default_factory=list)
    rows: dict[int, OrderRow] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


async def store_requests(uow: UnitOfWork, entries: Sequence[Entry]) -> Stored:
    """Write requests with their nodes, steps, events and audit lines."""
    columns = [_columns(uow, entry) for entry in entries]
    # The table, not the mapped class: nobody needs objects of these rows.
    written = await uow.session.execute(insert(_TABLE).returning(_TABLE.c.order_id, _TABLE.c.id), columns)
    ids: dict[str, int] = dict(written.all())
    stored = Stored(ids=[ids[values["order_id"]] for values in columns])
    for entry, values, certificate_id in zip(entries, columns, stored.ids, strict=True):
        if entry.prepared is not None:
            stored.rows[certificate_id] = order_row(values, certificate_id)
    if stored.rows:
        stored.steps = await step_queue.hold_new(uow, list(stored.rows), step_queue.SUBMIT)
    await _store_items_and_steps(uow, entries, stored.ids)
    await _start_renewals(uow, entries, stored.ids)
    await _tell(uow, entries, stored.ids)
    return stored


def _columns(uow: UnitOfWork, entry: Entry) -> dict[str, Any]:
    values = entry.columns | {
        "status": entry.status.value,
        "created_at": uow.now,
        "requested_at": uow.now,
    }
    values["agreement"] = accepted_agreement(entry.accepted, uow.now)
    if entry.accepted.auto_approved:
        values |= {"approver": entry.accepted.principal.name, "approved_at": uow.now}
    if entry.prepared is not None:
        values |= {
            "applied_at": uow.now,
            "intent": intent_document(entry.prepared.order, entry.prepared.intent),
            "serial_hex": entry.prepared.intent.serial_hex or "",
        }
    return values


async def _store_items_and_steps(uow: UnitOfWork, entries: Sequence[Entry], ids: Sequence[int]) -> None:
    items: list[dict[str, Any]] = []
    steps: list[NewStep] = []
    for entry, certificate_id in zip(entries, ids, strict=True):
        request = entry.accepted.given.request
        items += item_columns(entry.accepted, certificate_id, uow.now)
        if request.method is not Method.CSR:
            steps.append(
                NewStep(
                    certificate_id=certificate_id,
                    name=step_queue.GENERATE_KEY,
                    agent_id=request.key_agent_id or "",
                )
            )
        elif entry.status is CertificateStatus.APPROVED:
            steps.append(NewStep(certificate_id=certificate_id, name=step_queue.APPLY))
    if items:
        await uow.session.execute(insert(InstallItem), items)
    await step_queue.schedule(uow, steps)


async def _start_renewals(uow: UnitOfWork, entries: Sequence[Entry], ids: Sequence[int]) -> None:
    for entry, certificate_id in zip(entries, ids, strict=True):
        request = entry.accepted.given.request
        renews_id = None if request.replaces else request.renews_id
        if renews_id is not None:
            change = Change(principal=entry.accepted.principal, details={"renewal": certificate_id})
            await renewal_transition(uow, renews_id, RenewalEvent.START, change)


async def _tell(uow: UnitOfWork, entries: Sequence[Entry], ids: Sequence[int]) -> None:
    for entry, certificate_id in zip(entries, ids, strict=True):
        accepted, request = entry.accepted, entry.accepted.given.request
        kinds = ["CertificateRequested"]
        if accepted.auto_approved:
            kinds.append("CertificateApproved")
        if entry.prepared is not None:
            kinds.append("CertificateApplied")
        for kind in kinds:
            uow.emit(
                Event(
                    kind=kind,
                    object_type=OBJECT_TYPE,
                    object_id=str(certificate_id),
                    organization_id=request.organization_id,
                    department_id=request.department_id,
                    certificate_type=accepted.profile.certificate_type,
                    data={"common_name": accepted.given.common_name, "status": entry.status.value},
                )
            )
        await audit.record(
            uow,
            principal=accepted.principal,
            action="CertificateRequested",
            object_type=OBJECT_TYPE,
            object_id=str(certificate_id),
            organization_id=request.organization_id,
            department_id=request.department_id,
            certificate_type=accepted.profile.certificate_type,
            details={
                "common_name": accepted.given.common_name,
                "names": list(accepted.given.names),
                "method": request.method.value,
                "profile_id": accepted.profile.id,
                "auto_approved": accepted.auto_approved,
            },
        )
