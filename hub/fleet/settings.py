"""Intervals and limits of the fleet, in seconds and bytes."""

from __future__ import annotations

from dataclasses import dataclass

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
MAX_CREDITS = 64
"""Most commands that one agent is given at once, whatever it asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSettings:
    """Settings of the control channel.

    ``poll_s``: how long a lost notice may delay a command. ``flush_s``: how often signs of life are written.
    ``sweep_s``: how often deadlines and dead hub processes are looked for.
    """

    heartbeat_interval_s: int = 20
    heartbeat_timeout_s: int = 60
    hello_timeout_s: float = 15.0
    poll_s: float = 5.0
    flush_s: float = 5.0
    progress_s: float = 1.0
    sweep_s: float = 5.0
