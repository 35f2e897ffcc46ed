"""Renewing, fetching and revoking by a certificate's id and its passphrase.

An id that does not exist, a certificate without passphrase and a wrong passphrase are answered alike and
after the same work. Attempts are counted before the passphrase is looked at, for each id (those that don't
exist too) and for each address.

A renewal keeps names, key and profile. So it goes as far as the profile lets requests go: where these are
approved by themselves, a person has approved this very content before; elsewhere it waits for a person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from hub.access import audit
from hub.access.login_limits import AddressLimiter, begin_attempt, forget_failures
from hub.db.errors import Conflict, Forbidden
from hub.db.uow import UnitOfWork
from hub.http.principal import SYSTEM, Principal
from hub.lifecycle.certificate_files import take_file
from hub.lifecycle.downloads import DownloadedFile
from hub.lifecycle.intake import Enrolled
from hub.lifecycle.models import Certificate
from hub.lifecycle.renewal import Renewal, renewal_request
from hub.lifecycle.scoping import CERTIFICATE_TYPE
from hub.lifecycle.transitions import OBJECT_TYPE

if TYPE_CHECKING:
    from hub.lifecycle.service import LifecycleService

REQUESTED_VIA = "Self Service"
APPLICANT = "applicant"
_LIMIT_KIND = "self_service"
_BURST, _INTERVAL_S = 10, 6.0


class SelfServiceRefused(Forbidden):
    """There is no certificate with this id and passphrase."""

    code = "self_service_refused"


class AlreadyRenewed(Conflict):
    """The certificate was renewed already; its successor has an id of its own and the same passphrase."""

    code = "already_renewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the caller shows."""

    certificate_id: int
    passphrase: str


class SelfService:
    """Acts for whoever has a certificate's passphrase."""

    def __init__(self, lifecycle: LifecycleService) -> None:
        self.lifecycle = lifecycle
        self._db = lifecycle.db
        self._addresses = AddressLimiter(burst=_BURST, interval_s=_INTERVAL_S)

    async def renew(
        self, caller: Principal, shown: Credentials, *, agreement_accepted: bool = False
    ) -> Enrolled:
        """Request the successor, with the same information and key pair.

        Raises:
            SelfServiceRefused, TooManyLogins: see the module.
            AlreadyRenewed: there is one.
            NotRenewable, RequestRefused, TransitionNotAllowed: it can't be renewed like this, or not now.
        """
        applicant = await self._admit(caller, shown, "renew")
        renewal = Renewal(
            new_key_pair=False, agreement_accepted=agreement_accepted, requested_via=REQUESTED_VIA
        )
        async with self._db.read() as session:
            certificate = await session.get_one(Certificate, shown.certificate_id)
            if certificate.renewed_by_id is not None:
                raise AlreadyRenewed(f"it was renewed already, as certificate {certificate.renewed_by_id}")
            # The passphrase is the permission to read this one certificate.
            request = await renewal_request(session, SYSTEM, shown.certificate_id, renewal)
        return await self.lifecycle.take(applicant, replace(request, by_applicant=True, unchanged=True))

    async def download(self, caller: Principal, shown: Credentials, *, format_name: str) -> DownloadedFile:
        """Return the certificate as a file; raises as :func:`take_file` does, and SelfServiceRefused."""
        applicant = await self._admit(caller, shown, "download")
        async with self._db.write() as uow:
            return await take_file(uow, applicant, shown.certificate_id, format_name)

    async def revoke(self, caller: Principal, shown: Credentials, *, reason: str, comments: str) -> None:
        """Revoke the certificate; raises as revocation does, and SelfServiceRefused."""
        applicant = await self._admit(caller, shown, "revoke")
        async with self._db.write() as uow:
            await self.lifecycle.revocation.revoke_in(
                uow, applicant, shown.certificate_id, reason=reason, comments=comments
            )

    async def _admit(self, caller: Principal, shown: Credentials, what: str) -> Principal:
        """Return whom the caller acts as.

        Raises:
            SelfServiceRefused: id and passphrase don't fit.
            TooManyLogins: too many attempts from there, or at this id.
        """
        self._addresses.take(caller.origin.remote, now_s=self._db.clock().timestamp())
        async with self._db.write() as uow:
            await begin_attempt(uow, str(shown.certificate_id), kind=_LIMIT_KIND)
            row = (
                await uow.session.execute(
                    select(
                        Certificate.passphrase_hash, Certificate.organization_id, Certificate.department_id
                    ).where(Certificate.id == shown.certificate_id)
                )
            ).first()
        stored = row.passphrase_hash if row is not None else ""
        fits = await self.lifecycle.passwords.verify(stored or None, shown.passphrase)
        applicant = replace(
            caller, kind=APPLICANT, id=str(shown.certificate_id), name="holder of the passphrase"
        )
        async with self._db.write() as uow:
            if fits:
                await forget_failures(uow, str(shown.certificate_id), kind=_LIMIT_KIND)
            place = (row.organization_id, row.department_id) if row is not None else (None, None)
            await _note(uow, applicant, place, {"wanted": what, "admitted": fits})
        if not fits:
            raise SelfServiceRefused
        return applicant


async def _note(
    uow: UnitOfWork,
    applicant: Principal,
    place: tuple[int | None, int | None],
    details: dict[str, str | bool],
) -> None:
    await audit.record(
        uow,
        principal=applicant,
        action="SelfServiceUsed" if details["admitted"] else "SelfServiceRefused",
        object_type=OBJECT_TYPE,
        object_id=applicant.id,
        organization_id=place[0],
        department_id=place[1],
        certificate_type=CERTIFICATE_TYPE,
        details=details,
    )
