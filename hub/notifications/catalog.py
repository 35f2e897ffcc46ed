"""The types of notifications: what happened, who may be told, and in which words if nobody chose others.

A type listens to kinds of outbox events, or is driven by time: so many days before a date, or so many minutes
after one. ``critical`` types warn of an outage: by default they go to administrators, and one whose delivery
is uncertain is sent again. A new type is a row here; rules, templates and the console follow from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub.notifications.errors import TypeUnknown
from hub.notifications.variables import COMMON, OF_EVENTS, OF_OBJECTS
from hub.notifications.wording import WORDING

_PEOPLE = {
    "certificate": ("requester", "external_requesters"),
    "certificate_import": ("requester",),
    "domain": ("requester",),
}
DEFAULT_DAYS = (30, 14, 7, 3, 1)
DEFAULT_MINUTES = 15


class Timing(StrEnum):
    """What makes a notification."""

    EVENT = "event"
    BEFORE = "before"
    """A date comes near; rules say how many days before."""
    AFTER = "after"
    """Something has lasted; rules say how many minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationType:
    """One type. ``when`` narrows its events by values of their data; ``status`` by the object's own."""

    name: str
    title: str
    object_type: str
    kinds: tuple[str, ...] = ()
    timing: Timing = Timing.EVENT
    when: Mapping[str, tuple[str, ...]] | None = None
    status: tuple[str, ...] = ()
    critical: bool = False
    severity: str = "info"
    days: tuple[int, ...] = ()

    @property
    def variables(self) -> Mapping[str, str]:
        """Names that templates may use, each with what it stands for."""
        return {**COMMON, **OF_EVENTS, **OF_OBJECTS[self.object_type]}

    @property
    def subject(self) -> str:
        """The built-in subject."""
        return WORDING[self.name][0]

    @property
    def body(self) -> str:
        """The built-in text."""
        return WORDING[self.name][1]

    @property
    def recipients(self) -> tuple[str, ...]:
        """Who may be told beside addresses and channels."""
        people = _PEOPLE.get(self.object_type, ())
        owner = () if self.object_type in {"administrator", "ca_authority"} else ("owner", "RAO", "DRAO")
        return (*people, *owner, "MRAO")

    def fits(self, kind: str, data: Mapping[str, Any]) -> bool:
        """Whether an event of ``kind`` with ``data`` is one for this type."""
        if kind not in self.kinds:
            return False
        return all(str(data.get(name, "")) in values for name, values in (self.when or {}).items())


def _certificate(name: str, title: str, *kinds: str, **options: Any) -> NotificationType:
    return NotificationType(name=name, title=title, object_type="certificate", kinds=kinds, **options)


def _of(object_type: str, name: str, title: str, *kinds: str, **options: Any) -> NotificationType:
    return NotificationType(name=name, title=title, object_type=object_type, kinds=kinds, **options)


_BAD: dict[str, Any] = {"critical": True, "severity": "error"}
_WARN: dict[str, Any] = {"critical": True, "severity": "warning"}
_BEFORE: dict[str, Any] = {"timing": Timing.BEFORE, "days": DEFAULT_DAYS, **_WARN}

_ALL = (
    _certificate("certificate_requested", "Certificate requested", "CertificateRequested"),
    _certificate(
        "certificate_awaiting_approval",
        "Certificate awaits approval",
        "CertificateRequested",
        "CertificateApprovalRecorded",
        "CertificateResubmitted",
        status=("Requested",),
    ),
    _certificate("certificate_approved", "Certificate approved", "CertificateApproved"),
    _certificate("certificate_declined", "Certificate declined", "CertificateDeclined", severity="warning"),
    _certificate(
        "certificate_refused",
        "Certificate refused by the CA or invalid",
        "CertificateRejected",
        "CertificateInvalid",
        **_BAD,
    ),
    _certificate(
        "certificate_issued", "Certificate issued: collection", "CertificateIssued", severity="success"
    ),
    _certificate("certificate_downloaded", "Certificate downloaded", "CertificateDownloaded"),
    _certificate("certificate_expiring", "Certificate expires soon", **_BEFORE),
    _certificate("certificate_expired", "Certificate expired", "CertificateExpired", **_BAD),
    _certificate("certificate_revoked", "Certificate revoked", "CertificateRevoked", severity="warning"),
    _certificate("certificate_replaced", "Certificate replaced", "CertificateReplaced"),
    _certificate(
        "certificate_moved",
        "Certificate moved to another department",
        "CertificateOwnershipChanged",
        "CertificateAssigned",
    ),
    _certificate(
        "renewal_succeeded",
        "Certificate renewed",
        "RenewalFinished",
        when={"renewal_state": ("Successful",)},
        severity="success",
    ),
    _certificate(
        "renewal_failed", "Renewal failed", "RenewalFinished", when={"renewal_state": ("Failed",)}, **_BAD
    ),
    _certificate("renewal_at_risk", "Renewal at risk", "RenewalAtRisk", **_WARN),
    _certificate(
        "install_succeeded",
        "Certificate installed",
        "InstallFinished",
        when={"install_state": ("Successful",)},
        severity="success",
    ),
    _certificate(
        "install_failed",
        "Installation failed",
        "InstallFinished",
        when={"install_state": ("Failed",)},
        **_BAD,
    ),
    _certificate(
        "install_restart_needed",
        "Server must be restarted",
        "InstallFinished",
        when={"install_state": ("Restart Required",)},
        **_WARN,
    ),
    _certificate("private_key_downloaded", "Private key downloaded", "KeyDownloaded", severity="warning"),
    _of("scan", "discovery_summary", "Discovery summary", "ScanFinished"),
    _of("agent", "agent_enrolled", "Agent enrolled", "AgentEnrolled"),
    _of("agent", "agent_offline", "Agent is offline", timing=Timing.AFTER, **_BAD),
    _of("agent", "agent_back", "Agent is back", "AgentConnected", severity="success"),
    _of("agent", "agent_certificate_expiring", "Identity certificate of an agent expires soon", **_BEFORE),
    _of(
        "domain_validation",
        "dcv_validated",
        "Control of a domain shown",
        "DomainValidated",
        severity="success",
    ),
    _of("domain_validation", "dcv_failed", "Domain validation failed", "DomainValidationFailed", **_BAD),
    _of("domain_validation", "dcv_expiring", "Domain validation expires soon", **_BEFORE),
    _of("domain_validation", "dcv_expired", "Domain validation expired", "DomainValidationExpired", **_BAD),
    _of("domain", "domain_awaiting_approval", "Domain awaits approval", "DomainRequested"),
    _of("domain", "domain_approved", "Domain approved", "DomainDelegated", severity="success"),
    _of("domain", "domain_rejected", "Domain rejected", "DomainRejected", severity="warning"),
    _of("organization", "organization_validated", "Organization validated", "OrganizationValidated"),
    _of(
        "organization",
        "organization_validation_expiring",
        "Validation of an organization expires soon",
        **_BEFORE,
    ),
    _of(
        "organization",
        "organization_validation_expired",
        "Validation of an organization expired",
        "OrganizationValidationExpired",
        **_BAD,
    ),
    _of("administrator", "administrator_created", "Administrator created", "AdministratorCreated"),
    _of(
        "administrator",
        "administrator_password_reset",
        "Password of an administrator reset",
        "PasswordReset",
        "AdministratorRecovered",
        severity="warning",
    ),
    _of("ca_authority", "ca_expiring", "CA certificate expires soon", **_BEFORE),
    _of(
        "ca_authority",
        "ca_trial_ending",
        "Trial of a private CA ends soon",
        **{**_BEFORE, "days": (1, 2, 3, 4, 5)},
    ),
    _of("certificate_import", "import_finished", "Import finished", "CertificateImportFinished"),
)

TYPES: Mapping[str, NotificationType] = {each.name: each for each in _ALL}
"""All types by name."""

KINDS: frozenset[str] = frozenset(kind for each in _ALL for kind in each.kinds)
"""The kinds of events that any type listens to; others are stepped over."""


def type_named(name: str) -> NotificationType:
    """Return a type; raise TypeUnknown."""
    if name not in TYPES:
        raise TypeUnknown(f"there is no type of notification {name[:64]!r}", field="type")
    return TYPES[name]


def types_for(kind: str, data: Mapping[str, Any]) -> list[NotificationType]:
    """Return the types that an event is for."""
    return [each for each in _ALL if each.fits(kind, data)]
