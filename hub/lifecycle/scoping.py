"""Whether somebody may act on a certificate: it belongs to one of their organizations or departments."""

from __future__ import annotations

from hub.http.principal import Principal, Role

CERTIFICATE_TYPE = "ssl"


def may_act(principal: Principal, organization_id: int | None, department_id: int | None) -> bool:
    """Tell whether an object of this organization and department is within somebody's scope."""
    if principal.sees_everything:
        return True
    return any(
        grant.organization_id is not None
        and grant.organization_id == organization_id
        and (grant.role is not Role.DRAO or grant.department_id == department_id)
        for grant in principal.grants
        if not grant.certificate_types or CERTIFICATE_TYPE in grant.certificate_types
    )
