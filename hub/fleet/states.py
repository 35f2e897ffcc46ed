"""The life of a command as a table.

=============  =====================  =============================================================
State          Shown as               Means
=============  =====================  =============================================================
``queued``     Pending                waits for its agent, or for its next attempt
``dispatched`` Sent                   sent on an open stream, not yet accepted
``accepted``   In Progress            in the agent's journal: it will be answered
``cancelling`` Canceling              the agent has been asked to give it up
``successful`` Successful             final
``failed``     Failed                 final
``cancelled``  Canceled               final
``expired``    Expired                final: the deadline passed first
=============  =====================  =============================================================

Reports come at least once, so a final state has rows for them with the effect ``REPEATED``: acknowledge and
change nothing. A pair without a row is :class:`~hub.fleet.errors.CommandTransitionNotAllowed`.
"""

from __future__ import annotations

from enum import StrEnum

from hub.fleet.errors import CommandTransitionNotAllowed


class CommandState(StrEnum):
    """Where a command is."""

    QUEUED = "queued"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    CANCELLING = "cancelling"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class CommandEvent(StrEnum):
    """What may happen to a command."""

    DISPATCH = "dispatch"
    """It is about to be sent on a stream."""
    ACCEPT = "accept"
    """The agent has journalled it, or names it as running in its Hello."""
    STREAM_LOST = "stream_lost"
    """The stream it was sent on is gone."""
    MISSING = "be_missing"
    """A new Hello does not name it as running."""
    SUCCEED = "succeed"
    FAIL = "fail"
    """A failure that ends it."""
    TRY_AGAIN = "be_tried_again"
    """A retryable failure, with attempts left."""
    CONFIRM_CANCEL = "confirm_cancel"
    """The agent says that it gave it up."""
    CANCEL = "be_cancelled"
    """Somebody wants it cancelled."""
    EXPIRE = "expire"
    REFUSE = "be_refused"
    """The hub gives it up: agent removed, kind not supported, results that can't be stored."""


class CommandEffect(StrEnum):
    """What a transition writes down."""

    NOTHING = "nothing"
    REPEATED = "repeated"
    SENT = "sent"
    STARTED = "started"
    REQUEUED = "requeued"
    POSTPONED = "postponed"
    CANCEL_ASKED = "cancel_asked"
    FINISHED = "finished"


FINAL = frozenset(
    {CommandState.SUCCESSFUL, CommandState.FAILED, CommandState.CANCELLED, CommandState.EXPIRED}
)
OPEN = frozenset(CommandState) - FINAL

_S, _E, _F = CommandState, CommandEvent, CommandEffect

Transitions = dict[tuple[CommandState, CommandEvent], tuple[CommandState, CommandEffect]]

