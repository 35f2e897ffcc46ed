"""The life of a scan as a table: (state, event) -> (next state, kind of the outbox event that tells it)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from hub.discovery.errors import ScanTransitionNotAllowed

NOT_SCANNED = "Not Scanned"
"""Status of a task that has no scan yet; afterwards it is its latest scan's state."""


class ScanState(StrEnum):
    """Where a scan is. Queued: the agent has not reported anything yet."""

    QUEUED = "Queued"
    IN_PROGRESS = "In Progress"
    CANCELING = "Canceling"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    CANCELED = "Canceled"


class ScanEvent(StrEnum):
    """What can happen to a scan."""

    REPORT = "report"
    CANCEL = "cancel"
    SUCCEED = "succeed"
    FAIL = "fail"
    CONFIRM_CANCEL = "confirm_cancel"


class Row(NamedTuple):
    """Where an event leads, and the event that tells of it."""

    next: ScanState
    effect: str


_S, _E = ScanState, ScanEvent

SCAN: Mapping[tuple[ScanState, ScanEvent], Row] = {
    (_S.QUEUED, _E.REPORT): Row(_S.IN_PROGRESS, "ScanProgressed"),
    (_S.IN_PROGRESS, _E.REPORT): Row(_S.IN_PROGRESS, "ScanProgressed"),
    # What was on its way when somebody canceled still counts.
    (_S.CANCELING, _E.REPORT): Row(_S.CANCELING, "ScanProgressed"),
    (_S.QUEUED, _E.CANCEL): Row(_S.CANCELING, "ScanCanceling"),
    (_S.IN_PROGRESS, _E.CANCEL): Row(_S.CANCELING, "ScanCanceling"),
    **{
        (state, event): Row(target, "ScanFinished")
        for state in (_S.QUEUED, _S.IN_PROGRESS, _S.CANCELING)
        for event, target in (
            (_E.SUCCEED, _S.SUCCESSFUL),
            (_E.FAIL, _S.FAILED),
            (_E.CONFIRM_CANCEL, _S.CANCELED),
        )
    },
}

ACTIVE = (_S.QUEUED, _S.IN_PROGRESS, _S.CANCELING)
"""A task with a scan in one of these takes no second one."""


def next_state(state: ScanState, event: ScanEvent) -> Row:
    """Return the row for ``event`` in ``state``.

    Raises:
        ScanTransitionNotAllowed: the table has none.
    """
    row = SCAN.get((state, event))
    if row is None:
        raise ScanTransitionNotAllowed(state=state, event=event)
    return row
