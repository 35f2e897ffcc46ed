"""May a principal reach this one organization? Lists use :func:`hub.access.policy.scope`.

What a principal may not see does not exist for them: the answer is the same NotFound as for a wrong id. What
they see but may not change is Forbidden, with the reason.
"""

from __future__ import annotations

from hub.access import policy
from hub.db.errors import NotFound
from hub.http.principal import Principal


def require_reach(principal: Principal, action: str, organization_id: int, *, absent: type[NotFound]) -> None:
    """Do nothing if the principal may do ``action`` in the organization.

    Raises:
        NotFound: ``absent``, when the organization is outside everything the principal's roles reach.
        Forbidden: the principal sees it, but none of the roles that reach it allows the action.
    """
    if not principal.sees_everything and organization_id not in principal.organization_ids:
        raise absent
    policy.require(principal, action, organization_id=organization_id)
