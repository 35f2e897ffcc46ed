"""The state tables: of certificates, of installations, of their items, and of renewals.

Each is a dict (state, event) -> (next state, effect); the effect is the kind of the outbox event that tells
of it. What is not in a table is refused by :func:`next_state`, never ignored. The diagrams in the documents
are drawn from these dicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, TypeVar

from hub.lifecycle.errors import TransitionNotAllowed


class CertificateStatus(StrEnum):
    """What a certificate is. External and Unmanaged ones were found, not requested here."""

    REQUESTED = "Requested"
    DECLINED = "Declined"
    APPROVED = "Approved"
    APPLIED = "Applied"
    REJECTED = "Rejected"
    INVALID = "Invalid"
    ISSUED = "Issued"
    DOWNLOADED = "Downloaded"
    EXPIRED = "Expired"
    REVOKED = "Revoked"
    REPLACED = "Replaced"
    EXTERNAL = "External"
    UNMANAGED = "Unmanaged"


class CertificateEvent(StrEnum):
    """What can happen to a certificate."""

    APPROVE = "approve"
    DECLINE = "decline"
    APPLY = "apply"
    ISSUE = "issue"
    REFUSE = "refuse"
    FAIL = "fail"
    DOWNLOAD = "download"
    EXPIRE = "expire"
    REVOKE = "revoke"
    REPLACE = "replace"
    ASSIGN = "assign"
    RELEASE = "release"
    RESUBMIT = "resubmit"


class InstallState(StrEnum):
    """How far the installation of a certificate on its nodes is."""

    NOT_SCHEDULED = "Not Scheduled"
    SCHEDULED = "Scheduled"
    STARTED = "Started"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    RESTART_REQUIRED = "Restart Required"


class InstallEvent(StrEnum):
    """What can happen to an installation."""

    SCHEDULE = "schedule"
    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"
    NEED_RESTART = "need_restart"
    # The window closed before every agent had answered.
    POSTPONE = "postpone"
    CANCEL = "cancel"


class ItemStatus(StrEnum):
    """How far the installation on one node is. Invalid: its node, server or agent is gone."""

    NOT_STARTED = "Not Started"
    PRIVATE_KEY_SAVED = "Private Key Saved"
    CERTIFICATE_SAVED = "Certificate Saved"
    CERTIFICATE_DEPLOYED = "Certificate Deployed"
    INSTALLED = "Installed"
    FAILED = "Failed"
    INVALID = "Invalid"


class ItemEvent(StrEnum):
    """What can happen to an item."""

    SAVE_KEY = "save_key"
    SAVE_CERTIFICATE = "save_certificate"
    DEPLOY = "deploy"
    INSTALL = "install"
    FAIL = "fail"
    LOSE = "lose"


class RenewalState(StrEnum):
    """How far the renewal of a certificate is."""

    NOT_SCHEDULED = "Not Scheduled"
    SCHEDULED = "Scheduled"
    STARTED = "Started"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"


class RenewalEvent(StrEnum):
    """What can happen to a renewal."""

    SCHEDULE = "schedule"
    CANCEL = "cancel"
    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"


class Row(NamedTuple):
    """Where an event leads, and the kind of the outbox event that tells of it (empty: none)."""

    next: str
    effect: str


_S, _E = CertificateStatus, CertificateEvent

CERTIFICATE: Mapping[tuple[CertificateStatus, CertificateEvent], Row] = {
    (_S.REQUESTED, _E.APPROVE): Row(_S.APPROVED, "CertificateApproved"),
    (_S.REQUESTED, _E.DECLINE): Row(_S.DECLINED, "CertificateDeclined"),
    (_S.REQUESTED, _E.FAIL): Row(_S.INVALID, "CertificateInvalid"),
    # A second look at a declined request is allowed.
    (_S.DECLINED, _E.APPROVE): Row(_S.APPROVED, "CertificateApproved"),
    # What was refused may be mended: it asks again, as an order that the CA does not know.
    (_S.REJECTED, _E.RESUBMIT): Row(_S.REQUESTED, "CertificateResubmitted"),
    (_S.INVALID, _E.RESUBMIT): Row(_S.REQUESTED, "CertificateResubmitted"),
    (_S.APPROVED, _E.APPLY): Row(_S.APPLIED, "CertificateApplied"),
    (_S.APPROVED, _E.DECLINE): Row(_S.DECLINED, "CertificateDeclined"),
    # The CA says no before anything was ordered (prepare), or no usable key could be had.
    (_S.APPROVED, _E.REFUSE): Row(_S.REJECTED, "CertificateRejected"),
    (_S.APPROVED, _E.FAIL): Row(_S.INVALID, "CertificateInvalid"),
    (_S.APPLIED, _E.ISSUE): Row(_S.ISSUED, "CertificateIssued"),
    (_S.APPLIED, _E.REFUSE): Row(_S.REJECTED, "CertificateRejected"),
    (_S.APPLIED, _E.FAIL): Row(_S.INVALID, "CertificateInvalid"),
    (_S.ISSUED, _E.DOWNLOAD): Row(_S.DOWNLOADED, "CertificateDownloaded"),
    (_S.ISSUED, _E.EXPIRE): Row(_S.EXPIRED, "CertificateExpired"),
    (_S.ISSUED, _E.REVOKE): Row(_S.REVOKED, "CertificateRevoked"),
    (_S.ISSUED, _E.REPLACE): Row(_S.REPLACED, "CertificateReplaced"),
    (_S.DOWNLOADED, _E.EXPIRE): Row(_S.EXPIRED, "CertificateExpired"),
    (_S.DOWNLOADED, _E.REVOKE): Row(_S.REVOKED, "CertificateRevoked"),
    (_S.DOWNLOADED, _E.REPLACE): Row(_S.REPLACED, "CertificateReplaced"),
    # A replaced certificate is still trusted until it is revoked or over.
    (_S.REPLACED, _E.EXPIRE): Row(_S.EXPIRED, "CertificateExpired"),
    (_S.REPLACED, _E.REVOKE): Row(_S.REVOKED, "CertificateRevoked"),
    # A found certificate whose renewal was issued here has a managed successor.
    (_S.EXTERNAL, _E.REPLACE): Row(_S.REPLACED, "CertificateReplaced"),
    (_S.UNMANAGED, _E.REPLACE): Row(_S.REPLACED, "CertificateReplaced"),
    (_S.UNMANAGED, _E.ASSIGN): Row(_S.EXTERNAL, "CertificateAssigned"),
    (_S.EXTERNAL, _E.ASSIGN): Row(_S.EXTERNAL, "CertificateAssigned"),
    (_S.EXTERNAL, _E.RELEASE): Row(_S.UNMANAGED, "CertificateReleased"),
}

INITIAL_STATUSES = (_S.REQUESTED, _S.EXTERNAL, _S.UNMANAGED)
"""Where a certificate's life here begins."""

