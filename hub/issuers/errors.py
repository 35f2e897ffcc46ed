"""What can be wrong with CA backends and their authorities."""

from __future__ import annotations

from hub.db.errors import Conflict, Malformed, NotFound, PolicyViolation, Unavailable
from pki.findings import Finding


class BackendNotFound(NotFound):
    """There is no such CA backend."""

    code = "ca_backend_not_found"


class BackendNameTaken(Conflict):
    """A CA backend of this name exists already."""

    code = "ca_backend_name_taken"


class BackendDisabled(Conflict):
    """The CA backend is disabled."""

    code = "ca_backend_disabled"


class NoAccountKey(Conflict):
    """The hub has no account key at this CA."""

    code = "no_account_key"


class UnknownBackendKind(Malformed):
    """No plug-in for this kind of CA backend is installed."""

    code = "unknown_ca_backend_kind"


class InvalidBackendSettings(Malformed):
    """The settings are not those of this kind of CA backend."""

    code = "invalid_ca_backend_settings"


class InvalidHierarchy(Malformed):
    """A CA hierarchy can't be made like this."""

    code = "invalid_ca_hierarchy"


class AuthorityNotFound(NotFound):
    """There is no such certification authority here."""

    code = "authority_not_found"


class NotOrdered(Unavailable):
    """The CA can't be asked now, and nothing has been ordered there: another CA may be taken."""

    code = "ca_not_ordered"


class AuthorityKeyUnavailable(Unavailable):
    """The CA's key can't be opened with the hub's key-encryption key."""

    code = "authority_key_unavailable"


class InvalidRevocation(Malformed):
    """Not a serial number, or not a revocation reason of RFC 5280."""

    code = "invalid_revocation"


class OrderImpossible(PolicyViolation):
    """The CA can't issue what was ordered; ``reason`` is the stable word of the finding."""

    code = "order_impossible"

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding.reason}: {finding.message}")
        self.reason = finding.reason
