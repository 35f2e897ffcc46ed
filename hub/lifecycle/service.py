"""The life of certificates: the only way in for other rooms and for every front door.

Requests are checked and stored by :mod:`hub.lifecycle.intake`, what follows is done in steps by
:mod:`hub.lifecycle.worker`; here are the decisions that people take in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.passwords import Passwords
from hub.db.uow import Database, UnitOfWork
from hub.http.listing import Listing
from hub.http.principal import SYSTEM, Principal
from hub.lifecycle import follow_up, hooks, remarks, step_queue
from hub.lifecycle.annotations import Annotations
from hub.lifecycle.bulk import Bulk
from hub.lifecycle.certificate_files import take_file
from hub.lifecycle.checking import Checking
from hub.lifecycle.custom_columns import with_custom_columns
from hub.lifecycle.decisions import Decisions, order_row
from hub.lifecycle.deleting import Deleting
from hub.lifecycle.delivery import EXPORT_KIND, LIVE, STORE_KIND, Delivery
from hub.lifecycle.downloads import DownloadedFile
from hub.lifecycle.editing import Editing
from hub.lifecycle.errors import (
    CertificateNotIssued,
    NothingToInstall,
)
from hub.lifecycle.found import Find, NetworkPlace, Recorded, leave_places, record_found
from hub.lifecycle.importing.jobs import ImportJobs
from hub.lifecycle.install_changes import InstallChanges
from hub.lifecycle.install_plan import install_at_once, install_steps, item_agents
from hub.lifecycle.install_windows import InstallWindows
from hub.lifecycle.installation import KIND as INSTALL_KIND
from hub.lifecycle.installation import InstallSteps
from hub.lifecycle.intake import Enrolled, Intake
from hub.lifecycle.issuance import Issuance
from hub.lifecycle.item_updates import see_places
from hub.lifecycle.key_access import KeyAccess
from hub.lifecycle.key_custody import KeyCustody
from hub.lifecycle.key_steps import KIND as GENERATE_KIND
from hub.lifecycle.key_steps import KeySteps
from hub.lifecycle.models import Certificate
from hub.lifecycle.ownership import Ownership
from hub.lifecycle.passphrases import passphrase_fault
from hub.lifecycle.ports import Rooms
from hub.lifecycle.renewal import Renewal, renewal_request
from hub.lifecycle.replacing import Replacement, replacement_request
from hub.lifecycle.requests import EnrollmentRequest
from hub.lifecycle.restarts import Restarts
from hub.lifecycle.revocation import Revocation
from hub.lifecycle.schemas import CertificateRow
from hub.lifecycle.scoping import CERTIFICATE_TYPE, may_act, no_such_organization, visible
from hub.lifecycle.states import (
    CERTIFICATE,
    CertificateEvent,
    InstallEvent,
    states_allowing,
)
from hub.lifecycle.transitions import Change, install_transition, transition
from hub.lifecycle.worker import LifecycleWorker

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


class LifecycleService:
    """Requests, decisions, renewal, revocation, installation and downloads."""

    def __init__(
        self,
        db: Database,
        rooms: Rooms,
        *,
        passwords: Passwords | None = None,
        key_access: KeyAccess = KeyAccess(),  # noqa: B008 - frozen
    ) -> None:
        self.db = db
        self._rooms = rooms
        self._issuance = Issuance(db, rooms)
        self._intake = Intake(db, rooms, self._issuance)
        self._decisions = Decisions(db, rooms)
        self.passwords = passwords or Passwords()
        self.revocation = Revocation(db, rooms)
        self.checking = Checking(db, rooms)
        self.editing = Editing(db, rooms)
        self.annotations = Annotations(db, rooms)
        self.ownership = Ownership(db, rooms, self.editing)
        self.deleting = Deleting(db)
        self.bulk = Bulk(self)
        self.imports = ImportJobs(db, rooms)
        self._keys = KeySteps(db, rooms)
        self._delivery = Delivery(db, rooms)
        self._install = InstallSteps(db, rooms)
        self.install_changes = InstallChanges(db, rooms)
        self.restarts = Restarts(db, rooms)
        self.key_custody = KeyCustody(db, rooms, access=key_access)
        rooms.fleet.on_outcome(GENERATE_KIND, self._keys.on_outcome)
        rooms.fleet.on_outcome(STORE_KIND, self._delivery.on_stored)
        rooms.fleet.on_outcome(EXPORT_KIND, self._delivery.on_exported)
        rooms.fleet.on_outcome(INSTALL_KIND, self._install.on_outcome)
        rooms.fleet.on_removed(self._install.on_agent_removed)
        follow_up.follow_renewals(db)

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
                step_queue.REVOKE: self.revocation.revoke_at_ca,
            },
            sweep=self._sweep,
        )

    async def close(self) -> None:
        """Finish the requests that were taken."""
        await self.imports.close()
        await self._intake.close()

    # ---- what rooms above are told within the transaction

    def on_issued(self, handler: hooks.IssuedHandler) -> None:
        """See :func:`hub.lifecycle.hooks.on_issued`."""
        hooks.on_issued(self.db, handler)

    def on_renewal_started(self, handler: hooks.StartedHandler) -> None:
        """See :func:`hub.lifecycle.hooks.on_renewal_started`."""
        hooks.on_renewal_started(self.db, handler)

    def on_renewal_ended(self, handler: hooks.RenewalHandler) -> None:
        """See :func:`hub.lifecycle.hooks.on_renewal_ended`."""
        hooks.on_renewal_ended(self.db, handler)

    def on_install_ended(self, handler: hooks.InstallHandler) -> None:
        """See :func:`hub.lifecycle.hooks.on_install_ended`."""
        hooks.on_install_ended(self.db, handler)

    # ---- requests and decisions

    async def request(self, principal: Principal, request: EnrollmentRequest) -> Enrolled:
        """Check and store a request.

        Raises:
            RequestRefused: rules that the request breaks, a field each.
        """
        if not may_act(principal, request.organization_id, request.department_id):
            raise no_such_organization()
        return await self.take(principal, request)

    async def take(self, principal: Principal, request: EnrollmentRequest) -> Enrolled:
        """Check and store a request of somebody whom another front door let in; raises RequestRefused."""
        if principal.kind != "system":
            # Whoever asks accepts the agreement; only the hub itself goes on with what was accepted before.
            request = replace(request, kept_agreement=None)
        if request.passphrase and passphrase_fault(request.passphrase) is None:
            request = replace(request, passphrase_hash=await self.passwords.hash(request.passphrase))
        return await self._intake.add(principal, request)

    async def approve(self, principal: Principal, certificate_id: int, *, message: str = "") -> None:
        """Approve a request; raises as :meth:`hub.lifecycle.decisions.Decisions.approve` does."""
        await self._decisions.approve(principal, certificate_id, message=message)

    async def decline(self, principal: Principal, certificate_id: int, *, message: str = "") -> None:
        """Decline a request."""
        await self._decisions.decline(principal, certificate_id, message=message)

    async def renew(self, principal: Principal, certificate_id: int, renewal: Renewal) -> Enrolled:
        """Request a certificate's successor; raises as :func:`hub.lifecycle.renewal.renewal_request` does."""
        async with self.db.read() as session:
            request = await renewal_request(session, principal, certificate_id, renewal)
        return await self.request(principal, request)

    async def replace(self, principal: Principal, certificate_id: int, replacement: Replacement) -> Enrolled:
        """Request what replaces a certificate; raises as :func:`replacement_request` does."""
        async with self.db.read() as session:
            request = await replacement_request(session, self._rooms, principal, certificate_id, replacement)
        return await self.request(principal, request)

    async def revoke(
        self, principal: Principal, certificate_id: int, *, reason: str, comments: str = ""
    ) -> None:
        """Revoke a certificate; raises as :meth:`hub.lifecycle.revocation.Revocation.revoke_in` does."""
        await self.revocation.revoke(principal, certificate_id, reason=reason, comments=comments)

    # ---- installation

    def limit_installs(self, windows: InstallWindows) -> None:
        """Let another room close servers at times; see :mod:`hub.lifecycle.install_windows`."""
        self._install.windows = windows

    async def install(self, principal: Principal, certificate_id: int) -> None:
        """Install a certificate on its nodes now, or once more after a failure.

        For a certificate without nodes whose key an agent keeps, this stores it beside its key again.

        Raises:
            CertificateNotIssued: there is nothing to install yet.
            NothingToInstall: it has neither nodes nor a key at an agent.
            TransitionNotAllowed: an installation is under way.
        """
        async with self.db.write() as uow:
            await visible(uow.session, principal, certificate_id)
            row = await order_row(uow, certificate_id)
            if row.status not in LIVE:
                raise CertificateNotIssued(f"the certificate is {row.status}: there is nothing to install")
            agents = await item_agents(uow, certificate_id)
            if not agents and row.key_agent_id is None:
                raise NothingToInstall
            if agents:
                await install_transition(uow, certificate_id, InstallEvent.START, Change(principal=principal))
                await install_at_once(uow, certificate_id)
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
        async with self.db.write() as uow:
            await visible(uow.session, principal, certificate_id)
            return await take_file(uow, principal, certificate_id, format_name)

    # ---- what people write

    async def add_note(self, principal: Principal, certificate_id: int, text: str) -> None:
        """Leave a remark on a certificate."""
        async with self.db.write() as uow:
            await visible(uow.session, principal, certificate_id)
            await remarks.add_note(uow, certificate_id, text, principal=principal)

    async def add_location(
        self, principal: Principal, certificate_id: int, *, name: str, details: str
    ) -> None:
        """Record a place that no agent can see."""
        async with self.db.write() as uow:
            await visible(uow.session, principal, certificate_id)
            await remarks.add_location(uow, certificate_id, name=name, details=details, principal=principal)

    async def remove_location(self, principal: Principal, certificate_id: int, location_id: int) -> None:
        """Remove a place that was recorded by hand; raise LocationNotFound."""
        async with self.db.write() as uow:
            await visible(uow.session, principal, certificate_id)
            await remarks.remove_location(uow, certificate_id, location_id, principal=principal)

    # ---- time

    async def _sweep(self) -> None:
        await self.expire()
        await self.key_custody.sweep()
        await self.imports.sweep()

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