FINAL_STATUSES = (_S.EXPIRED, _S.REVOKED)
"""Nothing leads out of these: another certificate is a new request (a renewal of this one)."""

RESTING_STATUSES = (_S.DECLINED, _S.REJECTED, _S.INVALID, _S.EXTERNAL, _S.UNMANAGED)
"""In these nothing is under way: only a person leads out of them."""

_I, _IE = InstallState, InstallEvent

INSTALL: Mapping[tuple[InstallState, InstallEvent], Row] = {
    (_I.NOT_SCHEDULED, _IE.SCHEDULE): Row(_I.SCHEDULED, "InstallScheduled"),
    (_I.NOT_SCHEDULED, _IE.START): Row(_I.STARTED, "InstallStarted"),
    (_I.SCHEDULED, _IE.START): Row(_I.STARTED, "InstallStarted"),
    # Storing the certificate at the target, before any installation, may fail too.
    (_I.NOT_SCHEDULED, _IE.FAIL): Row(_I.FAILED, "InstallFinished"),
    (_I.SCHEDULED, _IE.FAIL): Row(_I.FAILED, "InstallFinished"),
    (_I.STARTED, _IE.SUCCEED): Row(_I.SUCCESSFUL, "InstallFinished"),
    (_I.STARTED, _IE.FAIL): Row(_I.FAILED, "InstallFinished"),
    (_I.STARTED, _IE.NEED_RESTART): Row(_I.RESTART_REQUIRED, "InstallFinished"),
    (_I.STARTED, _IE.POSTPONE): Row(_I.SCHEDULED, "InstallPostponed"),
    (_I.SCHEDULED, _IE.CANCEL): Row(_I.NOT_SCHEDULED, "InstallCanceled"),
    (_I.SUCCESSFUL, _IE.START): Row(_I.STARTED, "InstallStarted"),
    # Nodes were added afterwards.
    (_I.SUCCESSFUL, _IE.SCHEDULE): Row(_I.SCHEDULED, "InstallScheduled"),
    (_I.RESTART_REQUIRED, _IE.SCHEDULE): Row(_I.SCHEDULED, "InstallScheduled"),
    (_I.FAILED, _IE.START): Row(_I.STARTED, "InstallStarted"),
    (_I.FAILED, _IE.SCHEDULE): Row(_I.SCHEDULED, "InstallScheduled"),
    (_I.RESTART_REQUIRED, _IE.START): Row(_I.STARTED, "InstallStarted"),
    (_I.RESTART_REQUIRED, _IE.SUCCEED): Row(_I.SUCCESSFUL, "InstallFinished"),
    (_I.RESTART_REQUIRED, _IE.FAIL): Row(_I.FAILED, "InstallFinished"),
}

