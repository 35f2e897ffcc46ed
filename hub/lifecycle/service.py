"""The life of certificates: the only way in for other rooms and for every front door.

Requests are checked and stored by :mod:`hub.lifecycle.intake`, what follows is done in steps by
:mod:`hub.lifecycle.worker`; here are the decisions that people take in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.privileges import APPROVE_OWN
from hub.db.uow import Database, UnitOfWork
from hub.http.listing import Listing
from hub.http.principal import SYSTEM, Principal
from hub.issuers.contract import CanRevoke
from hub.lifecycle import remarks, step_queue
from hub.lifecycle.custom_columns import with_custom_columns
from hub.lifecycle.delivery import EXPORT_KIND, LIVE, STORE_KIND, Delivery, chain_of
from hub.lifecycle.downloads import DownloadedFile, as_file, format_named
from hub.lifecycle.errors import (
    CertificateNotFound,
    CertificateNotIssued,
    FieldFinding,
    NothingToInstall,
    OwnRequest,
    RequestRefused,
)
from hub.lifecycle.found import Find, NetworkPlace, Recorded, leave_places, record_found
from hub.lifecycle.install_plan import install_steps, item_agents
from hub.lifecycle.installation import KIND as INSTALL_KIND
from hub.lifecycle.installation import InstallSteps
from hub.lifecycle.intake import Enrolled, Intake
from hub.lifecycle.issuance import Issuance
from hub.lifecycle.item_updates import see_places
from hub.lifecycle.key_steps import KIND as GENERATE_KIND
from hub.lifecycle.key_steps import KeySteps
from hub.lifecycle.models import Certificate, LifecycleStep
from hub.lifecycle.orders import OrderRow, read_order
from hub.lifecycle.ports import Rooms
from hub.lifecycle.renewal import Renewal, renewal_request
from hub.lifecycle.requests import EnrollmentRequest
from hub.lifecycle.schemas import CertificateRow
from hub.lifecycle.scoping import CERTIFICATE_TYPE, may_act
from hub.lifecycle.states import (
    CERTIFICATE,
    CertificateEvent,
    CertificateStatus,
    InstallEvent,
    states_allowing,
)
from hub.lifecycle.step_queue import NewStep
from hub.lifecycle.transitions import Change, head_of, install_transition, transition
from hub.lifecycle.worker import LifecycleWorker
from pki.crls import RevocationReason

__all__ = [
    "Enrolled",
    "EnrollmentRequest",
    "Find",
    "LifecycleService",
    "NetworkPlace",
    "Recorded",
    "Renewal",
    "Rooms",
]

_SWEEP_ROWS = 500
_DELIVERY_STEPS = (
    step_queue.STORE,
    step_queue.EXPORT_KEY,
    step_queue.DELIVER,
    step_queue.INSTALL,
)


class LifecycleService:
    """Requests, decisions, renewal, revocation, installation and downloads."""

    def __init__(self, db: Database, rooms: Rooms) -> None:
        self.db = db
        self._rooms = rooms
        self._issuance = Issuance(db, rooms)
        self._intake = Intake(db, rooms, self._issuance)
        self._keys = KeySteps(db, rooms)
        self._delivery = Delivery(db, rooms)
        self._install = InstallSteps(db, rooms)
        rooms.fleet.on_outcome(GENERATE_KIND, self._keys.on_outcome)
        rooms.fleet.on_outcome(STORE_KIND, self._delivery.on_stored)
        rooms.fleet.on_outcome(EXPORT_KIND, self._delivery.on_exported)
        rooms.fleet.on_outcome(INSTALL_KIND, self._install.on_outcome)

    def worker(self) -> LifecycleWorker:
        """Return what does the steps that are due; run one in each hub."""
        return LifecycleWorker(
            self.db,
            batches={step_queue.APPLY: self._issuance.apply, step_queue.SUBMIT: self._issuance.submit},
            singles={
                step_queue.GENERATE_KEY: self._keys.generate_key,
                step_queue.STORE: self._delivery.store,
                step_queue.EXPORT_KEY: self._delivery.export_key,
                step_queue.DELIVER: self._delivery.deliver,
                step_queue.INSTALL: self._install.install,
                step_queue.REVOKE: self._revoke_at_ca,
            },
            sweep=self.expire,
        )

    async def close(self) -> None:
        """Finish the requests that were taken."""
        await self._intake.close()

    # ---- requests and decisions

    async def request(self, principal: Principal, request: EnrollmentRequest) -> Enrolled:
        """Check and store a request.

        Raises:
            RequestRefused: rules that the request breaks, a field each.
        """
        if not may_act(principal, request.organization_id, request.department_id):
            raise _no_such_organization()
        return await self._intake.add(principal, request)

    async def approve(self, principal: Principal, certificate_id: int, *, message: str = "") -> None:
        """Approve a request; it is ordered as soon as its signing request is there.

        Raises:
            OwnRequest: the principal asked for it, and has no privilege to approve that.
        """
        async with self.db.write() as uow:
            await self._visible(uow, principal, certificate_id)
            await _refuse_own(uow, principal, certificate_id)
            values = {
                "approver": principal.name,
                "decision_message": message,
                "status_reason": "",
                "status_message": "",
            }
            change = Change(principal=principal, values=values, details={"message": message})
            await transition(uow, certificate_id, CertificateEvent.APPROVE, change)
            row = await _row(uow, certificate_id)
            name = step_queue.APPLY if row.csr is not None else step_queue.GENERATE_KEY
            agent_id = "" if row.csr is not None else (row.key_agent_id or "")
            await step_queue.schedule(
                uow, [NewStep(certificate_id=certificate_id, name=name, agent_id=agent_id)]
            )

    async def decline(self, principal: Principal, certificate_id: int, *, message: str = "") -> None:
        """Decline a request."""
        async with self.db.write() as uow:
            await self._visible(uow, principal, certificate_id)
            values = {
                "decision_message": message,
                "status_reason": "Declined",
                "status_message": message,
            }
            change = Change(principal=principal, values=values, details={"message": message})
            await transition(uow, certificate_id, CertificateEvent.DECLINE, change)

    async def renew(self, principal: Principal, certificate_id: int, renewal: Renewal) -> Enrolled:
        """Request a certificate's successor; raises as :func:`hub.lifecycle.renewal.renewal_request` does."""
        async with self.db.read() as session:
            request = await renewal_request(session, principal, certificate_id, renewal)
        return await self.request(principal, request)

    async def revoke(
        self, principal: Principal, certificate_id: int, *, reason: str, comments: str = ""
    ) -> None:
        """Revoke a certificate, for a reason of RFC 5280, 5.3.1.

        Raises:
            RequestRefused: there is no such reason.
            TransitionNotAllowed: the certificate is not one that can be revoked here.
        """
        if reason not in set(RevocationReason):
            message = f"{reason!r} is none of {', '.join(RevocationReason)}"
            raise RequestRefused((FieldFinding("reason", "RevocationReasonUnknown", message),))
        async with self.db.write() as uow:
            await self._visible(uow, principal, certificate_id)
            details = {"reason": reason, "comments": comments}
            values = {"revocation_reason": reason, "status_reason": reason, "status_message": comments}
            change = Change(principal=principal, values=values, details=details)
            await transition(uow, certificate_id, CertificateEvent.REVOKE, change)
            row = await _row(uow, certificate_id)
            await self._publish_revocation(uow, row, reason)
            await uow.session.execute(
                delete(LifecycleStep).where(
                    LifecycleStep.certificate_id == certificate_id, LifecycleStep.name.in_(_DELIVERY_STEPS)
                )
            )

    async def _publish_revocation(self, uow: UnitOfWork, row: OrderRow, reason: str) -> None:
        serial = (
            await uow.session.execute(select(Certificate.serial_hex).where(Certificate.id == row.id))
        ).scalar_one()
        backend_id = row.backend_id or 0
        await self._rooms.issuers.certificate_revoked(
            uow, backend_id=backend_id, serial_hex=serial, reason=reason, at=uow.now
        )
        backend = await self._rooms.issuers.backend(uow.session, backend_id)
        if isinstance(backend, CanRevoke):
            payload = {"serial_hex": serial, "reason": reason, "at": uow.now.isoformat()}
            await step_queue.schedule(
                uow, [NewStep(certificate_id=row.id, name=step_queue.REVOKE, payload=payload)]
            )

    async def _revoke_at_ca(self, step: step_queue.Step) -> None:
        payload = step.payload or {}
        async with self.db.read() as session:
            row = await read_order(session, step.certificate_id)
            backend = await self._rooms.issuers.backend(session, (row.backend_id if row else None) or 0)
        if isinstance(backend, CanRevoke):
            await backend.revoke(
                payload["serial_hex"],
                reason=payload["reason"],
                at=datetime.fromisoformat(payload["at"]),
            )
        async with self.db.write() as uow:
            await step_queue.finish_one(uow, step)

    # ---- installation

    async def install(self, principal: Principal, certificate_id: int) -> None:
        """Install a certificate on its nodes now, or once more after a failure.

        For a certificate without nodes whose key an agent keeps, this stores it beside its key again.

        Raises:
            CertificateNotIssued: there is nothing to install yet.
            NothingToInstall: it has neither nodes nor a key at an agent.
            TransitionNotAllowed: an installation is under way.
        """
        async with self.db.write() as uow:
            await self._visible(uow, principal, certificate_id)
            row = await _row(uow, certificate_id)
            if row.status not in LIVE:
                raise CertificateNotIssued(f"the certificate is {row.status}: there is nothing to install")
            agents = await item_agents(uow, certificate_id)
            if not agents and row.key_agent_id is None:
                raise NothingToInstall
            if agents:
                await install_transition(uow, certificate_id, InstallEvent.START, Change(principal=principal))
            await step_queue.schedule(uow, await install_steps(uow, row, agents))

    # ---- reading

    async def listing(self, session: AsyncSession, *, only_active: bool = True) -> Listing[CertificateRow]:
        """Return the list of certificates with the columns of the custom fields that there are."""
        fields = await self._rooms.organizations.custom_fields_of(session, CERTIFICATE_TYPE)
        return with_custom_columns([item for item in fields if item.active or not only_active])

    async def download(self, principal: Principal, certificate_id: int, format_name: str) -> DownloadedFile:
        """Return a certificate in a format of :class:`pki.download_formats.DownloadFormat`.

        An issued certificate becomes Downloaded.

        Raises:
            UnknownFormat: there is no such format.
            CertificateNotIssued: there is no certificate yet.
        """
        file_format = format_named(format_name)
        async with self.db.write() as uow:
            await self._visible(uow, principal, certificate_id)
            row = await _row(uow, certificate_id)
            chain = await chain_of(uow, row)
            if not chain:
                raise CertificateNotIssued(f"the certificate is {row.status}: there is no file yet")
            if row.status == CertificateStatus.ISSUED:
                change = Change(principal=principal, details={"format": format_name})
                await transition(uow, certificate_id, CertificateEvent.DOWNLOAD, change)
        return as_file(chain, row.common_name or f"certificate-{certificate_id}", file_format)

    async def _visible(self, uow: UnitOfWork, principal: Principal, certificate_id: int) -> None:
        head = await head_of(uow.session, certificate_id)
        if not may_act(principal, head.organization_id, head.department_id):
            raise CertificateNotFound(f"there is no certificate {certificate_id}")

    # ---- what people write

    async def add_note(self, principal: Principal, certificate_id: int, text: str) -> None:
        """Leave a remark on a certificate."""
        async with self.db.write() as uow:
            await self._visible(uow, principal, certificate_id)
            await remarks.add_note(uow, certificate_id, text, principal=principal)

    async def add_location(
        self, principal: Principal, certificate_id: int, *, name: str, details: str
    ) -> None:
        """Record a place that no agent can see."""
        async with self.db.write() as uow:
            await self._visible(uow, principal, certificate_id)
            await remarks.add_location(uow, certificate_id, name=name, details=details, principal=principal)

    async def remove_location(self, principal: Principal, certificate_id: int, location_id: int) -> None:
        """Remove a place that was recorded by hand; raise LocationNotFound."""
        async with self.db.write() as uow:
            await self._visible(uow, principal, certificate_id)
            await remarks.remove_location(uow, certificate_id, location_id, principal=principal)

    # ---- time

    async def expire(self) -> int:
        """Let certificates whose time is over expire; return how many did."""
        expired = 0
        statuses = states_allowing(CERTIFICATE, CertificateEvent.EXPIRE)
        while True:
            async with self.db.write() as uow:
                due = await uow.session.execute(
                    select(Certificate.id)
                    .where(Certificate.status.in_(statuses), Certificate.not_after < uow.now)
                    .limit(_SWEEP_ROWS)
                    .with_for_update(skip_locked=True)
                )
                ids = list(due.scalars())
                for certificate_id in ids:
                    await transition(uow, certificate_id, CertificateEvent.EXPIRE, Change(principal=SYSTEM))
            expired += len(ids)
            if len(ids) < _SWEEP_ROWS:
                return expired

    # ---- what discovery found

    async def record_found(self, uow: UnitOfWork, find: Find) -> Recorded:
        """Make rows of certificates that are new here; see :mod:`hub.lifecycle.found`."""
        return await record_found(uow, find)

    async def see_places(self, uow: UnitOfWork, places: Sequence[dict[str, Any]]) -> None:
        """Record where certificates were seen; see :func:`hub.lifecycle.item_updates.see_places`."""
        await see_places(uow, places)

    async def leave_places(self, uow: UnitOfWork, places: Iterable[NetworkPlace]) -> None:
        """Mark network locations at which certificates are no longer seen."""
        await leave_places(uow, places)

    async def assign(
        self, principal: Principal, certificate_id: int, *, organization_id: int, department_id: int | None
    ) -> None:
        """Give a found certificate to an organization.

        Raises:
            RequestRefused: the caller has no such organization.
            DepartmentNotFound: the organization has no such department.
            TransitionNotAllowed: the certificate was not found, but issued here.
        """
        if not may_act(principal, organization_id, department_id):
            raise _no_such_organization()
        async with self.db.write() as uow:
            await self._visible(uow, principal, certificate_id)
            await self._rooms.organizations.get(uow.session, organization_id)
            if department_id is not None:
                await self._rooms.organizations.department(uow.session, organization_id, department_id)
            values = {"organization_id": organization_id, "department_id": department_id}
            change = Change(principal=principal, values=values, details=values)
            await transition(uow, certificate_id, CertificateEvent.ASSIGN, change)


async def _refuse_own(uow: UnitOfWork, principal: Principal, certificate_id: int) -> None:
    if principal.kind == "system" or APPROVE_OWN in principal.privileges:
        return
    requester = select(Certificate.requester).where(Certificate.id == certificate_id)
    if (await uow.session.execute(requester)).scalar_one() == principal.name:
        raise OwnRequest


def _no_such_organization() -> RequestRefused:
    # What somebody may not see does not exist for them.
    finding = FieldFinding("organization_id", "OrganizationUnknown", "there is no such organization")
    return RequestRefused((finding,))


async def _row(uow: UnitOfWork, certificate_id: int) -> OrderRow:
    row = await read_order(uow.session, certificate_id)
    if row is None:
        raise CertificateNotFound(f"there is no certificate {certificate_id}")
    return row
