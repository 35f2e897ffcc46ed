"""Replacing: a new key for the same names; the old certificate is Replaced as soon as the new one is there.

Not for certificates that are installed automatically, whose agent makes a new key when they are renewed. A
certificate of public trust says whom the CA has validated, so it is replaced only while the organization is
validated. A CA of private trust certifies names alone, which the delegation decides on: there the validation
of the organization means nothing and is not asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.errors import NotFound
from hub.http.principal import Principal
from hub.lifecycle.errors import (
    NotReplaceable,
    ReplaceAutoInstalled,
    ReplacementUnderWay,
    ReplaceUnvalidatedOrganization,
)
from hub.lifecycle.models import Certificate
from hub.lifecycle.ports import Rooms
from hub.lifecycle.requests import AutoRenew, EnrollmentRequest, Method
from hub.lifecycle.scoping import visible
from hub.lifecycle.states import CertificateStatus

REPLACEABLE = frozenset({CertificateStatus.ISSUED, CertificateStatus.DOWNLOADED})
_UNDER_WAY = (CertificateStatus.REQUESTED, CertificateStatus.APPROVED, CertificateStatus.APPLIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """The new key: in a signing request, or to be made by the private key store."""

    method: Method
    reason: str
    csr: bytes | None = field(default=None, repr=False)
    key_type: str = ""
    pks_agent_id: str | None = None
    agreement_accepted: bool = False
    requested_via: str = "Client Admin"


async def replacement_request(
    session: AsyncSession, rooms: Rooms, principal: Principal, certificate_id: int, replacement: Replacement
) -> EnrollmentRequest:
    """Return the request for what replaces a certificate.

    Raises:
        CertificateNotFound: there is none of this id in the caller's scope.
        ReplaceAutoInstalled, ReplaceUnvalidatedOrganization: it is none that is replaced.
        NotReplaceable, ReplacementUnderWay: it is not in use, or is being replaced.
    """
    await visible(session, principal, certificate_id)
    row = await session.get_one(Certificate, certificate_id)
    if row.method == Method.AUTO_INSTALL:
        raise ReplaceAutoInstalled
    if row.status not in REPLACEABLE:
        raise NotReplaceable(f"a certificate that is {row.status} can't be replaced")
    await _check_organization(session, rooms, row)
    await _check_first(session, row.id)
    with_pks = replacement.method is Method.PKS
    return EnrollmentRequest(
        method=replacement.method,
        organization_id=row.organization_id or 0,
        department_id=row.department_id,
        profile_id=row.profile_id or 0,
        term_days=row.term_days,
        common_name=row.common_name,
        names=(*row.dns_names, *row.ip_addresses),
        csr=None if with_pks else replacement.csr,
        key_type=(replacement.key_type or row.key_type) if with_pks else "",
        pks_agent_id=(replacement.pks_agent_id or row.key_agent_id) if with_pks else None,
        comments=replacement.reason,
        external_requester=row.external_requester,
        kept_custom_fields=row.custom_fields,
        auto_renew=AutoRenew(**row.auto_renew) if row.auto_renew else None,
        agreement_accepted=replacement.agreement_accepted,
        passphrase_hash=row.passphrase_hash,
        requested_via=replacement.requested_via,
        renews_id=row.id,
        replaces=True,
    )


async def _check_organization(session: AsyncSession, rooms: Rooms, row: Certificate) -> None:
    try:
        profile = await rooms.profiles.get(session, row.profile_id or 0)
    except NotFound:
        return
    if profile.trust != "public":
        return
    organization = await rooms.organizations.get(session, row.organization_id or 0)
    if organization.validation != "validated":
        raise ReplaceUnvalidatedOrganization(
            f"{organization.name} is not validated: certificates of public trust are not replaced until it is"
        )


async def _check_first(session: AsyncSession, certificate_id: int) -> None:
    other = await session.scalar(
        select(Certificate.id)
        .where(
            Certificate.renews_id == certificate_id,
            Certificate.replaces,
            Certificate.status.in_(_UNDER_WAY),
        )
        .limit(1)
    )
    if other is not None:
        raise ReplacementUnderWay(f"certificate {other} is to replace this one already")
