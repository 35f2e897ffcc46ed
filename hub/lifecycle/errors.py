"""What can be wrong in the life of a certificate."""

from __future__ import annotations

from dataclasses import dataclass

from hub.db.errors import Conflict, Forbidden, Malformed, NotFound, PolicyViolation


class OwnRequest(Forbidden):
    """Somebody else has to approve your own request."""

    code = "own_request"


class CertificateNotFound(NotFound):
    """There is no such certificate, or it is outside your scope."""

    code = "certificate_not_found"


class LocationNotFound(NotFound):
    """There is no such custom location of this certificate."""

    code = "certificate_location_not_found"


class TransitionNotAllowed(Conflict):
    """The certificate is not in a state that allows this."""

    code = "transition_not_allowed"

    def __init__(self, *, state: str, event: str) -> None:
        super().__init__(f"a certificate that is {state} can't {event.replace('_', ' ')}")
        self.state = state
        self.event = event


class ChangedMeanwhile(Conflict):
    """Somebody else changed the certificate first; look again."""

    code = "changed_meanwhile"


class AlreadyApproved(Conflict):
    """You have approved this request already; it takes the approval of somebody else."""

    code = "already_approved"


class ApproverNotIdentified(Forbidden):
    """Two people have to approve this, and it can't be told who you are."""

    code = "approver_not_identified"


class NotEditable(Conflict):
    """A request can be edited before it is approved, or after it was refused."""

    code = "not_editable"


class NotDeletable(Conflict):
    """Only certificates that were found can be deleted; those issued here are kept as a record."""

    code = "not_deletable"


class NotReplaceable(Conflict):
    """Only a certificate that is in use can be replaced."""

    code = "not_replaceable"


class ReplaceAutoInstalled(Conflict):
    """A certificate that is installed automatically is renewed instead of replaced."""

    code = "replace_auto_installed"


class ReplaceUnvalidatedOrganization(Conflict):
    """A certificate of public trust is replaced only while its organization is validated."""

    code = "replace_unvalidated_organization"


class ReplacementUnderWay(Conflict):
    """A replacement has been requested already."""

    code = "replacement_under_way"


class NothingToInstall(Conflict):
    """The certificate has no nodes to be installed on."""

    code = "nothing_to_install"


class CertificateNotIssued(Conflict):
    """There is no certificate yet."""

    code = "certificate_not_issued"


class NotRenewable(Conflict):
    """The certificate can't be renewed in this way."""

    code = "not_renewable"


class UnknownFormat(Malformed):
    """There is no such download format."""

    code = "unknown_format"


@dataclass(frozen=True, slots=True)
class FieldFinding:
    """One fault of a request: the field it is about, a stable word, and a sentence for people."""

    field: str
    reason: str
    message: str


class RequestRefused(PolicyViolation):
    """The request breaks rules; ``findings`` lists all of them."""

    code = "request_refused"

    def __init__(self, findings: tuple[FieldFinding, ...]) -> None:
        super().__init__(
            "; ".join(finding.message for finding in findings),
            field=findings[0].field if findings else None,
        )
        self.findings = findings
