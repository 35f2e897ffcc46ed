"""Who may learn of an event: whoever may see the object that it is about.

One table from kinds of objects to the action that shows them. ``undivided`` ones belong to whole
organizations; an event about one that names a department nevertheless is that department's.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.access.policy import Target, authorize
from hub.db.outbox import OutboxEvent
from hub.http.principal import Principal


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """The action that shows objects of a kind, and whether they are undivided."""

    action: str
    undivided: bool = False


OBJECT_KINDS: dict[str, ObjectKind] = {
    "administrator": ObjectKind("administrators.view"),
    "agent": ObjectKind("agents.view", undivided=True),
    "api_token": ObjectKind("api_tokens.view"),
    "ca_authority": ObjectKind("ca_backends.view"),
    "ca_backend": ObjectKind("ca_backends.view"),
    "ca_quota": ObjectKind("ca_backends.view"),
    "certificate": ObjectKind("certificates.view"),
    "certificate_import": ObjectKind("certificates.import"),
    "command": ObjectKind("commands.view", undivided=True),
    "compromised_key": ObjectKind("compromised_keys.view"),
    "custom_field": ObjectKind("custom_fields.view"),
    "discovery_task": ObjectKind("discovery.view"),
    "dns_writer": ObjectKind("dcv.view_writers", undivided=True),
    "domain": ObjectKind("domains.view"),
    "domain_validation": ObjectKind("dcv.view"),
    "endpoint": ObjectKind("discovery.view"),
    "enrollment_token": ObjectKind("agents.enroll", undivided=True),
    "identity_provider": ObjectKind("identity_providers.view"),
    "maintenance_window": ObjectKind("renewals.view"),
    "organization": ObjectKind("organizations.view", undivided=True),
    "person": ObjectKind("persons.view"),
    "profile": ObjectKind("profiles.edit"),
    "renewal_freeze": ObjectKind("renewals.view"),
    "scan": ObjectKind("discovery.view"),
    "settings": ObjectKind("settings.view"),
}
"""Kind of object -> who sees it. Events about other kinds are for those who see everything."""


def sees_event(principal: Principal, event: OutboxEvent) -> bool:
    """Whether ``principal`` may learn of ``event``."""
    kind = OBJECT_KINDS.get(event.object_type)
    if kind is None:
        return principal.sees_everything
    target = Target(
        organization_id=event.organization_id,
        department_id=event.department_id,
        certificate_type=event.certificate_type,
        undivided=kind.undivided and event.department_id is None,
    )
    return authorize(principal, kind.action, target).allowed
