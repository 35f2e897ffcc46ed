"""When an order that a CA has not settled is asked about again, and what stands with it meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from hub.db.uow import UnitOfWork
from hub.issuers.contract import Pending
from hub.lifecycle import step_queue
from hub.lifecycle.backend_choice import Later
from hub.lifecycle.models import Certificate
from hub.lifecycle.orders import OrderRow
from hub.lifecycle.step_queue import Step

# An order is asked about ever more seldom: after a tenth of its age, and once an hour at least.
_POLL_SHARE = 10
_LONGEST_POLL_S = 3600.0
# So many phases may follow one another without a pause.
_QUICK_PHASES = 20
# A CA that is away is asked again at least this often: it may be back at any time.
_LONGEST_OUTAGE_DELAY_S = 300.0


async def put_off(
    uow: UnitOfWork, step: Step, answer: Pending | Later, *, row: OrderRow | None = None
) -> None:
    """Ask about an order again later; nothing is recorded if somebody else has the step by now."""
    if isinstance(answer, Pending):
        message = answer.waits_for or "the CA has not decided yet"
        delay = _poll_delay_s(uow, step, answer, row)
        values: dict[str, Any] = {"order_number": answer.order_number, "status_reason": "CaPending"}
        if answer.document is not None:
            values["intent"] = {**((row.intent if row else None) or {}), "document": answer.document}
    else:
        message = answer.message
        outage = min(step_queue.backoff_s(step.attempts), _LONGEST_OUTAGE_DELAY_S)
        delay = max(float(answer.retry_after_s), outage)
        values = {"status_reason": "CaUnavailable"}
    if not await step_queue.postpone(uow, step, message=message, delay_s=delay):
        return
    await uow.session.execute(
        update(Certificate)
        .where(Certificate.id == step.certificate_id)
        .values(**values, status_message=message)
    )


def _poll_delay_s(uow: UnitOfWork, step: Step, answer: Pending, row: OrderRow | None) -> float:
    if answer.retry_after_s <= 0 and step.attempts < _QUICK_PHASES:
        return 0.0
    age = uow.now - row.applied_at if row is not None and row.applied_at else timedelta()
    grown = min(age.total_seconds() / _POLL_SHARE, _LONGEST_POLL_S)
    return max(float(answer.retry_after_s), grown, 1.0)