_T, _TE = ItemStatus, ItemEvent

ITEM: Mapping[tuple[ItemStatus, ItemEvent], Row] = {
    (_T.NOT_STARTED, _TE.SAVE_KEY): Row(_T.PRIVATE_KEY_SAVED, ""),
    (_T.FAILED, _TE.SAVE_KEY): Row(_T.PRIVATE_KEY_SAVED, ""),
    **{
        (status, _TE.SAVE_CERTIFICATE): Row(_T.CERTIFICATE_SAVED, "")
        for status in (_T.NOT_STARTED, _T.PRIVATE_KEY_SAVED, _T.CERTIFICATE_SAVED, _T.FAILED)
    },
    # Storing again beside a certificate that serves already takes nothing back.
    (_T.CERTIFICATE_DEPLOYED, _TE.SAVE_CERTIFICATE): Row(_T.CERTIFICATE_DEPLOYED, ""),
    (_T.INSTALLED, _TE.SAVE_CERTIFICATE): Row(_T.INSTALLED, ""),
    **{
        (status, event): Row(target, "")
        for status in (_T.CERTIFICATE_SAVED, _T.CERTIFICATE_DEPLOYED, _T.INSTALLED, _T.FAILED)
        for event, target in ((_TE.DEPLOY, _T.CERTIFICATE_DEPLOYED), (_TE.INSTALL, _T.INSTALLED))
    },
    **{(status, _TE.FAIL): Row(_T.FAILED, "") for status in _T if status is not _T.INVALID},
    **{(status, _TE.LOSE): Row(_T.INVALID, "") for status in _T},
}

_R, _RE = RenewalState, RenewalEvent

RENEWAL: Mapping[tuple[RenewalState, RenewalEvent], Row] = {
    (_R.NOT_SCHEDULED, _RE.SCHEDULE): Row(_R.SCHEDULED, "RenewalScheduled"),
    (_R.FAILED, _RE.SCHEDULE): Row(_R.SCHEDULED, "RenewalScheduled"),
    (_R.SCHEDULED, _RE.CANCEL): Row(_R.NOT_SCHEDULED, "RenewalCanceled"),
    (_R.NOT_SCHEDULED, _RE.START): Row(_R.STARTED, "RenewalStarted"),
    (_R.SCHEDULED, _RE.START): Row(_R.STARTED, "RenewalStarted"),
    (_R.FAILED, _RE.START): Row(_R.STARTED, "RenewalStarted"),
    (_R.SUCCESSFUL, _RE.START): Row(_R.STARTED, "RenewalStarted"),
    (_R.STARTED, _RE.SUCCEED): Row(_R.SUCCESSFUL, "RenewalFinished"),
    (_R.STARTED, _RE.FAIL): Row(_R.FAILED, "RenewalFinished"),
    # Somebody mended what it failed on: the successor came, or was installed, after all.
    (_R.FAILED, _RE.SUCCEED): Row(_R.SUCCESSFUL, "RenewalFinished"),
    (_R.FAILED, _RE.CANCEL): Row(_R.NOT_SCHEDULED, "RenewalCanceled"),
}

StateT = TypeVar("StateT", bound=StrEnum)
EventT = TypeVar("EventT", bound=StrEnum)


def next_state(table: Mapping[tuple[StateT, EventT], Row], state: StateT, event: EventT) -> Row:
    """Return the row of ``table`` for ``event`` in ``state``.

    Raises:
        TransitionNotAllowed: the table has none.
    """
    row = table.get((state, event))
    if row is None:
        raise TransitionNotAllowed(state=state, event=event)
    return row


def states_allowing(table: Mapping[tuple[StateT, EventT], Row], event: EventT) -> tuple[StateT, ...]:
    """Return the states in which ``event`` is allowed."""
    return tuple(state for state, allowed in table if allowed == event)
