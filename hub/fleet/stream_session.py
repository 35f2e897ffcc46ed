"""The hub's side of one control stream as a sans-IO state machine: no socket, clock, or log.

The first message is a Hello and no other one is; what has been sent and not answered is counted against the
agent's credits.
"""

from __future__ import annotations

from enum import StrEnum

from hub.fleet.errors import StreamViolation
from hub.fleet.messages import AgentHello, ToHub
from hub.fleet.settings import MAX_CREDITS


class StreamState(StrEnum):
    """Where a stream is."""

    AWAITING_HELLO = "awaiting_hello"
    OPEN = "open"


class StreamInput(StrEnum):
    """What an agent may send, as far as the order matters."""

    HELLO = "hello"
    OTHER = "other"


STREAM_TRANSITIONS: dict[tuple[StreamState, StreamInput], StreamState] = {
    (StreamState.AWAITING_HELLO, StreamInput.HELLO): StreamState.OPEN,
    (StreamState.OPEN, StreamInput.OTHER): StreamState.OPEN,
}


class StreamSession:
    """Order of messages, and credits."""

    __slots__ = ("_capacity", "_in_flight", "state")

    def __init__(self) -> None:
        self.state = StreamState.AWAITING_HELLO
        self._capacity = 0
        self._in_flight: set[str] = set()

    def receive(self, message: ToHub) -> None:
        """Let a message in.

        Raises:
            StreamViolation: it has no place here.
        """
        given = StreamInput.HELLO if isinstance(message, AgentHello) else StreamInput.OTHER
        row = STREAM_TRANSITIONS.get((self.state, given))
        if row is None:
            raise StreamViolation(f"{type(message).__name__} while {self.state.value}")
        self.state = row
        if isinstance(message, AgentHello):
            self._capacity = min(message.command_credits, MAX_CREDITS)

    def resume(self, running: frozenset[str]) -> None:
        """Count what the agent is at already; its credits are for further commands."""
        self._in_flight |= running
        self._capacity += len(running)

    @property
    def room(self) -> int:
        """How many commands may be sent now."""
        return max(0, self._capacity - len(self._in_flight))

    def sent(self, delivery_id: str) -> None:
        """Count a command that is on its way."""
        self._in_flight.add(delivery_id)

    def ended(self, delivery_id: str) -> None:
        """Give a command's credit back."""
        self._in_flight.discard(delivery_id)
