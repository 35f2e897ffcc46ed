"""What can go wrong in a scan as a whole.

Trouble with one target is never an exception: it is an `Observation` with a status and a reason. The classes
here are for input that can't be scanned at all and for a scan that can't go on.
"""

from agents.runtime.errors import AgentError


class ScanError(AgentError):
    """The scan could not be carried out."""

    code = "ScanFailed"


class BadTarget(ScanError):
    """A scan range can't be understood."""

    code = "BadScanTarget"

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"bad scan target {text!r}: {reason}")
        self.text = text
        self.reason = reason


class BadPorts(ScanError):
    """A list of ports can't be understood."""

    code = "BadScanPorts"

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"bad ports {text!r}: {reason}")
        self.text = text
        self.reason = reason


class TooManyTargets(ScanError):
    """The ranges and ports together make more targets than any scan could finish."""

    code = "TooManyScanTargets"

    def __init__(self, total: int, limit: int) -> None:
        super().__init__(f"{total} targets are more than the limit of {limit}")
        self.total = total
        self.limit = limit


class BadCursor(ScanError):
    """A cursor doesn't belong to this scan."""

    code = "BadScanCursor"

    def __init__(self, cursor: int, total: int) -> None:
        super().__init__(f"cursor {cursor} is outside 0..{total}")
        self.cursor = cursor
        self.total = total


class WorkerDied(ScanError):
    """A scan process ended before its share was done; resume from the last cursor."""

    code = "ScanWorkerDied"
    retryable = True

    def __init__(self, worker: int, exit_code: int | None) -> None:
        super().__init__(f"scan process {worker} ended early with exit code {exit_code}")
        self.worker = worker
        self.exit_code = exit_code


class ProtocolViolation(ScanError):
    """A server's bytes break the TLS protocol. Raised and caught inside the hello parsers only."""

    code = "TlsProtocolViolation"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail
