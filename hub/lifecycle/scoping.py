"""What somebody sees and reaches of certificates: those of their organizations, departments and types."""

from __future__ import annotations

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.policy import Target, reaches, scope
from hub.http.principal import Principal
from hub.lifecycle.errors import CertificateNotFound, FieldFinding, RequestRefused
from hub.lifecycle.models import Certificate
from hub.lifecycle.transitions import Head, head_of

CERTIFICATE_TYPE = "ssl"
"""The only type that is requested, issued and found so far."""


def certificate_scope(principal: Principal) -> ColumnElement[bool] | None:
    """Return the condition on the certificates that somebody may see; None when they see all."""
    return scope(
        principal,
        Certificate.organization_id,
        Certificate.department_id,
        action="certificates.view",
        type_column=Certificate.type,
    )


def may_act(principal: Principal, organization_id: int | None, department_id: int | None) -> bool:
    """Tell whether an object of this organization and department is within somebody's scope."""
    target = Target(
        organization_id=organization_id, department_id=department_id, certificate_type=CERTIFICATE_TYPE
    )
    return reaches(principal, target)


async def visible(session: AsyncSession, principal: Principal, certificate_id: int) -> Head:
    """Return the head of a certificate within somebody's scope; raise CertificateNotFound."""
    head = await head_of(session, certificate_id)
    if not may_act(principal, head.organization_id, head.department_id):
        raise CertificateNotFound(f"there is no certificate {certificate_id}")
    return head


def no_such_organization() -> RequestRefused:
    """Return what is answered about an organization that somebody may not see: as if there was none."""
    finding = FieldFinding("organization_id", "OrganizationUnknown", "there is no such organization")
    return RequestRefused((finding,))
