"""Editing a request before it is approved, or after it was declined or refused.

What comes out is held to the very policy that new requests are held to, and written as a whole or not at
all. Approvals are taken back, as they were given to something else. A request that the CA refused, or that
turned out invalid, asks again under a new order id: never one that a CA may know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import delete, insert, update

from hub.access import audit
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.lifecycle import step_queue
from hub.lifecycle.agreements import accepted_agreement
from hub.lifecycle.approvals import clear_approvals
from hub.lifecycle.errors import FieldFinding, NotEditable, RequestRefused
from hub.lifecycle.gathering import Gatherer, read_request
from hub.lifecycle.intake import accept
from hub.lifecycle.models import Certificate, CertificateCommand, InstallItem, LifecycleStep
from hub.lifecycle.new_rows import Accepted, certificate_columns, item_columns, new_order_id
from hub.lifecycle.policy import EXTERNAL_REQUESTER, PolicyInput
from hub.lifecycle.ports import Rooms
from hub.lifecycle.requests import EnrollmentRequest, KeyLocation, Method
from hub.lifecycle.scoping import may_act, no_such_organization, visible
from hub.lifecycle.states import CertificateEvent, CertificateStatus
from hub.lifecycle.step_queue import NewStep
from hub.lifecycle.stored_requests import locked_certificate, stored_request, stored_targets
from hub.lifecycle.transitions import OBJECT_TYPE, Change, event_of, head_of, transition
from hub.organizations.service import external_requester_fault

EDITABLE = frozenset(
    {
        CertificateStatus.REQUESTED,
        CertificateStatus.DECLINED,
        CertificateStatus.REJECTED,
        CertificateStatus.INVALID,
    }
)
_REFUSED = frozenset({CertificateStatus.REJECTED, CertificateStatus.INVALID})
_GENERATE_KIND = "GenerateCertificate"
# Of these the agent has to make another signing request, or another key.
_IN_SIGNING_REQUEST = ("common_name", "dns_names", "ip_addresses")
_OF_KEY = ("method", "key_type", "key_location", "key_agent_id")
# What a row begins with and an edit leaves as it is.
_KEPT = frozenset(
    {
        "type",
        "status",
        "requester",
        "requester_id",
        "requested_via",
        "order_id",
        "approver",
        "approved_at",
        "applied_at",
        "intent",
        "serial_hex",
        "chain",
        "key_usage",
        "extended_key_usage",
        "agreement",
        "renews_id",
        "replaces",
        "passphrase_hash",
    }
)
_ASKED_AGAIN: Mapping[str, Any] = {
    "intent": None,
    "order_number": "",
    "serial_hex": "",
    "approver": "",
    "decision_message": "",
    "approved_at": None,
    "declined_at": None,
    "applied_at": None,
    "status_reason": "",
    "status_message": "",
}
_NOT_AUDITED = frozenset({"search_names", "search_custom", "key_id", "csr"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What is to change: fields of :class:`EnrollmentRequest` by name."""

    changes: Mapping[str, Any] = field(default_factory=dict)


