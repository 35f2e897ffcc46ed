"""What can be wrong with discovery."""

from __future__ import annotations

from dataclasses import dataclass

from hub.db.errors import Conflict, NotFound, PolicyViolation


class TaskNotFound(NotFound):
    """There is no such discovery task, or it is outside your scope."""

    code = "discovery_task_not_found"


class ScanNotFound(NotFound):
    """There is no such scan, or it is outside your scope."""

    code = "scan_not_found"


class ScanTransitionNotAllowed(Conflict):
    """The scan is not in a state that allows this."""

    code = "scan_transition_not_allowed"

    def __init__(self, *, state: str, event: str) -> None:
        super().__init__(f"a scan that is {state} can't {event.replace('_', ' ')}")
        self.state = state
        self.event = event


class NoScanRunning(Conflict):
    """The task has no scan that could be canceled."""

    code = "no_scan_running"


class TaskIsBeingScanned(Conflict):
    """The task is being scanned: cancel the scan first."""

    code = "task_is_being_scanned"


@dataclass(frozen=True, slots=True)
class FieldFinding:
    """One fault of a task: the field, a stable word, and a sentence for people."""

    field: str
    reason: str
    message: str


class TaskRefused(PolicyViolation):
    """The task can't be kept like this; ``findings`` lists everything that is wrong."""

    code = "discovery_task_refused"

    def __init__(self, findings: tuple[FieldFinding, ...]) -> None:
        super().__init__(
            "; ".join(finding.message for finding in findings),
            field=findings[0].field if findings else None,
        )
        self.findings = findings
