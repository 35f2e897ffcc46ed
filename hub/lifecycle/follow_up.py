"""What a CA's answer sets going: storing beside the key, bringing the key to its target, the renewed one.

Only rows are written here; the steps that they make due are done by the worker. A renewal ends with its
successor: declined or refused is failed, issued and, where it installs itself, installed is successful.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from hub.db.outbox import Event
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import SYSTEM
from hub.lifecycle import step_queue
from hub.lifecycle.errors import CertificateNotFound
from hub.lifecycle.hooks import INSTALL_ENDED
from hub.lifecycle.install_plan import install_steps, item_agents
from hub.lifecycle.models import Certificate, InstallItem
from hub.lifecycle.orders import OrderRow, read_order
from hub.lifecycle.requests import BY_ITSELF, KeyLocation, Method
from hub.lifecycle.states import (
    CERTIFICATE,
    RENEWAL,
    CertificateEvent,
    CertificateStatus,
    InstallEvent,
    InstallState,
    RenewalEvent,
    RenewalState,
)
from hub.lifecycle.step_queue import NewStep
from hub.lifecycle.transitions import (
    Change,
    Head,
    head_of,
    install_transition,
    renewal_transition,
    transition,
)
from pki.findings import Finding

# How a successor can end without having renewed anything: at which stage, and why unless the event says.
_ENDS = {
    "CertificateDeclined": ("request", "Declined"),
    "CertificateRejected": ("order", ""),
    "CertificateInvalid": ("answer", ""),
    "CertificateRevoked": ("install", "SuccessorRevoked"),
}


def follow_renewals(db: Database) -> None:
    """Let whatever happens to successors end the renewals that they are of."""
    db.follow(_ENDS, after_end)
    db.follow((INSTALL_ENDED,), after_install)


async def after_issue(uow: UnitOfWork, rows: Sequence[OrderRow], fingerprints: Mapping[int, str]) -> None:
    """Make due what follows the issue of certificates."""
    steps: list[NewStep] = []
    for row in rows:
        if row.key_agent_id is not None:
            steps.append(NewStep(certificate_id=row.id, name=step_queue.STORE, agent_id=row.key_agent_id))
        if row.method == Method.AUTO_INSTALL and row.installation in BY_ITSELF:
            steps.extend(await transport_steps(uow, row))
    await step_queue.schedule(uow, steps)
    for row in rows:
        if row.renews_id is not None:
            await _link_successor(uow, row, fingerprints[row.id])


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


async def _link_successor(uow: UnitOfWork, row: OrderRow, fingerprint: str) -> None:
    """Join a successor that was issued with its predecessor; it succeeds now if nothing has to be installed.

    What is installed by itself has renewed nothing until a server shows it: see :func:`after_install`.
    """
    old = await head_of(uow.session, row.renews_id or 0)
    details = {"renewed_by": row.id, "fingerprint": fingerprint}
    await uow.session.execute(
        update(Certificate).where(Certificate.id == old.id).values(renewed_by_id=row.id)
    )
    installs = row.method == Method.AUTO_INSTALL and row.installation in BY_ITSELF
    if not installs:
        await _succeed(uow, old, details)
    found = old.status in {CertificateStatus.EXTERNAL, CertificateStatus.UNMANAGED}
    replaceable = (CertificateStatus(old.status), CertificateEvent.REPLACE) in CERTIFICATE
    if replaceable and (found or row.replaces):
        # What was only watched has a managed successor now; what was to be replaced has its replacement.
        await transition(uow, old.id, CertificateEvent.REPLACE, Change(principal=SYSTEM, details=details))


async def after_end(uow: UnitOfWork, events: Sequence[Event]) -> None:
    """Requests were declined or refused, or successors revoked: tell those that they were to renew."""
    reasons = {int(event.object_id): event for event in events}
    rows = await uow.session.execute(
        select(Certificate.id, Certificate.renews_id).where(
            # A replacement that comes to nothing says nothing of a renewal that is under way beside it.
            Certificate.id.in_(reasons),
            Certificate.renews_id.is_not(None),
            ~Certificate.replaces,
        )
    )
    for successor_id, renews_id in rows.all():
        event = reasons[successor_id]
        stage, reason = _ENDS[event.kind]
        details = {
            "renewal": successor_id,
            "stage": event.data.get("stage", stage),
            "reason": reason or event.data.get("reason", ""),
            "message": event.data.get("message", "") or event.data.get("comments", ""),
        }
        await _fail(uow, await head_of(uow.session, renews_id or 0), details)


async def after_install(uow: UnitOfWork, events: Sequence[Event]) -> None:
    """Installations ended: those of successors end the renewal too."""
    states = {int(event.object_id): event.data for event in events}
    rows = await uow.session.execute(
        select(Certificate.id, Certificate.renews_id, Certificate.fingerprint_sha256).where(
            Certificate.id.in_(states), Certificate.renews_id.is_not(None)
        )
    )
    for successor_id, renews_id, fingerprint in rows.all():
        data = states[successor_id]
        old = await head_of(uow.session, renews_id or 0)
        if data["install_state"] == InstallState.SUCCESSFUL:
            await _succeed(uow, old, {"renewed_by": successor_id, "fingerprint": fingerprint})
        elif data["install_state"] == InstallState.FAILED:
            details = {
                "renewal": successor_id,
                "stage": "install",
                "reason": data.get("reason", ""),
                "message": data.get("message", ""),
            }
            await _fail(uow, old, details)


async def install_again(uow: UnitOfWork, predecessor_id: int, successor_id: int) -> None:
    """Go on with a renewal whose successor could not be installed: install it once more.

    Raises:
        CertificateNotFound, TransitionNotAllowed, ChangedMeanwhile: it is not in such a state any more.
    """
    change = Change(principal=SYSTEM, details={"renewal": successor_id})
    await renewal_transition(uow, predecessor_id, RenewalEvent.START, change)
    row = await read_order(uow.session, successor_id)
    if row is None:
        raise CertificateNotFound(f"there is no certificate {successor_id}")
    await install_transition(uow, successor_id, InstallEvent.START, Change(principal=SYSTEM))
    agents = await item_agents(uow, successor_id)
    await step_queue.schedule(uow, await install_steps(uow, row, agents))


async def conclude(uow: UnitOfWork, predecessor_id: int, successor_id: int) -> None:
    """Record that a renewal is done already: its successor is there, and nothing is left to do."""
    details = {"renewed_by": successor_id}
    await uow.session.execute(
        update(Certificate).where(Certificate.id == predecessor_id).values(renewed_by_id=successor_id)
    )
    old = await head_of(uow.session, predecessor_id)
    if old.renewal_state == RenewalState.SCHEDULED:
        change = Change(principal=SYSTEM, details={"renewal": successor_id})
        await renewal_transition(uow, predecessor_id, RenewalEvent.START, change)
    await _succeed(uow, await head_of(uow.session, predecessor_id), details)


async def fail_attempt(uow: UnitOfWork, predecessor_id: int, finding: Finding) -> None:
    """Record that a renewal could not even be asked for."""
    await renewal_transition(uow, predecessor_id, RenewalEvent.START, Change(principal=SYSTEM))
    details = {"stage": "request", "reason": finding.reason, "message": finding.message}
    change = Change(principal=SYSTEM, details=details)
    await renewal_transition(uow, predecessor_id, RenewalEvent.FAIL, change)


async def _succeed(uow: UnitOfWork, old: Head, details: Mapping[str, Any]) -> None:
    # A renewal that failed succeeds after all when somebody mends what it failed on.
    if (RenewalState(old.renewal_state), RenewalEvent.SUCCEED) in RENEWAL:
        await renewal_transition(uow, old.id, RenewalEvent.SUCCEED, Change(principal=SYSTEM, details=details))


async def _fail(uow: UnitOfWork, old: Head, details: Mapping[str, Any]) -> None:
    if old.renewal_state == RenewalState.STARTED:
        await renewal_transition(uow, old.id, RenewalEvent.FAIL, Change(principal=SYSTEM, details=details))