class Editing:
    """Edits requests."""

    def __init__(self, db: Database, rooms: Rooms) -> None:
        self._db = db
        self._rooms = rooms

    async def edit(self, principal: Principal, certificate_id: int, edit: Edit) -> None:
        """Change a request that is not approved, or was refused.

        Raises:
            NotEditable: it is under way, or over.
            RequestRefused: the request would break rules; nothing was changed.
        """
        async with self._db.write() as uow:
            await visible(uow.session, principal, certificate_id)
            row = await locked_certificate(uow.session, certificate_id)
            if row.status not in EDITABLE:
                raise NotEditable(f"a certificate that is {row.status} can't be edited")
            wanted = _changed(stored_request(row, await stored_targets(uow.session, row.id)), edit.changes)
            if not may_act(principal, wanted.organization_id, wanted.department_id):
                raise no_such_organization()
            accepted = await self.check(uow, principal, wanted, changed=edit.changes.keys())
            await self._write(uow, row, accepted)

    async def check(
        self, uow: UnitOfWork, principal: Principal, wanted: EnrollmentRequest, *, changed: Any = ()
    ) -> Accepted:
        """Hold a request to the policy.

        Raises:
            RequestRefused: it breaks rules.
        """
        gatherer = Gatherer(self._rooms, uow.session, at=uow.now)
        given = await gatherer.one(read_request(wanted))
        if EXTERNAL_REQUESTER in changed:
            _check_external_requester(given)
        return accept(principal, given)

    async def _write(self, uow: UnitOfWork, row: Certificate, accepted: Accepted) -> None:
        columns = {name: value for name, value in certificate_columns(accepted).items() if name not in _KEPT}
        columns["agreement"] = accepted_agreement(accepted, uow.now)
        order_id = new_order_id() if row.status in _REFUSED else row.order_id or new_order_id()
        columns |= {"order_id": order_id, **_key_columns(row, columns)}
        before = {name: getattr(row, name) for name in columns}
        needs_key = accepted.given.request.method is not Method.CSR and columns["csr"] is None
        details = audit.changes(_told(before), _told(columns))
        await self._tell(uow, row, accepted.principal, columns, details)
        await _rewrite_items(uow, row.id, accepted, anew=needs_key)
        await _forget_steps(uow, row.id)
        if needs_key:
            step = NewStep(
                certificate_id=row.id,
                name=step_queue.GENERATE_KEY,
                agent_id=accepted.given.request.key_agent_id or "",
            )
            await step_queue.schedule(uow, [step])
        await self._know_requester(uow, accepted)

    async def _tell(
        self,
        uow: UnitOfWork,
        row: Certificate,
        principal: Principal,
        columns: dict[str, Any],
        details: dict[str, Any],
    ) -> None:
        cleared = await clear_approvals(uow, row.id)
        if row.status in _REFUSED:
            change = Change(principal=principal, values={**columns, **_ASKED_AGAIN}, details=details)
            await transition(uow, row.id, CertificateEvent.RESUBMIT, change)
            return
        await uow.session.execute(update(Certificate).where(Certificate.id == row.id).values(**columns))
        head = await head_of(uow.session, row.id)
        uow.emit(event_of(head, "CertificateEdited", status=head.status, fields=sorted(details["after"])))
        await audit.record(
            uow,
            principal=principal,
            action="CertificateEdited",
            object_type=OBJECT_TYPE,
            object_id=str(row.id),
            organization_id=head.organization_id,
            department_id=head.department_id,
            certificate_type=head.type,
            details={**details, "approvals_cleared": cleared},
        )

    async def _know_requester(self, uow: UnitOfWork, accepted: Accepted) -> None:
        request = accepted.given.request
        if request.external_requester:
            await self._rooms.organizations.know_requesters(
                uow,
                organization_id=request.organization_id,
                department_id=request.department_id,
                external_requester=request.external_requester,
                principal=accepted.principal,
            )


def _changed(request: EnrollmentRequest, changes: Mapping[str, Any]) -> EnrollmentRequest:
    changed = replace(request, **changes)
    if changed.method is not Method.AUTO_INSTALL and "targets" not in changes:
        changed = replace(changed, targets=())
    if changed.method is Method.CSR:
        return changed
    if changed.method is Method.AUTO_INSTALL and changed.key_location is KeyLocation.TARGET:
        changed = replace(changed, pks_agent_id=None)
    return replace(changed, csr=None)


def _check_external_requester(given: PolicyInput) -> None:
    # The policy lets successors go on under their predecessors' requester; here somebody names another.
    finding = external_requester_fault(given.settings, given.request.external_requester)
    if finding is not None:
        raise RequestRefused((FieldFinding(EXTERNAL_REQUESTER, finding.reason, finding.message),))


def _key_columns(row: Certificate, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of key and signing request, which stay as long as they still fit."""
    if columns["method"] == Method.CSR:
        return {"reuse_key": False}
    kept = {"key_id": row.key_id, "reuse_key": row.reuse_key, "spki_sha256": row.spki_sha256}
    fits = all(columns[name] == getattr(row, name) for name in _OF_KEY)
    same_names = all(columns[name] == getattr(row, name) for name in _IN_SIGNING_REQUEST)
    if fits and same_names and row.csr is not None:
        return {**kept, "csr": row.csr, "key_bits": row.key_bits}
    if fits and row.reuse_key:
        return {**kept, "csr": None, "key_bits": 0}
    return {"key_id": new_order_id(), "reuse_key": False, "spki_sha256": "", "csr": None, "key_bits": 0}


async def _rewrite_items(uow: UnitOfWork, certificate_id: int, accepted: Accepted, *, anew: bool) -> None:
    if not anew and set(await stored_targets(uow.session, certificate_id)) == set(
        accepted.given.request.targets
    ):
        return
    await uow.session.execute(delete(InstallItem).where(InstallItem.certificate_id == certificate_id))
    items = item_columns(accepted, certificate_id, uow.now)
    if items:
        await uow.session.execute(insert(InstallItem), items)


async def _forget_steps(uow: UnitOfWork, certificate_id: int) -> None:
    """Drop what was to be done for the request as it was; an agent's late answer fits no longer."""
    await uow.session.execute(delete(LifecycleStep).where(LifecycleStep.certificate_id == certificate_id))
    await uow.session.execute(
        update(CertificateCommand)
        .where(
            CertificateCommand.certificate_id == certificate_id,
            CertificateCommand.kind == _GENERATE_KIND,
            CertificateCommand.outcome == "",
        )
        .values(outcome="Superseded", finished_at=uow.now)
    )


def _told(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in columns.items() if name not in _NOT_AUDITED}