TRANSITIONS: Transitions = {
    (_S.QUEUED, _E.DISPATCH): (_S.DISPATCHED, _F.SENT),
    # A command goes back to the queue when its stream is lost; the agent may have it all the same.
    (_S.QUEUED, _E.ACCEPT): (_S.ACCEPTED, _F.STARTED),
    (_S.QUEUED, _E.STREAM_LOST): (_S.QUEUED, _F.NOTHING),
    (_S.QUEUED, _E.MISSING): (_S.QUEUED, _F.NOTHING),
    (_S.QUEUED, _E.SUCCEED): (_S.SUCCESSFUL, _F.FINISHED),
    (_S.QUEUED, _E.FAIL): (_S.FAILED, _F.FINISHED),
    (_S.QUEUED, _E.TRY_AGAIN): (_S.QUEUED, _F.POSTPONED),
    (_S.QUEUED, _E.CONFIRM_CANCEL): (_S.FAILED, _F.FINISHED),
    (_S.QUEUED, _E.CANCEL): (_S.CANCELLED, _F.FINISHED),
    (_S.QUEUED, _E.EXPIRE): (_S.EXPIRED, _F.FINISHED),
    (_S.QUEUED, _E.REFUSE): (_S.FAILED, _F.FINISHED),
    (_S.DISPATCHED, _E.ACCEPT): (_S.ACCEPTED, _F.STARTED),
    (_S.DISPATCHED, _E.STREAM_LOST): (_S.QUEUED, _F.REQUEUED),
    (_S.DISPATCHED, _E.MISSING): (_S.QUEUED, _F.REQUEUED),
    (_S.DISPATCHED, _E.SUCCEED): (_S.SUCCESSFUL, _F.FINISHED),
    (_S.DISPATCHED, _E.FAIL): (_S.FAILED, _F.FINISHED),
    (_S.DISPATCHED, _E.TRY_AGAIN): (_S.QUEUED, _F.POSTPONED),
    (_S.DISPATCHED, _E.CONFIRM_CANCEL): (_S.FAILED, _F.FINISHED),
    (_S.DISPATCHED, _E.CANCEL): (_S.CANCELLING, _F.CANCEL_ASKED),
    (_S.DISPATCHED, _E.EXPIRE): (_S.EXPIRED, _F.FINISHED),
    (_S.DISPATCHED, _E.REFUSE): (_S.FAILED, _F.FINISHED),
    (_S.ACCEPTED, _E.ACCEPT): (_S.ACCEPTED, _F.REPEATED),
    # Work goes on while the network is away.
    (_S.ACCEPTED, _E.STREAM_LOST): (_S.ACCEPTED, _F.NOTHING),
    # Its end is on its way, or the agent lost its journal: sending it again is harmless either way.
    (_S.ACCEPTED, _E.MISSING): (_S.QUEUED, _F.REQUEUED),
    (_S.ACCEPTED, _E.SUCCEED): (_S.SUCCESSFUL, _F.FINISHED),
    (_S.ACCEPTED, _E.FAIL): (_S.FAILED, _F.FINISHED),
    (_S.ACCEPTED, _E.TRY_AGAIN): (_S.QUEUED, _F.POSTPONED),
    (_S.ACCEPTED, _E.CONFIRM_CANCEL): (_S.FAILED, _F.FINISHED),
    (_S.ACCEPTED, _E.CANCEL): (_S.CANCELLING, _F.CANCEL_ASKED),
    (_S.ACCEPTED, _E.EXPIRE): (_S.EXPIRED, _F.FINISHED),
    (_S.ACCEPTED, _E.REFUSE): (_S.FAILED, _F.FINISHED),
    (_S.CANCELLING, _E.ACCEPT): (_S.CANCELLING, _F.NOTHING),
    (_S.CANCELLING, _E.STREAM_LOST): (_S.CANCELLING, _F.NOTHING),
    (_S.CANCELLING, _E.MISSING): (_S.CANCELLING, _F.NOTHING),
    # Done before the wish to cancel reached it: then it is done.
    (_S.CANCELLING, _E.SUCCEED): (_S.SUCCESSFUL, _F.FINISHED),
    (_S.CANCELLING, _E.FAIL): (_S.FAILED, _F.FINISHED),
    (_S.CANCELLING, _E.TRY_AGAIN): (_S.CANCELLED, _F.FINISHED),
    (_S.CANCELLING, _E.CONFIRM_CANCEL): (_S.CANCELLED, _F.FINISHED),
    (_S.CANCELLING, _E.CANCEL): (_S.CANCELLING, _F.REPEATED),
    (_S.CANCELLING, _E.EXPIRE): (_S.CANCELLED, _F.FINISHED),
    (_S.CANCELLING, _E.REFUSE): (_S.FAILED, _F.FINISHED),
} | {
    (state, event): (state, _F.REPEATED)
    for state in sorted(FINAL)
    for event in (
        _E.ACCEPT,
        _E.STREAM_LOST,
        _E.MISSING,
        _E.SUCCEED,
        _E.FAIL,
        _E.TRY_AGAIN,
        _E.CONFIRM_CANCEL,
        _E.REFUSE,
    )
}

DISPLAY_NAMES: dict[CommandState, str] = {
    _S.QUEUED: "Pending",
    _S.DISPATCHED: "Sent",
    _S.ACCEPTED: "In Progress",
    _S.CANCELLING: "Canceling",
    _S.SUCCESSFUL: "Successful",
    _S.FAILED: "Failed",
    _S.CANCELLED: "Canceled",
    _S.EXPIRED: "Expired",
}


def transition(state: CommandState, event: CommandEvent) -> tuple[CommandState, CommandEffect]:
    """Return the next state and what it writes down.

    Raises:
        CommandTransitionNotAllowed: the table has no such row.
    """
    row = TRANSITIONS.get((state, event))
    if row is None:
        raise CommandTransitionNotAllowed(state=DISPLAY_NAMES[state], event=event.value)
    return row
