"""The life of a notification as a table: (state, event) -> next state.

A message is claimed before it is handed over, so that a second worker, or this one after a crash, knows that
it may be out already. What happens to one whose outcome nobody knows is decided by
:func:`after_unknown_outcome`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from hub.notifications.errors import DeliveryNotAllowed


class DeliveryState(StrEnum):
    """Where a notification is."""

    QUEUED = "Queued"
    SENDING = "Sending"
    SENT = "Sent"
    FAILED = "Failed"
    UNCERTAIN = "Uncertain"
    SUPPRESSED = "Suppressed"


class DeliveryEvent(StrEnum):
    """What can happen to it."""

    CLAIM = "claim"
    DELIVER = "deliver"
    POSTPONE = "postpone"
    """It was not taken, and will be tried again."""
    GIVE_UP = "give_up"
    LOSE = "lose"
    """Nobody knows whether it was taken, and it must not arrive twice."""
    SUPPRESS = "suppress"
    RESEND = "resend"
    """A person wants it sent, again or after all."""


_S, _E = DeliveryState, DeliveryEvent

DELIVERY: Mapping[tuple[DeliveryState, DeliveryEvent], DeliveryState] = {
    (_S.QUEUED, _E.CLAIM): _S.SENDING,
    (_S.QUEUED, _E.SUPPRESS): _S.SUPPRESSED,
    (_S.SENDING, _E.DELIVER): _S.SENT,
    (_S.SENDING, _E.POSTPONE): _S.QUEUED,
    (_S.SENDING, _E.GIVE_UP): _S.FAILED,
    (_S.SENDING, _E.LOSE): _S.UNCERTAIN,
    (_S.SENDING, _E.SUPPRESS): _S.SUPPRESSED,
    (_S.SENT, _E.RESEND): _S.QUEUED,
    (_S.FAILED, _E.RESEND): _S.QUEUED,
    (_S.UNCERTAIN, _E.RESEND): _S.QUEUED,
    (_S.SUPPRESSED, _E.RESEND): _S.QUEUED,
}


def next_state(state: DeliveryState, event: DeliveryEvent) -> DeliveryState:
    """Return the state after ``event``.

    Raises:
        DeliveryNotAllowed: the table has no such row.
    """
    following = DELIVERY.get((state, event))
    if following is None:
        raise DeliveryNotAllowed(state=state.value, event=event.value)
    return following


def after_unknown_outcome(*, critical: bool, told_apart: bool) -> DeliveryEvent:
    """Decide what happens to a message of which nobody knows whether it arrived.

    A receiver that tells repetitions by their id (``told_apart``) gets it again: it is processed once. To
    people, a warning of an outage is worth a second copy (with the same Message-ID, by which mail programs
    may fold them); anything else waits for somebody to look at it.
    """
    return DeliveryEvent.POSTPONE if critical or told_apart else DeliveryEvent.LOSE
