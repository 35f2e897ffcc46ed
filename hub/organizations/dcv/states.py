"""The life of a domain's validation as a table.

=============== ================= ==============================================================
State           Shown as          Means
=============== ================= ==============================================================
``not_started`` Not Started       nobody has begun, or what was begun was cancelled
``pending``     Submitted         waits for the record, file or answer
``validated``   Validated         control was shown
``expiring``    Action Required   still good, but not for long, and nothing has renewed it
``expired``     Expired           good no longer
``failed``      Failed            what was begun was not shown within its 30 days
=============== ================= ==============================================================

A validated domain stays so while it is being validated again, whatever comes of it. A pair without a row is
:class:`~hub.organizations.dcv.errors.TransitionNotAllowed`.
"""

from __future__ import annotations

from enum import StrEnum

from hub.organizations.dcv.errors import TransitionNotAllowed


class DcvState(StrEnum):
    """Where a domain's validation is."""

    NOT_STARTED = "not_started"
    PENDING = "pending"
    VALIDATED = "validated"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    FAILED = "failed"


class DcvEvent(StrEnum):
    """What may happen to it."""

    START = "start"
    PROVE = "prove"
    LAPSE = "lapse"
    """The random value got too old."""
    CANCEL = "cancel"
    COME_DUE = "come_due"
    """Its end is near."""
    EXPIRE = "expire"


class ChallengeState(StrEnum):
    """Where one attempt is."""

    OPEN = "open"
    PROVED = "proved"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class Delivery(StrEnum):
    """What the hub itself has to do for an attempt: mails to send, or a record to write and take away."""

    NONE = "none"
    WANTED = "wanted"
    DONE = "done"
    REMOVAL = "removal"
    REMOVED = "removed"


_S, _E = DcvState, DcvEvent

TRANSITIONS: dict[tuple[DcvState, DcvEvent], DcvState] = {
    (_S.NOT_STARTED, _E.START): _S.PENDING,
    (_S.PENDING, _E.START): _S.PENDING,
    (_S.PENDING, _E.PROVE): _S.VALIDATED,
    (_S.PENDING, _E.LAPSE): _S.FAILED,
    (_S.PENDING, _E.CANCEL): _S.NOT_STARTED,
    (_S.FAILED, _E.START): _S.PENDING,
    (_S.VALIDATED, _E.START): _S.VALIDATED,
    (_S.VALIDATED, _E.PROVE): _S.VALIDATED,
    (_S.VALIDATED, _E.LAPSE): _S.VALIDATED,
    (_S.VALIDATED, _E.CANCEL): _S.VALIDATED,
    (_S.VALIDATED, _E.COME_DUE): _S.EXPIRING,
    # The hub was away for longer than the warning takes.
    (_S.VALIDATED, _E.EXPIRE): _S.EXPIRED,
    (_S.EXPIRING, _E.START): _S.EXPIRING,
    (_S.EXPIRING, _E.PROVE): _S.VALIDATED,
    (_S.EXPIRING, _E.LAPSE): _S.EXPIRING,
    (_S.EXPIRING, _E.CANCEL): _S.EXPIRING,
    (_S.EXPIRING, _E.EXPIRE): _S.EXPIRED,
    (_S.EXPIRED, _E.START): _S.PENDING,
    # An attempt that was open when the old validation ended may still succeed.
    (_S.EXPIRED, _E.PROVE): _S.VALIDATED,
    (_S.EXPIRED, _E.LAPSE): _S.EXPIRED,
    (_S.EXPIRED, _E.CANCEL): _S.EXPIRED,
}

DISPLAY_NAMES: dict[DcvState, str] = {
    _S.NOT_STARTED: "Not Started",
    _S.PENDING: "Submitted",
    _S.VALIDATED: "Validated",
    _S.EXPIRING: "Action Required",
    _S.EXPIRED: "Expired",
    _S.FAILED: "Failed",
}

EVENT_KINDS: dict[DcvEvent, str] = {
    _E.START: "DomainValidationStarted",
    _E.PROVE: "DomainValidated",
    _E.LAPSE: "DomainValidationFailed",
    _E.CANCEL: "DomainValidationCancelled",
    _E.COME_DUE: "DomainValidationExpiring",
    _E.EXPIRE: "DomainValidationExpired",
}


def transition(state: DcvState, event: DcvEvent) -> DcvState:
    """Return the next state; raise TransitionNotAllowed."""
    following = TRANSITIONS.get((state, event))
    if following is None:
        raise TransitionNotAllowed(f"a validation that is {DISPLAY_NAMES[state]} can't {event.value}")
    return following
