"""From a certificate's row back to the request it stands for: what edits begin from."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.lifecycle.errors import CertificateNotFound
from hub.lifecycle.install_schedule import schedule_from
from hub.lifecycle.models import Certificate, InstallItem
from hub.lifecycle.requests import (
    AutoRenew,
    EnrollmentRequest,
    Installation,
    KeyLocation,
    Method,
    TargetNode,
)


async def locked_certificate(session: AsyncSession, certificate_id: int) -> Certificate:
    """Return a certificate whose row nobody else changes before the transaction's end.

    Raises:
        CertificateNotFound: there is none of this id.
    """
    row = await session.scalar(
        select(Certificate)
        .where(Certificate.id == certificate_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise CertificateNotFound(f"there is no certificate {certificate_id}")
    return row


async def stored_targets(session: AsyncSession, certificate_id: int) -> tuple[TargetNode, ...]:
    """Return the nodes that a certificate is to be installed on."""
    rows = await session.execute(
        select(InstallItem.agent_id, InstallItem.server, InstallItem.node_id)
        .where(InstallItem.certificate_id == certificate_id)
        .order_by(InstallItem.id)
    )
    return tuple(
        TargetNode(agent_id=agent_id, server=server, node_id=node_id)
        for agent_id, server, node_id in rows.all()
    )


def stored_request(row: Certificate, targets: tuple[TargetNode, ...]) -> EnrollmentRequest:
    """Return the request that a row stands for, with everything that it decided by then."""
    method = Method(row.method) if row.method else Method.CSR
    return EnrollmentRequest(
        method=method,
        organization_id=row.organization_id or 0,
        department_id=row.department_id,
        profile_id=row.profile_id or 0,
        term_days=row.term_days,
        common_name=row.common_name,
        names=(*row.dns_names, *row.ip_addresses),
        csr=row.csr if method is Method.CSR else None,
        key_type="" if method is Method.CSR else row.key_type,
        pks_agent_id=row.key_agent_id if row.key_location == KeyLocation.PKS else None,
        key_location=KeyLocation(row.key_location) if row.key_location else KeyLocation.TARGET,
        targets=targets if method is Method.AUTO_INSTALL else (),
        installation=Installation(row.installation) if row.installation else Installation.TRIGGERED,
        install_schedule=schedule_from(row.install_schedule),
        comments=row.comments,
        external_requester=row.external_requester,
        kept_custom_fields=row.custom_fields,
        auto_renew=AutoRenew(**row.auto_renew) if row.auto_renew else None,
        passphrase_hash=row.passphrase_hash,
        kept_agreement=row.agreement,
        kept_requester=row.requester,
        kept_requester_id=row.requester_id,
        requested_via=row.requested_via,
        by_applicant=row.requester_id is None,
        renews_id=row.renews_id,
        replaces=row.replaces,
        reuse_key=row.reuse_key,
        key_id=row.key_id,
        spki_sha256=row.spki_sha256,
    )
