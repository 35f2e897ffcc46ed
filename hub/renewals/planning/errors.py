"""What can be wrong with the planning of renewals."""

from __future__ import annotations

from dataclasses import dataclass

from hub.db.errors import Conflict, NotFound, PolicyViolation


class FreezeNotFound(NotFound):
    """There is no such freeze, or it is outside your scope."""

    code = "freeze_not_found"


class WindowNotFound(NotFound):
    """There is no such maintenance window, or it is outside your scope."""

    code = "maintenance_window_not_found"


class QuotaNotFound(NotFound):
    """There is no such quota."""

    code = "ca_quota_not_found"


class QuotaTaken(Conflict):
    """The CA has a quota for this period already: change that one."""

    code = "ca_quota_taken"


class InServiceNotFound(NotFound):
    """There is no such certificate, or it is outside your scope."""

    code = "certificate_not_found"


class NotIssued(Conflict):
    """The certificate was not issued: it has no outage budget yet."""

    code = "certificate_not_issued"


@dataclass(frozen=True, slots=True)
class FieldFinding:
    """One fault: the field, a stable word, and a sentence for people."""

    field: str
    reason: str
    message: str


class EntryRefused(PolicyViolation):
    """The entry can't be kept like this; ``findings`` lists everything that is wrong."""

    code = "calendar_entry_refused"

    def __init__(self, findings: tuple[FieldFinding, ...]) -> None:
        super().__init__(
            "; ".join(finding.message for finding in findings),
            field=findings[0].field if findings else None,
        )
        self.findings = findings


class FreezeCausesOutage(Conflict):
    """Certificates would expire while nothing may renew them; ``findings`` has one entry for each of them."""

    code = "freeze_causes_outage"

    def __init__(self, findings: tuple[FieldFinding, ...], *, total: int) -> None:
        noun = "certificate" if total == 1 else "certificates"
        super().__init__(
            f"the freeze would let {total} {noun} expire: shorten or move it, or narrow its scope"
        )
        self.findings = findings
        self.total = total
