"""Setting a certificate's automatic renewal: what may be set, and what follows at once."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hub.access import audit
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.lifecycle import renewal_rows
from hub.lifecycle.renewal import Renewal
from hub.lifecycle.renewal_rows import RenewalRow
from hub.lifecycle.requests import (
    AutoRenew,
    Installation,
    KeyLocation,
    Method,
    TargetNode,
    auto_renew_document,
)
from hub.lifecycle.scoping import visible
from hub.lifecycle.states import CertificateStatus, RenewalEvent, RenewalState
from hub.lifecycle.transitions import OBJECT_TYPE, Change, event_of, renewal_transition
from hub.renewals import schedules
from hub.renewals.errors import AutoRenewalImpossible, InvalidAutoRenewal
from hub.renewals.plan import EARLIEST_SHARE
from hub.renewals.scheduling import Scheduler

CHANGED = "AutoRenewalChanged"
_S = CertificateStatus
_OVER = frozenset({_S.DECLINED, _S.REJECTED, _S.INVALID, _S.REVOKED, _S.REPLACED})
_UNDECIDED = frozenset({_S.REQUESTED, _S.APPROVED, _S.APPLIED})


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRenewal:
    """How a found certificate is renewed: what is not known of one that was not issued here."""

    profile_id: int
    term_days: int
    method: Method
    csr: bytes | None = None
    key_type: str = ""
    pks_agent_id: str | None = None
    key_location: KeyLocation | None = None
    targets: tuple[TargetNode, ...] = ()


def found_document(found: FoundRenewal) -> dict[str, Any]:
    """Return the stored form."""
    return {
        "profile_id": found.profile_id,
        "term_days": found.term_days,
        "method": found.method.value,
        "csr": base64.b64encode(found.csr).decode() if found.csr else None,
        "key_type": found.key_type,
        "pks_agent_id": found.pks_agent_id,
        "key_location": found.key_location.value if found.key_location else None,
        "targets": [
            {"agent_id": node.agent_id, "server": node.server, "node_id": node.node_id}
            for node in found.targets
        ],
    }


def successor_of(document: dict[str, Any], *, via: str) -> Renewal:
    """Return the renewal that stored settings of a found certificate stand for."""
    method = Method(document["method"])
    return Renewal(
        new_key_pair=True,
        installation=Installation.IMMEDIATE if method is Method.AUTO_INSTALL else None,
        csr=base64.b64decode(document["csr"]) if document["csr"] else None,
        profile_id=document["profile_id"],
        term_days=document["term_days"],
        method=method,
        key_type=document["key_type"] or None,
        pks_agent_id=document["pks_agent_id"],
        key_location=KeyLocation(document["key_location"]) if document["key_location"] else None,
        targets=tuple(TargetNode(**node) for node in document["targets"]),
        requested_via=via,
    )


async def set_auto_renewal(
    uow: UnitOfWork,
    scheduler: Scheduler,
    certificate_id: int,
    *,
    wanted: AutoRenew,
    found: FoundRenewal | None,
    principal: Principal,
) -> None:
    """Store settings and plan by them.

    Raises:
        CertificateNotFound: there is none of this id in the caller's scope.
        AutoRenewalImpossible: it is over with this certificate, or it was renewed already.
        InvalidAutoRenewal: the settings don't fit the certificate.
    """
    head = await visible(uow.session, principal, certificate_id)
    row = (await renewal_rows.read_renewal_rows(uow.session, [certificate_id]))[certificate_id]
    _check(row, wanted, found)
    document = auto_renew_document(wanted)
    await renewal_rows.set_own_settings(uow, certificate_id, document)
    if found is not None:
        values = {"certificate_id": certificate_id, "successor": found_document(found)}
        await schedules.write_schedules(uow, [values])
    await _follow(uow, scheduler, row, wanted, principal)
    uow.emit(event_of(head, CHANGED, enabled=wanted.enabled))
    await audit.record(
        uow,
        principal=principal,
        action=CHANGED,
        object_type=OBJECT_TYPE,
        object_id=str(certificate_id),
        organization_id=head.organization_id,
        department_id=head.department_id,
        certificate_type=head.type,
        details=audit.changes(row.auto_renew or {}, document or {}),
    )


async def _follow(
    uow: UnitOfWork, scheduler: Scheduler, row: RenewalRow, wanted: AutoRenew, principal: Principal
) -> None:
    undecided = row.status in _UNDECIDED
    if wanted.enabled and (
        row.renewal_state == RenewalState.FAILED
        or (undecided and row.renewal_state == RenewalState.NOT_SCHEDULED)
    ):
        # Somebody looked after it: it starts anew, with short pauses.
        change = Change(principal=principal, values={"renewal_attempts": 0})
        await renewal_transition(uow, row.id, RenewalEvent.SCHEDULE, change)
    elif undecided and not wanted.enabled and row.renewal_state == RenewalState.SCHEDULED:
        await renewal_transition(uow, row.id, RenewalEvent.CANCEL, Change(principal=principal))
    if not undecided:
        await scheduler.plan_now(uow, row.id)
    uow.notify(schedules.CHANNEL)


def _check(row: RenewalRow, wanted: AutoRenew, found: FoundRenewal | None) -> None:
    if row.status in _OVER:
        raise AutoRenewalImpossible(f"the certificate is {row.status.lower()}: there is nothing to renew")
    if row.renewal_state == RenewalState.SUCCESSFUL:
        raise AutoRenewalImpossible(f"it was renewed already: see certificate {row.renewed_by_id}")
    if row.status == _S.UNMANAGED:
        raise AutoRenewalImpossible("it belongs to no organization yet: assign it first")
    if not wanted.enabled:
        return
    if wanted.days_before is not None and wanted.share is not None:
        raise InvalidAutoRenewal(
            "say days before the end or a share of the lifetime, not both", field="share"
        )
    if row.status == _S.EXTERNAL and found is None and wanted.enabled:
        message = "a found certificate needs a profile, a term and a key to be renewed with"
        raise InvalidAutoRenewal(message, field="successor")
    if found is not None and row.status != _S.EXTERNAL:
        message = "only of a found certificate it has to be said how it is renewed"
        raise InvalidAutoRenewal(message, field="successor")
    _check_days(row, wanted)


def _check_days(row: RenewalRow, wanted: AutoRenew) -> None:
    if wanted.days_before is None or row.not_before is None or row.not_after is None:
        return
    lifetime = row.not_after - row.not_before
    longest = lifetime * (EARLIEST_SHARE - 1) / EARLIEST_SHARE
    if timedelta(days=wanted.days_before) > longest:
        message = (
            f"at most {longest / timedelta(days=1):.0f} days before the end: "
            f"the certificate is valid for {lifetime / timedelta(days=1):.0f} days"
        )
        raise InvalidAutoRenewal(message, field="days_before")
