"""What a CA's answer sets going: storing beside the key, bringing the key to its target, the renewed one.

Only rows are written here; the steps that they make due are done by the worker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select, update

from hub.db.uow import UnitOfWork
from hub.http.principal import SYSTEM
from hub.lifecycle import step_queue
from hub.lifecycle.models import Certificate, InstallItem
from hub.lifecycle.orders import OrderRow
from hub.lifecycle.requests import Installation, KeyLocation, Method
from hub.lifecycle.states import CertificateEvent, CertificateStatus, RenewalEvent, RenewalState
from hub.lifecycle.step_queue import NewStep
from hub.lifecycle.transitions import Change, head_of, renewal_transition, transition


async def after_issue(uow: UnitOfWork, rows: Sequence[OrderRow], fingerprints: Mapping[int, str]) -> None:
    """Make due what follows the issue of certificates."""
    steps: list[NewStep] = []
    for row in rows:
        if row.key_agent_id is not None:
            steps.append(NewStep(certificate_id=row.id, name=step_queue.STORE, agent_id=row.key_agent_id))
        if row.method == Method.AUTO_INSTALL and row.installation == Installation.IMMEDIATE:
            steps.extend(await transport_steps(uow, row))
    await step_queue.schedule(uow, steps)
    for row in rows:
        if row.renews_id is not None:
            await _conclude_renewal(uow, row, fingerprints[row.id])


async def transport_steps(uow: UnitOfWork, row: OrderRow) -> list[NewStep]:
    """Return the steps that bring a key from the PKS to the agents of the certificate's nodes."""
    if row.key_location != KeyLocation.PKS:
        return []
    agents = await uow.session.execute(
        select(InstallItem.agent_id).where(InstallItem.certificate_id == row.id).distinct()
    )
    return [
        NewStep(certificate_id=row.id, name=step_queue.EXPORT_KEY, agent_id=agent_id)
        for agent_id in agents.scalars()
    ]


async def _conclude_renewal(uow: UnitOfWork, row: OrderRow, fingerprint: str) -> None:
    old = await head_of(uow.session, row.renews_id or 0)
    details = {"renewed_by": row.id, "fingerprint": fingerprint}
    await uow.session.execute(
        update(Certificate).where(Certificate.id == old.id).values(renewed_by_id=row.id)
    )
    if old.renewal_state == RenewalState.STARTED:
        await renewal_transition(uow, old.id, RenewalEvent.SUCCEED, Change(principal=SYSTEM, details=details))
    if old.status in {CertificateStatus.EXTERNAL, CertificateStatus.UNMANAGED}:
        # What was only watched has a managed successor now.
        await transition(uow, old.id, CertificateEvent.REPLACE, Change(principal=SYSTEM, details=details))


async def after_refusal(uow: UnitOfWork, row: OrderRow) -> None:
    """Tell the certificate that was to be renewed that its renewal failed."""
    if row.renews_id is None:
        return
    old = await head_of(uow.session, row.renews_id)
    if old.renewal_state == RenewalState.STARTED:
        details = {"renewal": row.id}
        await renewal_transition(uow, old.id, RenewalEvent.FAIL, Change(principal=SYSTEM, details=details))
