"""The rules of a new hub: nothing that fails does so silently, and requesters hear of their requests."""

from __future__ import annotations

from sqlalchemy import select

from hub.db.uow import UnitOfWork
from hub.http.principal import SYSTEM
from hub.notifications import rule_store
from hub.notifications.catalog import TYPES
from hub.notifications.models import NotificationRule
from hub.notifications.rules import Recipients, RuleFields

_ADMINISTRATORS = Recipients(roles=("MRAO", "RAO"))
_MASTERS = Recipients(roles=("MRAO",))
_DECIDERS = Recipients(roles=("MRAO", "RAO", "DRAO"))
_ASKED = Recipients(requester=True, external_requesters=True)
_IN_CHARGE = Recipients(requester=True, external_requesters=True, owner=True)

_RECIPIENTS = {
    "certificate_awaiting_approval": _DECIDERS,
    "certificate_approved": _ASKED,
    "certificate_declined": _ASKED,
    "certificate_refused": Recipients(requester=True, external_requesters=True, roles=("MRAO", "RAO")),
    "certificate_issued": _ASKED,
    "certificate_revoked": _IN_CHARGE,
    "certificate_expiring": _IN_CHARGE,
    "certificate_expired": Recipients(requester=True, owner=True, roles=("MRAO", "RAO")),
    "renewal_failed": Recipients(owner=True, roles=("MRAO", "RAO")),
    "renewal_at_risk": Recipients(owner=True, roles=("MRAO", "RAO")),
    "install_failed": Recipients(owner=True, roles=("MRAO", "RAO")),
    "install_restart_needed": Recipients(requester=True, owner=True, roles=("RAO",)),
    "private_key_downloaded": Recipients(owner=True),
    "agent_offline": _ADMINISTRATORS,
    "agent_back": _ADMINISTRATORS,
    "agent_certificate_expiring": _ADMINISTRATORS,
    "dcv_failed": _ADMINISTRATORS,
    "dcv_expiring": _ADMINISTRATORS,
    "dcv_expired": _ADMINISTRATORS,
    "domain_awaiting_approval": _ADMINISTRATORS,
    "organization_validation_expiring": _ADMINISTRATORS,
    "organization_validation_expired": _ADMINISTRATORS,
    "administrator_created": _MASTERS,
    "administrator_password_reset": _MASTERS,
    "ca_expiring": _MASTERS,
    "ca_trial_ending": _MASTERS,
}


async def install_defaults(uow: UnitOfWork) -> int:
    """Make the rules of a new hub and return how many; a hub that has rules keeps its own."""
    if (await uow.session.execute(select(NotificationRule.id).limit(1))).first() is not None:
        return 0
    for name, recipients in _RECIPIENTS.items():
        fields = RuleFields(name=TYPES[name].title, type=name, recipients=recipients)
        await rule_store.create(uow, fields, principal=SYSTEM)
    return len(_RECIPIENTS)
