"""Handing out a certificate as a file; an issued one becomes Downloaded."""

from __future__ import annotations

from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.lifecycle.decisions import order_row
from hub.lifecycle.delivery import chain_of
from hub.lifecycle.downloads import DownloadedFile, as_file, format_named
from hub.lifecycle.errors import CertificateNotIssued
from hub.lifecycle.states import CertificateEvent, CertificateStatus
from hub.lifecycle.transitions import Change, transition


async def take_file(
    uow: UnitOfWork, principal: Principal, certificate_id: int, format_name: str
) -> DownloadedFile:
    """Return a certificate that the caller may have, in a format of :mod:`pki.download_formats`.

    Raises:
        UnknownFormat: there is no such format.
        CertificateNotIssued: there is no certificate yet.
    """
    file_format = format_named(format_name)
    row = await order_row(uow, certificate_id)
    chain = await chain_of(uow, row)
    if not chain:
        raise CertificateNotIssued(f"the certificate is {row.status}: there is no file yet")
    if row.status == CertificateStatus.ISSUED:
        change = Change(principal=principal, details={"format": format_name})
        await transition(uow, certificate_id, CertificateEvent.DOWNLOAD, change)
    return as_file(chain, row.common_name or f"certificate-{certificate_id}", file_format)
