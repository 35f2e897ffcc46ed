"""How a scan is carried out: limits and patience."""

from __future__ import annotations

from dataclasses import dataclass

from agents.network.scanner.conversation import FLIGHT_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """The limits of one scan; rate and concurrency are for the scan as a whole, not a process."""

    concurrency: int = 1000
    rate: float = 2000.0
    """Connects a second."""
    per_host: int = 16
    """Connections to one address at a time."""
    connect_timeout_s: float = 3.0
    hello_timeout_s: float = 5.0
    """For the whole answer, so that a server that drips bytes can't hold a place."""
    lookup_timeout_s: float = 5.0
    sweep_only: bool = False
    """Only find open ports."""
    flight_limit_bytes: int = FLIGHT_LIMIT
    processes: int | None = None
    """None: by the number of targets and cores; 0: a thread of this process."""
