"""Renewal by hand: from a certificate and what is to change, to the request for its successor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.http.principal import Principal
from hub.lifecycle.errors import CertificateNotFound, FieldFinding, NotRenewable, RequestRefused
from hub.lifecycle.install_schedule import schedule_from
from hub.lifecycle.models import Certificate, InstallItem
from hub.lifecycle.requests import (
    AutoRenew,
    EnrollmentRequest,
    Installation,
    InstallSchedule,
    KeyLocation,
    Method,
    TargetNode,
)
from hub.lifecycle.scoping import may_act
from hub.lifecycle.states import CertificateStatus, ItemStatus

_UNDECIDED = frozenset({CertificateStatus.REQUESTED, CertificateStatus.APPROVED, CertificateStatus.APPLIED})
_FOUND = frozenset({CertificateStatus.EXTERNAL, CertificateStatus.UNMANAGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """How a certificate is renewed. What is None stays as it was; found certificates have nothing to keep."""

    new_key_pair: bool = True
    csr: bytes | None = None
    organization_id: int | None = None
    department_id: int | None = None
    profile_id: int | None = None
    term_days: int | None = None
    method: Method | None = None
    key_type: str | None = None
    pks_agent_id: str | None = None
    key_location: KeyLocation | None = None
    targets: tuple[TargetNode, ...] | None = None
    installation: Installation | None = None
    install_schedule: InstallSchedule | None = None
    agreement_accepted: bool = False
    comments: str | None = None
    custom_fields: Mapping[str, str | int | float] = field(default_factory=dict)
    requested_via: str = "Client Admin"


@dataclass(frozen=True, slots=True)
class _Old:
    row: Certificate
    targets: tuple[TargetNode, ...] = field(default=())


async def renewal_request(
    session: AsyncSession, principal: Principal, certificate_id: int, renewal: Renewal
) -> EnrollmentRequest:
    """Return the request for a certificate's successor.

    Raises:
        CertificateNotFound: there is none of this id in the caller's scope.
        NotRenewable: it is not decided yet, or its key pair can't be used again.
        RequestRefused: a found certificate is renewed without saying by whom and how.
    """
    old = await _read(session, principal, certificate_id)
    row = old.row
    if row.status in _UNDECIDED:
        raise NotRenewable(f"the certificate is {row.status}: there is nothing to renew yet")
    method = renewal.method or (Method(row.method) if row.method else Method.CSR)
    _check_found(row, renewal)
    if not renewal.new_key_pair:
        _check_reuse(row, method)
    return EnrollmentRequest(
        method=method,
        organization_id=renewal.organization_id or row.organization_id or 0,
        department_id=renewal.department_id if renewal.department_id is not None else row.department_id,
        profile_id=renewal.profile_id or row.profile_id or 0,
        term_days=renewal.term_days or row.term_days,
        common_name=row.common_name,
        names=(*row.dns_names, *row.ip_addresses),
        csr=_csr(row, method, renewal),
        key_type=renewal.key_type or row.key_type,
        pks_agent_id=renewal.pks_agent_id or (row.key_agent_id if row.key_location == "pks" else None),
        key_location=renewal.key_location
        or (KeyLocation(row.key_location) if row.key_location else KeyLocation.TARGET),
        targets=_targets(old, method, renewal),
        installation=renewal.installation
        or (Installation(row.installation) if row.installation else Installation.TRIGGERED),
        install_schedule=renewal.install_schedule or schedule_from(row.install_schedule),
        agreement_accepted=renewal.agreement_accepted,
        kept_agreement=row.agreement,
        kept_requester=row.requester,
        kept_requester_id=row.requester_id,
        passphrase_hash=row.passphrase_hash,
        comments=renewal.comments if renewal.comments is not None else row.comments,
        external_requester=row.external_requester,
        custom_fields=renewal.custom_fields,
        kept_custom_fields=row.custom_fields,
        auto_renew=AutoRenew(**row.auto_renew) if row.auto_renew else None,
        requested_via=renewal.requested_via,
        renews_id=row.id,
        reuse_key=not renewal.new_key_pair and method is not Method.CSR,
        key_id="" if renewal.new_key_pair else row.key_id,
        spki_sha256="" if renewal.new_key_pair else row.spki_sha256,
    )


async def _read(session: AsyncSession, principal: Principal, certificate_id: int) -> _Old:
    row = await session.get(Certificate, certificate_id)
    if row is None or not may_act(principal, row.organization_id, row.department_id):
        raise CertificateNotFound(f"there is no certificate {certificate_id}")
    items = await session.execute(
        select(InstallItem.agent_id, InstallItem.server, InstallItem.node_id).where(
            InstallItem.certificate_id == certificate_id, InstallItem.status != ItemStatus.INVALID
        )
    )
    targets = tuple(
        TargetNode(agent_id=agent_id, server=server, node_id=node_id)
        for agent_id, server, node_id in items.all()
    )
    return _Old(row, targets)


def _check_found(row: Certificate, renewal: Renewal) -> None:
    if row.status not in _FOUND:
        return
    findings = [
        FieldFinding(name, "FieldRequired", f"a found certificate needs a {label} to be renewed")
        for name, label, value in (
            ("organization_id", "organization", renewal.organization_id or row.organization_id),
            ("profile_id", "certificate profile", renewal.profile_id),
            ("term_days", "term", renewal.term_days),
        )
        if not value
    ]
    if findings:
        raise RequestRefused(tuple(findings))


def _check_reuse(row: Certificate, method: Method) -> None:
    if row.status in _FOUND:
        raise NotRenewable("the key of a found certificate is not known here: renew with a new key pair")
    if method != row.method:
        raise NotRenewable("the same key pair means the same method: renew with a new key pair")
    if row.revocation_reason == "keyCompromise":
        raise NotRenewable("the key is known to others: renew with a new key pair")
    if row.csr is None:
        raise NotRenewable("there is no signing request to use again: renew with a new key pair")


def _csr(row: Certificate, method: Method, renewal: Renewal) -> bytes | None:
    if method is not Method.CSR:
        return None
    return renewal.csr if renewal.new_key_pair else row.csr


def _targets(old: _Old, method: Method, renewal: Renewal) -> tuple[TargetNode, ...]:
    if method is not Method.AUTO_INSTALL:
        return ()
    return old.targets if renewal.targets is None else renewal.targets
