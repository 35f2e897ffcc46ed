"""What can be wrong when private CAs are made and kept."""

from __future__ import annotations

from hub.db.errors import Conflict, Malformed, NotFound
from pki.findings import Finding


class InvalidCa(Malformed):
    """A private CA can't be made like this."""

    code = "invalid_private_ca"


class ParentUnusable(Conflict):
    """The parent can't sign this CA now."""

    code = "ca_parent_unusable"


class PrivateCaNotFound(NotFound):
    """There is no such private CA."""

    code = "private_ca_not_found"


class ImportRefused(Malformed):
    """The certificate or CRL is not the one; ``reason`` is the stable word of the finding."""

    code = "ca_import_refused"

    def __init__(self, finding: Finding, *, field: str) -> None:
        super().__init__(f"{finding.reason}: {finding.message}", field=field)
        self.reason = finding.reason


class CaStateForbids(Conflict):
    """The CA is not in a state in which this can be done."""

    code = "private_ca_state"
