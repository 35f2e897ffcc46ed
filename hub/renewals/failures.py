"""What kind of failure ended an attempt, when it is tried again, and what a person should do: one table.

Reasons are the stable words of whoever failed: the request's rules, the CA's answer, an agent, a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SOONEST = timedelta(minutes=5)
"""No renewal is tried more often, however little time is left."""
URGENCY_SHARE = 24
"""A pause is at most this part of the time that is left, so that an end that is near is met by more tries."""


class FailureKind(StrEnum):
    """What kind of failure it is; stable words that people and scripts see."""

    CA_UNAVAILABLE = "CaUnavailable"
    CA_REFUSED = "CaRefused"
    INVALID = "Invalid"
    NOT_ALLOWED = "NotAllowed"
    DECLINED = "ApprovalDeclined"
    AGENT_OFFLINE = "AgentOffline"
    INSTALL_FAILED = "InstallFailed"
    KEY_FAILED = "KeyNotMade"
    NOT_VALIDATED = "ValidationMissing"
    NEW_CSR_NEEDED = "NewSigningRequestNeeded"
    NOT_RENEWABLE = "NotRenewable"
    SUCCESSOR_GONE = "SuccessorRevoked"
    INTERNAL = "InternalError"


@dataclass(frozen=True, slots=True)
class FailureRule:
    """``first`` pause (None: nobody tries again), doubled up to ``longest``; what a person should do."""

    first: timedelta | None
    longest: timedelta
    instruction: str


_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_K = FailureKind

FAILURES: Mapping[FailureKind, FailureRule] = {
    _K.CA_UNAVAILABLE: FailureRule(
        10 * _MINUTE, 2 * _HOUR, "Check that the CA can be reached: CA backends, Test connection."
    ),
    _K.CA_REFUSED: FailureRule(
        _HOUR, 12 * _HOUR, "Read the CA's answer, and correct the profile or the account at the CA."
    ),
    _K.INVALID: FailureRule(
        _HOUR, 12 * _HOUR, "Correct what the answer complains about, then renew by hand to see that it works."
    ),
    _K.NOT_ALLOWED: FailureRule(
        30 * _MINUTE, 6 * _HOUR, "Correct the profile, organization or certificate, as the findings say."
    ),
    _K.DECLINED: FailureRule(
        None, _DAY, "Approve the declined request after all, or renew by hand; it is not asked for again."
    ),
    _K.AGENT_OFFLINE: FailureRule(
        10 * _MINUTE, 2 * _HOUR, "Bring the agent back: start its service and check its way to the hub."
    ),
    _K.INSTALL_FAILED: FailureRule(
        15 * _MINUTE, 4 * _HOUR, "Read the installation's messages, mend the server, then install again."
    ),
    _K.KEY_FAILED: FailureRule(
        15 * _MINUTE, 4 * _HOUR, "Read the agent's message: its key store may be locked, full or not allowed."
    ),
    _K.NOT_VALIDATED: FailureRule(
        15 * _MINUTE, 2 * _HOUR, "Validate the domain again; let it validate itself to keep it so."
    ),
    _K.NEW_CSR_NEEDED: FailureRule(
        None, _DAY, "Renew by hand with a new signing request, or let an agent make the key."
    ),
    _K.NOT_RENEWABLE: FailureRule(
        6 * _HOUR, 12 * _HOUR, "Renew by hand and choose how; automatic renewal can't decide that."
    ),
    _K.SUCCESSOR_GONE: FailureRule(
        30 * _MINUTE, 6 * _HOUR, "Find out why the successor was revoked; a new one is asked for."
    ),
    _K.INTERNAL: FailureRule(10 * _MINUTE, 2 * _HOUR, "Read the hub's log of this time, and report it."),
}

_BY_REASON: Mapping[str, FailureKind] = {
    "CaUnavailable": _K.CA_UNAVAILABLE,
    "Unavailable": _K.CA_UNAVAILABLE,
    "BackendDisabled": _K.CA_UNAVAILABLE,
    "Declined": _K.DECLINED,
    "DomainNotValidated": _K.NOT_VALIDATED,
    "AgentOffline": _K.AGENT_OFFLINE,
    # Commands whose agent did not come or answer in time, and installations that no window was enough for.
    "Expired": _K.AGENT_OFFLINE,
    "WindowsMissed": _K.AGENT_OFFLINE,
    "AgentNotActive": _K.AGENT_OFFLINE,
    "NewSigningRequestNeeded": _K.NEW_CSR_NEEDED,
    "NotRenewable": _K.NOT_RENEWABLE,
    "SuccessorRevoked": _K.SUCCESSOR_GONE,
    "RequestRefused": _K.NOT_ALLOWED,
    "InternalError": _K.INTERNAL,
}

_BY_STAGE: Mapping[str, FailureKind] = {
    "request": _K.NOT_ALLOWED,
    "key": _K.KEY_FAILED,
    "order": _K.CA_REFUSED,
    "answer": _K.INVALID,
    "install": _K.INSTALL_FAILED,
}


def failure_kind(reason: str, *, stage: str = "") -> FailureKind:
    """Classify a failure by its stable word, or by the step that it happened in."""
    return _BY_REASON.get(reason) or _BY_STAGE.get(stage, _K.CA_REFUSED)


def next_try(kind: FailureKind, *, attempts: int, now: datetime, not_after: datetime) -> datetime | None:
    """Return when to try again after ``attempts`` failures; None: a person has to act.

    Pauses double, and shrink with the time that is left.
    """
    rule = FAILURES[kind]
    if rule.first is None:
        return None
    pause: timedelta = min(rule.first * 2 ** min(max(attempts, 1) - 1, 16), rule.longest)
    left = not_after - now
    if left > timedelta():
        pause = min(pause, left / URGENCY_SHARE)
    return now + max(pause, SOONEST)
